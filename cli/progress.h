// SPDX-License-Identifier: Apache-2.0
// One line on stderr that shows how long work goes on; only when a person watches. Not thread-safe.
#pragma once

#include <chrono>
#include <string_view>

#include "cli/environment.h"

namespace gantry::cli {

class Progress {
 public:
  explicit Progress(Environment& environment, bool enabled = true);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Whether the next update() would be shown: at most five a second.
  bool due();
  // Replaces the line.
  void update(std::string_view text);
  // Takes the line away, so that output can follow.
  void clear();

 private:
  Environment& environment_;
  const bool enabled_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace gantry::cli
