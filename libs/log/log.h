// SPDX-License-Identifier: Apache-2.0
// Logging for every part of Gantry. A module owns one `Logger` (usually a file-level constant) and
// writes a sentence followed by `key=value` pairs:
//
//   constexpr Logger kLog("raft");
//   kLog.info("became leader group={} term={}", group, term);
//
// The level is tested before anything is formatted, so a disabled line costs one relaxed load.
// Levels: error = somebody must act; warn = degraded; info = a state change (role, term,
// configuration, snapshot); debug and trace are off in production. Nothing per message above trace;
// never message bodies, message keys or credentials.
//
// Every function here may be called from every thread and before `init_logging`. Lines go to
// stderr, one write each; bytes below space are escaped, so data from a peer cannot forge a line.
#pragma once

#include <fmt/core.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace gantry::log {

enum class Level : int { kTrace, kDebug, kInfo, kWarn, kError, kOff };
enum class Format { kText, kJson };

// "trace", "debug", "info", "warn", "error", "off" (as the key `logLevel` takes them).
Result<Level> parse_level(std::string_view text);
std::string_view to_string(Level level);
// "text" or "json" (the key `logFormat`).
Result<Format> parse_format(std::string_view text);

struct Options {
  Level level = Level::kInfo;
  Format format = Format::kText;
  // Takes each finished line, without its newline, instead of stderr. Called by one thread at a
  // time. For tests and for embedding.
  std::function<void(std::string_view line)> sink{};
};

// Sets up logging for the process. May be called again: later lines use the new options.
void init_logging(Options options);

// Changes the level of a running process.
void set_level(Level level);
Level level();

// Lines written at level error since the process began. Integration tests require it to be 0.
std::int64_t error_count();

namespace internal {
extern std::atomic<Level> threshold;
void write(Level level, std::string_view module, std::int64_t suppressed, fmt::string_view format,
           fmt::format_args args);
}  // namespace internal

// Holds one call site to at most one line per interval, so that a failing disk or peer cannot fill
// the log. Make it `static` at the call site or a member of the object it should count for.
// Thread-safe.
class RateLimit {
 public:
  explicit RateLimit(std::int64_t interval_ms, const Clock& clock = system_clock());

  // If a line may be written now: how many were held back since the last one. Otherwise counts
  // this one as held back and returns nothing.
  std::optional<std::int64_t> admit();

 private:
  const Clock& clock_;
  const std::int64_t interval_us_;
  std::atomic<std::int64_t> next_us_;
  std::atomic<std::int64_t> suppressed_{0};
};

// A handle that names the module of its lines. Cheap to copy. `module` must outlive it (a literal).
class Logger {
 public:
  constexpr explicit Logger(std::string_view module) : module_(module) {}

  static bool enabled(Level level) {
    return level >= internal::threshold.load(std::memory_order_relaxed);
  }

  template <class... Args>
  void error(fmt::format_string<Args...> format, Args&&... args) const {
    emit(Level::kError, format, fmt::make_format_args(args...));
  }
  template <class... Args>
  void warn(fmt::format_string<Args...> format, Args&&... args) const {
    emit(Level::kWarn, format, fmt::make_format_args(args...));
  }
  template <class... Args>
  void info(fmt::format_string<Args...> format, Args&&... args) const {
    emit(Level::kInfo, format, fmt::make_format_args(args...));
  }
  template <class... Args>
  void debug(fmt::format_string<Args...> format, Args&&... args) const {
    emit(Level::kDebug, format, fmt::make_format_args(args...));
  }
  template <class... Args>
  void trace(fmt::format_string<Args...> format, Args&&... args) const {
    emit(Level::kTrace, format, fmt::make_format_args(args...));
  }

  // The same through a rate limit. A line that follows held-back ones ends in ` suppressed=<n>`.
  template <class... Args>
  void error(RateLimit& limit, fmt::format_string<Args...> format, Args&&... args) const {
    emit(Level::kError, limit, format, fmt::make_format_args(args...));
  }
  template <class... Args>
  void warn(RateLimit& limit, fmt::format_string<Args...> format, Args&&... args) const {
    emit(Level::kWarn, limit, format, fmt::make_format_args(args...));
  }
  template <class... Args>
  void info(RateLimit& limit, fmt::format_string<Args...> format, Args&&... args) const {
    emit(Level::kInfo, limit, format, fmt::make_format_args(args...));
  }

 private:
  void emit(Level level, fmt::string_view format, fmt::format_args args) const {
    if (enabled(level)) internal::write(level, module_, 0, format, args);
  }
  void emit(Level level, RateLimit& limit, fmt::string_view format, fmt::format_args args) const {
    if (!enabled(level)) return;
    if (const auto held = limit.admit()) internal::write(level, module_, *held, format, args);
  }

  std::string_view module_;
};

}  // namespace gantry::log

namespace gantry {
using log::Logger;
using log::RateLimit;
}  // namespace gantry
