// SPDX-License-Identifier: Apache-2.0
// What a member must never forget: its identity, its term and its vote, and that bytes it has
// acknowledged may be missing. In store/raft/hardstate, two checksummed slots; every change is
// durable before it is acted upon. Log shard only.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "base/types.h"
#include "io/two_slot_file.h"
#include "raft/core.h"
#include "raft/membership.h"

namespace gantry::replog {

struct HardState {
  std::string member_uuid;  // 32 hex digits, made when the store is created
  Term term;
  std::string voted_for;        // member uuid, empty: no vote in `term`
  std::int64_t file_bytes = 0;  // CommitLog file size of the store
  std::int64_t starts = 0;      // how often the store has been started
  bool recovering = false;      // does not vote by itself until it has caught up with a leader
  // As in raft::HardState.
  raft::Membership recovered;
  bool given_up = false;
  // Of the group as it was formed, before any membership record; empty: a group of one, or not
  // formed yet.
  raft::Membership formed;
};

class HardStateFile {
 public:
  // `created` tells whether the store was new: then `new_uuid` is its member's.
  static Result<std::unique_ptr<HardStateFile>> open(io::FileSystem& fs, const std::string& path,
                                                     std::int64_t file_bytes,
                                                     const std::string& new_uuid, bool* created);
  const HardState& state() const { return state_; }
  // What the consensus core keeps of it.
  raft::HardState of_core() const;
  Result<void> save(HardState state);

 private:
  std::unique_ptr<io::TwoSlotFile> file_;
  HardState state_;
};

// 32 random hex digits.
std::string make_member_uuid();

}  // namespace gantry::replog
