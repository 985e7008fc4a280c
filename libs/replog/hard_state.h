// SPDX-License-Identifier: Apache-2.0
// What a member must never forget: its identity, its term and its vote. In store/raft/hardstate,
// two checksummed slots; every change is durable before it is acted upon. Log shard only.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "base/types.h"
#include "io/two_slot_file.h"

namespace gantry::replog {

struct HardState {
  std::string member_uuid;  // 32 hex digits, made when the store is created
  Term term;
  std::string voted_for;        // member uuid, empty: no vote in `term`
  std::int64_t file_bytes = 0;  // CommitLog file size of the store
};

class HardStateFile {
 public:
  // `created` tells whether the store was new: then a uuid has been made and written.
  static Result<std::unique_ptr<HardStateFile>> open(io::FileSystem& fs, const std::string& path,
                                                     std::int64_t file_bytes, bool* created);
  const HardState& state() const { return state_; }
  Result<void> save(HardState state);

 private:
  std::unique_ptr<io::TwoSlotFile> file_;
  HardState state_;
};

}  // namespace gantry::replog
