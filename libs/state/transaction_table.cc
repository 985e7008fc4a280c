// SPDX-License-Identifier: Apache-2.0
// Open transactions, and what committed records do to them.
#include "state/transaction_table.h"

#include <utility>

#include "state.pb.h"
#include "state/state_machine.h"

namespace gantry::state {

const OpenTransaction* TransactionTable::find(LogPosition half) const {
  const auto it = open_.find(half);
  return it == open_.end() ? nullptr : &it->second;
}

bool TransactionTable::put(OpenTransaction open) {
  if (open.position.v < 0 || open.queue_offset.v < 0) return false;
  if (!open_.empty() && (open.position <= open_.rbegin()->first ||
                         open.queue_offset <= open_.rbegin()->second.queue_offset)) {
    return false;
  }
  ++by_topic_[open.topic];
  by_offset_.emplace(open.queue_offset, open.position);
  const LogPosition position = open.position;
  open_.emplace(position, std::move(open));
  return true;
}

bool TransactionTable::remove(LogPosition half) {
  const auto it = open_.find(half);
  if (it == open_.end()) return false;
  forget(it);
  return true;
}

bool TransactionTable::remove(QueueOffset half) {
  const auto it = by_offset_.find(half);
  return it != by_offset_.end() && remove(it->second);
}

void TransactionTable::remove_before(LogPosition position) {
  while (!open_.empty() && open_.begin()->first < position) forget(open_.begin());
}

void TransactionTable::forget(const std::map<LogPosition, OpenTransaction>::iterator& at) {
  by_offset_.erase(at->second.queue_offset);
  const auto topic = by_topic_.find(at->second.topic);
  if (--topic->second == 0) by_topic_.erase(topic);
  open_.erase(at);
}

bool TransactionTable::count_check(LogPosition half) {
  const auto it = open_.find(half);
  if (it == open_.end()) return false;
  ++it->second.checks;
  return true;
}

void TransactionTable::clear() { *this = TransactionTable(); }

StateMachine::StepResult StateMachine::apply_half(LogPosition record_end, OpenTransaction half) {
  if (record_end <= applied_) return StepResult::kAlreadyApplied;
  applied_ = record_end;
  if (feature_level_ < kTransactionsLevel) return StepResult::kDuplicate;
  return transactions_.put(std::move(half)) ? StepResult::kApplied : StepResult::kDuplicate;
}

StateMachine::StepResult StateMachine::apply_transaction_end(LogPosition record_end,
                                                             LogPosition half) {
  if (record_end <= applied_) return StepResult::kAlreadyApplied;
  applied_ = record_end;
  return transactions_.remove(half) ? StepResult::kApplied : StepResult::kDuplicate;
}

void StateMachine::apply_transaction_ends(LogPosition record_end,
                                          std::span<const QueueOffset> halves) {
  if (record_end <= applied_) return;
  applied_ = record_end;
  for (const QueueOffset half : halves) transactions_.remove(half);
}

void StateMachine::apply_count_checks(const proto::Command& command) {
  for (const std::int64_t position : command.count_checks().positions()) {
    transactions_.count_check(LogPosition(position));
  }
}

}  // namespace gantry::state
