// SPDX-License-Identifier: Apache-2.0
#include "kube/retry.h"

#include <algorithm>

namespace gantry::kube {
namespace {

using std::chrono::milliseconds;

bool worth_another_attempt(const ApiError& error, bool repeatable) {
  switch (error.failure) {
    case Failure::kConnect:
      return true;
    case Failure::kAnswer:
      return repeatable;
    case Failure::kStatus:
      if (error.http_status == 429) return true;
      // 503 with a pause is refused before it is carried out; the other ones may be half way.
      if (error.http_status == 503 && error.status.retry_after) return true;
      return repeatable && error.http_status >= 500;
    case Failure::kTls:
    case Failure::kCredentials:
    case Failure::kMalformed:
    case Failure::kStopped:
      return false;
  }
  return false;
}

}  // namespace

milliseconds backoff(const RetryPolicy& policy, int failures, double random) {
  milliseconds delay = policy.first_delay;
  for (int i = 1; i < failures && delay < policy.delay_max; ++i) delay *= 2;
  delay = std::min(delay, policy.delay_max);
  const auto half = static_cast<double>(delay.count()) / 2;
  return milliseconds(static_cast<milliseconds::rep>(half + half * std::clamp(random, 0.0, 1.0)));
}

milliseconds requested_pause(const RetryPolicy& policy, const ApiError& error) {
  if (error.failure != Failure::kStatus || !error.status.retry_after) return milliseconds(0);
  return std::min(milliseconds(*error.status.retry_after), policy.retry_after_max);
}

std::optional<milliseconds> delay_before_retry(const RetryPolicy& policy, const ApiError& error,
                                               int failures, bool repeatable, double random) {
  if (failures >= policy.attempts_max || !worth_another_attempt(error, repeatable)) {
    return std::nullopt;
  }
  return std::max(backoff(policy, failures, random), requested_pause(policy, error));
}

}  // namespace gantry::kube
