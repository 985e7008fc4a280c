// SPDX-License-Identifier: Apache-2.0
// Tells what is new from what merely repeats itself, for causes of log lines that come back every
// few seconds until somebody repairs them: a line about a subject is due once while it lasts, again
// when what is said of the subject changes, and again after it was settled or has not been heard of
// for ten minutes.
//
//   if (news_.is_new(address, reason)) kLog.warn("refused address={} reason=\"{}\"", …);
//
// Other subjects are not held back, until there are so many lines that they may be somebody's
// intention: 64 at a time, then one every ten seconds. Remembers the 256 subjects heard of last.
// Owned by the object whose lines it judges; not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace gantry::log {

class News {
 public:
  static constexpr std::size_t kSubjectsMax = 256;
  static constexpr std::int64_t kForgottenAfterUs = 600'000'000;
  static constexpr std::int64_t kLinesMax = 64;
  static constexpr std::int64_t kLineEveryUs = 10'000'000;  // when those are used up

  explicit News(const Clock& clock = system_clock()) : clock_(clock) {}

  // True: write the line. False: it has been written, or there are too many.
  bool is_new(std::string_view subject, std::string_view what);
  // It is as it should be: whatever is said of `subject` next is new.
  void settled(std::string_view subject);

  std::size_t subjects() const { return said_.size(); }

 private:
  struct Said {
    std::string subject;
    std::size_t what;  // its hash
    std::int64_t heard_us;
  };

  bool line_allowed(std::int64_t now_us);

  const Clock& clock_;
  std::vector<Said> said_;  // heard of last at the end
  std::int64_t lines_ = kLinesMax, counted_us_ = 0;
};

}  // namespace gantry::log

namespace gantry {
using log::News;
}  // namespace gantry
