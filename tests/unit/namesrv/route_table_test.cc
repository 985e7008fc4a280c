// SPDX-License-Identifier: Apache-2.0
// Registrations: who may say what, and what stays.
#include "namesrv/route/route_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "registration.h"

namespace gantry::namesrv {
namespace {

using protocol::QueueData;
using test::BrokerSpec;
using test::register_broker;
using test::version;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class RouteTableTest : public ::testing::Test {
 protected:
  std::map<std::int64_t, std::string> addrs(std::string_view broker = "broker-a") const {
    return table.member_group("", broker).broker_addrs;
  }
  std::int32_t perm(std::string_view topic, std::string_view broker = "broker-a") const {
    const auto route = table.route(topic);
    if (!route) return -1;
    for (const auto& queues : route->queue_datas) {
      if (queues.broker_name == broker) return queues.perm;
    }
    return -1;
  }
  void reset(RouteTableOptions options) { table.set_options(options); }

  RouteTable table{RouteTableOptions{}};
};

TEST_F(RouteTableTest, FirstRegistrationOfAMasterBringsItsTopics) {
  const auto result = register_broker(table, {});
  EXPECT_EQ(result.outcome, RegisterOutcome::kAccepted);
  EXPECT_FALSE(result.master_addr);
  const auto route = table.route("T");
  ASSERT_TRUE(route);
  EXPECT_THAT(route->queue_datas, ElementsAre(QueueData{"broker-a", 4, 4, 6, 0}));
  ASSERT_EQ(route->broker_datas.size(), 1U);
  EXPECT_EQ(route->broker_datas[0].cluster, "DefaultCluster");
  EXPECT_THAT(route->broker_datas[0].broker_addrs, ElementsAre(Pair(0, "10.0.0.1:10911")));
  EXPECT_FALSE(table.route("unknown"));
}

TEST_F(RouteTableTest, SlaveGetsItsMastersAddressesAndBringsNoTopics) {
  register_broker(table, {});
  const auto result = register_broker(
      table, {.id = 1, .addr = "10.0.0.2:10911", .topics = {{"T"}, {"OnlyOnSlave"}}, .channel = 2});
  EXPECT_EQ(result.master_addr, "10.0.0.1:10911");
  EXPECT_EQ(result.ha_server_addr, "10.0.0.1:10912");
  EXPECT_THAT(addrs(), ElementsAre(Pair(0, "10.0.0.1:10911"), Pair(1, "10.0.0.2:10911")));
  EXPECT_FALSE(table.route("OnlyOnSlave"));
}

TEST_F(RouteTableTest, SlaveWithoutMasterGetsNoMasterAddress) {
  const auto result = register_broker(table, {.id = 1});
  EXPECT_EQ(result.outcome, RegisterOutcome::kAccepted);
  EXPECT_FALSE(result.master_addr);
  EXPECT_FALSE(table.route("T"));
}

TEST_F(RouteTableTest, SingleTopicBeforeTheWholeTableIsRefusedAndLeavesNothing) {
  const auto refused = register_broker(table, {.topics = {{"T"}}});
  EXPECT_EQ(refused.outcome, RegisterOutcome::kRefused);
  EXPECT_EQ(table.stats().broker_sets, 0U);
  EXPECT_EQ(table.stats().clusters, 0U);
  EXPECT_EQ(table.stats().registrations, 0U);

  register_broker(table, {});
  const auto accepted = register_broker(table, {.version = version(2), .topics = {{"New"}}});
  EXPECT_EQ(accepted.outcome, RegisterOutcome::kAccepted);
  EXPECT_TRUE(table.route("New"));
  EXPECT_TRUE(table.route("T")) << "topics that are not in the payload stay";
}

TEST_F(RouteTableTest, EmptyPayloadIsAccepted) {
  EXPECT_EQ(register_broker(table, {.topics = {}}).outcome, RegisterOutcome::kAccepted);
  EXPECT_EQ(table.stats().registrations, 1U);
}

TEST_F(RouteTableTest, SameDataVersionDoesNotRewriteKnownTopics) {
  register_broker(table, {});
  table.wipe_write_perm("broker-a");
  register_broker(table, {});
  EXPECT_EQ(perm("T"), 4) << "wiped permission lasts until the broker's tables change";
  register_broker(table, {.version = version(2)});
  EXPECT_EQ(perm("T"), 6);
}

TEST_F(RouteTableTest, SameDataVersionBringsBackATopicThatIsUnknownHere) {
  register_broker(table, {});
  table.delete_topic("T");
  EXPECT_FALSE(table.route("T"));
  register_broker(table, {});
  EXPECT_TRUE(table.route("T"));
}

TEST_F(RouteTableTest, EachPartOfTheDataVersionCounts) {
  const protocol::DataVersion base{.state_version = 5, .timestamp_ms = 1000, .counter = 1};
  for (auto changed : {protocol::DataVersion{6, 1000, 1}, protocol::DataVersion{5, 1001, 1},
                       protocol::DataVersion{5, 1000, 2}}) {
    RouteTable fresh{RouteTableOptions{}};
    register_broker(fresh, {.version = base});
    register_broker(fresh, {.version = changed, .topics = {{"TBW102"}, {"T", 4}}});
    EXPECT_EQ(fresh.route("T")->queue_datas[0].perm, 4);
  }
}

TEST_F(RouteTableTest, NewIdOfAnAddressReplacesTheOldOne) {
  register_broker(table, {.id = 1, .addr = "10.0.0.2:10911"});
  register_broker(table, {.id = 0, .addr = "10.0.0.2:10911"});
  EXPECT_THAT(addrs(), ElementsAre(Pair(0, "10.0.0.2:10911")));
  EXPECT_TRUE(table.route("T"));
}

TEST_F(RouteTableTest, SlaveBecomesMasterWhenItsTermIsNewer) {
  register_broker(table, {.version = version(1, 5)});
  register_broker(table, {.id = 1, .addr = "10.0.0.2:10911", .channel = 2});
  register_broker(table, {.addr = "10.0.0.2:10911", .version = version(1, 6), .channel = 2});
  EXPECT_THAT(addrs(), ElementsAre(Pair(0, "10.0.0.2:10911")));
}

TEST_F(RouteTableTest, StaleLeaderCannotTakeItsIdBack) {
  register_broker(table, {.addr = "10.0.0.2:10911", .version = version(9, 6), .channel = 2});
  const auto result = register_broker(
      table, {.addr = "10.0.0.1:10911", .version = version(9, 5), .topics = {{"A"}, {"B"}}});
  EXPECT_EQ(result.outcome, RegisterOutcome::kFenced);
  EXPECT_THAT(addrs(), ElementsAre(Pair(0, "10.0.0.2:10911")));
  EXPECT_FALSE(table.route("A"));
  EXPECT_EQ(table.stats().registrations, 1U);
}

TEST_F(RouteTableTest, StaleLeaderLosesItsOwnSlaveEntry) {
  register_broker(table, {.addr = "10.0.0.2:10911", .version = version(9, 6), .channel = 2});
  register_broker(table, {.id = 1, .addr = "10.0.0.1:10911", .version = version(9, 6)});
  register_broker(table, {.id = 0, .addr = "10.0.0.1:10911", .version = version(9, 5)});
  EXPECT_THAT(addrs(), ElementsAre(Pair(0, "10.0.0.2:10911")));
  EXPECT_EQ(table.stats().registrations, 1U);
}

TEST_F(RouteTableTest, EqualStateVersionLastWriterWins) {
  register_broker(table, {.version = version(1, 5)});
  register_broker(table, {.addr = "10.0.0.2:10911", .version = version(1, 5), .channel = 2});
  EXPECT_THAT(addrs(), ElementsAre(Pair(0, "10.0.0.2:10911")));
}

TEST_F(RouteTableTest, LowerStateVersionWinsWhenTheHolderIsGone) {
  register_broker(table, {.addr = "10.0.0.2:10911", .version = version(1, 6), .channel = 2});
  register_broker(table, {.id = 1, .addr = "10.0.0.3:10911", .channel = 3});
  table.channel_closed(2);
  register_broker(table, {.version = version(1, 5)});
  EXPECT_THAT(addrs(), ElementsAre(Pair(0, "10.0.0.1:10911"), Pair(1, "10.0.0.3:10911")));
}

TEST_F(RouteTableTest, LeaderAddressSharedByServiceNameIsFencedPerConnection) {
  const std::string service = "gantry-broker-a-leader:10911";
  register_broker(table, {.addr = service, .version = version(1, 5), .channel = 1});
  register_broker(table, {.addr = service, .version = version(1, 6), .channel = 2});
  const auto stale = register_broker(
      table, {.addr = service, .version = version(7, 5), .topics = {{"A"}, {"B"}}, .channel = 1});
  EXPECT_EQ(stale.outcome, RegisterOutcome::kFenced);
  EXPECT_FALSE(table.route("A"));
  table.channel_closed(1);
  EXPECT_THAT(addrs(), ElementsAre(Pair(0, service))) << "the new leader holds that address";
  table.channel_closed(2);
  EXPECT_THAT(addrs(), IsEmpty());
}

TEST_F(RouteTableTest, BrokerMayLowerItsStateVersionOnItsOwnConnection) {
  register_broker(table, {.version = version(1, 5)});
  const auto result =
      register_broker(table, {.version = version(2, 4), .topics = {{"T", 4}, {"U"}}});
  EXPECT_EQ(result.outcome, RegisterOutcome::kAccepted);
  EXPECT_EQ(perm("T"), 4);
}

// --- prime slave and acting master ---

TEST_F(RouteTableTest, PrimeSlaveBringsReadOnlyTopics) {
  register_broker(table, {.id = 2, .addr = "10.0.0.2:10911", .acting_master = true});
  EXPECT_EQ(perm("T"), 4);
  EXPECT_EQ(perm("TBW102"), 5) << "only the write bit goes";
}

TEST_F(RouteTableTest, PrimeSlaveWithoutActingMasterKeepsPermissions) {
  register_broker(table, {.id = 2, .addr = "10.0.0.2:10911", .acting_master = false});
  EXPECT_EQ(perm("T"), 6);
}

TEST_F(RouteTableTest, OnlyTheSmallestSlaveIsPrime) {
  register_broker(table, {.id = 1, .topics = {{"T"}, {"U"}}, .acting_master = true});
  register_broker(table, {.id = 2,
                          .addr = "10.0.0.2:10911",
                          .topics = {{"T"}, {"OnSecond"}},
                          .channel = 2,
                          .acting_master = true});
  EXPECT_FALSE(table.route("OnSecond"));
}

TEST_F(RouteTableTest, ActingMasterIsShownWhenSupportedAndNotWritable) {
  reset({.support_acting_master = true});
  register_broker(table, {.acting_master = true});
  register_broker(table, {.id = 1, .addr = "10.0.0.2:10911", .channel = 2, .acting_master = true});
  register_broker(table, {.id = 3, .addr = "10.0.0.3:10911", .channel = 3, .acting_master = true});
  table.channel_closed(1);
  EXPECT_EQ(perm("T"), 4) << "a set without master is read-only";
  const auto route = table.route("T");
  ASSERT_TRUE(route);
  EXPECT_THAT(route->broker_datas[0].broker_addrs,
              ElementsAre(Pair(0, "10.0.0.2:10911"), Pair(3, "10.0.0.3:10911")));
  EXPECT_THAT(addrs(), ElementsAre(Pair(1, "10.0.0.2:10911"), Pair(3, "10.0.0.3:10911")))
      << "the table itself keeps the real ids";

  table.add_write_perm("broker-a");
  EXPECT_TRUE(table.route("T")->broker_datas[0].broker_addrs.contains(1))
      << "writable: producers must not take a slave for the master";
}

TEST_F(RouteTableTest, NoActingMasterUnlessSupportedAndAllowed) {
  register_broker(table, {.id = 1, .acting_master = true});
  EXPECT_TRUE(table.route("T")->broker_datas[0].broker_addrs.contains(1));
  reset({.support_acting_master = true});
  EXPECT_TRUE(table.route("T")->broker_datas[0].broker_addrs.contains(0));
  register_broker(
      table,
      {.id = 1, .topics = {{"rmq_sys_SYNC_BROKER_MEMBER_broker-a"}, {"T"}}, .acting_master = true});
  const auto members = table.route("rmq_sys_SYNC_BROKER_MEMBER_broker-a");
  ASSERT_TRUE(members);
  EXPECT_TRUE(members->broker_datas[0].broker_addrs.contains(1));
  register_broker(table, {.id = 1, .version = version(2), .acting_master = false});
  EXPECT_TRUE(table.route("T")->broker_datas[0].broker_addrs.contains(1));
}

TEST_F(RouteTableTest, SetWithoutActingMasterStaysWritableWhenItsMasterGoes) {
  register_broker(table, {});
  register_broker(table, {.id = 1, .addr = "10.0.0.2:10911", .channel = 2});
  table.channel_closed(1);
  EXPECT_EQ(perm("T"), 6);
  EXPECT_THAT(addrs(), ElementsAre(Pair(1, "10.0.0.2:10911")));
}

// --- deleteTopicWithBrokerRegistration ---

TEST_F(RouteTableTest, TopicsTheBrokerNoLongerHasGoWhenAsked) {
  reset({.delete_topic_with_broker_registration = true});
  register_broker(table, {.topics = {{"A"}, {"B"}}});
  register_broker(
      table,
      {.name = "broker-b", .addr = "10.0.0.2:10911", .topics = {{"A"}, {"C"}}, .channel = 2});
  register_broker(table, {.version = version(2), .topics = {{"B"}, {"D"}}});
  EXPECT_EQ(perm("A", "broker-a"), -1);
  EXPECT_EQ(perm("A", "broker-b"), 6);
  EXPECT_TRUE(table.route("B"));
  EXPECT_TRUE(table.route("C"));
}

TEST_F(RouteTableTest, TopicsStayByDefaultAndForSlaves) {
  register_broker(table, {.topics = {{"A"}, {"B"}}});
  register_broker(table, {.version = version(2), .topics = {{"B"}, {"D"}}});
  EXPECT_TRUE(table.route("A"));
  reset({.delete_topic_with_broker_registration = true});
  register_broker(table, {.id = 1, .addr = "10.0.0.2:10911", .topics = {}, .channel = 2});
  EXPECT_TRUE(table.route("A"));
}

// --- unregister, close, expiry ---

TEST_F(RouteTableTest, UnregisterOfTheLastAddressRemovesEverything) {
  register_broker(table, {});
  register_broker(
      table,
      {.name = "broker-b", .addr = "10.0.0.2:10911", .topics = {{"T"}, {"U"}}, .channel = 2});
  const auto removal = table.unregister_broker("DefaultCluster", "10.0.0.1:10911", "broker-a", 1);
  EXPECT_EQ(removal.registrations, 1U);
  EXPECT_FALSE(table.route("TBW102"));
  EXPECT_EQ(perm("T", "broker-a"), -1);
  EXPECT_EQ(perm("T", "broker-b"), 6);
  const auto info = table.cluster_info();
  EXPECT_FALSE(info.broker_addr_table.contains("broker-a"));
  EXPECT_THAT(info.cluster_addr_table.at("DefaultCluster"), ElementsAre("broker-b"));
  table.unregister_broker("DefaultCluster", "10.0.0.2:10911", "broker-b", 2);
  EXPECT_THAT(table.cluster_info().cluster_addr_table, IsEmpty());
  EXPECT_EQ(table.stats().topics, 0U);
}

TEST_F(RouteTableTest, UnregisterOfASlaveKeepsTheSet) {
  register_broker(table, {});
  register_broker(table, {.id = 1, .addr = "10.0.0.2:10911", .channel = 2});
  table.unregister_broker("DefaultCluster", "10.0.0.2:10911", "broker-a", 2);
  EXPECT_THAT(addrs(), ElementsAre(Pair(0, "10.0.0.1:10911")));
  EXPECT_EQ(perm("T"), 6);
}

TEST_F(RouteTableTest, UnregisterOfSomethingUnknownDoesNothing) {
  register_broker(table, {});
  EXPECT_EQ(table.unregister_broker("DefaultCluster", "10.9.9.9:1", "broker-a", 1).registrations,
            0U);
  EXPECT_EQ(table.unregister_broker("X", "10.9.9.9:1", "broker-x", 1).registrations, 0U);
  EXPECT_TRUE(table.route("T"));
}

TEST_F(RouteTableTest, GoodbyeOfAnOldLeaderDoesNotRemoveTheNewOne) {
  const std::string service = "gantry-broker-a-leader:10911";
  register_broker(table, {.addr = service, .version = version(1, 5), .channel = 1});
  register_broker(table, {.addr = service, .version = version(1, 6), .channel = 2});
  EXPECT_EQ(table.unregister_broker("DefaultCluster", service, "broker-a", 1).registrations, 0U);
  EXPECT_TRUE(table.route("T"));
  EXPECT_EQ(table.unregister_broker("DefaultCluster", service, "broker-a", 2).registrations, 1U);
  EXPECT_FALSE(table.route("T"));
}

TEST_F(RouteTableTest, GoodbyeOverANewConnectionCountsForBrokersWithoutStateVersion) {
  register_broker(table, {.channel = 1});
  table.unregister_broker("DefaultCluster", "10.0.0.1:10911", "broker-a", 7);
  EXPECT_FALSE(table.route("T"));
}

TEST_F(RouteTableTest, ClosedConnectionRemovesAllItsRegistrations) {
  register_broker(table, {.channel = 4});
  register_broker(table, {.name = "broker-b", .addr = "10.0.0.1:20911", .channel = 4});
  register_broker(table, {.name = "broker-c", .addr = "10.0.0.3:10911", .channel = 5});
  EXPECT_EQ(table.channel_closed(4).registrations, 2U);
  EXPECT_EQ(table.stats().broker_sets, 1U);
  EXPECT_EQ(table.channel_closed(4).registrations, 0U);
}

TEST_F(RouteTableTest, NewConnectionOfABrokerOutlivesItsOldOne) {
  register_broker(table, {.channel = 1});
  register_broker(table, {.channel = 2});
  table.channel_closed(1);
  EXPECT_TRUE(table.route("T"));
}

TEST_F(RouteTableTest, RegistrationsExpireAfterTheirOwnTimeout) {
  register_broker(table, {.channel = 1}, 1000);
  register_broker(
      table, {.name = "broker-b", .addr = "10.0.0.2:10911", .channel = 2, .timeout_ms = 10'000},
      1000);
  EXPECT_EQ(table.expire(11'000).registrations, 0U) << "not before the timeout has passed";
  const auto first = table.expire(11'001);
  EXPECT_EQ(first.registrations, 1U);
  EXPECT_THAT(first.idle_channels, ElementsAre(2U));
  EXPECT_EQ(table.expire(1000 + kBrokerTimeoutMsDefault).registrations, 0U);
  EXPECT_EQ(table.expire(1001 + kBrokerTimeoutMsDefault).registrations, 1U);
  EXPECT_FALSE(table.route("T"));
}

TEST_F(RouteTableTest, ConnectionWithAnotherLiveRegistrationIsNotIdle) {
  register_broker(table, {.channel = 1, .timeout_ms = 10'000}, 0);
  register_broker(table, {.name = "broker-b", .addr = "10.0.0.1:20911", .channel = 1}, 0);
  const auto removal = table.expire(20'000);
  EXPECT_EQ(removal.registrations, 1U);
  EXPECT_THAT(removal.idle_channels, IsEmpty());
}

TEST_F(RouteTableTest, HeartbeatKeepsARegistration) {
  register_broker(table, {}, 0);
  EXPECT_TRUE(table.heartbeat("DefaultCluster", "10.0.0.1:10911", 100'000));
  EXPECT_EQ(table.expire(150'000).registrations, 0U);
  EXPECT_FALSE(table.heartbeat("DefaultCluster", "10.9.9.9:1", 0));
  EXPECT_FALSE(table.heartbeat("Other", "10.0.0.1:10911", 0)) << "cluster is part of the key";
}

TEST_F(RouteTableTest, QueryDataVersionSaysChangedAndRefreshesOnlyWhenNot) {
  register_broker(table, {.version = version(3)}, 0);
  auto answer = table.query_data_version("DefaultCluster", "10.0.0.1:10911", version(3), 100'000);
  EXPECT_FALSE(answer.changed);
  EXPECT_EQ(answer.recorded, version(3));
  EXPECT_EQ(table.expire(150'000).registrations, 0U);
  answer = table.query_data_version("DefaultCluster", "10.0.0.1:10911", version(4), 200'000);
  EXPECT_TRUE(answer.changed);
  EXPECT_EQ(answer.recorded, version(3));
  EXPECT_EQ(table.expire(250'000).registrations, 1U);
  answer = table.query_data_version("DefaultCluster", "10.0.0.1:10911", version(3), 0);
  EXPECT_TRUE(answer.changed);
  EXPECT_FALSE(answer.recorded);
}

// --- code 905 ---

TEST_F(RouteTableTest, NewSmallestIdTellsTheOthers) {
  EXPECT_FALSE(register_broker(table, {.id = 2, .addr = "10.0.0.3:10911"}).min_broker_id_change);
  EXPECT_FALSE(register_broker(table, {.id = 3, .addr = "10.0.0.4:10911", .channel = 2})
                   .min_broker_id_change);
  const auto result = register_broker(table, {.id = 0, .channel = 3});
  ASSERT_TRUE(result.min_broker_id_change);
  const auto& change = *result.min_broker_id_change;
  EXPECT_EQ(change.broker_name, "broker-a");
  EXPECT_EQ(change.min_broker_id, 0);
  EXPECT_EQ(change.min_broker_addr, "10.0.0.1:10911");
  EXPECT_EQ(change.ha_broker_addr, "10.0.0.1:10912");
  EXPECT_FALSE(change.offline_broker_addr);
  EXPECT_THAT(change.notify, ElementsAre("10.0.0.3:10911", "10.0.0.4:10911"));
}

TEST_F(RouteTableTest, LostSmallestIdTellsTheRestWhenActingMastersAreOn) {
  register_broker(table, {.acting_master = true});
  register_broker(table, {.id = 1, .addr = "10.0.0.2:10911", .channel = 2, .acting_master = true});
  register_broker(table, {.id = 2, .addr = "10.0.0.3:10911", .channel = 3, .acting_master = true});
  EXPECT_THAT(table.channel_closed(3).min_broker_id_changes, IsEmpty());
  register_broker(table, {.id = 2, .addr = "10.0.0.3:10911", .channel = 3, .acting_master = true});
  const auto removal = table.channel_closed(1);
  ASSERT_EQ(removal.min_broker_id_changes.size(), 1U);
  const auto& change = removal.min_broker_id_changes[0];
  EXPECT_EQ(change.min_broker_id, 1);
  EXPECT_EQ(change.offline_broker_addr, "10.0.0.1:10911");
  EXPECT_THAT(change.notify, ElementsAre("10.0.0.2:10911", "10.0.0.3:10911"));
}

TEST_F(RouteTableTest, LostSmallestIdTellsNobodyWithoutActingMasters) {
  register_broker(table, {});
  register_broker(table, {.id = 1, .addr = "10.0.0.2:10911", .channel = 2});
  EXPECT_THAT(table.channel_closed(1).min_broker_id_changes, IsEmpty());
}

}  // namespace
}  // namespace gantry::namesrv
