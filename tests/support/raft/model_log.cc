// SPDX-License-Identifier: Apache-2.0
#include "tests/support/raft/model_log.h"

#include <algorithm>

namespace gantry::raft::model {

std::vector<Record>::const_iterator ModelLog::at_or_behind(LogPosition start) const {
  return std::ranges::lower_bound(records_, start, {}, &Record::start);
}

std::optional<LogPosition> ModelLog::bound(LogPosition from, std::int64_t bytes_max) {
  auto it = at_or_behind(from);
  if (it == records_.end() || it->start != from) return std::nullopt;
  LogPosition result = it->end;
  for (++it; it != records_.end() && it->end <= from + bytes_max; ++it) result = it->end;
  return result;
}

void ModelLog::append(Record record) {
  std::erase_if(undone_, [&](const Record& old) { return old.start < record.end; });
  records_.push_back(std::move(record));
}

void ModelLog::cut(LogPosition at) {
  if (mistake_cut_undone) undone_ = range(at, written_);
  while (!records_.empty() && records_.back().start >= at) records_.pop_back();
  written_ = std::min(written_, at);
  durable_ = std::min(durable_, at);
  if (syncing_ && !mistake_late_sync) syncing_ = std::min(*syncing_, at);
}

void ModelLog::install(const InstallSnapshot& snapshot) {
  records_.clear();
  undone_.clear();
  begin_ = written_ = durable_ = snapshot.begin;
  base_epochs_ = snapshot.epochs;
  base_membership_ = snapshot.membership;
  syncing_.reset();
}

void ModelLog::trim(LogPosition begin) {
  EpochTable epochs(base_epochs_);
  for (const Record& record : records_) {
    if (record.start >= begin) break;
    if (record.starts_term) epochs.add({record.term, record.start, false});
    if (record.membership && record.start >= base_membership_.start) {
      base_membership_ = {record.start, record.end, *record.membership};
    }
  }
  base_epochs_.assign(epochs.all().begin(), epochs.all().end());
  records_.erase(records_.begin(), at_or_behind(begin));
  begin_ = begin;
}

LogPosition ModelLog::write_one() {
  const auto it = at_or_behind(written_);
  if (it != records_.end()) written_ = it->end;
  return written_;
}

LogPosition ModelLog::write_all() { return written_ = end(); }

void ModelLog::begin_sync() {
  if (!syncing_) syncing_ = written_;
}

std::optional<LogPosition> ModelLog::end_sync() {
  const auto done = std::exchange(syncing_, std::nullopt);
  if (done) durable_ = std::max(durable_, std::min(*done, end()));
  return done;
}

void ModelLog::crash(LogPosition keep) {
  while (!records_.empty() && records_.back().end > keep) records_.pop_back();
  for (const Record& old : undone_) {
    if (old.start == end()) records_.push_back(old);
  }
  undone_.clear();
  written_ = end();
  durable_ = std::min(durable_, end());
  syncing_.reset();
}

InitialLog ModelLog::initial(HardState hard, LogPosition committed) const {
  InitialLog log;
  log.hard = std::move(hard);
  log.begin = begin_;
  log.end = end();
  log.durable = durable_;
  log.committed = committed;
  log.epochs = EpochTable(base_epochs_);
  log.memberships.reset(base_membership_);
  for (const Record& record : records_) {
    if (record.starts_term) log.epochs.add({record.term, record.start, false});
    if (record.membership && record.start > base_membership_.start) {
      log.memberships.add({record.start, record.end, *record.membership});
    }
  }
  log.memberships.commit(committed);
  return log;
}

std::vector<Record> ModelLog::range(LogPosition from, LogPosition to) const {
  std::vector<Record> result;
  for (auto it = at_or_behind(from); it != records_.end() && it->end <= to; ++it) {
    result.push_back(*it);
  }
  return result;
}

const Record* ModelLog::find(LogPosition start) const {
  const auto it = at_or_behind(start);
  return it == records_.end() || it->start != start ? nullptr : &*it;
}

}  // namespace gantry::raft::model
