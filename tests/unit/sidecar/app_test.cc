// SPDX-License-Identifier: Apache-2.0
// A whole sidecar in this process, between a broker and an API server played by the test.
#include "sidecar/app.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <map>

#include "fake_broker.h"
#include "fake_pods.h"
#include "http/http_client.h"
#include "tests/support/metrics_page.h"

namespace gantry::sidecar {
namespace {

using namespace std::chrono_literals;
using test::kLabel;
using ::testing::HasSubstr;
using ::testing::Not;

class SidecarTest : public ::testing::Test {
 protected:
  SidecarTest() {
    config.broker_http_address = "http://" + broker.host_port();
    config.http_address = "127.0.0.1";
    config.http_port = 0;
    config.poll_interval_ms = 10;
    config.service_account_path = api.directory().path();
    variables = {{"KUBERNETES_SERVICE_HOST", "127.0.0.1"},
                 {"KUBERNETES_SERVICE_PORT", std::to_string(api.account().port)},
                 {"POD_NAME", "b-0"}};
    pods.put("b-0", "u1");
  }
  void start() {
    app.emplace(config, [this](const char* name) { return variables[name]; });
    const auto started = app->start();
    ASSERT_TRUE(started) << started.error().message;
  }
  http::Response get(const std::string& path) const {
    const auto answer =
        http::send({.host_port = "127.0.0.1:" + std::to_string(app->http_port()), .path = path});
    EXPECT_TRUE(answer) << answer.error().message;
    return answer.value_or(http::Response{.status = 0});
  }
  bool metrics_show(const std::string& line) const {
    for (int i = 0; i < 10'000; ++i) {
      if (get("/metrics").body.find(line) != std::string::npos) return true;
    }
    return false;
  }

  kube::test::FakeApi api;
  test::FakePods pods{api};
  test::FakeBroker broker;
  config::SidecarConfig config;
  std::map<std::string, std::string> variables;
  std::optional<SidecarApp> app;  // the first to end
};

TEST_F(SidecarTest, TheLabelFollowsTheBroker) {
  start();
  broker.leads(true);
  ASSERT_TRUE(pods.wait_for_label("b-0", "true"));
  broker.leads(false);
  ASSERT_TRUE(pods.wait_for_label("b-0", std::nullopt));
  broker.leads(true);
  ASSERT_TRUE(pods.wait_for_label("b-0", "true"));
  broker.stop();
  ASSERT_TRUE(pods.wait_for_label("b-0", std::nullopt)) << "the broker is gone";
}

TEST_F(SidecarTest, AStaleLabelOfAnEarlierLifeIsRemoved) {
  pods.put("b-0", "u1", {{kLabel, "true"}});
  start();
  ASSERT_TRUE(pods.wait_for_label("b-0", std::nullopt));
}

TEST_F(SidecarTest, ASilentBrokerLosesTheLabel) {
  config.broker_timeout_ms = 300;
  broker.leads(true);
  start();
  ASSERT_TRUE(pods.wait_for_label("b-0", "true"));
  broker.hang();
  ASSERT_TRUE(pods.wait_for_label("b-0", std::nullopt));
  broker.answer_all_with(0);
  ASSERT_TRUE(pods.wait_for_label("b-0", "true"));
}

TEST_F(SidecarTest, AnEditOfSomebodyElseIsRepaired) {
  config.pod_check_interval_ms = 100;
  broker.leads(true);
  start();
  ASSERT_TRUE(pods.wait_for_label("b-0", "true"));
  pods.put("b-0", "u1");
  ASSERT_TRUE(pods.wait_for_label("b-0", "true"));
}

TEST_F(SidecarTest, APodThatTookTheNameIsLeftAlone) {
  config.pod_check_interval_ms = 100;
  start();
  broker.leads(true);
  ASSERT_TRUE(pods.wait_for_label("b-0", "true"));
  pods.put("b-0", "u2");
  ASSERT_TRUE(pods.wait_for_requests(pods.requests().size() + 3));
  EXPECT_EQ(pods.label("b-0"), std::nullopt);
  EXPECT_THAT(get("/v1/node").body, HasSubstr("belongs to another pod now"));
}

TEST_F(SidecarTest, AnApiServerThatIsAwayIsCaughtUpWith) {
  start();
  ASSERT_TRUE(
      metrics_show("gantry_sidecar_label_in_step{node_id=\"b-0\",node_type=\"sidecar\"} 1"));
  pods.refuse(503);
  broker.leads(true);
  ASSERT_TRUE(metrics_show("code=\"503\""));
  for (const char* path : {"/livez", "/readyz", "/startupz"}) {
    EXPECT_EQ(get(path).status, 200) << path << ": no probe depends on the API server";
  }
  pods.refuse(0);
  ASSERT_TRUE(pods.wait_for_label("b-0", "true"));
}

// A step that is being repeated gives way to what has become true meanwhile.
TEST_F(SidecarTest, OnlyTheNewestStateIsCaughtUpWith) {
  start();
  ASSERT_TRUE(
      metrics_show("gantry_sidecar_label_in_step{node_id=\"b-0\",node_type=\"sidecar\"} 1"));
  pods.refuse(503);
  broker.leads(true);
  ASSERT_TRUE(metrics_show("verb=\"PATCH\"} 1"));
  broker.leads(false);
  ASSERT_TRUE(
      metrics_show("gantry_sidecar_label_in_step{node_id=\"b-0\",node_type=\"sidecar\"} 1"));
  pods.refuse(0);
  EXPECT_EQ(pods.label("b-0"), std::nullopt);
}

TEST_F(SidecarTest, SaysWhatItDoes) {
  broker.leads(true);
  start();
  ASSERT_TRUE(
      metrics_show("gantry_sidecar_label_in_step{node_id=\"b-0\",node_type=\"sidecar\"} 1"));
  for (const char* path : {"/livez", "/readyz", "/startupz"}) EXPECT_EQ(get(path).status, 200);
  const std::string node = get("/v1/node").body;
  for (const char* part : {R"("kind":"sidecar")", R"("pod":"b-0")", R"("namespace":"shop")",
                           R"("podUid":"u1")", R"("leads":true)", R"("inStep":true)"}) {
    EXPECT_THAT(node, HasSubstr(part));
  }
  const std::string page = get("/metrics").body;
  EXPECT_THAT(page,
              HasSubstr(R"(changes_total{action="set",node_id="b-0",node_type="sidecar"} 1)"));
  EXPECT_THAT(page, Not(HasSubstr("first-token")));
  // docs/operations/metrics.md lists what there is.
  std::map<std::string, std::string> exposed;
  for (const auto& [name, family] : gantry::testing::families(page)) exposed[name] = family.type;
  EXPECT_EQ(exposed, gantry::testing::documented(GANTRY_SOURCE_DIR "/docs/operations/metrics.md",
                                                 "Sidecar"));
}

TEST_F(SidecarTest, StopsAtOnceAndLeavesTheLabelOfAPodThatStays) {
  config.stop_timeout_ms = 3'600'000;
  broker.leads(true);
  start();
  ASSERT_TRUE(pods.wait_for_label("b-0", "true"));
  app->stop();
  EXPECT_EQ(pods.label("b-0"), "true") << "the broker still leads, the next sidecar goes on";
}

TEST_F(SidecarTest, KeepsTheLabelOfADeletedPodTrueUntilItsBrokerHasHandedOver) {
  broker.leads(true);
  start();
  ASSERT_TRUE(pods.wait_for_label("b-0", "true"));
  pods.begin_deletion("b-0");
  auto stopped = std::async(std::launch::async, [&] { app->stop(); });
  // It looks at the pod, sees that this is its end, and goes on.
  ASSERT_TRUE(pods.wait_for_requests(3));
  EXPECT_EQ(stopped.wait_for(100ms), std::future_status::timeout);
  EXPECT_EQ(pods.label("b-0"), "true");
  EXPECT_EQ(get("/readyz").status, 503);
  EXPECT_EQ(get("/livez").status, 200);
  broker.leads(false);
  stopped.get();
  EXPECT_EQ(pods.label("b-0"), std::nullopt);
}

TEST_F(SidecarTest, DoesNotWaitForAPodThatIsGone) {
  config.stop_timeout_ms = 3'600'000;
  broker.leads(true);
  start();
  ASSERT_TRUE(pods.wait_for_label("b-0", "true"));
  pods.remove("b-0");
  app->stop();
}

TEST_F(SidecarTest, DoesNotWaitForTheDrainForEver) {
  config.stop_timeout_ms = 50;
  broker.leads(true);
  start();
  ASSERT_TRUE(pods.wait_for_label("b-0", "true"));
  pods.begin_deletion("b-0");
  app->stop();
  EXPECT_EQ(pods.label("b-0"), "true");
}

TEST_F(SidecarTest, SaysWhatIsMissing) {
  const auto message = [&] {
    SidecarApp made(config, [this](const char* name) { return variables[name]; });
    const auto started = made.start();
    return started ? std::string("started") : started.error().message;
  };
  variables["POD_NAME"] = "";
  EXPECT_THAT(message(),
              HasSubstr("POD_NAME has the value \"\": expected the pod's metadata.name"));
  variables["POD_NAME"] = "../nodes/n";
  EXPECT_THAT(message(), HasSubstr("POD_NAME"));
  variables["POD_NAME"] = "b-0";
  variables["POD_NAMESPACE"] = "Shop";
  EXPECT_THAT(message(), HasSubstr("POD_NAMESPACE has the value \"Shop\""));
  variables["POD_NAMESPACE"] = "";
  variables["KUBERNETES_SERVICE_HOST"] = "";
  EXPECT_THAT(message(), HasSubstr("KUBERNETES_SERVICE_HOST"));
  variables["KUBERNETES_SERVICE_HOST"] = "127.0.0.1";
  config.http_port = broker.port();
  EXPECT_THAT(message(), HasSubstr("keys httpAddress, httpPort"));
}

}  // namespace
}  // namespace gantry::sidecar
