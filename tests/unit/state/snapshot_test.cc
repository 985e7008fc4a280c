// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "fakes.h"
#include "random_log.h"
#include "state.pb.h"
#include "state/state_machine.h"

namespace gantry::state {
namespace {

using ::testing::HasSubstr;

TEST(SnapshotTest, SnapshotAndTheRestOfTheLogEqualTheWholeLog) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    RandomLog source(seed);
    const auto log = source.make(160);
    std::mt19937_64 random(seed);
    const std::size_t cut = random() % log.size();
    StateMachine whole;
    StateMachine first;
    for (std::size_t i = 0; i < log.size(); ++i) {
      log[i].apply_to(whole);
      if (i <= cut) log[i].apply_to(first);
    }
    StateMachine second;
    // Something else was there before; the snapshot replaces it.
    RandomLog other(seed + 1000);
    for (const RandomRecord& record : other.make(20)) record.apply_to(second);
    ASSERT_TRUE(second.load_snapshot(first.serialize_snapshot()));
    EXPECT_EQ(second.digest(), first.digest()) << "seed " << seed;
    EXPECT_EQ(second.applied(), log[cut].end);
    // Replay starts somewhat before the snapshot, as after a crash.
    for (std::size_t i = cut - std::min<std::size_t>(cut, 10); i < log.size(); ++i) {
      log[i].apply_to(second);
    }
    EXPECT_EQ(second.digest(), whole.digest()) << "seed " << seed;
    EXPECT_EQ(second.serialize_snapshot(), whole.serialize_snapshot()) << "seed " << seed;
  }
}

// Members of different releases compare digests of these bytes.
TEST(SnapshotTest, TheBytesAreThoseOfOneMessage) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    RandomLog source(seed);
    StateMachine m;
    for (const RandomRecord& record : source.make(160)) record.apply_to(m);
    const std::string bytes = m.serialize_snapshot();
    proto::Snapshot whole;
    ASSERT_TRUE(whole.ParseFromString(bytes));
    EXPECT_TRUE(whole.SerializeAsString() == bytes) << "seed " << seed;
  }
}

TEST(SnapshotTest, EveryFieldSurvives) {
  StateMachine m(4);
  const CommandStamp stamp{1700000000000, Term(3)};
  protocol::TopicConfig topic_config = topic("t", 3);
  topic_config.perm = 7;
  topic_config.topic_filter_type = protocol::TopicFilterType::kMultiTag;
  topic_config.topic_sys_flag = 3;
  topic_config.order = true;
  topic_config.attributes = {{"message.type", "FIFO"}, {"queue.type", "BatchCQ"}};
  protocol::SubscriptionGroupConfig group_config = group("g", 9);
  group_config.consume_enable = false;
  group_config.consume_from_min_enable = false;
  group_config.consume_broadcast_enable = false;
  group_config.consume_message_orderly = true;
  group_config.notify_consumer_ids_changed_enable = false;
  group_config.retry_queue_nums = 5;
  group_config.group_retry_policy.type = protocol::GroupRetryPolicyType::kExponential;
  group_config.group_retry_policy.exponential = {1, 2, 3};
  group_config.group_retry_policy.customized.emplace().next_ms = {4, 5};
  group_config.broker_id = 2;
  group_config.which_broker_when_consume_slowly = 3;
  group_config.group_sys_flag = 4;
  group_config.consume_timeout_minute = 6;
  group_config.subscription_data_set = {{"t", "SQL92", "a > 1", 8}};
  group_config.attributes = {{"k", "v"}};
  LogPosition end;
  const auto apply = [&](const EncodedCommand& command) {
    end += 100;
    ASSERT_TRUE(m.apply(end, command.body));
  };
  apply(put_topics_command(stamp, std::vector{topic_config}));
  apply(put_groups_command(stamp, std::vector{group_config}));
  apply(set_forbidden_command(stamp, std::vector<ForbiddenEntry>{{"g", "t", 4}}));
  apply(reset_offsets_command(stamp, std::vector<OffsetEntry>{{"g", "t", 2, QueueOffset(11)}},
                              PendingReset::kYes));
  apply(set_feature_level_command(stamp, 4));
  apply(trim_log_command(stamp, LogPosition(50)));
  apply(lock_queues_command(stamp, "g", "client-1", std::vector<LockedQueue>{{"t", "b", 3}}, 0));
  GroupSubscriptions subscribed = subscriptions({subscription("t", "A || B", 17)});
  subscribed.consume_type = protocol::ConsumeType::kActively;
  subscribed.message_model = protocol::MessageModel::kBroadcasting;
  // Whatever a client says of itself, it is kept as it is.
  subscribed.topics["u"] = {.topic = "u",
                            .sub_string = "A",
                            .tags_set = {"B", "\xff"},
                            .code_set = {-7, 3},
                            .sub_version = -1,
                            .expression_type = "",
                            .class_filter_mode = true};
  subscribed.topics["v"] = *protocol::build_subscription("v", "a > 1", "SQL92");
  apply(put_subscriptions_command(stamp, "g", subscribed));
  m.apply_delay_step(end + 10, 5, QueueOffset(77));
  m.apply_term_start(end + 20, Epoch{Term(3), end + 10, kEpochSyncFlush});
  m.advance(end + 30);

  StateMachine n(4);
  const std::string bytes = m.serialize_snapshot();
  proto::Snapshot whole;
  ASSERT_TRUE(whole.ParseFromString(bytes));
  EXPECT_TRUE(whole.SerializeAsString() == bytes) << "the fields are out of order";
  ASSERT_TRUE(n.load_snapshot(bytes));
  EXPECT_EQ(*n.topics().find("t"), topic_config);
  EXPECT_EQ(*n.groups().find("g"), group_config);
  EXPECT_EQ(n.topics().data_version(), m.topics().data_version());
  EXPECT_EQ(n.groups().data_version(), m.groups().data_version());
  EXPECT_EQ(n.groups().forbidden("g", "t"), 4);
  EXPECT_TRUE(n.offsets().find("g", "t", 2)->pending_reset);
  EXPECT_EQ(n.offsets().committed("g", "t", 2), QueueOffset(11));
  EXPECT_EQ(n.offsets().pending_resets(), 1U);
  EXPECT_EQ(n.offsets().data_version(), m.offsets().data_version());
  EXPECT_EQ(n.delays().next(5), QueueOffset(77));
  EXPECT_EQ(n.epochs().all(), m.epochs().all());
  ASSERT_EQ(n.locks().all().size(), 1U);
  EXPECT_EQ(n.locks().all().at("g"),
            (LockTable::Queues{{{"t", "b", 3}, {"client-1", stamp.timestamp_ms}}}));
  EXPECT_EQ(n.subscriptions().all(), (SubscriptionTable::Groups{{"g", subscribed}}));
  EXPECT_EQ(n.trim_position(), LogPosition(50));
  EXPECT_EQ(n.feature_level(), 4);
  EXPECT_EQ(n.applied(), end + 30);
}

TEST(SnapshotTest, OneThatWasWrittenBeforeThereWereSubscriptionsLoads) {
  StateMachine older(2);
  ASSERT_TRUE(older.apply(LogPosition(10), put_groups_command({}, std::vector{group("g")}).body));
  ASSERT_TRUE(older.apply(LogPosition(20), set_feature_level_command({}, 2).body));
  StateMachine newer;
  ASSERT_TRUE(newer.apply(LogPosition(5), put_groups_command({}, std::vector{group("g")}).body));
  ASSERT_TRUE(newer.apply(
      LogPosition(7),
      put_subscriptions_command({}, "g", subscriptions({subscription("t", "*", 1)})).body));
  ASSERT_TRUE(newer.load_snapshot(older.serialize_snapshot()));
  EXPECT_TRUE(newer.subscriptions().all().empty());
  EXPECT_EQ(newer.digest(), older.digest());
}

TEST(SnapshotTest, AnUnfinishedImportStaysUnfinished) {
  ImportedState state;
  for (int i = 0; i < 40000; ++i) state.topics.push_back(topic("topic-" + std::to_string(i)));
  const auto commands = import_state_commands({1, Term(1)}, state);
  ASSERT_GE(commands.size(), 2U);
  StateMachine m;
  ASSERT_TRUE(m.apply(LogPosition(10), commands[0].body));
  StateMachine n;
  ASSERT_TRUE(n.load_snapshot(m.serialize_snapshot()));
  EXPECT_TRUE(n.import_open());
  for (std::size_t i = 1; i < commands.size(); ++i) {
    const LogPosition end(10 + static_cast<std::int64_t>(i));
    ASSERT_TRUE(m.apply(end, commands[i].body));
    ASSERT_TRUE(n.apply(end, commands[i].body));
  }
  EXPECT_FALSE(n.import_open());
  EXPECT_EQ(n.digest(), m.digest());
}

TEST(SnapshotTest, ASnapshotOfAHigherLevelIsRefusedNamingBoth) {
  StateMachine newer(6);
  ASSERT_TRUE(newer.apply(LogPosition(10), set_feature_level_command({}, 6).body));
  StateMachine older(2);
  const auto refused = older.load_snapshot(newer.serialize_snapshot());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(refused.error().message, HasSubstr("level 6"));
  EXPECT_THAT(refused.error().message, HasSubstr("supports 2"));
}

TEST(SnapshotTest, DamagedBytesChangeNothing) {
  RandomLog source(5);
  StateMachine m;
  for (const RandomRecord& record : source.make(120)) record.apply_to(m);
  const std::string snapshot = m.serialize_snapshot();
  StateMachine victim;
  ASSERT_TRUE(
      victim.apply(LogPosition(3), put_topics_command({}, std::vector{topic("mine")}).body));
  const std::uint64_t digest = victim.digest();
  std::size_t refused = 0;
  for (std::size_t size = 0; size < snapshot.size(); ++size) {
    StateMachine fresh;
    if (!fresh.load_snapshot(std::string_view(snapshot).substr(0, size))) ++refused;
  }
  EXPECT_GT(refused, snapshot.size() / 2);
  EXPECT_FALSE(victim.load_snapshot("\xff\xff\xff\xff"));
  EXPECT_FALSE(victim.load_snapshot(std::string_view(snapshot).substr(0, snapshot.size() - 1)));
  EXPECT_EQ(victim.digest(), digest);
  EXPECT_EQ(victim.applied(), LogPosition(3));
}

}  // namespace
}  // namespace gantry::state
