// SPDX-License-Identifier: Apache-2.0
// The token of a service account. The kubelet replaces the file long before the token expires, so
// it is read again every minute, and at once when the API server does not accept it any more.
// Belongs to one thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace gantry::kube {

class TokenFile {
 public:
  explicit TokenFile(std::string path, const Clock& clock = system_clock());

  // The newest token. A file that cannot be read at the moment leaves the one that is known; error
  // when none is known.
  Result<std::string> get();
  // The server has refused the token: the next get() reads the file again.
  void distrust() { read_at_us_ = kNever; }

 private:
  static constexpr std::int64_t kNever = -1;

  Result<std::string> read() const;

  const std::string path_;
  const Clock& clock_;
  std::string token_;
  std::int64_t read_at_us_ = kNever;  // steady
};

}  // namespace gantry::kube
