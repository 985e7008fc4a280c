// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "peer_test_util.h"

namespace gantry::peer {
namespace {

raft::Message beat(std::int64_t term) {
  raft::Message message;
  message.term = Term(term);
  message.start = 1;
  message.body = raft::StaleTerm{};
  return message;
}

raft::Message append(std::int64_t from, std::int64_t to) {
  raft::Message message = beat(1);
  raft::Append body;
  body.from = LogPosition(from);
  body.to = body.leader_end = LogPosition(to);
  message.body = body;
  return message;
}

TEST(PeerTransport, MessagesAndTheirBytesArrive) {
  Station a('a');
  Station b('b');
  a.start();
  b.start();
  a.dial({b.hello.address});
  ASSERT_TRUE(a.wait_for_peer('b'));
  ASSERT_TRUE(b.wait_for_peer('a'));
  a.send('b', append(0, 10), {"01234", "", "56789"});
  b.send('a', beat(7));  // over the connection that a has dialled
  ASSERT_TRUE(b.board.wait([&] { return !b.received.empty(); }));
  ASSERT_TRUE(a.board.wait([&] { return !a.received.empty(); }));
  EXPECT_EQ(b.received[0].second, "0123456789");
  EXPECT_EQ(std::get<raft::Append>(b.received[0].first.body).to, LogPosition(10));
  EXPECT_EQ(a.received[0].first.term, Term(7));
  EXPECT_EQ(a.received[0].first.from, member_id('b'));
  EXPECT_EQ(a.peers[0].hello.address, b.hello.address);
  EXPECT_EQ(a.peers[0].dialled, b.hello.address);
  EXPECT_EQ(b.peers[0].dialled, "");
  const TransportStats stats = a.stats();
  EXPECT_EQ(stats.connected_peers, 1U);
  EXPECT_EQ(stats.dropped_messages, 0U);
  EXPECT_GT(stats.bytes_in, 0U);
  EXPECT_GT(stats.bytes_out, 0U);
}

TEST(PeerTransport, WhatHasNoConnectionIsDroppedAndCounted) {
  Station a('a');
  a.start();
  a.send('b', beat(1));
  EXPECT_EQ(a.stats().dropped_messages, 1U);
}

TEST(PeerTransport, MembersAreDialledAndHearOfTheGroup) {
  Station a('a');
  Station b('b');
  b.start();
  raft::Membership group;
  group.put({member_id('a'), a.hello.address, 1, true});
  group.put({member_id('b'), b.hello.address, 2, true});
  a.start();
  a.dial({b.hello.address});
  ASSERT_TRUE(b.wait_for_peer('a'));
  EXPECT_FALSE(b.peers[0].hello.formed);
  a.run([&] {
    a.transport->set_members(group);
    a.transport->set_seeds({});
  });
  ASSERT_TRUE(b.board.wait([&] { return b.peers[0].hello.formed; }));
  EXPECT_TRUE(b.peers[0].hello.membership == group);
  // The address is that of a member: the connection stays, and is the only one.
  a.send('b', beat(1));
  ASSERT_TRUE(b.board.wait([&] { return !b.received.empty(); }));
  EXPECT_EQ(b.peers.size(), 1U);
  // A member that is removed is not dialled any more.
  group.remove(member_id('b'));
  a.run([&] { a.transport->set_members(group); });
  EXPECT_TRUE(b.board.wait([&] { return b.peers.empty(); }));
}

TEST(PeerTransport, TheGroupIsToldToThoseWhoHaveNotSpokenYet) {
  Station a('a');
  a.start();
  Stranger silent(a.hello.address, {});
  ASSERT_TRUE(silent.board.wait([&] { return silent.received.size() == 1; }));
  raft::Membership group;
  group.put({member_id('a'), a.hello.address, 1, true});
  a.run([&] { a.transport->set_members(group); });
  ASSERT_TRUE(silent.board.wait([&] { return silent.received.size() == 2; }));
  EXPECT_FALSE(std::get<Hello>(silent.received[0]).formed);
  EXPECT_TRUE(std::get<Hello>(silent.received[1]).membership == group);
}

// An earlier release says nothing of pieces.
TEST(PeerTransport, WhoTakesPiecesOfASnapshotIsKnown) {
  Station a('a');
  Station b('b');
  Station c('c');
  c.hello.snapshot_pieces = false;
  a.start();
  b.start();
  c.start();
  a.run([&] { EXPECT_FALSE(a.transport->takes_pieces(member_id('b')).has_value()); });
  a.dial({b.hello.address, c.hello.address});
  ASSERT_TRUE(a.wait_for_peer('b'));
  ASSERT_TRUE(a.wait_for_peer('c'));
  a.run([&] {
    EXPECT_EQ(a.transport->takes_pieces(member_id('b')), true);
    EXPECT_EQ(a.transport->takes_pieces(member_id('c')), false);
  });
}

TEST(PeerTransport, AMemberThatComesBackIsFoundAgain) {
  Station a('a');
  auto b = std::make_unique<Station>('b');
  a.start();
  b->start();
  // From the other side, so that the address may change.
  b->dial({a.hello.address});
  ASSERT_TRUE(a.wait_for_peer('b'));
  b.reset();
  ASSERT_TRUE(a.board.wait([&] { return a.peers.empty(); }));
  b = std::make_unique<Station>('b');
  b->hello.start = 2;
  b->start();
  b->dial({a.hello.address});
  ASSERT_TRUE(a.wait_for_peer('b'));
  EXPECT_EQ(a.peers[0].hello.start, 2U);
  a.send('b', beat(1));
  EXPECT_TRUE(b->board.wait([&] { return !b->received.empty(); }));
}

TEST(PeerTransport, TheNewestConnectionIsUsed) {
  Station a('a');
  Station b('b');
  a.start();
  b.start();
  a.dial({b.hello.address});
  ASSERT_TRUE(a.wait_for_peer('b'));
  b.dial({a.hello.address});
  ASSERT_TRUE(a.board.wait([&] { return a.peers.size() == 2; }));
  EXPECT_EQ(a.peers[0].dialled, "") << "newest first";
  EXPECT_EQ(a.stats().connected_peers, 1U);
  // Whichever goes, the other one carries.
  a.dial({});
  ASSERT_TRUE(a.board.wait([&] { return a.peers.size() == 1; }));
  a.send('b', beat(1));
  EXPECT_TRUE(b.board.wait([&] { return !b.received.empty(); }));
}

TEST(PeerTransport, OneThatDoesNotBelongIsRefusedOnBothSides) {
  LogLines log;
  Station a('a');
  Station b('b');
  b.hello.cluster = "D";
  a.start();
  b.start();
  a.dial({b.hello.address});
  std::string problem;
  ASSERT_TRUE(a.board.wait([&] {
    problem = a.problems[b.hello.address];
    return !problem.empty();
  }));
  EXPECT_NE(problem.find("brokerClusterName"), std::string::npos) << problem;
  EXPECT_TRUE(log.wait_for("an address is no peer of this member address=" + b.hello.address));
  EXPECT_TRUE(log.wait_for("a peer that dialled this member is no peer"));
  EXPECT_EQ(a.stats().connected_peers, 0U);
  EXPECT_GE(a.stats().refused, 1U);
}

// The one that recovers must not hear a word more of the group of before, over connections that are
// there either; the other one is told.
TEST(PeerTransport, ARecoveryPartsThoseWhoAreConnected) {
  LogLines log;
  Station a('a');
  Station b('b');
  raft::Membership group;
  group.put({member_id('a'), a.hello.address, 1, true});
  group.put({member_id('b'), b.hello.address, 2, true});
  a.start();
  b.start();
  a.run([&] { a.transport->set_members(group); });
  b.run([&] { b.transport->set_members(group); });
  ASSERT_TRUE(a.wait_for_peer('b'));
  ASSERT_TRUE(b.wait_for_peer('a'));
  raft::Membership recovered = group;
  recovered.remove(member_id('b'));
  recovered.recoveries.push_back({"r", {member_id('b')}});
  a.run([&] {
    a.transport->set_members(recovered);
    EXPECT_TRUE(a.transport->peers().empty());
  });
  ASSERT_TRUE(b.board.wait([&] { return b.given_up == recovered; }));
  ASSERT_TRUE(b.board.wait([&] { return b.peers.empty(); }));
  EXPECT_TRUE(log.wait_for("which has given it up"));
  a.board.change([&] { a.received.clear(); });
  b.send('a', beat(1));
  EXPECT_GE(b.stats().dropped_messages, 1U);
  EXPECT_EQ(a.stats().connected_peers, 0U);
}

TEST(PeerTransport, ARefusedPeerIsToldWhy) {
  Station a('a');
  a.start();
  Hello hello = a.hello;
  hello.member_uuid = member_id('c');
  hello.address = "elsewhere:1";
  hello.file_bytes = 4096;
  Stranger stranger(a.hello.address, {{encode(hello), ""}});
  ASSERT_TRUE(stranger.board.wait([&] { return stranger.closed; }));
  ASSERT_EQ(stranger.received.size(), 2U);
  EXPECT_EQ(std::get<Hello>(stranger.received[0]).member_uuid, member_id('a'));
  const std::string reason = std::get<Refusal>(stranger.received[1]).reason;
  EXPECT_NE(reason.find("mappedFileSizeCommitLog 4096"), std::string::npos) << reason;
}

class PeerComplaints : public ::testing::Test {
 protected:
  static constexpr auto kDialledUs = "a peer that dialled this member is no peer";

  PeerComplaints() { a.start(); }
  Hello newcomer(char digit) const {
    Hello hello = a.hello;
    hello.member_uuid = member_id(digit);
    hello.address = std::string(1, digit) + ".test:10912";
    return hello;
  }
  Hello of_another_cluster(char digit) const {
    Hello hello = newcomer(digit);
    hello.cluster = "D";
    return hello;
  }
  void is_refused(const Hello& hello) {
    const std::uint64_t before = a.stats().refused;
    Stranger stranger(a.hello.address, {{encode(hello), ""}});
    EXPECT_TRUE(stranger.board.wait([&] { return stranger.closed; }));
    EXPECT_EQ(a.stats().refused, before + 1);
  }

  LogLines log;
  Station a{'a'};
};

TEST_F(PeerComplaints, OneThatKeepsDiallingIsNamedOnce) {
  for (int i = 0; i < 5; ++i) is_refused(of_another_cluster('c'));
  EXPECT_EQ(log.count(kDialledUs), 1) << log.text();
  EXPECT_EQ(log.count("member=" + member_id('c') + " address=c.test:10912 reason="), 1);
}

TEST_F(PeerComplaints, ASecondOneIsNamedToo) {
  for (int i = 0; i < 3; ++i) {
    is_refused(of_another_cluster('c'));
    is_refused(of_another_cluster('d'));
  }
  EXPECT_EQ(log.count(kDialledUs), 2) << log.text();
  EXPECT_EQ(log.count("member=" + member_id('d')), 1);
}

TEST_F(PeerComplaints, AnotherReasonIsNamed) {
  Hello hello = of_another_cluster('c');
  is_refused(hello);
  hello.cluster = a.hello.cluster;
  hello.file_bytes = 4096;
  is_refused(hello);
  is_refused(hello);
  EXPECT_EQ(log.count(kDialledUs), 2) << log.text();
  EXPECT_EQ(log.count("mappedFileSizeCommitLog 4096"), 1);
}

TEST_F(PeerComplaints, OneThatWasFineInBetweenIsNamedAgain) {
  is_refused(of_another_cluster('c'));
  {
    Stranger repaired(a.hello.address, {{encode(newcomer('c')), ""}});
    ASSERT_TRUE(a.wait_for_peer('c'));
  }
  ASSERT_TRUE(a.board.wait([&] { return a.peers.empty(); }));
  is_refused(of_another_cluster('c'));
  EXPECT_EQ(log.count(kDialledUs), 2) << log.text();
}

TEST_F(PeerComplaints, OneThatWeAcceptAndThatRefusesUsIsNamedOnce) {
  const std::string refusal = encode(Refusal{"not today"});
  for (int i = 0; i < 3; ++i) {
    Stranger refuser(a.hello.address, {{encode(newcomer('c')), ""}, {refusal, ""}});
    ASSERT_TRUE(refuser.board.wait([&] { return refuser.closed; }));
  }
  EXPECT_EQ(log.count(kDialledUs), 1) << log.text();
}

TEST_F(PeerComplaints, AnAddressThatIsNoPeerIsNamedOnce) {
  class Refuser final : public net::FrameHandler {
   public:
    explicit Refuser(std::string hello) : hello_(std::move(hello)) {}
    void on_open(net::FrameChannel& channel) override {
      channel.send(hello_, {});
      channel.send(encode(Refusal{"not today"}), {});
      board.change([&] { ++opened; });
    }
    void on_frame(net::FrameChannel&, std::string_view, std::string_view) override {}
    void on_close(net::FrameChannel&) override {}
    Board board;
    int opened = 0;

   private:
    const std::string hello_;
  } refuser(encode(newcomer('c')));
  runtime::Shard shard("refuser");
  net::FrameEndpoint endpoint(shard, refuser, {});
  const auto port = endpoint.listen("127.0.0.1", 0);
  ASSERT_TRUE(port.has_value());
  shard.start();
  a.dial({local(*port)});
  EXPECT_TRUE(refuser.board.wait([&] { return refuser.opened == 4; }));
  a.dial({});
  EXPECT_EQ(log.count("an address is no peer of this member"), 1) << log.text();
  shard.stop();
  shard.join();
}

TEST(PeerTransport, HowFarClocksAreApartIsKnown) {
  Station a('a');
  a.start();
  Station b('b');
  b.start();
  b.dial({a.hello.address});
  ASSERT_TRUE(a.wait_for_peer('b'));
  Hello hello = a.hello;
  hello.member_uuid = member_id('c');
  hello.address = "elsewhere:1";
  hello.clock_ms = system_clock().wall_ms() + 3600000;
  Stranger ahead(a.hello.address, {{encode(hello), ""}});
  ASSERT_TRUE(a.wait_for_peer('c'));
  std::map<raft::MemberId, std::int64_t> apart;
  a.run([&] {
    for (const Peer& peer : a.transport->peers())
      apart[peer.hello.member_uuid] = peer.clock_ahead_ms;
  });
  EXPECT_LE(std::abs(apart[member_id('b')]), 60000) << "the same clock";
  EXPECT_GE(apart[member_id('c')], 3600000 - 60000);
  EXPECT_LE(apart[member_id('c')], 3600000);
}

Hello claims_to_be(const Station& station, char digit, std::uint64_t process) {
  Hello hello = station.hello;
  hello.member_uuid = member_id(digit);
  hello.address = "copy.test:10912";
  hello.process = process;
  return hello;
}

TEST(PeerTransport, OfTwoProcessesWithOneUuidTheFirstStays) {
  Station a('a');
  a.start();
  Stranger first(a.hello.address, {{encode(claims_to_be(a, 'c', 1)), ""}});
  ASSERT_TRUE(a.wait_for_peer('c'));
  Stranger same(a.hello.address, {{encode(claims_to_be(a, 'c', 1)), ""}});
  ASSERT_TRUE(a.board.wait([&] { return a.peers.size() == 2; })) << "its second connection";
  Stranger copy(a.hello.address, {{encode(claims_to_be(a, 'c', 2)), ""}});
  ASSERT_TRUE(copy.board.wait([&] { return copy.closed; }));
  const std::string reason = std::get<Refusal>(copy.received.at(1)).reason;
  EXPECT_NE(reason.find("one of the two stores is a copy of the other"), std::string::npos);
  a.run([&] { EXPECT_EQ(a.transport->peers().size(), 2U); });
}

TEST(PeerTransport, OfTwoProcessesWithOneUuidTheOneAtTheMembersAddressStays) {
  Station a('a');
  Station b('b');
  b.hello.process = 1;
  a.start();
  b.start();
  Stranger copy(a.hello.address, {{encode(claims_to_be(a, 'b', 2)), ""}});
  ASSERT_TRUE(a.wait_for_peer('b'));
  a.dial({b.hello.address});
  ASSERT_TRUE(copy.board.wait([&] { return copy.closed; }));
  EXPECT_NE(std::get<Refusal>(copy.received.at(1)).reason.find("the store here is a copy"),
            std::string::npos);
  ASSERT_TRUE(a.board.wait([&] {
    return std::ranges::any_of(a.peers,
                               [&](const Peer& p) { return p.hello.address == b.hello.address; });
  }));
}

TEST(PeerTransport, WhyAPeerRefusesIsKnown) {
  // It accepts connections and refuses everybody.
  class Refuser final : public net::FrameHandler {
   public:
    void on_open(net::FrameChannel& channel) override {
      channel.send(encode(Refusal{"not today"}), {});
    }
    void on_frame(net::FrameChannel&, std::string_view, std::string_view) override {}
    void on_close(net::FrameChannel&) override {}
  } refuser;
  Station a('a');
  a.start();
  runtime::Shard shard("refuser");
  net::FrameEndpoint endpoint(shard, refuser, {});
  const auto port = endpoint.listen("127.0.0.1", 0);
  ASSERT_TRUE(port.has_value());
  shard.start();
  a.dial({local(*port)});
  EXPECT_TRUE(
      a.board.wait([&] { return a.problems[local(*port)] == "refused by the peer: not today"; }));
  a.dial({});
  shard.stop();
  shard.join();
}

TEST(PeerTransport, AMemberThatDialsItselfKnowsItsAddress) {
  Station a('a');
  a.hello.address = "a.test:10912";
  a.start();
  a.dial({local(a.port), "a.test:10912"});
  ASSERT_TRUE(a.board.wait([&] { return a.own_addresses.contains(local(a.port)); }));
  EXPECT_TRUE(a.own_addresses.contains("a.test:10912"));
  EXPECT_EQ(a.stats().connected_peers, 0U);
  EXPECT_TRUE(a.problems.empty());
}

TEST(PeerTransport, ACopyOfAStoreIsNoPeer) {
  Station a('a');
  Station copy('a');
  a.start();
  copy.start();
  a.dial({copy.hello.address});
  ASSERT_TRUE(a.board.wait([&] { return a.problems.contains(copy.hello.address); }));
  EXPECT_NE(a.problems[copy.hello.address].find("one of the two stores is a copy"),
            std::string::npos);
  EXPECT_EQ(a.stats().connected_peers, 0U);
}

// Whoever breaks the rules is cut off, with the reason in the log; the message is not delivered.
class PeerRules : public ::testing::Test {
 protected:
  void expect_cut(std::vector<std::pair<std::string, std::string>> frames,
                  const std::string& reason) {
    LogLines log;
    Station a('a');
    a.start();
    Stranger stranger(a.hello.address, std::move(frames));
    EXPECT_TRUE(stranger.board.wait([&] { return stranger.closed; }));
    EXPECT_TRUE(log.wait_for(reason)) << reason;
    EXPECT_TRUE(a.received.empty());
    EXPECT_EQ(a.stats().protocol_errors, 1U);
  }

  static std::string hello(char digit) {
    Hello hello;
    hello.cluster = "C";
    hello.broker_name = "b";
    hello.member_uuid = member_id(digit);
    hello.address = "elsewhere:1";
    hello.file_bytes = 8192;
    return encode(hello);
  }
  static std::string message(char from, char to) {
    raft::Message message = beat(1);
    message.from = member_id(from);
    message.to = member_id(to);
    return encode(message);
  }
};

TEST_F(PeerRules, TheHelloComesFirst) {
  expect_cut({{message('c', 'a'), ""}}, "a message before the hello");
}

TEST_F(PeerRules, MessagesCarryTheNameOfTheHello) {
  expect_cut({{hello('c'), ""}, {message('d', 'a'), ""}}, "a message from dddd");
}

TEST_F(PeerRules, MessagesAreForThisMember) {
  expect_cut({{hello('c'), ""}, {message('c', 'd'), ""}}, "to dddd");
}

TEST_F(PeerRules, AMemberKeepsItsName) {
  expect_cut({{hello('c'), ""}, {hello('d'), ""}}, "calls itself dddd");
}

TEST_F(PeerRules, WhatDoesNotDecodeIsNamed) {
  expect_cut({{"\xFF\xFF\xFF", ""}}, "the header is not Protobuf");
}

TEST_F(PeerRules, BytesNeedAMessageThatTakesThem) {
  expect_cut({{hello('c'), ""}, {message('c', 'a'), "x"}}, "1 bytes beside a message");
}

}  // namespace
}  // namespace gantry::peer
