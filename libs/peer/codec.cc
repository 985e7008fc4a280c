// SPDX-License-Identifier: Apache-2.0
#include "peer/codec.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "peer.pb.h"

namespace gantry::peer {
namespace {

constexpr std::size_t kMemberIdDigits = 32;

using Body = decltype(raft::Message::body);

// ---- out

void put(const std::vector<raft::Epoch>& epochs,
         google::protobuf::RepeatedPtrField<proto::Epoch>& out) {
  for (const raft::Epoch& epoch : epochs) {
    proto::Epoch& entry = *out.Add();
    entry.set_term(epoch.term.v);
    entry.set_start(epoch.start.v);
    entry.set_apache(epoch.apache);
  }
}

void put(const raft::LogEnd& log, proto::LogEnd& out) {
  out.set_last_term(log.last_term.v);
  out.set_end(log.end.v);
}

void put(const raft::SnapshotId& snapshot, proto::SnapshotId& out) {
  out.set_position(snapshot.position.v);
  out.set_size(snapshot.size);
  out.set_checksum(snapshot.checksum);
}

struct Writer {
  proto::Message& out;

  void operator()(const raft::VoteRequest& m) const {
    proto::VoteRequest& to = *out.mutable_vote_request();
    to.set_pre(m.pre);
    to.set_transfer(m.transfer);
    put(m.log, *to.mutable_log());
    put(m.committed, *to.mutable_committed());
  }
  void operator()(const raft::VoteAnswer& m) const {
    proto::VoteAnswer& to = *out.mutable_vote_answer();
    to.set_pre(m.pre);
    to.set_granted(m.granted);
    to.set_recovering(m.recovering);
    put(m.log, *to.mutable_log());
    put(m.committed, *to.mutable_committed());
  }
  void operator()(const raft::Append& m) const {
    proto::Append& to = *out.mutable_append();
    to.set_from(m.from.v);
    to.set_to(m.to.v);
    to.set_term_before(m.term_before.v);
    to.set_commit(m.commit.v);
    to.set_leader_end(m.leader_end.v);
    put(m.epochs, *to.mutable_epochs());
    // Memberships within the bytes are read from them.
    for (const raft::MembershipLog::Entry& entry : m.memberships) {
      if (entry.start < m.to) continue;
      proto::MembershipAhead& ahead = *to.mutable_membership_ahead();
      ahead.set_start(entry.start.v);
      ahead.set_end(entry.end.v);
      ahead.set_membership(entry.membership.encode());
    }
  }
  void operator()(const raft::AppendAnswer& m) const {
    proto::AppendAnswer& to = *out.mutable_append_answer();
    to.set_matched(m.matched.v);
    to.set_written(m.written.v);
    to.set_durable(m.durable.v);
    to.set_recovering(m.recovering);
  }
  void operator()(const raft::AppendRefusal& m) const {
    proto::AppendRefusal& to = *out.mutable_append_refusal();
    to.set_from(m.from.v);
    to.set_end(m.end.v);
    to.set_commit(m.commit.v);
    to.set_recovering(m.recovering);
    put(m.epochs, *to.mutable_epochs());
  }
  void operator()(const raft::InstallSnapshot& m) const {
    proto::InstallSnapshot& to = *out.mutable_install_snapshot();
    to.set_begin(m.begin.v);
    to.set_position(m.position.v);
    to.set_leader_end(m.leader_end.v);
    put(m.epochs, *to.mutable_epochs());
    to.set_membership_start(m.membership.start.v);
    to.set_membership_end(m.membership.end.v);
    to.set_membership(m.membership.membership.encode());
    if (m.pieces) put(*m.pieces, *to.mutable_pieces());
  }
  void operator()(const raft::InstallAnswer& m) const {
    out.mutable_install_answer()->set_begin(m.begin.v);
  }
  void operator()(const raft::SnapshotPiece& m) const {
    proto::SnapshotPiece& to = *out.mutable_snapshot_piece();
    put(m.snapshot, *to.mutable_snapshot());
    to.set_offset(m.offset);
  }
  void operator()(const raft::SnapshotAnswer& m) const {
    proto::SnapshotAnswer& to = *out.mutable_snapshot_answer();
    put(m.snapshot, *to.mutable_snapshot());
    to.set_received(m.received);
    to.set_to_offer(m.to_offer);
  }
  void operator()(const raft::TimeoutNow&) const { out.mutable_timeout_now(); }
  void operator()(const raft::StaleTerm&) const { out.mutable_stale_term(); }
};

// ---- in

std::unexpected<Error> bad(std::string what) {
  return make_error(ErrorCode::kCorrupt, std::move(what));
}

struct Named {
  const char* name;
  std::int64_t value;
};

// None negative.
Result<void> check(const char* message, std::initializer_list<Named> values) {
  for (const Named& value : values) {
    if (value.value < 0) return bad(fmt::format("{}.{} is {}", message, value.name, value.value));
  }
  return {};
}

// None negative and none larger than the one before.
Result<void> check_falling(const char* message, std::initializer_list<Named> values) {
  GANTRY_TRY(check(message, values));
  const Named* before = nullptr;
  for (const Named& value : values) {
    if (before != nullptr && value.value > before->value) {
      return bad(fmt::format("{}.{} is {}, more than {} {}", message, value.name, value.value,
                             before->name, before->value));
    }
    before = &value;
  }
  return {};
}

Result<std::vector<raft::Epoch>> get(const char* message,
                                     const google::protobuf::RepeatedPtrField<proto::Epoch>& in,
                                     std::int64_t start_min, std::int64_t start_max) {
  std::vector<raft::Epoch> epochs;
  epochs.reserve(static_cast<std::size_t>(in.size()));
  std::int64_t least = start_min;
  for (const proto::Epoch& epoch : in) {
    if (epoch.term() < 0 || epoch.start() < least || epoch.start() > start_max) {
      return bad(fmt::format("{}.epochs: term {} starts at {}, expected within [{}, {}]", message,
                             epoch.term(), epoch.start(), least, start_max));
    }
    least = epoch.start();
    epochs.push_back({Term(epoch.term()), LogPosition(epoch.start()), epoch.apache()});
  }
  return epochs;
}

Result<raft::LogEnd> get(const std::string& field, const proto::LogEnd& in) {
  for (const Named& value : {Named{"last_term", in.last_term()}, Named{"end", in.end()}}) {
    if (value.value < 0) return bad(fmt::format("{}.{} is {}", field, value.name, value.value));
  }
  return raft::LogEnd{Term(in.last_term()), LogPosition(in.end())};
}

Result<raft::Membership> get_membership(const char* message, const std::string& text) {
  auto membership = raft::Membership::decode(text);
  if (!membership) return bad(fmt::format("{}: {}", message, membership.error().message));
  for (const raft::Member& member : membership->members) {
    if (!valid_member_id(member.id)) {
      return bad(fmt::format("{}.membership: '{}' is not a member's uuid", message, member.id));
    }
  }
  for (const raft::Recovery& recovery : membership->recoveries) {
    if (std::ranges::all_of(recovery.given_up, valid_member_id)) continue;
    return bad(fmt::format("{}.membership: recovery {} has given up what is not a member's uuid",
                           message, recovery.id));
  }
  return membership;
}

Result<Body> get(const proto::VoteRequest& in) {
  const auto log = get("VoteRequest.log", in.log());
  if (!log) return std::unexpected(log.error());
  const auto committed = get("VoteRequest.committed", in.committed());
  if (!committed) return std::unexpected(committed.error());
  return raft::VoteRequest{in.pre(), in.transfer(), *log, *committed};
}

Result<Body> get(const proto::VoteAnswer& in) {
  const auto log = get("VoteAnswer.log", in.log());
  if (!log) return std::unexpected(log.error());
  const auto committed = get("VoteAnswer.committed", in.committed());
  if (!committed) return std::unexpected(committed.error());
  return raft::VoteAnswer{in.pre(), in.granted(), in.recovering(), *log, *committed};
}

// A blank is 8 bytes here and as many as are left of its file in the log, so the body may be
// shorter than its range, never longer.
Result<Body> get(const proto::Append& in, std::size_t body_bytes) {
  constexpr const char* kName = "Append";
  GANTRY_TRY(check(kName, {{"term_before", in.term_before()}, {"commit", in.commit()}}));
  GANTRY_TRY(check_falling(
      kName, {{"leader_end", in.leader_end()}, {"to", in.to()}, {"from", in.from()}}));
  const auto range = static_cast<std::uint64_t>(in.to() - in.from());
  if (body_bytes > range || (body_bytes == 0) != (range == 0)) {
    return bad(fmt::format("Append of [{}, {}) with {} bytes", in.from(), in.to(), body_bytes));
  }
  auto epochs = get(kName, in.epochs(), in.from(), in.to() - 1);
  if (!epochs) return std::unexpected(epochs.error());
  raft::Append append;
  append.from = LogPosition(in.from());
  append.to = LogPosition(in.to());
  append.term_before = Term(in.term_before());
  append.commit = LogPosition(in.commit());
  append.leader_end = LogPosition(in.leader_end());
  append.epochs = std::move(*epochs);
  if (in.has_membership_ahead()) {
    const proto::MembershipAhead& ahead = in.membership_ahead();
    GANTRY_TRY(check_falling(kName, {{"membership_ahead.end", ahead.end()},
                                     {"membership_ahead.start", ahead.start()},
                                     {"to", in.to()}}));
    auto membership = get_membership(kName, ahead.membership());
    if (!membership) return std::unexpected(membership.error());
    append.memberships.push_back(
        {LogPosition(ahead.start()), LogPosition(ahead.end()), std::move(*membership)});
  }
  return append;
}

Result<Body> get(const proto::AppendAnswer& in) {
  GANTRY_TRY(check_falling(
      "AppendAnswer",
      {{"matched", in.matched()}, {"written", in.written()}, {"durable", in.durable()}}));
  return raft::AppendAnswer{LogPosition(in.matched()), LogPosition(in.written()),
                            LogPosition(in.durable()), in.recovering()};
}

Result<Body> get(const proto::AppendRefusal& in) {
  constexpr const char* kName = "AppendRefusal";
  GANTRY_TRY(check(kName, {{"from", in.from()}}));
  GANTRY_TRY(check_falling(kName, {{"end", in.end()}, {"commit", in.commit()}}));
  auto epochs = get(kName, in.epochs(), 0, in.end());
  if (!epochs) return std::unexpected(epochs.error());
  return raft::AppendRefusal{LogPosition(in.from()), LogPosition(in.end()),
                             LogPosition(in.commit()), std::move(*epochs), in.recovering()};
}

// What Protobuf can take is the limit of a state.
Result<raft::SnapshotId> get(const char* message, const proto::SnapshotId& in) {
  GANTRY_TRY(check(message, {{"snapshot.position", in.position()}}));
  if (in.size() <= 0 || in.size() > std::numeric_limits<std::int32_t>::max()) {
    return bad(fmt::format("{}.snapshot.size is {}, expected within [1, {}]", message, in.size(),
                           std::numeric_limits<std::int32_t>::max()));
  }
  return raft::SnapshotId{LogPosition(in.position()), in.size(), in.checksum()};
}

Result<Body> get(const proto::SnapshotPiece& in, std::size_t body_bytes) {
  constexpr const char* kName = "SnapshotPiece";
  const auto snapshot = get(kName, in.snapshot());
  if (!snapshot) return std::unexpected(snapshot.error());
  GANTRY_TRY(check_falling(kName, {{"snapshot.size", snapshot->size}, {"offset", in.offset()}}));
  if (body_bytes == 0 || std::cmp_greater(body_bytes, snapshot->size - in.offset())) {
    return bad(fmt::format("SnapshotPiece of {} bytes at {} of {}", body_bytes, in.offset(),
                           snapshot->size));
  }
  return raft::SnapshotPiece{*snapshot, in.offset()};
}

Result<Body> get(const proto::SnapshotAnswer& in) {
  constexpr const char* kName = "SnapshotAnswer";
  const auto snapshot = get(kName, in.snapshot());
  if (!snapshot) return std::unexpected(snapshot.error());
  GANTRY_TRY(
      check_falling(kName, {{"snapshot.size", snapshot->size}, {"received", in.received()}}));
  return raft::SnapshotAnswer{*snapshot, in.received(), in.to_offer()};
}

Result<Body> get(const proto::InstallSnapshot& in, std::size_t body_bytes) {
  constexpr const char* kName = "InstallSnapshot";
  GANTRY_TRY(check_falling(
      kName,
      {{"leader_end", in.leader_end()}, {"position", in.position()}, {"begin", in.begin()}}));
  GANTRY_TRY(check_falling(kName, {{"membership_end", in.membership_end()},
                                   {"membership_start", in.membership_start()}}));
  auto epochs = get(kName, in.epochs(), 0, in.begin());
  if (!epochs) return std::unexpected(epochs.error());
  auto membership = get_membership(kName, in.membership());
  if (!membership) return std::unexpected(membership.error());
  raft::InstallSnapshot install;
  install.begin = LogPosition(in.begin());
  install.position = LogPosition(in.position());
  install.leader_end = LogPosition(in.leader_end());
  install.epochs = std::move(*epochs);
  install.membership = {LogPosition(in.membership_start()), LogPosition(in.membership_end()),
                        std::move(*membership)};
  if (!in.has_pieces()) return install;
  const auto pieces = get(kName, in.pieces());
  if (!pieces) return std::unexpected(pieces.error());
  if (pieces->position != install.position) {
    return bad(fmt::format("InstallSnapshot.pieces is of {}, expected position {}",
                           pieces->position.v, in.position()));
  }
  if (body_bytes > 0)
    return bad(fmt::format("InstallSnapshot of pieces with {} bytes", body_bytes));
  install.pieces = *pieces;
  return install;
}

Result<Body> get_body(const proto::Message& in, std::size_t body_bytes) {
  switch (in.body_case()) {
    case proto::Message::kVoteRequest:
      return get(in.vote_request());
    case proto::Message::kVoteAnswer:
      return get(in.vote_answer());
    case proto::Message::kAppend:
      return get(in.append(), body_bytes);
    case proto::Message::kAppendAnswer:
      return get(in.append_answer());
    case proto::Message::kAppendRefusal:
      return get(in.append_refusal());
    case proto::Message::kInstallSnapshot:
      return get(in.install_snapshot(), body_bytes);
    case proto::Message::kInstallAnswer:
      GANTRY_TRY(check("InstallAnswer", {{"begin", in.install_answer().begin()}}));
      return raft::InstallAnswer{LogPosition(in.install_answer().begin())};
    case proto::Message::kTimeoutNow:
      return raft::TimeoutNow{};
    case proto::Message::kStaleTerm:
      return raft::StaleTerm{};
    case proto::Message::kSnapshotPiece:
      return get(in.snapshot_piece(), body_bytes);
    case proto::Message::kSnapshotAnswer:
      return get(in.snapshot_answer());
    case proto::Message::BODY_NOT_SET:
      break;
  }
  return bad("a message of no known kind");
}

Result<Decoded> get(const proto::Message& in, std::size_t body_bytes) {
  for (const std::string& id : {in.from(), in.to()}) {
    if (!valid_member_id(id)) {
      return bad(
          fmt::format("a message from '{}' to '{}': a member's uuid has {} hexadecimal digits",
                      in.from(), in.to(), kMemberIdDigits));
    }
  }
  GANTRY_TRY(check("message", {{"term", in.term()}}));
  auto body = get_body(in, body_bytes);
  if (!body) return std::unexpected(body.error());
  const bool takes_body = std::holds_alternative<raft::Append>(*body) ||
                          std::holds_alternative<raft::InstallSnapshot>(*body) ||
                          std::holds_alternative<raft::SnapshotPiece>(*body);
  if (body_bytes > 0 && !takes_body) {
    return bad(fmt::format("{} bytes beside a message that has none", body_bytes));
  }
  return raft::Message{in.from(),           in.to(),         Term(in.term()), in.start(),
                       in.receiver_start(), std::move(*body)};
}

Result<Decoded> get(const proto::Hello& in) {
  if (!valid_member_id(in.member_uuid())) {
    return bad(fmt::format("Hello.member_uuid is '{}', expected {} hexadecimal digits",
                           in.member_uuid(), kMemberIdDigits));
  }
  if (in.address().empty()) return bad("Hello.address is empty");
  if (in.clock_ms() < 0) return bad(fmt::format("Hello.clock_ms is {}", in.clock_ms()));
  if (in.file_bytes() <= 0) return bad(fmt::format("Hello.file_bytes is {}", in.file_bytes()));
  Hello hello;
  hello.protocol_version = in.protocol_version();
  hello.cluster = in.cluster();
  hello.broker_name = in.broker_name();
  hello.member_uuid = in.member_uuid();
  hello.address = in.address();
  hello.client_address = in.client_address();
  hello.http_address = in.http_address();
  hello.log_end = in.log_end();
  hello.clock_ms = in.clock_ms();
  hello.process = in.process();
  hello.file_bytes = in.file_bytes();
  hello.feature_level = in.feature_level();
  hello.start = in.start();
  hello.snapshot_pieces = in.snapshot_pieces();
  hello.formed = in.formed();
  if (hello.formed) {
    auto membership = get_membership("Hello", in.membership());
    if (!membership) return std::unexpected(membership.error());
    hello.membership = std::move(*membership);
    hello.given_up = in.given_up();
  } else if (!in.membership().empty()) {
    return bad("Hello.membership of a member that belongs to no group");
  }
  return hello;
}

}  // namespace

bool valid_member_id(std::string_view id) {
  return id.size() == kMemberIdDigits && std::ranges::all_of(id, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string encode(const Hello& hello) {
  proto::Header header;
  proto::Hello& out = *header.mutable_hello();
  out.set_protocol_version(hello.protocol_version);
  out.set_cluster(hello.cluster);
  out.set_broker_name(hello.broker_name);
  out.set_member_uuid(hello.member_uuid);
  out.set_address(hello.address);
  out.set_file_bytes(hello.file_bytes);
  out.set_feature_level(hello.feature_level);
  out.set_start(hello.start);
  out.set_client_address(hello.client_address);
  out.set_http_address(hello.http_address);
  out.set_log_end(hello.log_end);
  out.set_clock_ms(hello.clock_ms);
  out.set_process(hello.process);
  out.set_snapshot_pieces(hello.snapshot_pieces);
  out.set_formed(hello.formed);
  out.set_given_up(hello.given_up);
  if (hello.formed) out.set_membership(hello.membership.encode());
  return header.SerializeAsString();
}

std::string encode(const Refusal& refusal) {
  proto::Header header;
  header.mutable_refusal()->set_reason(refusal.reason);
  return header.SerializeAsString();
}

std::string encode(const raft::Message& message) {
  proto::Header header;
  proto::Message& out = *header.mutable_message();
  out.set_from(message.from);
  out.set_to(message.to);
  out.set_term(message.term.v);
  out.set_start(message.start);
  out.set_receiver_start(message.receiver_start);
  std::visit(Writer{out}, message.body);
  return header.SerializeAsString();
}

Result<Decoded> decode(std::string_view header, std::size_t body_bytes) {
  proto::Header in;
  if (header.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()) ||
      !in.ParseFromArray(header.data(), static_cast<int>(header.size()))) {
    return bad("the header is not Protobuf");
  }
  if (in.kind_case() == proto::Header::kMessage) return get(in.message(), body_bytes);
  if (body_bytes > 0) return bad(fmt::format("{} bytes beside a header that has none", body_bytes));
  if (in.kind_case() == proto::Header::kHello) return get(in.hello());
  if (in.kind_case() == proto::Header::kRefusal) return Refusal{in.refusal().reason()};
  return bad("a frame of no known kind");
}

}  // namespace gantry::peer
