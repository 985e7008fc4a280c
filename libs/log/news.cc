// SPDX-License-Identifier: Apache-2.0
#include "log/news.h"

#include <algorithm>
#include <functional>

namespace gantry::log {
namespace {

// Subjects may be what a stranger says of itself.
constexpr std::size_t kSubjectBytesMax = 256;

}  // namespace

bool News::is_new(std::string_view subject, std::string_view what) {
  subject = subject.substr(0, kSubjectBytesMax);
  const std::size_t hash = std::hash<std::string_view>{}(what);
  const std::int64_t now_us = clock_.steady_us();
  if (const auto known = std::ranges::find(said_, subject, &Said::subject); known != said_.end()) {
    const bool repeated = known->what == hash && now_us - known->heard_us < kForgottenAfterUs;
    if (!repeated && !line_allowed(now_us)) return false;
    known->what = hash;
    known->heard_us = now_us;
    std::rotate(known, known + 1, said_.end());
    return !repeated;
  }
  if (!line_allowed(now_us)) return false;
  if (said_.size() == kSubjectsMax) said_.erase(said_.begin());
  said_.push_back({std::string(subject), hash, now_us});
  return true;
}

void News::settled(std::string_view subject) {
  subject = subject.substr(0, kSubjectBytesMax);
  std::erase_if(said_, [&](const Said& said) { return said.subject == subject; });
}

bool News::line_allowed(std::int64_t now_us) {
  if (lines_ == kLinesMax) counted_us_ = now_us;
  const std::int64_t earned = (now_us - counted_us_) / kLineEveryUs;
  lines_ = std::min(kLinesMax, lines_ + earned);
  counted_us_ += earned * kLineEveryUs;
  if (lines_ == 0) return false;
  --lines_;
  return true;
}

}  // namespace gantry::log
