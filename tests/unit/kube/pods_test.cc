// SPDX-License-Identifier: Apache-2.0
#include "kube/pods.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace gantry::kube {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

TEST(Pod, has_uid_labels_and_whether_it_is_being_deleted) {
  const auto pod = parse_pod(R"({"kind":"Pod","metadata":{"name":"b-0","uid":"u1","labels":
      {"a":"1","gantry.dev/leader":"true","odd":3}},"spec":{}})");
  ASSERT_TRUE(pod) << pod.error().message;
  EXPECT_EQ(pod->name, "b-0");
  EXPECT_EQ(pod->uid, "u1");
  EXPECT_EQ(pod->labels,
            (std::map<std::string, std::string>{{"a", "1"}, {"gantry.dev/leader", "true"}}));
  EXPECT_FALSE(pod->deleting);
  const auto going = parse_pod(
      R"({"metadata":{"name":"b","uid":"u","deletionTimestamp":"2020-01-01T00:00:00Z"}})");
  ASSERT_TRUE(going);
  EXPECT_TRUE(going->deleting);
  EXPECT_TRUE(going->labels.empty());
}

TEST(Pod, is_not_anything_else) {
  for (const char* bad : {"", "[]", "{", "{}", R"({"metadata":[]})", R"({"metadata":{"name":"b"}})",
                          R"({"metadata":{"name":"b","uid":7}})"}) {
    const auto pod = parse_pod(bad);
    ASSERT_FALSE(pod) << bad;
    EXPECT_THAT(pod.error().message, HasSubstr("not a pod"));
  }
}

TEST(LabelPatch, sets_and_removes_labels_of_that_uid_only) {
  EXPECT_EQ(Json::parse(label_patch("u1", {{"gantry.dev/leader", "true"}, {"old", std::nullopt}})),
            Json::parse(R"({"metadata":{"uid":"u1","labels":
                            {"gantry.dev/leader":"true","old":null}}})"));
}

TEST(ObjectName, is_what_kubernetes_accepts) {
  for (const char* good : {"b", "broker-0", "a.b-c.9"}) EXPECT_TRUE(is_object_name(good)) << good;
  for (const char* bad : {"", "-a", "a-", "a/b", "A", "a_b", "a b", "a?x=y", "..", "a%2f"}) {
    EXPECT_FALSE(is_object_name(bad)) << bad;
  }
  EXPECT_TRUE(is_object_name(std::string(253, 'a')));
  EXPECT_FALSE(is_object_name(std::string(254, 'a')));
}

}  // namespace
}  // namespace gantry::kube
