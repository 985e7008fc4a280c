// SPDX-License-Identifier: Apache-2.0
#include "kube/retry.h"

#include <gtest/gtest.h>

namespace gantry::kube {
namespace {

using namespace std::chrono_literals;

constexpr RetryPolicy kPolicy{
    .attempts_max = 3, .first_delay = 100ms, .delay_max = 500ms, .retry_after_max = 10s};

ApiError status_error(int status, std::optional<std::chrono::seconds> retry_after = {}) {
  return {
      .failure = Failure::kStatus, .http_status = status, .status = {.retry_after = retry_after}};
}

auto delay(const ApiError& error, int failures = 1, bool repeatable = true) {
  return delay_before_retry(kPolicy, error, failures, repeatable, 1.0);
}

TEST(Backoff, doubles_up_to_its_limit) {
  EXPECT_EQ(backoff(kPolicy, 1, 1.0), 100ms);
  EXPECT_EQ(backoff(kPolicy, 2, 1.0), 200ms);
  EXPECT_EQ(backoff(kPolicy, 3, 1.0), 400ms);
  EXPECT_EQ(backoff(kPolicy, 4, 1.0), 500ms);
  EXPECT_EQ(backoff(kPolicy, 1'000'000, 1.0), 500ms);
}

TEST(Backoff, is_spread_over_its_upper_half) {
  EXPECT_EQ(backoff(kPolicy, 2, 0.0), 100ms);
  EXPECT_EQ(backoff(kPolicy, 2, 0.5), 150ms);
  EXPECT_EQ(backoff(kPolicy, 2, -1.0), 100ms);
  EXPECT_EQ(backoff(kPolicy, 2, 2.0), 200ms);
}

TEST(Retry, only_what_may_pass_is_tried_again) {
  for (const int status : {429, 500, 502, 503, 504}) {
    EXPECT_EQ(delay(status_error(status)), 100ms) << status;
  }
  for (const int status : {300, 400, 401, 403, 404, 409, 410, 422}) {
    EXPECT_FALSE(delay(status_error(status))) << status;
  }
  EXPECT_EQ(delay({.failure = Failure::kConnect}), 100ms);
  EXPECT_EQ(delay({.failure = Failure::kAnswer}), 100ms);
  EXPECT_FALSE(delay({.failure = Failure::kTls}));
  EXPECT_FALSE(delay({.failure = Failure::kCredentials}));
  EXPECT_FALSE(delay({.failure = Failure::kMalformed}));
  EXPECT_FALSE(delay({.failure = Failure::kStopped}));
}

TEST(Retry, ends_with_the_last_attempt) {
  EXPECT_EQ(delay(status_error(500), 2), 200ms);
  EXPECT_FALSE(delay(status_error(500), 3));
}

TEST(Retry, what_may_have_been_carried_out_is_repeated_only_if_that_is_the_same) {
  EXPECT_FALSE(delay({.failure = Failure::kAnswer}, 1, false));
  EXPECT_FALSE(delay(status_error(500), 1, false));
  EXPECT_FALSE(delay(status_error(503), 1, false));
  EXPECT_EQ(delay(status_error(503, 1s), 1, false), 1s);
  EXPECT_EQ(delay(status_error(429), 1, false), 100ms);
  EXPECT_EQ(delay({.failure = Failure::kConnect}, 1, false), 100ms);
}

TEST(Retry, the_server_may_ask_for_a_longer_pause_within_limits) {
  EXPECT_EQ(delay(status_error(429, 3s)), 3s);
  EXPECT_EQ(delay(status_error(429, 3600s)), 10s);
  EXPECT_EQ(requested_pause(kPolicy, status_error(429, 3s)), 3s);
  EXPECT_EQ(requested_pause(kPolicy, status_error(429)), 0s);
  ApiError lost{.failure = Failure::kAnswer, .status = {.retry_after = 3s}};
  EXPECT_EQ(requested_pause(kPolicy, lost), 0s);
}

}  // namespace
}  // namespace gantry::kube
