// SPDX-License-Identifier: Apache-2.0
// When a request to the Kubernetes API is sent again. Pure functions.
#pragma once

#include <chrono>
#include <optional>

#include "kube/api_error.h"

namespace gantry::kube {

struct RetryPolicy {
  int attempts_max = 4;                        // the first one included
  std::chrono::milliseconds first_delay{100};  // doubled after each attempt
  std::chrono::milliseconds delay_max{5000};
  std::chrono::milliseconds retry_after_max{30000};  // what the server may ask for
};

// The exponential delay after that many failures (1 or more), with `random` from 0 to 1 spreading
// it over its upper half, so that clients do not come back together.
std::chrono::milliseconds backoff(const RetryPolicy& policy, int failures, double random);

// How long the server asks to be left alone; zero: it does not.
std::chrono::milliseconds requested_pause(const RetryPolicy& policy, const ApiError& error);

// The pause before the next attempt; nothing: the error is final. `failures` attempts have failed,
// the last one with `error`. A request that is not repeatable is sent again only when the server
// certainly has not carried it out.
std::optional<std::chrono::milliseconds> delay_before_retry(const RetryPolicy& policy,
                                                            const ApiError& error, int failures,
                                                            bool repeatable, double random);

}  // namespace gantry::kube
