// SPDX-License-Identifier: Apache-2.0
// What a broker tells NameServers, seen by scripted ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/register_broker.h"
#include "protocol/route_data.h"
#include "protocol/topic_config.h"
#include "tests/unit/broker/broker_rig.h"
#include "tests/unit/client/scripted_server.h"

namespace gantry::broker::test {
namespace {

using gantry::test::refuse;
using gantry::test::ScriptedServer;
using gantry::test::success;
using protocol::Command;
using protocol::RequestCode;
using protocol::ResponseCode;

std::map<std::string, protocol::TopicConfig> topics_of(const Command& registration) {
  const auto body =
      protocol::RegisterBrokerBody::decode(registration.body, false, protocol::kVersion);
  EXPECT_TRUE(body) << body.error().message;
  std::map<std::string, protocol::TopicConfig> topics;
  if (body) topics.insert(body->topic_configs.topics.begin(), body->topic_configs.topics.end());
  return topics;
}

class Registrar : public ::testing::Test {
 protected:
  Registrar() {
    names.on(RequestCode::kRegisterBroker, success());
    names.on(RequestCode::kUnregisterBroker, success());
    names.on(RequestCode::kRegisterTopicInNamesrv, success());
    rig.config.namesrv_addr = {names.address()};
  }
  void start() {
    rig.start();
    // The very first one of a new store is older than the topics that a broker makes for itself.
    ASSERT_TRUE(registered(names, "TBW102"));
    first_ = registrations().size() - 1;
  }
  std::vector<Command> registrations() const {
    return names.requests(RequestCode::kRegisterBroker);
  }
  std::vector<Command> single_topics() const {
    return names.requests(RequestCode::kRegisterTopicInNamesrv);
  }
  // The last registration has the topic, or has it no more.
  bool registered(const ScriptedServer& server, const std::string& topic, bool there = true) {
    return rig.eventually([&] {
      const auto all = server.requests(RequestCode::kRegisterBroker);
      return !all.empty() && topics_of(all.back()).contains(topic) == there;
    });
  }
  void delete_topic(const std::string& topic) {
    ASSERT_EQ(rig.call(RequestCode::kDeleteTopicInBroker, {{"topic", topic}}).code, 0);
  }

  std::vector<Command> registrations_since_start() const {
    const auto all = registrations();
    return {all.begin() + static_cast<std::ptrdiff_t>(first_), all.end()};
  }

  ScriptedServer names;  // outlives the broker, which unregisters
  BrokerRig rig;

 private:
  std::size_t first_ = 0;
};

TEST_F(Registrar, WhoHasNeverBeenRegisteredIsNotReadyAndSaysWhy) {
  names.on(RequestCode::kRegisterBroker, refuse(ResponseCode::kSystemError, "not today"));
  rig.start();
  const auto ready = [&] { return rig.http_get("/readyz?verbose"); };
  EXPECT_TRUE(rig.eventually([&] { return ready().find("not today") != std::string::npos; }))
      << ready();
  EXPECT_THAT(ready(), ::testing::HasSubstr("[-]namesrv failed: registered at none"));
  EXPECT_THAT(ready(), ::testing::HasSubstr(names.address()));
  EXPECT_THAT(rig.http_get("/readyz?format=json"),
              ::testing::HasSubstr(R"("reason":"NameServerRefused")"));
}

// Programs go by the reason, so a wrong name is told from a server that is away.
TEST_F(Registrar, ANameWithoutAnAddressIsAReasonOfItsOwn) {
  const auto has_reason = [&](const std::string& name) {
    return rig.eventually([&] {
      return rig.http_get("/readyz?format=json").find("\"reason\":\"" + name + "\"") !=
             std::string::npos;
    });
  };
  std::string nobody;
  {
    const ScriptedServer gone;
    nobody = gone.address();
  }
  rig.config.namesrv_addr = {nobody};
  rig.start();
  EXPECT_TRUE(has_reason("NameServerUnreachable")) << rig.http_get("/readyz?verbose");
  rig.stop();
  rig.config.namesrv_addr = {nobody, "nobody.invalid:9876"};
  rig.start();
  EXPECT_TRUE(has_reason("NameServerUnresolvable")) << rig.http_get("/readyz?verbose");
}

TEST_F(Registrar, ANameServerThatGoesAwayMakesNobodyUnready) {
  start();
  names.on(RequestCode::kRegisterBroker, refuse(ResponseCode::kSystemError, "not today"));
  rig.create_topic("T");
  const auto refused = [&] {
    return rig.http_get("/v1/node").find("not today") != std::string::npos;
  };
  delete_topic("T");  // makes it register all topics anew
  EXPECT_TRUE(rig.eventually(refused));
  EXPECT_THAT(rig.http_get("/readyz?verbose"), ::testing::HasSubstr("[+]namesrv ok"));
}

TEST_F(Registrar, ARegistrationSaysWhoAndWhat) {
  start();
  const Command first = registrations_since_start().front();
  EXPECT_EQ(first.find("brokerName").value_or(""), "broker-a");
  EXPECT_EQ(first.find("brokerId").value_or(""), "0");
  EXPECT_EQ(first.find("clusterName").value_or(""), rig.config.broker_cluster_name);
  EXPECT_TRUE(first.find("brokerAddr").value_or("").starts_with("127.0.0.1:"));
  EXPECT_TRUE(topics_of(first).contains("TBW102"));
}

// A NameServer with deleteTopicWithBrokerRegistration drops what a registration does not carry.
TEST_F(Registrar, EveryRegistrationCarriesAllTopics) {
  start();
  rig.create_topic("A");
  rig.create_topic("B");
  ASSERT_TRUE(registered(names, "B"));
  const auto known = topics_of(registrations_since_start().front()).size();
  for (const Command& registration : registrations_since_start()) {
    EXPECT_GE(topics_of(registration).size(), known);
    EXPECT_TRUE(topics_of(registration).contains("TBW102"));
  }
  EXPECT_TRUE(topics_of(registrations().back()).contains("A"));
  EXPECT_TRUE(single_topics().empty());
}

TEST_F(Registrar, ADeletedTopicIsNotInTheNextRegistration) {
  start();
  rig.create_topic("A");
  ASSERT_TRUE(registered(names, "A"));
  delete_topic("A");
  EXPECT_TRUE(registered(names, "A", false));
}

TEST_F(Registrar, ChangesWaitForTheRegistrationOnItsWay) {
  start();
  std::atomic<bool> silent{true};
  names.on(RequestCode::kRegisterBroker, [&](const Command&) -> std::optional<Command> {
    if (silent) return std::nullopt;
    return success();
  });
  rig.config.register_broker_timeout_ms = 300;
  rig.restart();
  const std::size_t before = registrations().size();
  for (int i = 0; i < 20; ++i) rig.create_topic("T" + std::to_string(i));
  EXPECT_LE(registrations().size(), before + 3);  // at a start, at its timeout and on the retry
  silent = false;
  EXPECT_TRUE(registered(names, "T19"));
}

TEST_F(Registrar, ANameServerThatFailsIsTriedAgain) {
  std::atomic<int> calls{0};
  names.on(RequestCode::kRegisterBroker, [&](const Command&) -> std::optional<Command> {
    if (++calls <= 2) return refuse(ResponseCode::kSystemError, "register broker failed");
    return success();
  });
  start();
  EXPECT_TRUE(rig.eventually([&] { return calls > 2; }));
}

TEST_F(Registrar, ANameServerThatIsAwayCostsTheOthersNothing) {
  rig.config.namesrv_addr = {gantry::test::dead_address(), names.address()};
  start();
  rig.create_topic("A");
  EXPECT_TRUE(registered(names, "A"));
}

TEST_F(Registrar, AlsoAtANameServerThatCode25Adds) {
  start();
  ScriptedServer more;
  more.on(RequestCode::kRegisterBroker, success());
  more.on(RequestCode::kUnregisterBroker, success());
  ASSERT_EQ(rig.call(RequestCode::kUpdateBrokerConfig, {},
                     "namesrvAddr=" + names.address() + ";" + more.address() + "\n")
                .code,
            0);
  EXPECT_TRUE(registered(more, "TBW102"));
  rig.stop();
  EXPECT_EQ(more.requests(RequestCode::kUnregisterBroker).size(), 1U);
}

TEST_F(Registrar, TheBrokersPermissionLimitsTopics) {
  start();
  ASSERT_EQ(rig.call(RequestCode::kUpdateBrokerConfig, {}, "brokerPermission=4\n").code, 0);
  EXPECT_TRUE(rig.eventually(
      [&] { return topics_of(registrations().back()).at("TBW102").perm == protocol::kPermRead; }));
}

TEST_F(Registrar, AStopTakesItOutOfTheRoutes) {
  start();
  rig.stop();
  const auto requests = names.requests(RequestCode::kUnregisterBroker);
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].find("brokerName").value_or(""), "broker-a");
}

class SingleTopicRegistrar : public Registrar {
 protected:
  SingleTopicRegistrar() { rig.config.enable_single_topic_register = true; }
  // The first registration has been answered: from then on topics go by themselves.
  void start_and_wait() {
    start();
    int i = 0;
    ASSERT_TRUE(rig.eventually([&] {
      rig.create_topic("Probe" + std::to_string(i++));
      return !single_topics().empty();
    }));
  }
};

TEST_F(SingleTopicRegistrar, AChangedTopicGoesByItself) {
  start_and_wait();
  const std::size_t before = registrations().size();
  rig.create_topic("A", 3);
  ASSERT_TRUE(rig.eventually([&] {
    const auto sent = single_topics();
    return sent.back().find("topic").value_or("") == "A";
  }));
  const auto route = protocol::TopicRouteData::from_json(single_topics().back().body);
  ASSERT_TRUE(route);
  ASSERT_EQ(route->queue_datas.size(), 1U);
  EXPECT_EQ(
      route->queue_datas[0],
      (protocol::QueueData{
          .broker_name = "broker-a", .read_queue_nums = 3, .write_queue_nums = 3, .perm = 6}));
  EXPECT_EQ(registrations().size(), before);
}

TEST_F(SingleTopicRegistrar, ADeletedTopicNeedsARegistration) {
  start_and_wait();
  rig.create_topic("A");
  rig.create_topic("B");
  delete_topic("A");
  ASSERT_TRUE(registered(names, "B"));
  EXPECT_FALSE(topics_of(registrations().back()).contains("A"));
}

TEST_F(SingleTopicRegistrar, ANameServerThatDoesNotKnowTheCodeGetsARegistration) {
  start_and_wait();
  names.on(RequestCode::kRegisterTopicInNamesrv,
           refuse(ResponseCode::kRequestCodeNotSupported, " request type 217 not supported"));
  rig.create_topic("A");
  EXPECT_TRUE(registered(names, "A"));
}

}  // namespace
}  // namespace gantry::broker::test
