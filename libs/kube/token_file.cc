// SPDX-License-Identifier: Apache-2.0
#include "kube/token_file.h"

#include <utility>

#include "kube/service_account.h"
#include "log/log.h"

namespace gantry::kube {
namespace {

constexpr Logger kLog("kube");
constexpr std::int64_t kReadAgainUs = 60'000'000;

}  // namespace

TokenFile::TokenFile(std::string path, const Clock& clock)
    : path_(std::move(path)), clock_(clock) {}

Result<std::string> TokenFile::get() {
  const std::int64_t now = clock_.steady_us();
  if (read_at_us_ != kNever && now - read_at_us_ < kReadAgainUs) return token_;
  auto token = read();
  if (!token && token_.empty()) return token;
  if (!token) {
    kLog.warn("keeping the token that is known: {}", token.error().message);
  } else {
    token_ = *std::move(token);
  }
  read_at_us_ = now;
  return token_;
}

Result<std::string> TokenFile::read() const {
  auto token = read_small_file(path_);
  if (!token) return token;
  // It goes into a header as it is.
  for (const char c : *token) {
    if (c <= ' ' || c > '~') {
      return make_error(ErrorCode::kCorrupt,
                        path_ + ": expected a token of printable characters on one line");
    }
  }
  return token;
}

}  // namespace gantry::kube
