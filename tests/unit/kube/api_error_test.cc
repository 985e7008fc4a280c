// SPDX-License-Identifier: Apache-2.0
#include "kube/api_error.h"

#include <gtest/gtest.h>

namespace gantry::kube {
namespace {

TEST(Status, is_read_from_the_answer) {
  const Status status =
      parse_status(R"({"kind":"Status","status":"Failure","message":"too many requests","reason":)"
                   R"("TooManyRequests","details":{"retryAfterSeconds":7},"code":429})");
  EXPECT_EQ(status.reason, "TooManyRequests");
  EXPECT_EQ(status.message, "too many requests");
  EXPECT_EQ(status.retry_after, std::chrono::seconds(7));
}

TEST(Status, lacks_what_the_answer_lacks) {
  const Status status = parse_status(R"({"reason":null,"message":3,"details":[]})");
  EXPECT_EQ(status.reason, "");
  EXPECT_EQ(status.message, "");
  EXPECT_FALSE(status.retry_after);
  EXPECT_FALSE(parse_status(R"({"details":{"retryAfterSeconds":-1}})").retry_after);
  EXPECT_FALSE(parse_status(R"({"details":{"retryAfterSeconds":"1"}})").retry_after);
}

TEST(Status, that_is_none_keeps_the_beginning_of_the_text) {
  EXPECT_EQ(parse_status("bad gateway").message, "bad gateway");
  EXPECT_EQ(parse_status(std::string(5000, 'x')).message, std::string(200, 'x'));
  EXPECT_EQ(parse_status("").message, "");
}

TEST(ApiError, says_verb_path_status_reason_and_message) {
  ApiError error{.failure = Failure::kStatus,
                 .method = "PATCH",
                 .path = "/api/v1/x",
                 .http_status = 403,
                 .status = {.reason = "Forbidden", .message = "no rights"}};
  EXPECT_EQ(error.describe(), "PATCH /api/v1/x: 403 Forbidden: no rights");
  error.status = {};
  EXPECT_EQ(error.describe(), "PATCH /api/v1/x: 403");
  error.failure = Failure::kConnect;
  error.status.message = "the API server does not answer";
  EXPECT_EQ(error.describe(), "PATCH /api/v1/x: the API server does not answer");
}

TEST(ApiError, another_version_or_uid_is_a_conflict) {
  ApiError error{.failure = Failure::kStatus, .http_status = 409};
  EXPECT_TRUE(error.is_conflict());
  error.http_status = 422;
  EXPECT_TRUE(error.is_conflict());
  error.http_status = 404;
  EXPECT_FALSE(error.is_conflict());
  error = {.failure = Failure::kAnswer, .http_status = 409};
  EXPECT_FALSE(error.is_conflict());
}

}  // namespace
}  // namespace gantry::kube
