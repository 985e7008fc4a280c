// SPDX-License-Identifier: Apache-2.0
#include "http/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::http {
namespace {

using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

Handler says(const std::string& text) {
  return [text](const Request&) { return Response{.body = text}; };
}

std::string ask(const Router& router, std::string_view method, std::string_view path) {
  const auto match = router.find(method, path);
  return match.handler == nullptr ? "none" : (*match.handler)({}).body;
}

TEST(Router, literal_paths_by_method) {
  Router router;
  router.add("GET", "/a", says("get a"));
  router.add("POST", "/a", says("post a"));
  router.add("GET", "/", says("root"));
  EXPECT_EQ(ask(router, "GET", "/a"), "get a");
  EXPECT_EQ(ask(router, "HEAD", "/a"), "get a");
  EXPECT_EQ(ask(router, "GET", "/a/"), "get a");
  EXPECT_EQ(ask(router, "POST", "/a"), "post a");
  EXPECT_EQ(ask(router, "PUT", "/a"), "none");
  EXPECT_EQ(ask(router, "GET", "/"), "root");
  EXPECT_EQ(ask(router, "GET", "/b"), "none");
  EXPECT_EQ(ask(router, "GET", "/a/b"), "none");
}

TEST(Router, named_parts) {
  Router router;
  router.add("GET", "/v1/topics/{topic}/queues/{queue}", says("queue"));
  const auto match = router.find("GET", "/v1/topics/%RETRY%g/queues/3");
  ASSERT_NE(match.handler, nullptr);
  EXPECT_THAT(match.params, UnorderedElementsAre(Pair("topic", "%RETRY%g"), Pair("queue", "3")));
  EXPECT_EQ(ask(router, "GET", "/v1/topics//queues/3"), "none");
  EXPECT_EQ(ask(router, "GET", "/v1/topics/t/queues"), "none");
  EXPECT_EQ(ask(router, "GET", "/v1/topics/t/queues/3/x"), "none");
}

TEST(Router, the_rest) {
  Router router;
  router.add("GET", "/files/{path...}", says("file"));
  const auto match = router.find("GET", "/files/a/b/c");
  ASSERT_NE(match.handler, nullptr);
  EXPECT_THAT(match.params, UnorderedElementsAre(Pair("path", "a/b/c")));
  EXPECT_EQ(ask(router, "GET", "/files"), "none");
}

TEST(Router, literal_parts_win_whatever_the_order_of_registration) {
  Router router;
  router.add("GET", "/t/{rest...}", says("rest"));
  router.add("GET", "/t/{name}", says("named"));
  router.add("GET", "/t/list", says("list"));
  router.add("GET", "/{any}/x", says("any x"));
  EXPECT_EQ(ask(router, "GET", "/t/list"), "list");
  EXPECT_EQ(ask(router, "GET", "/t/other"), "named");
  EXPECT_EQ(ask(router, "GET", "/t/a/b"), "rest");
  EXPECT_EQ(ask(router, "GET", "/u/x"), "any x");
}

TEST(Router, allowed_methods_of_a_path) {
  Router router;
  router.add("POST", "/t/{name}", says(""));
  router.add("GET", "/t/list", says(""));
  router.add("GET", "/t/{name}", says(""));
  EXPECT_EQ(router.allowed("/t/list"), "GET, POST");
  EXPECT_THAT(router.allowed("/other"), IsEmpty());
}

}  // namespace
}  // namespace gantry::http
