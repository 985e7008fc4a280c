// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <ostream>

#include "cli/text.h"

namespace gantry::cli {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPeriod{200};
constexpr std::string_view kEraseLine = "\r\x1b[K";

}  // namespace

Progress::Progress(Environment& environment, bool enabled)
    : environment_(environment),
      enabled_(enabled && environment.err_is_tty),
      next_(steady_clock::now() + kPeriod) {}

Progress::~Progress() { clear(); }

bool Progress::due() { return enabled_ && steady_clock::now() >= next_; }

void Progress::update(std::string_view text) {
  if (!enabled_) return;
  environment_.err << kEraseLine << printable(text) << std::flush;
  shown_ = true;
  next_ = steady_clock::now() + kPeriod;
}

void Progress::clear() {
  if (!shown_) return;
  environment_.err << kEraseLine << std::flush;
  shown_ = false;
}

}  // namespace gantry::cli
