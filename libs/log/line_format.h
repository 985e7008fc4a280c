// SPDX-License-Identifier: Apache-2.0
// The two shapes of a log line. Pure functions, so that the shapes can be tested byte by byte.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "log/log.h"

namespace gantry::log {

struct Line {
  Level level = Level::kInfo;
  std::string_view module;
  std::string_view message;
  std::int64_t wall_us = 0;  // Unix epoch microseconds
  std::int64_t thread_id = 0;
};

// `2001-02-03T04:05:06.789Z info  raft: became leader term=3`
void append_text(std::string& out, const Line& line);

// `{"time":"…","level":"info","module":"raft","thread":7,"msg":"became leader term=3"}`
void append_json(std::string& out, const Line& line);

}  // namespace gantry::log
