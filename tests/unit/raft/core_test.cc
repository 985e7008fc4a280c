// SPDX-License-Identifier: Apache-2.0
// Rules of the core that a single member shows by what it answers. Whole groups: tests/script/raft.
#include "raft/core.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace gantry::raft {
namespace {

LogPosition at(std::int64_t v) { return LogPosition(v); }

Membership voters(std::initializer_list<const char*> ids) {
  Membership m;
  for (const char* id : ids) m.put({id, "h:1", m.free_number(), true});
  return m;
}

// Records of 10 bytes; the log may be longer than the core knows.
class Tens final : public RecordBounds {
 public:
  std::optional<LogPosition> bound(LogPosition from, std::int64_t bytes_max) override {
    return std::min(end, from + std::max<std::int64_t>(10, bytes_max / 10 * 10));
  }
  LogPosition end{1'000'000};
};

template <class T>
std::vector<T> bodies(const Output& output, const MemberId& to = {}) {
  std::vector<T> result;
  for (const Message& m : output.messages) {
    if (!to.empty() && m.to != to) continue;
    if (const auto* body = std::get_if<T>(&m.body)) result.push_back(*body);
  }
  return result;
}

class CoreTest : public ::testing::Test {
 protected:
  InitialLog log_of(std::int64_t begin, std::int64_t end, std::vector<Epoch> epochs,
                    const Membership& membership = voters({"1", "2", "3"})) {
    InitialLog log;
    log.begin = at(begin);
    log.end = log.durable = at(end);
    log.epochs = EpochTable(std::move(epochs));
    log.memberships.reset({{}, {}, membership});
    log.hard.term = log.epochs.last_term();
    return log;
  }
  Core core_of(const MemberId& self, InitialLog log) {
    Options options;
    options.self = self;
    options.start = 7;
    options.append_bytes_max = 100;
    return {options, std::move(log), bounds_};
  }
  template <class Body>
  Output step(Core& core, const MemberId& from, std::int64_t term, Body body,
              std::uint64_t receiver_start = 7, std::uint64_t start = 1) {
    core.step({from, core.self(), Term(term), start, receiver_start, std::move(body)});
    return core.take_output();
  }
  // Elects `core` and begins its term with a record of 10 bytes, written and synced.
  Output lead(Core& core, CommitMode mode = CommitMode::kWritten) {
    core.campaign();
    core.take_output();
    const std::int64_t term = core.term().v + 1;
    for (const char* id : {"1", "2", "3"}) {
      if (id != core.self()) step(core, id, term, VoteAnswer{.pre = true, .granted = true});
    }
    for (const char* id : {"1", "2", "3"}) {
      if (id != core.self()) step(core, id, term, VoteAnswer{.granted = true});
    }
    const LogPosition start = core.end();
    core.on_term_started(start, start + 10, mode);
    core.on_written(start + 10);
    core.on_durable(start + 10);
    return core.take_output();
  }
  Tens bounds_;
};

const Epoch kFirst{Term(1), LogPosition(0)};

// The follower's log ends where the leader's begins: the byte before is of an epoch that the leader
// has trimmed.
TEST_F(CoreTest, AnAppendAtTheCommitIsNeverRefused) {
  InitialLog log = log_of(0, 100, {kFirst});
  log.committed = at(100);
  Core core = core_of("1", std::move(log));
  const Output output = step(
      core, "2", 2,
      Append{
          .from = at(100), .to = at(110), .term_before = Term(0), .epochs = {{Term(2), at(100)}}});
  ASSERT_TRUE(output.accept);
  EXPECT_EQ(output.accept->to, at(110));
}

TEST_F(CoreTest, NothingIsSentThatTheCoreHasNotBeenToldOf) {
  Core core = core_of("1", log_of(0, 50, {kFirst}));
  lead(core);
  ASSERT_TRUE(core.leading());
  // The driver has appended up to 1,000,000 and says so once a turn.
  const Output output =
      step(core, "2", 2, AppendAnswer{.matched = at(50), .written = at(50), .durable = at(50)});
  const auto appends = bodies<Append>(output, "2");
  ASSERT_FALSE(appends.empty());
  for (const Append& append : appends) EXPECT_LE(append.to, at(60));
}

TEST_F(CoreTest, FollowersHearOfACommitWithTheNextAppendOrTick) {
  Core core = core_of("1", log_of(0, 50, {kFirst}));
  lead(core);
  Output output =
      step(core, "2", 2, AppendAnswer{.matched = at(60), .written = at(60), .durable = at(60)});
  ASSERT_EQ(core.committed(), at(60));
  EXPECT_TRUE(bodies<Append>(output, "2").empty()) << "a message for each commit, and its answer";
  core.on_appended(at(70));
  auto appends = bodies<Append>(core.take_output(), "2");
  ASSERT_EQ(appends.size(), 1U);
  EXPECT_EQ(appends[0].commit, at(60));

  core.on_written(at(70));
  output =
      step(core, "2", 2, AppendAnswer{.matched = at(70), .written = at(70), .durable = at(60)});
  ASSERT_EQ(core.committed(), at(70));
  ASSERT_TRUE(bodies<Append>(output, "2").empty());
  core.tick();
  appends = bodies<Append>(core.take_output(), "2");
  ASSERT_FALSE(appends.empty());
  EXPECT_EQ(appends.back().commit, at(70));
}

TEST_F(CoreTest, FollowersHearOfACommittedMembershipAtOnce) {
  Core core = core_of("1", log_of(0, 50, {kFirst}));
  lead(core);
  const AppendAnswer all{.matched = at(60), .written = at(60), .durable = at(60)};
  step(core, "2", 2, all);
  step(core, "3", 2, all);
  core.on_membership_appended({at(60), at(80), voters({"1", "2", "3", "4"})});
  core.on_written(at(80));
  core.on_durable(at(80));
  core.take_output();
  const AppendAnswer answer{.matched = at(80), .written = at(80), .durable = at(80)};
  step(core, "2", 2, answer);
  const auto beats = bodies<Append>(step(core, "3", 2, answer), "2");
  ASSERT_EQ(core.committed(), at(80));
  ASSERT_EQ(beats.size(), 1U);
  EXPECT_EQ(beats[0].commit, at(80));
}

// Both positions in one answer when the sync follows by itself.
TEST_F(CoreTest, AFollowerWhoseSyncFollowsAnswersOnce) {
  Core core = core_of("2", log_of(0, 0, {}));
  step(core, "1", 1, Append{.from = at(0), .to = at(10), .leader_end = at(10), .epochs = {kFirst}});
  core.on_written(at(10), false);
  EXPECT_TRUE(bodies<AppendAnswer>(core.take_output()).empty());
  core.on_durable(at(10));
  const auto answers = bodies<AppendAnswer>(core.take_output());
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].written, at(10));
  EXPECT_EQ(answers[0].durable, at(10));
}

TEST_F(CoreTest, AMemberFarBehindCountsByTheNewestCommittedMembership) {
  InitialLog log = log_of(0, 400, {kFirst});
  log.memberships.reset({at(300), at(320), voters({"1", "2", "3", "4"})});
  log.committed = at(320);
  Core leader = core_of("1", std::move(log));
  lead(leader);
  const Output output = step(leader, "2", 2, AppendRefusal{.from = at(400), .end = at(0)});
  const auto appends = bodies<Append>(output, "2");
  ASSERT_EQ(appends.size(), 1U);
  ASSERT_EQ(appends[0].to, at(100));

  Core follower = core_of("2", log_of(0, 0, {}));
  step(follower, "1", 2, appends[0]);
  EXPECT_EQ(follower.membership().voter_count(), 4U) << "an older one could win without member 4";
  // The record itself, when it comes, is nothing new; a later one is.
  Append rest{.from = at(100), .to = at(400), .term_before = Term(1)};
  rest.memberships = {{at(300), at(320), voters({"1", "2", "3", "4"})},
                      {at(350), at(370), voters({"1", "2", "3"})}};
  step(follower, "1", 2, rest);
  EXPECT_EQ(follower.membership_log().all().size(), 2U);
  EXPECT_EQ(follower.membership().voter_count(), 3U);
}

TEST_F(CoreTest, AnOlderCommittedMembershipIsNotAdopted) {
  InitialLog log = log_of(0, 400, {kFirst});
  log.memberships.reset({at(300), at(320), voters({"1", "2", "3", "4"})});
  Core core = core_of("2", std::move(log));
  Append append{.from = at(0), .to = at(100), .epochs = {kFirst}};
  append.memberships = {{at(200), at(220), voters({"1", "2"})}};
  step(core, "1", 2, append);
  EXPECT_EQ(core.membership().voter_count(), 4U);
}

TEST_F(CoreTest, ALateAppendDoesNotSayHowFarARecoveringMemberHasToGo) {
  InitialLog log = log_of(0, 0, {});
  log.hard = {Term(1), "", true};
  Core core = core_of("2", std::move(log));
  // Sent to an earlier start, which has acknowledged more since.
  step(core, "1", 1, Append{.from = at(0), .to = at(10), .leader_end = at(10), .epochs = {kFirst}},
       6);
  core.on_written(at(10));
  core.on_durable(at(10));
  EXPECT_FALSE(core.take_output().recovered);
  step(core, "1", 1,
       Append{.from = at(10), .to = at(10), .term_before = Term(1), .leader_end = at(30)});
  EXPECT_TRUE(core.recovering());
  step(core, "1", 1,
       Append{.from = at(10), .to = at(30), .term_before = Term(1), .leader_end = at(50)});
  core.on_written(at(30));
  core.on_durable(at(30));
  EXPECT_TRUE(core.take_output().recovered);
}

TEST_F(CoreTest, AMemberHasRecoveredWhenItIsOnTheDisk) {
  InitialLog log = log_of(0, 0, {});
  log.hard = {Term(1), "", true};
  Core core = core_of("2", std::move(log));
  step(core, "1", 1, Append{.from = at(0), .to = at(10), .leader_end = at(10), .epochs = {kFirst}});
  core.on_written(at(10));
  EXPECT_FALSE(core.take_output().save) << "the mark goes from the disk when the bytes are there";
  core.on_durable(at(10));
  const Output output = core.take_output();
  ASSERT_TRUE(output.save);
  EXPECT_FALSE(output.save->recovering);
  EXPECT_TRUE(output.recovered);
}

TEST_F(CoreTest, ALeaderThatWasRecoveringHasRecoveredWhenItsLogIsOnTheDisk) {
  InitialLog log = log_of(0, 50, {kFirst}, voters({"1"}));
  log.durable = at(20);
  log.hard = {Term(1), "", true};
  Core core = core_of("1", std::move(log));
  core.campaign();
  core.on_term_started(at(50), at(60), CommitMode::kWritten);
  core.on_written(at(60));
  EXPECT_FALSE(core.take_output().recovered);
  core.on_durable(at(50));
  EXPECT_TRUE(core.take_output().recovered);
}

TEST_F(CoreTest, AMemberThatHasRecoveredCountsAtOnce) {
  Core core = core_of("1", log_of(0, 50, {kFirst}));
  lead(core);
  AppendAnswer answer{.matched = at(60), .written = at(60), .durable = at(60), .recovering = true};
  step(core, "2", 2, answer);
  EXPECT_EQ(core.committed(), at(0));
  answer.recovering = false;
  step(core, "2", 2, answer);
  EXPECT_EQ(core.committed(), at(60));
}

TEST_F(CoreTest, AMembershipIsCommittedByDurablePositionsInEveryMode) {
  Core core = core_of("1", log_of(0, 50, {kFirst}));
  lead(core, CommitMode::kWritten);
  step(core, "2", 2, AppendAnswer{.matched = at(60), .written = at(60), .durable = at(60)});
  Membership next = voters({"1", "2", "3", "4"});
  ASSERT_TRUE(core.may_change(next));
  core.on_membership_appended({at(60), at(80), next});
  core.on_appended(at(90));
  core.on_written(at(90));
  core.on_durable(at(90));
  core.take_output();
  for (const char* id : {"2", "3"}) {
    step(core, id, 2, AppendAnswer{.matched = at(90), .written = at(90), .durable = at(60)});
  }
  EXPECT_EQ(core.committed(), at(60));
  step(core, "2", 2, AppendAnswer{.matched = at(90), .written = at(90), .durable = at(80)});
  EXPECT_EQ(core.committed(), at(60));
  step(core, "3", 2, AppendAnswer{.matched = at(90), .written = at(90), .durable = at(80)});
  EXPECT_EQ(core.committed(), at(90)) << "what follows counts as the mode says";
}

// Else those that forget the new membership, and vote by the old one, would not know of it.
TEST_F(CoreTest, BytesBeforeAnUncommittedMembershipNeedAMajorityOfTheOldOne) {
  Core core = core_of("1", log_of(0, 50, {kFirst}));
  lead(core, CommitMode::kWritten);
  step(core, "2", 2, AppendAnswer{.matched = at(60), .written = at(60), .durable = at(60)});
  ASSERT_EQ(core.committed(), at(60));
  const Membership next = voters({"1", "2", "3", "4"});
  core.on_appended(at(70));
  core.on_membership_appended({at(70), at(80), next});
  core.on_written(at(80));
  core.on_durable(at(60));
  core.take_output();
  const AppendAnswer written{.matched = at(80), .written = at(80), .durable = at(60)};
  step(core, "4", 2, written);
  EXPECT_EQ(core.committed(), at(60)) << "4 is none of the old voters";
  step(core, "3", 2, written);
  EXPECT_EQ(core.committed(), at(70)) << "1 and 3 are a majority of the old voters";
}

TEST_F(CoreTest, AVoterWhoseRemovalIsNotCommittedMayLead) {
  InitialLog log = log_of(0, 100, {kFirst});
  log.memberships.add({at(50), at(70), voters({"1", "2"})});
  Core core = core_of("3", std::move(log));
  core.campaign();
  EXPECT_EQ(bodies<VoteRequest>(core.take_output()).size(), 2U);
  step(core, "1", 2, VoteAnswer{.pre = true, .granted = true});
  step(core, "2", 2, VoteAnswer{.pre = true, .granted = true});
  step(core, "1", 2, VoteAnswer{.granted = true});
  EXPECT_FALSE(core.leading()) << "its own vote does not count";
  step(core, "2", 2, VoteAnswer{.granted = true});
  EXPECT_TRUE(core.leading());
}

TEST_F(CoreTest, AVoterWhoseRemovalIsCommittedMayNot) {
  InitialLog log = log_of(0, 100, {kFirst});
  log.memberships.reset({at(50), at(70), voters({"1", "2"})});
  log.committed = at(70);
  Core core = core_of("3", std::move(log));
  core.campaign();
  EXPECT_TRUE(core.take_output().messages.empty());
}

TEST_F(CoreTest, ALostInstallAnswerIsMadeUpForByTheNextAnswer) {
  InitialLog log = log_of(100, 200, {kFirst});
  log.committed = at(100);
  Core core = core_of("1", std::move(log));
  lead(core);
  Output output = step(core, "2", 2, AppendRefusal{.from = at(200), .end = at(0)});
  EXPECT_EQ(bodies<InstallSnapshot>(output, "2").size(), 1U);
  output = step(core, "2", 2, AppendAnswer{.matched = at(100), .written = at(100)});
  const auto appends = bodies<Append>(output, "2");
  ASSERT_FALSE(appends.empty());
  EXPECT_EQ(appends.front().from, at(100));
}

TEST_F(CoreTest, ALogThatReachesTheLeadersIsNotReplaced) {
  Core core = core_of("2", log_of(0, 150, {kFirst}));
  InstallSnapshot install{
      .begin = at(100), .position = at(120), .leader_end = at(200), .epochs = {kFirst}};
  install.membership.membership = voters({"1", "2", "3"});
  const Output output = step(core, "1", 2, install);
  EXPECT_FALSE(output.install);
  EXPECT_EQ(core.end(), at(150));
  EXPECT_EQ(core.committed(), at(100)) << "the leader has trimmed it, so it is committed";
  ASSERT_EQ(bodies<InstallAnswer>(output).size(), 1U);
  EXPECT_EQ(bodies<InstallAnswer>(output)[0].begin, at(100));
}

TEST_F(CoreTest, WhetherASnapshotIsNeededIsWhatTheInstallDoes) {
  InstallSnapshot install{
      .begin = at(100), .position = at(120), .leader_end = at(200), .epochs = {kFirst}};
  install.membership.membership = voters({"1", "2", "3"});
  for (const std::int64_t begin : {40, 50, 51, 100, 150, 151}) {
    for (const std::int64_t second : {90, 200}) {
      InitialLog log = log_of(0, 150, {kFirst, {Term(2), at(second)}});
      log.committed = at(50);
      Core core = core_of("2", std::move(log));
      install.begin = at(begin);
      const bool needs = core.needs(install);
      EXPECT_EQ(needs, begin > 150 || (begin > second && begin > 50)) << begin << " " << second;
      EXPECT_EQ(step(core, "1", 3, install).install.has_value(), needs) << begin << " " << second;
    }
  }
}

// A transfer may take longer than any election timeout, on both sides.
TEST_F(CoreTest, PiecesOfASnapshotAreSignsOfLife) {
  Core member = core_of("2", log_of(0, 50, {kFirst}));
  const SnapshotId id{at(120), 1000, 7};
  for (int i = 0; i < 100; ++i) {
    for (int tick = 0; tick < 9; ++tick) member.tick();
    EXPECT_TRUE(bodies<VoteRequest>(step(member, "1", 2, SnapshotPiece{id, i})).empty());
  }
  EXPECT_EQ(member.leader(), "1");
  EXPECT_EQ(member.end(), at(50));

  Core leader = core_of("1", log_of(0, 50, {kFirst}));
  lead(leader);
  for (int i = 0; i < 100; ++i) {
    for (int tick = 0; tick < 9; ++tick) leader.tick();
    step(leader, "2", 2, SnapshotAnswer{id, i, false});
  }
  EXPECT_TRUE(leader.leading()) << "the third member is silent";
}

TEST_F(CoreTest, APieceOfATermThatIsOverIsNone) {
  Core core = core_of("2", log_of(0, 50, {{Term(3), at(0)}}));
  const Output output = step(core, "1", 2, SnapshotPiece{});
  EXPECT_EQ(bodies<StaleTerm>(output, "1").size(), 1U);
  EXPECT_TRUE(core.leader().empty());
  step(core, "1", 4, SnapshotPiece{});
  EXPECT_EQ(core.term(), Term(4));
  EXPECT_EQ(core.leader(), "1");
}

TEST_F(CoreTest, ALogOfAnotherTermIsReplaced) {
  Core core = core_of("2", log_of(0, 150, {kFirst, {Term(2), at(90)}}));
  InstallSnapshot install{
      .begin = at(100), .position = at(120), .leader_end = at(200), .epochs = {kFirst}};
  install.membership.membership = voters({"1", "2", "3"});
  EXPECT_TRUE(step(core, "1", 3, install).install);
  EXPECT_EQ(core.end(), at(100));
  EXPECT_TRUE(core.recovering());
}

TEST_F(CoreTest, TheFirstRefusalOfAnotherStartIsUsed) {
  Core core = core_of("1", log_of(0, 50, {kFirst}));
  lead(core);
  step(core, "2", 2, AppendAnswer{.matched = at(60), .written = at(60), .durable = at(60)});
  // A heartbeat met a start that has less.
  const Output output =
      step(core, "2", 2, AppendRefusal{.from = at(60), .end = at(30), .epochs = {kFirst}}, 7, 2);
  const auto appends = bodies<Append>(output, "2");
  ASSERT_EQ(appends.size(), 1U);
  EXPECT_EQ(appends[0].from, at(30));
}

// Appends that overtake each other are refused. What is sent again must not be refused in turn by
// the hundred, or the group has nothing else to do.
TEST_F(CoreTest, AfterARefusalTheWindowOpensWithTheAnswers) {
  Core core = core_of("1", log_of(0, 50, {kFirst}));
  lead(core);
  core.on_appended(at(100'060));
  core.take_output();
  const auto answered = [&](std::int64_t end) {
    return bodies<Append>(
        step(core, "2", 2,
             AppendAnswer{.matched = at(end), .written = at(end), .durable = at(end)}),
        "2");
  };
  ASSERT_EQ(answered(60).size(), 256U) << "nothing was refused: the whole window";

  const AppendRefusal refusal{
      .from = at(260), .end = at(160), .epochs = {kFirst, {Term(2), at(50)}}};
  auto appends = bodies<Append>(step(core, "2", 2, refusal), "2");
  ASSERT_EQ(appends.size(), 1U);
  EXPECT_EQ(appends[0].from, at(160));
  appends = answered(260);
  ASSERT_EQ(appends.size(), 1U);
  EXPECT_EQ(appends[0].from, at(260));
  EXPECT_EQ(answered(360).size(), 2U);
  EXPECT_EQ(answered(460).size(), 2U);

  EXPECT_TRUE(bodies<Append>(step(core, "2", 2, refusal), "2").empty())
      << "its log has grown since";
}

TEST_F(CoreTest, AStartKnowsThatWhatIsBelowItsLogIsCommitted) {
  Core core = core_of("1", log_of(100, 200, {kFirst}));
  EXPECT_EQ(core.committed(), at(100));
}

}  // namespace
}  // namespace gantry::raft
