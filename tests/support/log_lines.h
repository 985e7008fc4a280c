// SPDX-License-Identifier: Apache-2.0
// Takes the log of the process while it lives, for tests of what is said and how often. Lines of
// every thread count, so whoever logs must be gone before it is.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "log/log.h"

namespace gantry::testing {

class LogLines {
 public:
  LogLines() {
    log::Options options;
    options.level = log::Level::kDebug;
    options.sink = [this](std::string_view line) {
      const std::lock_guard lock(mutex_);
      lines_.emplace_back(line);
      changed_.notify_all();
    };
    log::init_logging(std::move(options));
  }
  ~LogLines() { log::init_logging({}); }
  LogLines(const LogLines&) = delete;
  LogLines& operator=(const LogLines&) = delete;

  // False: no line with `part` has come in a minute.
  bool wait_for(std::string_view part) { return wait_for(part, 1); }
  bool wait_for(std::string_view part, std::ptrdiff_t times) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::minutes(1),
                             [&] { return count_locked(part) >= times; });
  }
  // The first line with `part`; "" when none has come in a minute.
  std::string line_with(std::string_view part) {
    if (!wait_for(part)) return {};
    const std::lock_guard lock(mutex_);
    return *std::ranges::find_if(
        lines_, [&](const std::string& line) { return line.find(part) != std::string::npos; });
  }
  // Lines so far with `part` in them.
  std::ptrdiff_t count(std::string_view part) {
    const std::lock_guard lock(mutex_);
    return count_locked(part);
  }
  // ... themselves, for the message of a failure.
  std::string text() {
    const std::lock_guard lock(mutex_);
    std::string text;
    for (const std::string& line : lines_) text += line + "\n";
    return text;
  }

 private:
  std::ptrdiff_t count_locked(std::string_view part) const {
    return std::ranges::count_if(
        lines_, [&](const std::string& line) { return line.find(part) != std::string::npos; });
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

}  // namespace gantry::testing
