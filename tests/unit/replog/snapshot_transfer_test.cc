// SPDX-License-Identifier: Apache-2.0
// Snapshots in pieces: the leader's side with a core that leads, the members' side, and a wire
// between them that loses, doubles and reorders.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <set>

#include "replog/snapshot_inbox.h"
#include "replog/snapshot_sender.h"

namespace gantry::replog {
namespace {

constexpr int kQuietTicks = 5;
constexpr int kIdleTicks = 50;
constexpr std::int64_t kPiece = 100, kWindow = 300;

std::string state_of(std::int64_t position, std::size_t bytes) {
  std::mt19937 random(static_cast<std::uint32_t>(position));
  std::string state(bytes, '\0');
  for (char& c : state) c = static_cast<char>(random());
  return state;
}

class NoBounds final : public raft::RecordBounds {
 public:
  std::optional<LogPosition> bound(LogPosition, std::int64_t) override { return std::nullopt; }
};

// Answers when told.
class Provider final : public ReplicaListener {
 public:
  void on_leading(Term) override {}
  void on_following() override {}
  void on_group_changed() override {}
  Result<void> install_snapshot(LogPosition, std::string_view) override { return {}; }
  void provide_snapshot(LogPosition at_least, SnapshotDone done) override {
    ++loads;
    asked = at_least;
    waiting = std::move(done);
    if (!at_once) return;
    answer(make_snapshot_image(position, state_of(position.v, bytes)));
  }
  void answer(Result<SnapshotImagePtr> image) { std::exchange(waiting, nullptr)(std::move(image)); }

  LogPosition position{150};
  std::size_t bytes = 1234;
  bool at_once = true;
  int loads = 0;
  LogPosition asked;
  SnapshotDone waiting;
};

struct Packet {
  raft::Message message;
  std::string bytes;
};

class Wire final : public PeerTransport {
 public:
  void send(const raft::Member& to, const raft::Message& message,
            std::span<const io::Slice> bytes) override {
    Packet packet{message, {}};
    for (const io::Slice& s : bytes) packet.bytes.append(static_cast<const char*>(s.data), s.size);
    to_members[to.id].push_back(std::move(packet));
  }
  std::optional<bool> takes_pieces(const raft::MemberId& to) const override {
    if (!connected) return std::nullopt;
    return !old.contains(to);
  }
  std::map<raft::MemberId, std::deque<Packet>> to_members;
  std::set<raft::MemberId> old;  // of an earlier release
  bool connected = true;
};

// A member as far as snapshots go.
struct Receiver {
  explicit Receiver(raft::MemberId member) : id(std::move(member)) {}
  raft::MemberId id;
  std::uint64_t start = 1;
  std::unique_ptr<SnapshotInbox> inbox = std::make_unique<SnapshotInbox>(kIdleTicks);
  std::vector<std::string> installed;
  std::vector<LogPosition> positions;
  std::int64_t pieces = 0;  // that have come

  std::optional<decltype(raft::Message::body)> receive(const Packet& packet) {
    if (const auto* piece = std::get_if<raft::SnapshotPiece>(&packet.message.body)) {
      ++pieces;
      return inbox->on_piece(packet.message, *piece, packet.bytes);
    }
    const auto& install = std::get<raft::InstallSnapshot>(packet.message.body);
    if (install.pieces && !inbox->complete(packet.message, *install.pieces)) {
      return inbox->on_offer(packet.message, *install.pieces);
    }
    installed.push_back(install.pieces ? inbox->take() : packet.bytes);
    positions.push_back(install.position);
    return raft::InstallAnswer{install.begin};
  }
};

class SnapshotTransfer : public ::testing::Test {
 protected:
  SnapshotTransfer() {
    raft::InitialLog log;
    log.begin = LogPosition(100);
    log.end = log.durable = log.committed = LogPosition(200);
    log.epochs = raft::EpochTable({{Term(1), LogPosition(0), false}});
    raft::Membership membership;
    for (const char* id : {"1", "2", "3"}) {
      membership.put({id, "h:1", membership.free_number(), true});
    }
    log.memberships.reset({{}, {}, membership});
    log.hard.term = Term(1);
    raft::Options options;
    options.self = "1";
    options.resend_ticks = 20;
    core = std::make_unique<raft::Core>(options, std::move(log), bounds_);
    sender = std::make_unique<SnapshotSender>(*core, wire, provider,
                                              SnapshotOptions{kPiece, kWindow}, kQuietTicks);
    core->campaign();
    for (const bool pre : {true, false}) {
      for (const char* id : {"2", "3"}) {
        step(id, 1, raft::VoteAnswer{pre, true, false, {}}, Term(2));
      }
    }
    core->on_term_started(LogPosition(200), LogPosition(210), raft::CommitMode::kWritten);
    take();
  }

  // What the replica does with an output, as far as snapshots go.
  void take() {
    for (const raft::Message& m : core->take_output().messages) {
      if (std::holds_alternative<raft::InstallSnapshot>(m.body)) sender->begin(m.to);
    }
    sender->settle();
  }
  void step(const raft::MemberId& from, std::uint64_t start, decltype(raft::Message::body) body,
            Term term) {
    const raft::Message message{from, "1", term, start, 1, std::move(body)};
    core->step(message);
    take();
    if (const auto* answer = std::get_if<raft::SnapshotAnswer>(&message.body)) {
      sender->on_answer(message, *answer);
    }
  }
  // The member has nothing of the log.
  void needs_snapshot(const Receiver& r) {
    step(r.id, r.start, raft::AppendRefusal{LogPosition(200), {}, {}, {}, false}, core->term());
  }
  bool installing(const Receiver& r) const {
    return core->progress().at(r.id).state() == raft::Progress::State::kSnapshot;
  }
  static void expect_installed(const Receiver& r, std::int64_t position, std::size_t bytes) {
    ASSERT_EQ(r.positions, std::vector{LogPosition(position)});
    EXPECT_TRUE(r.installed[0] == state_of(position, bytes));
  }
  // The third member is alive: the leader keeps its quorum.
  void tick() {
    core->tick();
    step("3", 1, raft::AppendAnswer{}, core->term());
    sender->tick();
  }
  void deliver_one(Receiver& r, std::size_t at = 0) {
    auto& queue = wire.to_members[r.id];
    ASSERT_LT(at, queue.size()) << "nothing is under way";
    const Packet packet = queue[at];
    queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(at));
    if (auto answer = r.receive(packet)) step(r.id, r.start, std::move(*answer), core->term());
  }
  void deliver_all(Receiver& r) {
    for (int i = 0; i < 1000 && !wire.to_members[r.id].empty(); ++i) deliver_one(r);
    EXPECT_TRUE(wire.to_members[r.id].empty()) << "the two never come to rest";
  }
  std::int64_t bytes_under_way(const Receiver& r) {
    std::int64_t sum = 0;
    for (const Packet& p : wire.to_members[r.id]) sum += static_cast<std::int64_t>(p.bytes.size());
    return sum;
  }
  template <class T>
  std::size_t under_way(const Receiver& r) {
    return static_cast<std::size_t>(std::ranges::count_if(
        wire.to_members[r.id],
        [](const Packet& p) { return std::holds_alternative<T>(p.message.body); }));
  }

  NoBounds bounds_;
  Provider provider;
  Wire wire;
  std::unique_ptr<raft::Core> core;
  std::unique_ptr<SnapshotSender> sender;
  Receiver two{"2"}, three{"3"};
};

TEST_F(SnapshotTransfer, WhatFitsIntoOnePieceIsOneMessage) {
  provider.bytes = kPiece;
  needs_snapshot(two);
  ASSERT_EQ(wire.to_members["2"].size(), 1U);
  EXPECT_FALSE(std::get<raft::InstallSnapshot>(wire.to_members["2"][0].message.body).pieces);
  deliver_all(two);
  expect_installed(two, 150, kPiece);
  EXPECT_EQ(two.pieces, 0);
  needs_snapshot(three);
  wire.to_members["3"].clear();
  for (int i = 0; i < kQuietTicks; ++i) tick();
  EXPECT_EQ(under_way<raft::InstallSnapshot>(three), 1U) << "it may have been lost";
}

TEST_F(SnapshotTransfer, ALargeOneInOneMessageIsNotRepeatedSoSoon) {
  wire.old.insert("2");
  needs_snapshot(two);
  for (int i = 0; i < 3 * kQuietTicks; ++i) tick();
  EXPECT_EQ(bytes_under_way(two), 1234);
}

TEST_F(SnapshotTransfer, AMemberOfAnEarlierReleaseGetsItInOneMessage) {
  wire.old.insert("2");
  needs_snapshot(two);
  needs_snapshot(three);
  deliver_all(two);
  deliver_all(three);
  expect_installed(two, 150, 1234);
  EXPECT_EQ(two.pieces, 0);
  expect_installed(three, 150, 1234);
  EXPECT_EQ(three.pieces, 13);
}

TEST_F(SnapshotTransfer, PiecesGoAWindowAheadOfTheAnswers) {
  needs_snapshot(two);
  EXPECT_EQ(bytes_under_way(two), 0) << "the member is asked first what it has";
  deliver_one(two);
  for (int i = 0; i < 50 && two.installed.empty(); ++i) {
    EXPECT_LE(bytes_under_way(two), kWindow);
    deliver_one(two);
  }
  expect_installed(two, 150, 1234);
  EXPECT_EQ(two.positions, std::vector{LogPosition(150)});
  EXPECT_EQ(two.pieces, 13);
}

TEST_F(SnapshotTransfer, ASlowMemberIsSentNoMoreThanTheWindow) {
  needs_snapshot(two);
  deliver_one(two);
  for (int i = 0; i < 10 * kQuietTicks; ++i) tick();
  EXPECT_LE(bytes_under_way(two), kWindow) << "what is repeated are offers without bytes";
  deliver_all(two);
  expect_installed(two, 150, 1234);
}

TEST_F(SnapshotTransfer, OneImageServesAllAndGoesWithTheLast) {
  needs_snapshot(two);
  needs_snapshot(three);
  EXPECT_EQ(provider.loads, 1);
  deliver_all(two);
  EXPECT_TRUE(sender->holds_image());
  EXPECT_FALSE(sender->progress("2"));
  deliver_all(three);
  EXPECT_FALSE(sender->holds_image());
  EXPECT_EQ(two.inbox->held_bytes(), 0U);
  expect_installed(two, 150, 1234);
  expect_installed(three, 150, 1234);
}

TEST_F(SnapshotTransfer, LossCostsATimeoutAndNotTheWhole) {
  needs_snapshot(two);
  deliver_one(two);
  deliver_one(two);
  wire.to_members["2"].pop_front();  // the second piece
  deliver_all(two);
  EXPECT_TRUE(two.installed.empty());
  const std::int64_t before = two.pieces;
  for (int i = 0; i < kQuietTicks; ++i) tick();
  deliver_all(two);
  expect_installed(two, 150, 1234);
  EXPECT_EQ(two.pieces - before, 12) << "from the gap on";
}

TEST_F(SnapshotTransfer, ALostOfferIsRepeated) {
  needs_snapshot(two);
  wire.to_members["2"].clear();
  for (int i = 0; i < kQuietTicks; ++i) tick();
  deliver_all(two);
  EXPECT_EQ(two.installed.size(), 1U);
}

TEST_F(SnapshotTransfer, NothingIsSentToWhoIsNotConnected) {
  wire.connected = false;
  needs_snapshot(two);
  for (int i = 0; i < 3 * kQuietTicks; ++i) tick();
  EXPECT_EQ(under_way<raft::InstallSnapshot>(two), 0U);
  wire.connected = true;
  for (int i = 0; i < kQuietTicks; ++i) tick();
  deliver_all(two);
  EXPECT_EQ(two.installed.size(), 1U);
}

TEST_F(SnapshotTransfer, AReconnectGoesOnWhereItWas) {
  needs_snapshot(two);
  for (int i = 0; i < 6; ++i) deliver_one(two);  // the offer and five pieces
  wire.to_members["2"].clear();
  for (int i = 0; i < kQuietTicks; ++i) tick();
  deliver_all(two);
  EXPECT_EQ(two.installed.size(), 1U);
  EXPECT_EQ(two.pieces, 13);
}

TEST_F(SnapshotTransfer, ARestartedMemberBeginsAnew) {
  needs_snapshot(two);
  for (int i = 0; i < 6; ++i) deliver_one(two);
  two.inbox = std::make_unique<SnapshotInbox>(kIdleTicks);
  two.start = 2;
  needs_snapshot(two);
  deliver_all(two);
  expect_installed(two, 150, 1234);
}

TEST_F(SnapshotTransfer, ANewerSnapshotReplacesTheOneUnderWay) {
  needs_snapshot(two);
  for (int i = 0; i < 6; ++i) deliver_one(two);
  // The log up to 180 goes: the state of 150 would leave a gap.
  step("3", 1, raft::AppendAnswer{LogPosition(210), LogPosition(210), {}, false}, core->term());
  core->on_written(LogPosition(210));
  core->on_trimmed(LogPosition(180));
  provider.position = LogPosition(190);
  take();
  tick();
  EXPECT_EQ(provider.loads, 2);
  EXPECT_EQ(provider.asked, LogPosition(180));
  deliver_all(two);  // old pieces as well
  for (int i = 0; i < kQuietTicks; ++i) tick();
  deliver_all(two);
  expect_installed(two, 190, 1234);
  EXPECT_EQ(two.positions, std::vector{LogPosition(190)});
}

TEST_F(SnapshotTransfer, TheEndOfTheTermFreesTheImage) {
  needs_snapshot(two);
  ASSERT_TRUE(sender->holds_image());
  step("3", 1, raft::StaleTerm{}, core->term() + 1);
  EXPECT_FALSE(sender->holds_image());
  wire.to_members["2"].clear();
  for (int i = 0; i < 3 * kQuietTicks; ++i) sender->tick();
  EXPECT_TRUE(wire.to_members["2"].empty());
}

TEST_F(SnapshotTransfer, WhatIsLoadedTooLateIsNotKept) {
  provider.at_once = false;
  needs_snapshot(two);
  EXPECT_EQ(sender->progress("2")->bytes, 0);
  step("3", 1, raft::StaleTerm{}, core->term() + 1);
  provider.answer(make_snapshot_image(LogPosition(150), "x"));
  EXPECT_FALSE(sender->holds_image());
  EXPECT_TRUE(wire.to_members["2"].empty());
}

TEST_F(SnapshotTransfer, AnAnswerAfterTheSenderHasGoneIsHarmless) {
  provider.at_once = false;
  needs_snapshot(two);
  sender.reset();
  provider.answer(make_snapshot_image(LogPosition(150), "x"));
}

// An image that the log does not reach, or that is ahead of it, would leave a gap in the member.
TEST_F(SnapshotTransfer, AnImageThatDoesNotFitIsNotSent) {
  for (const std::int64_t position : {99, 201}) {
    provider.position = LogPosition(position);
    const int loads = provider.loads;
    sender->begin("2");
    needs_snapshot(two);
    EXPECT_GT(provider.loads, loads);
    EXPECT_FALSE(sender->holds_image());
    EXPECT_TRUE(wire.to_members["2"].empty());
  }
  provider.position = LogPosition(150);
  for (int i = 0; i < 10 * 20; ++i) tick();  // the core asks again
  deliver_all(two);
  EXPECT_EQ(two.installed.size(), 1U);
}

TEST_F(SnapshotTransfer, DamagedBytesAreReceivedAgain) {
  needs_snapshot(two);
  deliver_one(two);
  wire.to_members["2"][1].bytes[7] ^= 1;
  deliver_all(two);
  EXPECT_TRUE(two.installed.empty());
  for (int i = 0; i < kQuietTicks; ++i) tick();
  deliver_all(two);
  expect_installed(two, 150, 1234);
}

// With no answer for ten times its patience, the core begins anew.
TEST_F(SnapshotTransfer, ALongTransferIsNotTakenForALostOne) {
  needs_snapshot(two);
  deliver_one(two);
  for (int i = 0; i < 12; ++i) {
    for (int quiet = 0; quiet < 150; ++quiet) {
      core->tick();
      core->step({"3", "1", core->term(), 1, 1, raft::AppendAnswer{}});
      for (const raft::Message& m : core->take_output().messages) {
        EXPECT_FALSE(std::holds_alternative<raft::InstallSnapshot>(m.body)) << "piece " << i;
      }
    }
    deliver_one(two);
  }
}

// Loss, duplicates, any order, restarts, silence: whatever is installed is a whole snapshot, and in
// the end one is.
TEST_F(SnapshotTransfer, AnythingThatCanHappenOnTheWay) {
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    std::mt19937 random(seed);
    const auto one_in = [&](std::uint32_t n) { return random() % n == 0; };
    two = Receiver("2");
    two.start = seed;
    wire.to_members.clear();
    provider.bytes = 1 + random() % 3000;
    needs_snapshot(two);
    for (int i = 0; i < 20'000 && installing(two); ++i) {
      auto& queue = wire.to_members["2"];
      const bool faults = i < 2'000;
      if (queue.empty() || one_in(4)) tick();
      if (queue.empty()) continue;
      const std::size_t at = faults && one_in(5) ? random() % queue.size() : 0;
      if (faults && one_in(10)) {
        queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(at));
      } else if (faults && one_in(10)) {
        queue.push_back(Packet(queue[at]));
      } else if (faults && one_in(20)) {
        two.inbox->clear();
      } else {
        deliver_one(two, at);
      }
    }
    ASSERT_FALSE(installing(two)) << "seed " << seed;
    ASSERT_FALSE(two.installed.empty()) << "seed " << seed;
    for (std::size_t i = 0; i < two.installed.size(); ++i) {
      ASSERT_TRUE(two.installed[i] == state_of(150, provider.bytes)) << "seed " << seed;
    }
    ASSERT_FALSE(sender->holds_image());
  }
}

// ---- the member's side

raft::Message from(const char* sender, std::uint64_t start) {
  return {sender, "9", Term(3), start, 1, raft::SnapshotPiece{}};
}

TEST(SnapshotInbox, PiecesOfTwoSnapshotsAreNeverMixed) {
  SnapshotInbox inbox(kIdleTicks);
  const std::string state = state_of(1, 200);
  const auto image = make_snapshot_image(LogPosition(1), state);
  const std::string_view all = state;
  const auto offered = from("1", 4);
  inbox.on_offer(offered, image->id);
  EXPECT_EQ(inbox.on_piece(offered, {image->id, 0}, all.substr(0, 100)).received, 100);
  // Another position, size, checksum, sender, or start of the sender.
  raft::SnapshotId other = image->id;
  other.position += 1;
  EXPECT_EQ(inbox.on_piece(offered, {other, 100}, all.substr(100)).received, 0);
  other = image->id;
  other.size += 1;
  EXPECT_EQ(inbox.on_piece(offered, {other, 100}, all.substr(100)).received, 0);
  other = image->id;
  other.checksum += 1;
  EXPECT_EQ(inbox.on_piece(offered, {other, 100}, all.substr(100)).received, 0);
  EXPECT_EQ(inbox.on_piece(from("2", 4), {image->id, 100}, all.substr(100)).received, 0);
  EXPECT_EQ(inbox.on_piece(from("1", 5), {image->id, 100}, all.substr(100)).received, 0);
  EXPECT_EQ(inbox.held_bytes(), 100U);
  EXPECT_EQ(inbox.on_piece(offered, {image->id, 100}, all.substr(100)).received, 200);
  EXPECT_FALSE(inbox.complete(from("1", 5), image->id));
  ASSERT_TRUE(inbox.complete(offered, image->id));
  EXPECT_EQ(inbox.take(), state);
  EXPECT_FALSE(inbox.complete(offered, image->id));
}

TEST(SnapshotInbox, AnotherOfferBeginsAnewTheSameOneGoesOn) {
  SnapshotInbox inbox(kIdleTicks);
  const std::string state = state_of(1, 200);
  const auto image = make_snapshot_image(LogPosition(1), state);
  const auto next = make_snapshot_image(LogPosition(2), state_of(2, 300));
  const auto offered = from("1", 4);
  EXPECT_EQ(inbox.on_offer(offered, image->id).received, 0);
  inbox.on_piece(offered, {image->id, 0}, std::string_view(state).substr(0, 100));
  const raft::SnapshotAnswer again = inbox.on_offer(offered, image->id);
  EXPECT_EQ(again.received, 100);
  EXPECT_TRUE(again.to_offer);
  EXPECT_EQ(inbox.on_offer(offered, next->id).received, 0);
  EXPECT_EQ(inbox.held_bytes(), 0U);
}

TEST(SnapshotInbox, GapsRepetitionsAndBytesTooManyAreNotTaken) {
  SnapshotInbox inbox(kIdleTicks);
  const std::string state = state_of(1, 200);
  const std::string_view all = state;
  const auto image = make_snapshot_image(LogPosition(1), state);
  const auto offered = from("1", 4);
  inbox.on_offer(offered, image->id);
  EXPECT_EQ(inbox.on_piece(offered, {image->id, 100}, all.substr(100)).received, 0);
  EXPECT_EQ(inbox.on_piece(offered, {image->id, 0}, all.substr(0, 150)).received, 150);
  EXPECT_EQ(inbox.on_piece(offered, {image->id, 0}, all.substr(0, 150)).received, 150);
  EXPECT_EQ(inbox.on_piece(offered, {image->id, 150}, all.substr(0, 51)).received, 150);
  EXPECT_EQ(inbox.on_piece(offered, {image->id, 150}, all.substr(150)).received, 200);
  EXPECT_TRUE(inbox.complete(offered, image->id));
}

TEST(SnapshotInbox, WhatStopsComingIsForgotten) {
  SnapshotInbox inbox(3);
  const auto image = make_snapshot_image(LogPosition(1), state_of(1, 200));
  const auto offered = from("1", 4);
  inbox.on_offer(offered, image->id);
  inbox.on_piece(offered, {image->id, 0}, std::string_view(image->bytes).substr(0, 100));
  for (int i = 0; i < 3; ++i) inbox.tick();
  EXPECT_EQ(inbox.held_bytes(), 100U);
  inbox.tick();
  EXPECT_EQ(inbox.held_bytes(), 0U);
  EXPECT_EQ(inbox.on_offer(offered, image->id).received, 0);
}

}  // namespace
}  // namespace gantry::replog
