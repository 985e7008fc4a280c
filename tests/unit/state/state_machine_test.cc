// SPDX-License-Identifier: Apache-2.0
#include "state/state_machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes.h"
#include "random_log.h"

namespace gantry::state {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr CommandStamp kStamp{1700000000123, Term(7)};

// Applies commands at ever higher positions.
class Machine {
 public:
  explicit Machine(std::int32_t supported_level = kSupportedFeatureLevel)
      : machine(supported_level) {}
  Result<void> apply(const EncodedCommand& command) {
    end += 1000;
    return machine.apply(end, command.body);
  }
  StateMachine machine;
  LogPosition end;
};

struct Recorder final : StateMachine::Listener {
  void on_topics_changed(std::span<const std::string> names) override {
    for (const auto& name : names) events.push_back("topic " + name);
  }
  void on_groups_changed(std::span<const std::string> names) override {
    for (const auto& name : names) events.push_back("group " + name);
  }
  void on_offsets_removed(std::string_view group, std::string_view topic) override {
    events.push_back("offsets " + std::string(topic) + "@" + std::string(group));
  }
  void on_trim(LogPosition position) override {
    events.push_back("trim " + std::to_string(position.v));
  }
  void on_feature_level(std::int32_t level) override {
    events.push_back("level " + std::to_string(level));
  }
  void on_state_compared(const StateDigest& own, std::uint64_t leaders) override {
    events.push_back("compared at " + std::to_string(own.position.v) +
                     (own.digest == leaders ? ", equal" : ", different"));
  }
  void on_reload() override { events.emplace_back("reload"); }
  std::vector<std::string> events;
};

TEST(StateMachineTest, PutTopicsBumpsVersionWithTheLeadersStampOnlyOnChange) {
  Machine m;
  ASSERT_TRUE(m.apply(put_topics_command(kStamp, std::vector{topic("b"), topic("a", 8)})));
  EXPECT_EQ(m.machine.topics().find("a")->read_queue_nums, 8);
  EXPECT_EQ(m.machine.topics().find("c"), nullptr);
  const protocol::DataVersion first = m.machine.topics().data_version();
  EXPECT_EQ(first.counter, 1);
  EXPECT_EQ(first.timestamp_ms, kStamp.timestamp_ms);
  EXPECT_EQ(first.state_version, 7);

  ASSERT_TRUE(m.apply(put_topics_command({1, Term(9)}, std::vector{topic("b")})));
  EXPECT_EQ(m.machine.topics().data_version(), first) << "an equal config is no change";

  ASSERT_TRUE(m.apply(put_topics_command({5, Term(8)}, std::vector{topic("b", 16)})));
  EXPECT_EQ(m.machine.topics().data_version().counter, 2);
  EXPECT_EQ(m.machine.topics().all().front()->topic_name, "a");
  EXPECT_EQ(m.machine.topics().all().back()->write_queue_nums, 16);
}

TEST(StateMachineTest, DeletingATopicTakesItsOffsetsInEveryGroup) {
  Machine m;
  ASSERT_TRUE(m.apply(put_topics_command(kStamp, std::vector{topic("a"), topic("b")})));
  ASSERT_TRUE(m.apply(
      commit_offsets_command(kStamp, std::vector<OffsetEntry>{{"g", "a", 0, QueueOffset(5)},
                                                              {"g", "b", 1, QueueOffset(6)},
                                                              {"h", "a", 0, QueueOffset(7)}})));
  EXPECT_THAT(m.machine.offsets().groups_of("a"), ElementsAre("g", "h"));
  Recorder recorder;
  m.machine.add_listener(&recorder);
  ASSERT_TRUE(m.apply(delete_topics_command(kStamp, std::vector<std::string>{"a", "unknown"})));
  EXPECT_THAT(recorder.events, ElementsAre("offsets a@", "offsets unknown@", "topic a"));
  EXPECT_EQ(m.machine.topics().find("a"), nullptr);
  EXPECT_FALSE(m.machine.offsets().committed("g", "a", 0));
  EXPECT_FALSE(m.machine.offsets().committed("h", "a", 0));
  EXPECT_EQ(m.machine.offsets().committed("g", "b", 1), QueueOffset(6));
  EXPECT_THAT(m.machine.offsets().topics_of("g"), ElementsAre("b"));
  EXPECT_TRUE(m.machine.offsets().topics_of("h").empty());
}

TEST(StateMachineTest, GroupsForbiddenBitsAndCleaningOffsets) {
  Machine m;
  ASSERT_TRUE(m.apply(put_groups_command(kStamp, std::vector{group("g", 3), group("h")})));
  ASSERT_TRUE(m.apply(set_forbidden_command(kStamp, std::vector<ForbiddenEntry>{{"g", "t", 4}})));
  EXPECT_EQ(m.machine.groups().forbidden("g", "t"), 4);
  EXPECT_EQ(m.machine.groups().forbidden("g", "u"), 0);
  ASSERT_TRUE(m.apply(set_forbidden_command(kStamp, std::vector<ForbiddenEntry>{{"g", "t", 0}})));
  EXPECT_TRUE(m.machine.groups().all_forbidden().empty());
  EXPECT_EQ(m.machine.groups().data_version().counter, 3);

  const std::vector<OffsetEntry> offsets = {{"g", "t", 0, QueueOffset(1)},
                                            {"h", "t", 0, QueueOffset(2)}};
  ASSERT_TRUE(m.apply(commit_offsets_command(kStamp, offsets)));
  ASSERT_TRUE(m.apply(delete_group_command(kStamp, "g", CleanOffsets::kNo)));
  EXPECT_EQ(m.machine.groups().find("g"), nullptr);
  EXPECT_TRUE(m.machine.offsets().committed("g", "t", 0)) << "offsets were to stay";
  ASSERT_TRUE(m.apply(delete_group_command(kStamp, "h", CleanOffsets::kYes)));
  EXPECT_FALSE(m.machine.offsets().committed("h", "t", 0));
}

TEST(StateMachineTest, PendingResetBlocksCommitsUntilConsumed) {
  Machine m;
  const std::vector<OffsetEntry> at9 = {{"g", "t", 0, QueueOffset(9)}};
  const std::vector<OffsetEntry> at2 = {{"g", "t", 0, QueueOffset(2)}};
  const std::vector<QueueKey> key = {{"g", "t", 0}};
  ASSERT_TRUE(m.apply(commit_offsets_command(kStamp, at9)));
  ASSERT_TRUE(m.apply(reset_offsets_command(kStamp, at2, PendingReset::kYes)));
  EXPECT_EQ(m.machine.offsets().pending_resets(), 1U);
  ASSERT_TRUE(m.apply(commit_offsets_command(kStamp, at9)));
  EXPECT_EQ(m.machine.offsets().committed("g", "t", 0), QueueOffset(2));
  ASSERT_TRUE(m.apply(commit_offsets_command(kStamp, at9, key)));
  EXPECT_EQ(m.machine.offsets().committed("g", "t", 0), QueueOffset(9));
  EXPECT_EQ(m.machine.offsets().pending_resets(), 0U);

  ASSERT_TRUE(m.apply(reset_offsets_command(kStamp, at2, PendingReset::kYes)));
  ASSERT_TRUE(m.apply(reset_offsets_command(kStamp, at9, PendingReset::kNo)));
  EXPECT_EQ(m.machine.offsets().pending_resets(), 0U);
  ASSERT_TRUE(m.apply(reset_offsets_command(kStamp, at2, PendingReset::kYes)));
  ASSERT_TRUE(m.apply(delete_offsets_command(kStamp, "g", "t")));
  EXPECT_EQ(m.machine.offsets().pending_resets(), 0U);
}

TEST(StateMachineTest, CloneReplacesTheTargetsQueuesAndCopiesNoReset) {
  Machine m;
  ASSERT_TRUE(m.apply(
      commit_offsets_command(kStamp, std::vector<OffsetEntry>{{"from", "t", 0, QueueOffset(5)},
                                                              {"from", "u", 0, QueueOffset(6)},
                                                              {"to", "t", 1, QueueOffset(7)}})));
  ASSERT_TRUE(m.apply(reset_offsets_command(
      kStamp, std::vector<OffsetEntry>{{"from", "t", 0, QueueOffset(1)}}, PendingReset::kYes)));
  ASSERT_TRUE(m.apply(clone_offsets_command(kStamp, "from", "to", "t")));
  EXPECT_EQ(m.machine.offsets().committed("to", "t", 0), QueueOffset(1));
  EXPECT_FALSE(m.machine.offsets().committed("to", "t", 1));
  EXPECT_FALSE(m.machine.offsets().committed("to", "u", 0));
  EXPECT_EQ(m.machine.offsets().pending_resets(), 1U);
  ASSERT_TRUE(m.apply(clone_offsets_command(kStamp, "from", "third", "")));
  EXPECT_EQ(m.machine.offsets().committed("third", "u", 0), QueueOffset(6));
  ASSERT_TRUE(m.apply(clone_offsets_command(kStamp, "from", "from", "")));
  EXPECT_EQ(m.machine.offsets().committed("from", "u", 0), QueueOffset(6));
}

TEST(StateMachineTest, DelayStepsTakeEffectOnce) {
  Machine m;
  using Step = StateMachine::StepResult;
  EXPECT_EQ(m.machine.apply_delay_step(LogPosition(100), 3, QueueOffset(5)), Step::kApplied);
  EXPECT_EQ(m.machine.apply_delay_step(LogPosition(200), 3, QueueOffset(5)), Step::kDuplicate);
  EXPECT_EQ(m.machine.apply_delay_step(LogPosition(300), 3, QueueOffset(4)), Step::kDuplicate);
  EXPECT_EQ(m.machine.delays().next(3), QueueOffset(5));
  EXPECT_EQ(m.machine.delays().next(1), QueueOffset(0));
  EXPECT_EQ(m.machine.apply_delay_step(LogPosition(300), 3, QueueOffset(9)), Step::kAlreadyApplied);
  EXPECT_EQ(m.machine.delays().next(3), QueueOffset(5));
  m.end = LogPosition(1000);
  ASSERT_TRUE(m.apply(
      set_delay_offsets_command(kStamp, std::vector<DelayOffsetEntry>{{3, QueueOffset(2)}})));
  EXPECT_EQ(m.machine.delays().next(3), QueueOffset(2)) << "an administrator may go back";
}

TEST(StateMachineTest, AfterARestartAtALowerEndNewRecordsCount) {
  StateMachine m;
  m.apply_term_start(LogPosition(200), {Term(1), LogPosition(100), 0});
  m.apply_term_start(LogPosition(5100), {Term(2), LogPosition(5000), 0});
  m.apply_term_start(LogPosition(3100), {Term(3), LogPosition(3000), 0});
  EXPECT_EQ(m.epochs().last()->term, Term(2)) << "below applied(): part of what is there";
  m.restart_at(LogPosition(3000));
  EXPECT_EQ(m.applied(), LogPosition(3000));
  m.apply_term_start(LogPosition(3100), {Term(3), LogPosition(3000), 0});
  EXPECT_THAT(m.epochs().all(), ElementsAre(Epoch{Term(1), LogPosition(100), 0},
                                            Epoch{Term(3), LogPosition(3000), 0}));
  m.restart_at(LogPosition(9000));
  EXPECT_EQ(m.applied(), LogPosition(3100)) << "never forward";
}

TEST(StateMachineTest, EpochsAnswerWhoWroteAPosition) {
  StateMachine m;
  m.apply_term_start(LogPosition(1100), {Term(1), LogPosition(1000), kEpochSyncFlush},
                     LogPosition(0));
  m.apply_term_start(LogPosition(5100), {Term(4), LogPosition(5000), 0});
  m.apply_term_start(LogPosition(9100), {Term(6), LogPosition(9000), 0}, LogPosition(7000));
  EXPECT_THAT(m.epochs().all(), ElementsAre(Epoch{Term(0), LogPosition(0), kEpochApache},
                                            Epoch{Term(1), LogPosition(1000), kEpochSyncFlush},
                                            Epoch{Term(4), LogPosition(5000), 0},
                                            Epoch{Term(5), LogPosition(7000), kEpochApache},
                                            Epoch{Term(6), LogPosition(9000), 0}));
  EXPECT_EQ(m.epochs().at(LogPosition(999))->term, Term(0));
  EXPECT_EQ(m.epochs().at(LogPosition(1000))->term, Term(1));
  EXPECT_EQ(m.epochs().at(LogPosition(8000))->flags, kEpochApache);
  EXPECT_EQ(m.epochs().last()->term, Term(6));
  m.apply_term_start(LogPosition(9100), {Term(7), LogPosition(9050), 0});
  EXPECT_EQ(m.epochs().last()->term, Term(6)) << "applied before";
}

TEST(StateMachineTest, TrimOnlyMovesForwardAndDropsOldEpochs) {
  StateMachine m;
  Recorder recorder;
  m.add_listener(&recorder);
  m.apply_term_start(LogPosition(100), {Term(1), LogPosition(0), 0});
  m.apply_term_start(LogPosition(600), {Term(2), LogPosition(500), 0});
  m.apply_term_start(LogPosition(900), {Term(3), LogPosition(800), 0});
  ASSERT_TRUE(m.apply(LogPosition(1000), trim_log_command(kStamp, LogPosition(700)).body));
  ASSERT_TRUE(m.apply(LogPosition(1100), trim_log_command(kStamp, LogPosition(300)).body));
  EXPECT_EQ(m.trim_position(), LogPosition(700));
  EXPECT_EQ(m.epochs().all().front().term, Term(2));
  EXPECT_EQ(m.epochs().at(LogPosition(700))->term, Term(2));
  EXPECT_FALSE(m.epochs().at(LogPosition(100)));
  EXPECT_THAT(recorder.events, ElementsAre("trim 700"));
}

TEST(StateMachineTest, MembersCompareTheirTablesAtTheSamePosition) {
  Machine leader;
  Machine same;
  Machine different;
  Machine late;  // has nothing of the first comparison
  Recorder leaders, of_same, of_different, of_late;
  const auto both = [&](const EncodedCommand& command) {
    for (Machine* m : {&leader, &same, &different}) ASSERT_TRUE(m->apply(command));
  };
  both(put_topics_command(kStamp, std::vector{topic("a")}));
  // A bit that fell over, as it were.
  ASSERT_TRUE(different.machine.load_snapshot([&] {
    Machine other;
    EXPECT_TRUE(other.apply(put_topics_command(kStamp, std::vector{topic("b")})));
    other.machine.advance(leader.machine.applied());
    return other.machine.serialize_snapshot();
  }()));
  leader.machine.add_listener(&leaders);
  same.machine.add_listener(&of_same);
  different.machine.add_listener(&of_different);
  late.machine.add_listener(&of_late);
  const std::uint64_t before = leader.machine.digest();
  both(compare_state_command(kStamp, leader.machine.last_digest()));
  EXPECT_EQ(leader.machine.digest(), before) << "comparing changes no table";
  const StateDigest first = leader.machine.last_digest();
  EXPECT_EQ(first, (StateDigest{leader.machine.applied(), before}));
  ASSERT_TRUE(late.machine.load_snapshot(leader.machine.serialize_snapshot()));
  const EncodedCommand second = compare_state_command(kStamp, first);
  both(second);
  ASSERT_TRUE(late.machine.apply(leader.machine.applied(), second.body));
  const std::string at = "compared at " + std::to_string(first.position.v);
  EXPECT_THAT(leaders.events, ElementsAre(at + ", equal"));
  EXPECT_THAT(of_same.events, ElementsAre(at + ", equal"));
  EXPECT_THAT(of_different.events, ElementsAre(at + ", different"));
  EXPECT_THAT(of_late.events, ElementsAre("reload"));
  EXPECT_EQ(late.machine.last_digest(), leader.machine.last_digest());
  leader.machine.restart_at(LogPosition(1));
  EXPECT_EQ(leader.machine.last_digest(), StateDigest{}) << "its record was cut";
}

TEST(StateMachineTest, AStateComparisonNeedsItsFeatureLevel) {
  Machine older(1);
  const EncodedCommand command = compare_state_command(kStamp, {});
  EXPECT_EQ(command.feature_level, kCompareStateLevel);
  const auto refused = older.apply(command);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
}

TEST(StateMachineTest, FeatureLevelRisesAndAMemberThatIsTooOldStops) {
  Machine newer(3);
  Recorder recorder;
  newer.machine.add_listener(&recorder);
  const EncodedCommand raise = set_feature_level_command(kStamp, 3);
  ASSERT_TRUE(newer.apply(raise));
  ASSERT_TRUE(newer.apply(set_feature_level_command(kStamp, 2)));
  EXPECT_EQ(newer.machine.feature_level(), 3);
  EXPECT_THAT(recorder.events, ElementsAre("level 3"));

  Machine older(2);
  const auto refused = older.apply(raise);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(refused.error().message, HasSubstr("level 3"));
  EXPECT_THAT(refused.error().message, HasSubstr("supports 2"));
  EXPECT_EQ(older.machine.applied(), LogPosition(0)) << "nothing behind it may be applied";
}

TEST(StateMachineTest, CommandAboveTheSupportedLevelNamesBothLevels) {
  // Field 1 (feature_level) = 5, and an unknown command in field 99.
  const std::string body = std::string("\x08\x05", 2) + std::string("\x9a\x06\x00", 3);
  StateMachine m;
  auto refused = m.apply(LogPosition(77), body);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(refused.error().message, HasSubstr("feature level 5"));
  EXPECT_THAT(refused.error().message,
              HasSubstr("supports " + std::to_string(kSupportedFeatureLevel)));
  EXPECT_THAT(refused.error().message, HasSubstr("77"));
}

TEST(StateMachineTest, DamagedCommandsAreErrorsAndChangeNothing) {
  Machine m;
  ASSERT_TRUE(m.apply(put_topics_command(kStamp, std::vector{topic("a")})));
  const std::uint64_t digest = m.machine.digest();
  for (const std::string& body :
       {std::string("\xff\xff\xff"), std::string(), std::string("\x08\x01", 2)}) {
    m.end += 1;
    const auto refused = m.machine.apply(m.end, body);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
  }
  const EncodedCommand nameless = put_topics_command(kStamp, std::vector{topic("b"), topic("")});
  EXPECT_FALSE(m.apply(nameless));
  EXPECT_FALSE(m.apply(delete_offsets_command(kStamp, "", "")));
  EXPECT_FALSE(m.apply(clone_offsets_command(kStamp, "", "g", "")));
  EXPECT_EQ(m.machine.digest(), digest);
  EXPECT_EQ(m.machine.applied(), LogPosition(1000));
}

TEST(StateMachineTest, EveryPrefixOfACommandIsHandled) {
  RandomLog source(11);
  for (const RandomRecord& record : source.make(60)) {
    const auto* body = std::get_if<std::string>(&record.what);
    if (body == nullptr) continue;
    for (std::size_t size = 0; size < body->size(); ++size) {
      StateMachine m;
      // Either it decodes as something smaller or it is an error; never a crash.
      ignore_result(m.apply(LogPosition(1), std::string_view(*body).substr(0, size)), "any answer");
    }
  }
}

TEST(StateMachineTest, ImportReplacesTablesAndContinuesTheVersions) {
  Machine m;
  ASSERT_TRUE(m.apply(put_topics_command(kStamp, std::vector{topic("old")})));
  ImportedState state;
  state.topics_version = {0, 5, 40};
  state.topics = {topic("new")};
  state.groups = {group("g", 2)};
  state.forbidden = {{"g", "new", 4}};
  state.offsets = {{"g", "new", 3, QueueOffset(12)}};
  state.delay_offsets = {{2, QueueOffset(8)}};
  const auto commands = import_state_commands(kStamp, state);
  ASSERT_EQ(commands.size(), 1U);
  ASSERT_TRUE(m.apply(commands.front()));
  EXPECT_EQ(m.machine.topics().find("old"), nullptr);
  EXPECT_NE(m.machine.topics().find("new"), nullptr);
  EXPECT_EQ(m.machine.topics().data_version().counter, 41);
  EXPECT_EQ(m.machine.topics().data_version().timestamp_ms, kStamp.timestamp_ms);
  EXPECT_EQ(m.machine.groups().find("g")->retry_max_times, 2);
  EXPECT_EQ(m.machine.groups().forbidden("g", "new"), 4);
  EXPECT_EQ(m.machine.offsets().committed("g", "new", 3), QueueOffset(12));
  EXPECT_EQ(m.machine.delays().next(2), QueueOffset(8));
  EXPECT_FALSE(m.machine.import_open());
}

TEST(StateMachineTest, LargeImportIsCutAndALostPartKeepsItOpen) {
  ImportedState state;
  for (int i = 0; i < 50000; ++i) state.topics.push_back(topic("topic-" + std::to_string(i)));
  for (int i = 0; i < 30000; ++i) {
    state.offsets.push_back({"group-" + std::to_string(i), "topic-1", 0, QueueOffset(i)});
  }
  const auto commands = import_state_commands(kStamp, state);
  ASSERT_GE(commands.size(), 3U);
  for (const EncodedCommand& command : commands) {
    EXPECT_LE(command.body.size(), kCommandBytesMax);
  }
  Machine m;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    if (i == 1) continue;
    ASSERT_TRUE(m.apply(commands[i]));
  }
  EXPECT_TRUE(m.machine.import_open()) << "part 1 is missing";
  for (const EncodedCommand& command : commands) ASSERT_TRUE(m.apply(command));
  EXPECT_FALSE(m.machine.import_open());
  EXPECT_EQ(m.machine.topics().size(), 50000U);
  EXPECT_EQ(m.machine.offsets().committed("group-29999", "topic-1", 0), QueueOffset(29999));
}

TEST(StateMachineTest, ApplyingALogTwiceChangesNothing) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    RandomLog source(seed);
    const auto log = source.make(150);
    StateMachine once;
    StateMachine twice;
    for (const RandomRecord& record : log) {
      record.apply_to(once);
      record.apply_to(twice);
      record.apply_to(twice);
    }
    for (const RandomRecord& record : log) record.apply_to(twice);
    EXPECT_EQ(once.digest(), twice.digest()) << "seed " << seed;
    EXPECT_EQ(once.applied(), log.back().end);
    EXPECT_EQ(once.serialize_snapshot(), twice.serialize_snapshot());
  }
}

TEST(StateMachineTest, DigestDependsOnContentNotOnTheWay) {
  Machine a;
  Machine b;
  ASSERT_TRUE(a.apply(put_topics_command(kStamp, std::vector{topic("x"), topic("y")})));
  ASSERT_TRUE(b.apply(put_topics_command(kStamp, std::vector{topic("y"), topic("x")})));
  const std::vector<OffsetEntry> forth = {{"g", "x", 0, QueueOffset(1)},
                                          {"h", "y", 1, QueueOffset(2)}};
  const std::vector<OffsetEntry> back = {forth[1], forth[0]};
  ASSERT_TRUE(a.apply(commit_offsets_command(kStamp, forth)));
  ASSERT_TRUE(b.apply(commit_offsets_command(kStamp, back)));
  EXPECT_EQ(a.machine.digest(), b.machine.digest());
  a.machine.advance(LogPosition(99999));
  EXPECT_EQ(a.machine.digest(), b.machine.digest());
  ASSERT_TRUE(b.apply(reset_offsets_command(kStamp, forth, PendingReset::kYes)));
  EXPECT_NE(a.machine.digest(), b.machine.digest());
}

}  // namespace
TEST(StateMachineTest, LocksGoToWhomTheLeaderSaysAndOnlyTheOwnerReleasesThem) {
  StateMachine m;
  const std::vector<LockedQueue> both = {{"t", "b", 0}, {"t", "b", 1}};
  const std::vector<LockedQueue> first = {{"t", "b", 0}};
  ASSERT_TRUE(
      m.apply(LogPosition(100), lock_queues_command({50, Term(1)}, "g", "x", both, 0).body));
  ASSERT_TRUE(m.apply(LogPosition(200), unlock_queues_command({60, Term(1)}, "g", "y", both).body));
  EXPECT_EQ(m.locks().all().at("g").size(), 2U) << "y owns nothing";
  ASSERT_TRUE(
      m.apply(LogPosition(300), unlock_queues_command({70, Term(1)}, "g", "x", first).body));
  EXPECT_EQ(m.locks().all().at("g"), (LockTable::Queues{{{"t", "b", 1}, {"x", 50}}}));
  // What has expired by then goes with the next lock, of whichever group.
  ASSERT_TRUE(
      m.apply(LogPosition(400), lock_queues_command({90, Term(1)}, "h", "z", first, 51).body));
  EXPECT_FALSE(m.locks().all().contains("g"));
  ASSERT_TRUE(
      m.apply(LogPosition(500), delete_group_command({95, Term(1)}, "h", CleanOffsets::kNo).body));
  EXPECT_TRUE(m.locks().all().empty());
}

TEST(StateMachineTest, SubscriptionsOfAGroupAreReplacedAsAWholeAndGoWithIt) {
  Machine m;
  const auto put = [&](std::string_view name, const GroupSubscriptions& entry) {
    ASSERT_TRUE(m.apply(put_subscriptions_command(kStamp, name, entry)));
  };
  const GroupSubscriptions two =
      subscriptions({subscription("t", "A || B", 5), subscription("u", "*", 6)});
  put("g", two);
  EXPECT_EQ(m.machine.subscriptions().find("g"), nullptr) << "there is no such group";
  ASSERT_TRUE(m.apply(put_groups_command(kStamp, std::vector{group("g"), group("h")})));
  const std::uint64_t without = m.machine.digest();
  put("g", two);
  put("h", two);
  ASSERT_NE(m.machine.subscriptions().find("g"), nullptr);
  EXPECT_EQ(*m.machine.subscriptions().find("g"), two);
  EXPECT_EQ(m.machine.subscriptions().find("g")->find("t")->code_set,
            (std::set<std::int32_t>{'A', 'B'}));
  const std::uint64_t first = m.machine.digest();
  EXPECT_NE(first, without);

  const GroupSubscriptions one = subscriptions({subscription("u", "*", 7)});
  put("g", one);
  EXPECT_EQ(*m.machine.subscriptions().find("g"), one);
  EXPECT_NE(m.machine.digest(), first);
  put("g", {});
  EXPECT_EQ(m.machine.subscriptions().find("g"), nullptr);
  // A topic may come back under the same name: what the group wants of it stays.
  ASSERT_TRUE(m.apply(delete_topics_command(kStamp, std::vector<std::string>{"u"})));
  EXPECT_EQ(*m.machine.subscriptions().find("h"), two);
  ASSERT_TRUE(m.apply(delete_group_command(kStamp, "h", CleanOffsets::kNo)));
  EXPECT_TRUE(m.machine.subscriptions().all().empty());
}

TEST(StateMachineTest, AnImportForgetsSubscriptionsOfTheGroupsThatItReplaces) {
  Machine m;
  ASSERT_TRUE(m.apply(put_groups_command(kStamp, std::vector{group("g")})));
  ASSERT_TRUE(
      m.apply(put_subscriptions_command(kStamp, "g", subscriptions({subscription("t", "*", 1)}))));
  for (const EncodedCommand& part : import_state_commands(kStamp, {})) ASSERT_TRUE(m.apply(part));
  EXPECT_TRUE(m.machine.subscriptions().all().empty());
}

TEST(StateMachineTest, SubscriptionsNeedTheirFeatureLevel) {
  Machine older(kSubscriptionsLevel - 1);
  const EncodedCommand command = put_subscriptions_command(kStamp, "g", {});
  EXPECT_EQ(command.feature_level, kSubscriptionsLevel);
  const auto refused = older.apply(command);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(refused.error().message, HasSubstr("level 3"));
}

TEST(StateMachineTest, SubscriptionsOfAnUnknownModelOrOfNobodyAreCorrupt) {
  GroupSubscriptions strange = subscriptions({subscription("t", "*", 1)});
  strange.message_model = static_cast<protocol::MessageModel>(2);
  for (const EncodedCommand& command :
       {put_subscriptions_command(kStamp, "g", strange),
        put_subscriptions_command(kStamp, "", subscriptions({subscription("t", "*", 1)}))}) {
    Machine m;
    ASSERT_TRUE(m.apply(put_groups_command(kStamp, std::vector{group("g")})));
    const auto refused = m.apply(command);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
  }
}

}  // namespace gantry::state
