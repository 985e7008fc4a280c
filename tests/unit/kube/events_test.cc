// SPDX-License-Identifier: Apache-2.0
#include "kube/events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "kube/pods.h"
#include "tests/support/fake_kube_api.h"
#include "tests/support/fake_kube_events.h"

namespace gantry::kube {
namespace {

using Json = nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::int64_t kNow = 1'709'251'199'999;  // 2024-02-29T23:59:59.999Z
const PodReference kPod{.name = "b-0", .name_space = "shop", .uid = "u1"};
const Event kEvent{.type = EventType::kWarning, .reason = "NoLeader", .message = "look at it"};

TEST(KubeTime, is_utc_in_seconds) {
  EXPECT_EQ(kube_time(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(kube_time(kNow), "2024-02-29T23:59:59Z");
  EXPECT_EQ(kube_time(kNow + 1), "2024-03-01T00:00:00Z");
}

TEST(EventName, is_one_for_pod_type_and_reason) {
  const std::string name = event_name(kPod, kEvent);
  EXPECT_TRUE(name.starts_with("b-0.")) << name;
  EXPECT_TRUE(is_object_name(name)) << name;
  Event other = kEvent;
  other.message = "another";
  EXPECT_EQ(event_name(kPod, other), name);
  other.reason = "Other";
  EXPECT_NE(event_name(kPod, other), name);
  other = kEvent;
  other.type = EventType::kNormal;
  EXPECT_NE(event_name(kPod, other), name);
  EXPECT_NE(event_name({.name = "b-0", .name_space = "shop", .uid = "u2"}, kEvent), name);
  // What a restarted program has to find again must not depend on how it was built.
  EXPECT_EQ(name, "b-0.451e7b160c42d0f1");
}

TEST(EventName, fits_whatever_the_pod_is_called) {
  const std::string pod = std::string(235, 'a') + "-." + std::string(16, 'b');
  const std::string name = event_name({.name = pod, .name_space = "shop", .uid = "u1"}, kEvent);
  EXPECT_TRUE(is_object_name(name)) << name;
  EXPECT_EQ(name.find(".."), std::string::npos);
}

TEST(EventJson, is_about_the_pod) {
  EXPECT_EQ(Json::parse(event_json(kPod, kEvent, "gantry-sidecar", kNow)),
            Json::parse(R"({"apiVersion": "v1", "kind": "Event",
      "metadata": {"name": ")" +
                        event_name(kPod, kEvent) + R"(", "namespace": "shop"},
      "involvedObject": {"apiVersion": "v1", "kind": "Pod", "namespace": "shop", "name": "b-0",
                         "uid": "u1"},
      "type": "Warning", "reason": "NoLeader", "message": "look at it",
      "source": {"component": "gantry-sidecar"},
      "reportingComponent": "gantry-sidecar", "reportingInstance": "b-0",
      "firstTimestamp": "2024-02-29T23:59:59Z", "lastTimestamp": "2024-02-29T23:59:59Z",
      "count": 1})"));
}

TEST(EventJson, cuts_messages_between_characters) {
  Event event = kEvent;
  event.message = std::string(1023, 'a') + "\xc3\xa4";
  EXPECT_EQ(Json::parse(event_patch(event, 2, kNow))["message"], std::string(1023, 'a'));
  event.message = std::string(1022, 'a') + "\xc3\xa4";
  EXPECT_EQ(Json::parse(event_patch(event, 2, kNow))["message"], event.message);
  event.message = "\xff";
  EXPECT_EQ(Json::parse(event_patch(event, 2, kNow))["message"], "\xef\xbf\xbd") << "no UTF-8";
}

TEST(EventPatch, changes_what_a_repetition_changes) {
  EXPECT_EQ(Json::parse(event_patch(kEvent, 7, kNow)),
            Json::parse(R"({"message": "look at it", "lastTimestamp": "2024-02-29T23:59:59Z",
                            "count": 7})"));
  EXPECT_FALSE(Json::parse(event_patch(kEvent, std::nullopt, kNow)).contains("count"));
}

TEST(EventCount, is_read_from_events_only) {
  EXPECT_EQ(parse_event_count(R"({"kind": "Event", "count": 5})"), 5);
  EXPECT_EQ(parse_event_count(R"({"kind": "Event"})"), 1);
  EXPECT_EQ(parse_event_count(R"({"kind": "Event", "count": -3})"), 1);
  for (const char* bad : {"", "[]", "{}", R"({"kind": "Pod", "count": 5})"}) {
    const auto count = parse_event_count(bad);
    ASSERT_FALSE(count) << bad;
    EXPECT_THAT(count.error().message, HasSubstr("not an Event"));
  }
}

class EventsTest : public ::testing::Test {
 protected:
  EventsTest() {
    api.answer([this](const httplib::Request& request, httplib::Response& response) {
      if (!server.serve(request, response)) response.status = 500;
    });
  }
  ApiResult<Events::Posted> post(Events& recorder, const Event& event = kEvent) {
    return recorder.post(kPod, event, kNow);
  }
  std::int64_t count() const { return server.all().at(0)["count"]; }

  test::FakeEvents server;
  test::FakeApi api;
  ApiClient client{api.account(), {.retry = {.attempts_max = 1}}};
  Events events{client, "shop", "gantry-sidecar"};
};

TEST_F(EventsTest, WhatHappensAgainIsCounted) {
  EXPECT_EQ(post(events).value(), Events::Posted::kCreated);
  Event again = kEvent;
  again.message = "still";
  EXPECT_EQ(post(events, again).value(), Events::Posted::kCounted);
  EXPECT_EQ(post(events, again).value(), Events::Posted::kCounted);
  ASSERT_EQ(server.all().size(), 1U);
  EXPECT_EQ(count(), 3);
  EXPECT_EQ(server.all()[0]["message"], "still");
  EXPECT_THAT(server.requests(), ElementsAre("POST", "PATCH", "PATCH"));
  EXPECT_EQ(api.requests()[0].get_header_value("Content-Type"), "application/json");
  EXPECT_EQ(api.requests()[1].get_header_value("Content-Type"), "application/merge-patch+json");
}

TEST_F(EventsTest, AnotherLifeGoesOnCounting) {
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(post(events));
  Events restarted(client, "shop", "gantry-sidecar");
  EXPECT_EQ(post(restarted).value(), Events::Posted::kCounted);
  ASSERT_EQ(server.all().size(), 1U);
  EXPECT_EQ(count(), 5);
}

TEST_F(EventsTest, WhatKubernetesHasThrownAwayIsMadeAnew) {
  ASSERT_TRUE(post(events));
  ASSERT_TRUE(post(events));
  server.expire();
  EXPECT_EQ(post(events).value(), Events::Posted::kCreated);
  EXPECT_EQ(count(), 1);
}

TEST_F(EventsTest, ARefusalIsAnErrorAndForgetsNothing) {
  ASSERT_TRUE(post(events));
  server.refuse(403);
  const auto refused = post(events);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().describe(), HasSubstr("403 Refused"));
  server.refuse(0);
  EXPECT_EQ(post(events).value(), Events::Posted::kCounted);
  EXPECT_EQ(count(), 2);
}

TEST_F(EventsTest, AnAnswerThatIsNoEventIsAnError) {
  ASSERT_TRUE(post(events));
  api.answer(200, R"({"kind": "Pod"})");
  const auto odd = post(events);
  ASSERT_FALSE(odd);
  EXPECT_EQ(odd.error().failure, Failure::kMalformed);
}

}  // namespace
}  // namespace gantry::kube
