// SPDX-License-Identifier: Apache-2.0
// Advertised names and the addresses that records hold for them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/register_broker.h"
#include "tests/unit/broker/broker_rig.h"
#include "tests/unit/client/scripted_server.h"

namespace gantry::broker::test {
namespace {

using gantry::test::ScriptedServer;
using gantry::test::success;
using protocol::RequestCode;

constexpr int kLeaderPort = 4711;  // of the advertised address only; nobody listens there

class StoreHostTest : public ::testing::Test {
 protected:
  StoreHostTest() {
    names.on(RequestCode::kRegisterBroker, success());
    names.on(RequestCode::kUnregisterBroker, success());
    rig.config.namesrv_addr = {names.address()};
  }
  void start() {
    rig.start();
    rig.create_topic("orders");
  }
  std::string registered_address() {
    EXPECT_TRUE(
        rig.eventually([&] { return !names.requests(RequestCode::kRegisterBroker).empty(); }));
    const auto all = names.requests(RequestCode::kRegisterBroker);
    return all.empty() ? "" : std::string(all.back().find("brokerAddr").value_or(""));
  }

  ScriptedServer names;  // outlives the broker, which unregisters
  BrokerRig rig;
};

TEST_F(StoreHostTest, AnAddressIsTakenAsItIs) {
  start();
  const auto port = std::to_string(rig.remoting_port());
  EXPECT_EQ(rig.send("orders", "hello").host.text(), "127.0.0.1:" + port);
}

TEST_F(StoreHostTest, RecordsNameTheAddressBehindTheNameThatTheLeaderRegisters) {
  rig.config.broker_ip1 = "nobody.invalid";
  rig.config.leader_advertised_address = "localhost:" + std::to_string(kLeaderPort);
  start();
  EXPECT_EQ(registered_address(), "localhost:4711");
  EXPECT_TRUE(
      rig.eventually([&] { return rig.send("orders", "hello").host.text() == "127.0.0.1:4711"; }));
}

TEST_F(StoreHostTest, ABrokerServesWhileItsNameIsNotKnown) {
  rig.config.broker_ip1 = "nobody.invalid";
  start();
  const auto port = std::to_string(rig.remoting_port());
  EXPECT_EQ(registered_address(), "nobody.invalid:" + port);
  EXPECT_EQ(rig.send("orders", "hello").host.port, rig.remoting_port());
}

}  // namespace
}  // namespace gantry::broker::test
