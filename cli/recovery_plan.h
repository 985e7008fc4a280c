// SPDX-License-Identifier: Apache-2.0
// How a broker set without a majority could go on: what the members that answer say of themselves,
// and which of them has the most. The member itself checks it all again
// (raft::Core::may_recover()); this is for people, and to know whom to ask. Pure values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/broker_set.h"
#include "cli/failure.h"

namespace gantry::cli {

// One member's own words.
struct MemberReport {
  std::string uuid;
  std::string http_address;
  std::string leader;  // uuid; empty: it knows of none
  std::int64_t term = 0;
  std::int64_t last_term = 0;  // of the last byte of its log
  std::int64_t end = 0, committed = 0;
  bool recovering = false;  // it may have forgotten what it acknowledged
  bool given_up = false;    // by an earlier recovery
  std::vector<std::string> recoveries;
  struct Epoch {
    std::int64_t term = 0, start = 0;
  };
  std::vector<Epoch> epochs;
  SetView view;  // of its set

  // Of the byte before `position`; 0: not known.
  std::int64_t term_before(std::int64_t position) const;
};

Result<MemberReport> parse_report(std::string_view raft_json, SetView view,
                                  std::string http_address);

struct RecoveryPlan {
  struct Voter {
    SetMember member;
    std::optional<MemberReport> report;  // nothing: it does not answer
  };
  std::string broker_name;
  std::vector<Voter> voters;  // of the set as the chosen one knows it, by number
  std::string chosen;         // uuid
  std::vector<std::string> learners;

  const MemberReport& of_chosen() const;
  std::vector<std::string> survivors() const;  // without the chosen one
  std::vector<std::string> given_up() const;
};

// kNotFound, kFailed: it is not the way out, the message says why.
std::expected<RecoveryPlan, Failure> plan_recovery(const std::vector<MemberReport>& reports);

}  // namespace gantry::cli
