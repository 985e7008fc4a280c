// SPDX-License-Identifier: Apache-2.0
// What members say to each other. The core makes and reads these values; record bytes and state
// snapshots travel beside them and are the business of whoever drives the core.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "base/types.h"
#include "raft/epoch_table.h"
#include "raft/membership.h"

namespace gantry::raft {

// What an election compares: the term of the last byte, then how far the log goes.
struct LogEnd {
  Term last_term;
  LogPosition end;
  auto operator<=>(const LogEnd&) const = default;
};

// Message.term is the term the candidate has (vote) or would have (pre-vote).
struct VoteRequest {
  bool pre = false;
  bool transfer = false;  // the leader asked for this election: its stickiness is waived
  LogEnd log;
  LogEnd committed{};  // as far as the sender knows
  bool operator==(const VoteRequest&) const = default;
};

struct VoteAnswer {
  bool pre = false;
  bool granted = false;
  // The voter may have lost acknowledged bytes: its vote counts only when every voter grants.
  bool recovering = false;
  LogEnd log;
  LogEnd committed{};
  bool operator==(const VoteAnswer&) const = default;
};

// The leader's bytes [from, to); empty: a heartbeat. `epochs` and `memberships` start within it; a
// membership that starts at or behind `to` is the newest committed one and counts already.
struct Append {
  LogPosition from, to;
  Term term_before;        // of the byte before `from`
  LogPosition commit;      // the leader's
  LogPosition leader_end;  // what a recovering member has to reach
  std::vector<Epoch> epochs;
  std::vector<MembershipLog::Entry> memberships;
  bool operator==(const Append&) const = default;
};

// Positions up to which the sender's log holds the same bytes as that of the leader of this term.
struct AppendAnswer {
  LogPosition matched;  // in memory
  LogPosition written;  // in the page cache
  LogPosition durable;  // on disk
  bool recovering = false;
  bool operator==(const AppendAnswer&) const = default;
};

// `from` of an append does not fit; where the sender's log stands.
struct AppendRefusal {
  LogPosition from;           // of the refused append
  LogPosition end;            // of the sender's log
  LogPosition commit;         // everything below is equal on both
  std::vector<Epoch> epochs;  // the newest ones
  bool recovering = false;
  bool operator==(const AppendRefusal&) const = default;
};

// One encoded state: all three name it, so that bytes of two are never taken for those of one.
struct SnapshotId {
  LogPosition position;
  std::int64_t size = 0;       // bytes
  std::uint32_t checksum = 0;  // CRC-32 of all of them
  bool operator==(const SnapshotId&) const = default;
};

// The leader's log begins behind the member's end: a state snapshot and the log from `begin` on
// replace what the member has. The snapshot is beside this message or, if it is too large for one,
// comes in pieces: then this offers it, and the member answers how much of it it has. Offered once
// more when it has everything, it is installed.
struct InstallSnapshot {
  LogPosition begin;     // where the log will begin; everything below it is committed
  LogPosition position;  // of the state snapshot
  LogPosition leader_end;
  std::vector<Epoch> epochs;  // of the log before `begin`
  MembershipLog::Entry membership;
  std::optional<SnapshotId> pieces;  // empty: the snapshot is beside this message
  bool operator==(const InstallSnapshot&) const = default;
};

// The bytes beside this message are those of the snapshot from `offset` on.
struct SnapshotPiece {
  SnapshotId snapshot;
  std::int64_t offset = 0;
  bool operator==(const SnapshotPiece&) const = default;
};

// How much of the snapshot has come, from its first byte on without a gap.
struct SnapshotAnswer {
  SnapshotId snapshot;
  std::int64_t received = 0;
  bool to_offer = false;  // nothing that was sent before the offer is under way any more
  bool operator==(const SnapshotAnswer&) const = default;
};

struct InstallAnswer {
  LogPosition begin;
  bool operator==(const InstallAnswer&) const = default;
};

// Begin an election now, without a pre-vote.
struct TimeoutNow {
  bool operator==(const TimeoutNow&) const = default;
};

// This term is over: the sender knows a later one.
struct StaleTerm {
  bool operator==(const StaleTerm&) const = default;
};

struct Message {
  MemberId from;
  MemberId to;
  Term term;
  // How often the sender has started. Answers of an earlier start say nothing about the log of now.
  std::uint64_t start = 0;
  // The newest start of the receiver that a leader has heard of in its term; 0: none, or not a
  // leader. What was sent to an earlier start does not say how far a recovering member has to go.
  std::uint64_t receiver_start = 0;
  std::variant<VoteRequest, VoteAnswer, Append, AppendAnswer, AppendRefusal, InstallSnapshot,
               InstallAnswer, TimeoutNow, StaleTerm, SnapshotPiece, SnapshotAnswer>
      body;
  bool operator==(const Message&) const = default;
};

}  // namespace gantry::raft
