// SPDX-License-Identifier: Apache-2.0
// A whole sidecar in this process: what it posts about a broker that is not ready.
#include "sidecar/event_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>

#include "fake_broker.h"
#include "fake_pods.h"
#include "http/http_client.h"
#include "sidecar/app.h"
#include "tests/support/log_lines.h"

namespace gantry::sidecar {
namespace {

using test::FakePods;
using ::testing::HasSubstr;
using Json = nlohmann::json;
using Events = std::vector<Json>;

constexpr const char* kUnresolvable = "NameServerUnresolvable";

class EventLoopTest : public ::testing::Test {
 protected:
  EventLoopTest() {
    config.broker_http_address = "http://" + broker.host_port();
    config.http_address = "127.0.0.1";
    config.http_port = 0;
    config.poll_interval_ms = 10;
    config.event_delay_ms = 40;
    config.event_interval_ms = 3'600'000;
    config.service_account_path = api.directory().path();
    variables = {{"KUBERNETES_SERVICE_HOST", "127.0.0.1"},
                 {"KUBERNETES_SERVICE_PORT", std::to_string(api.account().port)},
                 {"POD_NAME", "b-0"},
                 {"POD_UID", "u1"}};
    pods.put("b-0", "u1");
  }
  void start() {
    app.reset();
    app.emplace(config, [this](const char* name) { return variables[name]; });
    const auto started = app->start();
    ASSERT_TRUE(started) << started.error().message;
  }
  std::string metrics() const {
    const auto page = http::send(
        {.host_port = "127.0.0.1:" + std::to_string(app->http_port()), .path = "/metrics"});
    return page ? page->body : page.error().message;
  }
  static std::string posted(const std::string& result, int count) {
    return "gantry_sidecar_events_total{node_id=\"b-0\",node_type=\"sidecar\",result=\"" + result +
           "\"} " + std::to_string(count) + "\n";
  }
  bool there_are(std::size_t count) {
    return pods.events.wait_until([count](const Events& all) { return all.size() == count; });
  }

  testing::LogLines lines;
  kube::test::FakeApi api;
  FakePods pods{api};
  test::FakeBroker broker;
  config::SidecarConfig config;
  std::map<std::string, std::string> variables;
  std::optional<SidecarApp> app;  // the first to end
};

TEST_F(EventLoopTest, SaysOnceWhatKeepsTheBrokerFromBeingReadyAndWhatToDo) {
  broker.is_not_ready(kUnresolvable, "nowhere.invalid:9876 has no address");
  start();
  ASSERT_TRUE(there_are(1));
  const Json event = pods.events.all()[0];
  EXPECT_EQ(event["type"], "Warning");
  EXPECT_EQ(event["reason"], kUnresolvable);
  EXPECT_EQ(event["involvedObject"]["kind"], "Pod");
  EXPECT_EQ(event["involvedObject"]["name"], "b-0");
  EXPECT_EQ(event["involvedObject"]["uid"], "u1");
  EXPECT_EQ(event["metadata"]["namespace"], "shop");
  EXPECT_EQ(event["source"]["component"], "gantry-sidecar");
  EXPECT_THAT(event["message"], HasSubstr("nowhere.invalid:9876 has no address"));
  EXPECT_THAT(event["message"], HasSubstr("namesrv.addresses"));
  ASSERT_TRUE(broker.wait_for_readiness_questions(broker.readiness_questions() + 20));
  EXPECT_EQ(pods.events.requests().size(), 1U) << "an hour has not passed";
  EXPECT_THAT(metrics(), HasSubstr(posted("created", 1)));
  EXPECT_EQ(lines.count("posted an Event type=Warning reason=NameServerUnresolvable"), 1);
}

TEST_F(EventLoopTest, WhatGoesOnIsCounted) {
  config.event_interval_ms = 100;
  broker.is_not_ready(kUnresolvable);
  start();
  ASSERT_TRUE(pods.events.wait_until(
      [](const Events& all) { return !all.empty() && all[0]["count"] >= 3; }));
  EXPECT_EQ(pods.events.all().size(), 1U) << "no second object";
  EXPECT_THAT(metrics(), HasSubstr(posted("created", 1)));
}

TEST_F(EventLoopTest, ASidecarThatWasRestartedGoesOnCounting) {
  broker.is_not_ready(kUnresolvable);
  start();
  ASSERT_TRUE(there_are(1));
  start();
  ASSERT_TRUE(pods.events.wait_until([](const Events& all) { return all.at(0)["count"] == 2; }));
  EXPECT_EQ(pods.events.all().size(), 1U);
}

TEST_F(EventLoopTest, ReadyAgainIsANormalEvent) {
  broker.is_not_ready(kUnresolvable);
  start();
  ASSERT_TRUE(there_are(1));
  broker.is_not_ready("");
  ASSERT_TRUE(there_are(2));
  const Json event = pods.events.all()[1];
  EXPECT_EQ(event["type"], "Normal");
  EXPECT_EQ(event["reason"], "BrokerReady");
  EXPECT_THAT(event["message"], HasSubstr(kUnresolvable));
  ASSERT_TRUE(broker.wait_for_readiness_questions(broker.readiness_questions() + 10));
  EXPECT_EQ(pods.events.requests().size(), 2U);
}

// Only the questions matter here: the delay is longer than the test takes.
TEST_F(EventLoopTest, AStartThatIsReadyInTimeIsNoEvent) {
  config.event_delay_ms = 3'600'000;
  broker.is_not_ready(kUnresolvable);
  start();
  ASSERT_TRUE(broker.wait_for_readiness_questions(1));
  broker.is_not_ready("");
  ASSERT_TRUE(broker.wait_for_readiness_questions(2));
  app.reset();
  EXPECT_TRUE(pods.events.requests().empty());
}

TEST_F(EventLoopTest, ARefusalChangesNothingButACounterAndOneLine) {
  config.event_interval_ms = 100;
  pods.events.refuse(403);
  broker.leads(true);
  broker.is_not_ready(kUnresolvable);
  start();
  ASSERT_TRUE(pods.events.wait_for_requests(4));
  ASSERT_TRUE(pods.wait_for_label("b-0", "true"));
  broker.leads(false);
  ASSERT_TRUE(pods.wait_for_label("b-0", std::nullopt)) << "the label follows all the same";
  for (const char* path : {"/livez", "/readyz"}) {
    const auto probe =
        http::send({.host_port = "127.0.0.1:" + std::to_string(app->http_port()), .path = path});
    ASSERT_TRUE(probe);
    EXPECT_EQ(probe->status, 200) << path;
  }
  EXPECT_EQ(lines.count("the Event NameServerUnresolvable cannot be posted"), 1);
  EXPECT_EQ(lines.count("403"), 1);
  const std::string page = metrics();
  EXPECT_THAT(page, HasSubstr("result=\"failed\"}"));
  EXPECT_EQ(page.find(posted("failed", 0)), std::string::npos);
  EXPECT_THAT(page, HasSubstr("gantry_sidecar_api_requests_total{code=\"403\""));
  // When the right is there, the Event is.
  pods.events.refuse(0);
  EXPECT_TRUE(there_are(1));
}

TEST_F(EventLoopTest, APodThatIsNotOursAnyMoreGetsNoEvents) {
  pods.put("b-0", "u2");
  broker.is_not_ready(kUnresolvable);
  start();
  ASSERT_TRUE(broker.wait_for_readiness_questions(broker.readiness_questions() + 20));
  EXPECT_TRUE(pods.events.requests().empty());
}

TEST_F(EventLoopTest, WithoutPodUidThePodThatIsFoundIsMeant) {
  variables["POD_UID"] = "";
  broker.is_not_ready(kUnresolvable);
  start();
  ASSERT_TRUE(there_are(1));
  EXPECT_EQ(pods.events.all()[0]["involvedObject"]["uid"], "u1");
}

}  // namespace
}  // namespace gantry::sidecar
