// SPDX-License-Identifier: Apache-2.0
// The log of one member as a model: records with sizes and identities instead of bytes, and how far
// they are written and synced. What a crash does to it is up to the caller.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "raft/core.h"

namespace gantry::raft::model {

struct Record {
  LogPosition start, end;
  Term term;
  std::uint64_t id = 0;  // unique for every record that a leader ever made: stands for its bytes
  bool starts_term = false;
  std::optional<Membership> membership;
  bool operator==(const Record&) const = default;
};

class ModelLog final : public RecordBounds {
 public:
  std::optional<LogPosition> bound(LogPosition from, std::int64_t bytes_max) override;

  void append(Record record);
  void cut(LogPosition at);
  // Two mistakes of a driver: a sync that was going on is reported as if there had been no cut; the
  // bytes behind the cut stay on the disk until others are written over them.
  bool mistake_late_sync = false;
  bool mistake_cut_undone = false;
  void install(const InstallSnapshot& snapshot);
  void trim(LogPosition begin);

  // Writes the next record, or all of them. Returns what is written now.
  LogPosition write_one();
  LogPosition write_all();
  // A sync takes time: it covers what is written when it begins.
  void begin_sync();
  std::optional<LogPosition> end_sync();
  bool syncing() const { return syncing_.has_value(); }

  // Loses what is behind `keep` (a record's end); what remains is what a start finds.
  void crash(LogPosition keep);

  // What a start makes of it. `committed` is what the member remembers.
  InitialLog initial(HardState hard, LogPosition committed) const;

  LogPosition begin() const { return begin_; }
  LogPosition end() const { return records_.empty() ? begin_ : records_.back().end; }
  LogPosition written() const { return written_; }
  LogPosition durable() const { return durable_; }
  const std::vector<Record>& records() const { return records_; }
  std::vector<Record> range(LogPosition from, LogPosition to) const;
  const Record* find(LogPosition start) const;
  const std::vector<Epoch>& base_epochs() const { return base_epochs_; }
  // Before there is any record.
  void set_base(Membership membership) { base_membership_ = {{}, {}, std::move(membership)}; }

 private:
  std::vector<Record>::const_iterator at_or_behind(LogPosition start) const;

  LogPosition begin_, written_, durable_;
  std::vector<Record> records_;
  std::vector<Epoch> base_epochs_;          // of what was below begin_
  MembershipLog::Entry base_membership_{};  // the newest below begin_, or of the snapshot
  std::optional<LogPosition> syncing_;
  std::vector<Record> undone_;  // see mistake_cut_undone
};

}  // namespace gantry::raft::model
