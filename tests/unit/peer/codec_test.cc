// SPDX-License-Identifier: Apache-2.0
#include "peer/codec.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "message_samples.h"
#include "peer.pb.h"

namespace gantry::peer {
namespace {

constexpr std::size_t kKinds = std::variant_size_v<decltype(raft::Message::body)>;
const raft::MemberId kOne(32, '1');
const raft::MemberId kTwo(32, '2');

std::string why(const Result<Decoded>& result) {
  return result.has_value() ? "decoded" : result.error().message;
}

TEST(PeerCodec, EveryMessageComesBackAsItWas) {
  Samples samples(1);
  for (std::size_t kind = 0; kind < kKinds; ++kind) {
    for (int i = 0; i < 500; ++i) {
      std::size_t body = 0;
      const raft::Message message = samples.message(kind, &body);
      ASSERT_EQ(message.body.index(), kind);
      const auto decoded = decode(encode(message), body);
      ASSERT_TRUE(decoded.has_value()) << "kind " << kind << ": " << decoded.error().message;
      ASSERT_TRUE(std::get<raft::Message>(*decoded) == message) << "kind " << kind;
    }
  }
}

TEST(PeerCodec, EveryHelloAndRefusalComesBackAsItWas) {
  Samples samples(2);
  for (int i = 0; i < 500; ++i) {
    const Hello hello = samples.hello();
    const auto decoded = decode(encode(hello), 0);
    ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
    ASSERT_TRUE(std::get<Hello>(*decoded) == hello);
  }
  const auto refusal = decode(encode(Refusal{"no"}), 0);
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(std::get<Refusal>(*refusal).reason, "no");
}

TEST(PeerCodec, MembershipsOfAnAppendAreNotSent) {
  Samples samples(3);
  raft::Append append;
  append.leader_end = append.to = LogPosition(100);
  append.memberships.push_back({LogPosition(0), LogPosition(100), samples.membership()});
  const auto decoded = decode(encode(raft::Message{kOne, kTwo, Term(1), 1, 0, append}), 100);
  ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
  EXPECT_TRUE(std::get<raft::Append>(std::get<raft::Message>(*decoded).body).memberships.empty());
}

// The newest committed one, whose record is not among the bytes, is.
TEST(PeerCodec, AMembershipBehindTheBytesIsSent) {
  Samples samples(3);
  raft::Append append;
  append.leader_end = LogPosition(300);
  append.to = LogPosition(100);
  append.memberships.push_back({LogPosition(120), LogPosition(220), samples.membership()});
  const auto decoded = decode(encode(raft::Message{kOne, kTwo, Term(1), 1, 7, append}), 100);
  ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
  const auto& message = std::get<raft::Message>(*decoded);
  EXPECT_EQ(message.receiver_start, 7U);
  EXPECT_EQ(std::get<raft::Append>(message.body).memberships, append.memberships);
}

// Cut and flipped headers decode to something valid or to an error, never to anything else.
TEST(PeerCodec, DamagedHeadersAreErrorsOrValid) {
  Samples samples(4);
  std::mt19937_64 random(5);
  for (std::size_t round = 0; round < 4000; ++round) {
    std::size_t body = 0;
    std::string bytes =
        round % 10 == 9 ? encode(samples.hello()) : encode(samples.message(round % kKinds, &body));
    for (int flips = 0; flips < 3; ++flips) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    if (round % 3 == 0) bytes.resize(random() % (bytes.size() + 1));
    const auto decoded = decode(bytes, body);
    if (!decoded) {
      EXPECT_FALSE(decoded.error().message.empty());
      continue;
    }
    const std::string again = std::visit([](const auto& value) { return encode(value); }, *decoded);
    const auto second = decode(again, body);
    ASSERT_TRUE(second.has_value()) << second.error().message;
    EXPECT_TRUE(*second == *decoded);
  }
}

struct Wrong {
  std::function<void(proto::Message&)> change;
  std::size_t body = 0;
  std::string reason;
};

TEST(PeerCodec, ImpossibleMessagesAreNamed) {
  const std::vector<Wrong> cases = {
      {[](auto& m) { m.set_from("short"); }, 0, "a message from 'short'"},
      {[](auto& m) { m.set_to(std::string(32, 'G')); }, 0, "32 hexadecimal digits"},
      {[](auto& m) { m.set_term(-1); }, 0, "message.term is -1"},
      {[](auto&) {}, 0, "a message of no known kind"},
      {[](auto& m) { m.mutable_vote_request()->mutable_log()->set_end(-7); }, 0,
       "VoteRequest.log.end is -7"},
      {[](auto& m) { m.mutable_vote_answer()->mutable_log()->set_last_term(-1); }, 0,
       "VoteAnswer.log.last_term is -1"},
      {[](auto& m) { m.mutable_stale_term(); }, 1, "1 bytes beside a message that has none"},
      {[](auto& m) {
         m.mutable_append()->set_leader_end(9);
         m.mutable_append()->set_to(10);
       },
       10, "Append.to is 10, more than leader_end 9"},
      {[](auto& m) {
         m.mutable_append()->set_leader_end(10);
         m.mutable_append()->set_to(10);
       },
       0, "Append of [0, 10) with 0 bytes"},
      {[](auto& m) {
         m.mutable_append()->set_leader_end(10);
         m.mutable_append()->set_to(10);
       },
       11, "Append of [0, 10) with 11 bytes"},
      {[](auto& m) { m.mutable_append()->set_commit(-1); }, 0, "Append.commit is -1"},
      {[](auto& m) {
         m.mutable_append()->set_leader_end(10);
         m.mutable_append()->set_to(10);
         m.mutable_append()->add_epochs()->set_start(10);
       },
       10, "Append.epochs: term 0 starts at 10, expected within [0, 9]"},
      {[](auto& m) { m.mutable_append_answer()->set_durable(1); }, 0,
       "AppendAnswer.durable is 1, more than written 0"},
      {[](auto& m) { m.mutable_append_refusal()->set_commit(1); }, 0,
       "AppendRefusal.commit is 1, more than end 0"},
      {[](auto& m) {
         m.mutable_append_refusal()->set_end(10);
         m.mutable_append_refusal()->add_epochs()->set_start(5);
         m.mutable_append_refusal()->add_epochs()->set_start(4);
       },
       0, "AppendRefusal.epochs: term 0 starts at 4, expected within [5, 10]"},
      {[](auto& m) { m.mutable_install_snapshot(); }, 3, "no voter"},
      {[](auto& m) { m.mutable_install_snapshot()->set_membership("member=x 1 voter a:1\n"); }, 3,
       "'x' is not a member's uuid"},
      {[](auto& m) { m.mutable_install_snapshot()->set_begin(4); }, 3,
       "InstallSnapshot.begin is 4, more than position 0"},
      {[](auto& m) { m.mutable_install_answer()->set_begin(-1); }, 0, "InstallAnswer.begin is -1"},
      {[](auto& m) {
         m.mutable_install_snapshot()->set_membership("member=" + kOne + " 1 voter a:1\n");
         m.mutable_install_snapshot()->mutable_pieces()->set_size(3);
       },
       3, "InstallSnapshot of pieces with 3 bytes"},
      {[](auto& m) {
         m.mutable_install_snapshot()->set_membership("member=" + kOne + " 1 voter a:1\n");
         m.mutable_install_snapshot()->mutable_pieces()->set_position(3);
         m.mutable_install_snapshot()->mutable_pieces()->set_size(3);
       },
       0, "InstallSnapshot.pieces is of 3, expected position 0"},
      {[](auto& m) { m.mutable_snapshot_piece(); }, 3,
       "SnapshotPiece.snapshot.size is 0, expected within [1, 2147483647]"},
      {[](auto& m) { m.mutable_snapshot_answer()->mutable_snapshot()->set_size(1LL << 31); }, 0,
       "SnapshotAnswer.snapshot.size is 2147483648"},
      {[](auto& m) {
         m.mutable_snapshot_piece()->mutable_snapshot()->set_size(10);
         m.mutable_snapshot_piece()->set_offset(8);
       },
       3, "SnapshotPiece of 3 bytes at 8 of 10"},
      {[](auto& m) { m.mutable_snapshot_piece()->mutable_snapshot()->set_size(10); }, 0,
       "SnapshotPiece of 0 bytes at 0 of 10"},
      {[](auto& m) {
         m.mutable_snapshot_piece()->mutable_snapshot()->set_size(10);
         m.mutable_snapshot_piece()->set_offset(11);
       },
       1, "SnapshotPiece.offset is 11, more than snapshot.size 10"},
      {[](auto& m) {
         m.mutable_snapshot_answer()->mutable_snapshot()->set_size(10);
         m.mutable_snapshot_answer()->set_received(-1);
       },
       0, "SnapshotAnswer.received is -1"},
  };
  for (const Wrong& wrong : cases) {
    proto::Header header;
    header.mutable_message()->set_from(kOne);
    header.mutable_message()->set_to(kTwo);
    wrong.change(*header.mutable_message());
    const auto decoded = decode(header.SerializeAsString(), wrong.body);
    EXPECT_NE(why(decoded).find(wrong.reason), std::string::npos)
        << "expected '" << wrong.reason << "', got '" << why(decoded) << "'";
  }
}

TEST(PeerCodec, ImpossibleHellosAreNamed) {
  const auto with = [](const std::function<void(proto::Hello&)>& change) {
    proto::Header header;
    proto::Hello& hello = *header.mutable_hello();
    hello.set_member_uuid(kOne);
    hello.set_address("a:1");
    hello.set_file_bytes(1);
    change(hello);
    return why(decode(header.SerializeAsString(), 0));
  };
  EXPECT_EQ(with([](auto&) {}), "decoded");
  EXPECT_NE(with([](auto& h) { h.set_member_uuid("1"); }).find("member_uuid"), std::string::npos);
  EXPECT_NE(with([](auto& h) { h.set_address(""); }).find("address"), std::string::npos);
  EXPECT_NE(with([](auto& h) { h.set_file_bytes(0); }).find("file_bytes"), std::string::npos);
  EXPECT_NE(with([](auto& h) { h.set_formed(true); }).find("no voter"), std::string::npos);
  EXPECT_NE(with([](auto& h) { h.set_membership("member="); }).find("belongs to no group"),
            std::string::npos);
}

TEST(PeerCodec, WhatIsNoFrameOfOursIsNamed) {
  EXPECT_EQ(why(decode("", 0)), "a frame of no known kind");
  EXPECT_EQ(why(decode("\xFF\xFF", 0)), "the header is not Protobuf");
  EXPECT_EQ(why(decode(encode(Refusal{"x"}), 5)), "5 bytes beside a header that has none");
}

TEST(PeerHello, OtherClustersNamesSizesAndVersionsAreRefused) {
  Hello own;
  own.cluster = "c";
  own.broker_name = "b";
  own.member_uuid = kOne;
  own.address = "one:1";
  own.file_bytes = 1024;
  Hello theirs = own;
  theirs.member_uuid = kTwo;
  theirs.address = "two:2";
  EXPECT_TRUE(check_hello(own, theirs).has_value());
  const auto reason = [&](const std::function<void(Hello&)>& change) {
    Hello other = theirs;
    change(other);
    const auto result = check_hello(own, other);
    return result.has_value() ? "fits" : result.error().message;
  };
  const std::string speaks = "member " + kTwo + " at two:2 has ";
  const std::string against = ", member " + kOne + " at one:1 has ";
  EXPECT_EQ(reason([](Hello& h) { h.cluster = "d"; }),
            speaks + "brokerClusterName d" + against + "c");
  EXPECT_EQ(reason([](Hello& h) { h.broker_name = "x"; }), speaks + "brokerName x" + against + "b");
  EXPECT_EQ(reason([](Hello& h) { h.file_bytes = 2; }),
            speaks + "mappedFileSizeCommitLog 2" + against + "1024");
  EXPECT_EQ(reason([](Hello& h) { h.protocol_version = 2; }),
            speaks + "protocol version 2" + against + "1");
}

TEST(PeerHello, GroupsThatARecoveryHasPartedAreRefused) {
  Hello old;
  old.member_uuid = kOne;
  old.address = "one:1";
  old.formed = true;
  old.membership.put({kOne, "one:1", 1, true});
  old.membership.put({kTwo, "two:2", 2, true});
  Hello recovered = old;
  recovered.member_uuid = kTwo;
  recovered.address = "two:2";
  EXPECT_TRUE(check_hello(old, recovered));
  recovered.membership.remove(kOne);
  recovered.membership.recoveries.push_back({"first", {kOne}});
  const std::string reason =
      "member " + kOne + " at one:1 belongs to the broker set without a recovery; member " + kTwo +
      " at two:2 belongs to the one after recovery first, which has "
      "given it up: only an empty store can join";
  EXPECT_EQ(check_hello(old, recovered).error().message, reason);
  EXPECT_EQ(check_hello(recovered, old).error().message, reason) << "on both sides";
  EXPECT_TRUE(gives_up(recovered, old));
  EXPECT_FALSE(gives_up(old, recovered));

  Hello known = old;
  known.membership = recovered.membership;
  known.given_up = true;
  for (const auto& [own, theirs] : {std::pair(known, recovered), std::pair(recovered, known)}) {
    const auto refused = check_hello(own, theirs);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message,
              "member " + kOne +
                  " at one:1 was given up when its broker set was recovered (after recovery "
                  "first): empty its store and join it again");
  }
  Hello third = old;
  third.member_uuid = std::string(32, 'c');
  third.membership.put({third.member_uuid, "three:3", 3, true});
  EXPECT_FALSE(gives_up(known, third)) << "the recovery does not name it";
  known.membership.recoveries.back().given_up.push_back(third.member_uuid);
  EXPECT_TRUE(gives_up(known, third)) << "one that was given up passes it on";

  Hello apart = old;
  apart.membership.recoveries.push_back({"second", {kTwo}});
  EXPECT_NE(check_hello(recovered, apart).error().message.find("recovered twice"),
            std::string::npos);
  Hello empty = old;
  empty.formed = false;
  empty.membership = {};
  EXPECT_TRUE(check_hello(recovered, empty));
  EXPECT_TRUE(check_hello(empty, recovered));
}

}  // namespace
}  // namespace gantry::peer
