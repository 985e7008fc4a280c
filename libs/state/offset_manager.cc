// SPDX-License-Identifier: Apache-2.0
#include "state/offset_manager.h"

#include <algorithm>
#include <set>
#include <utility>

namespace gantry::state {
namespace {

Error not_leading() { return Error{ErrorCode::kUnavailable, "this member is not the leader"}; }

void finish(OffsetManager::Done& done, Result<void> result) {
  if (done) done(std::move(result));
}

}  // namespace

OffsetManager::OffsetManager(StateMachine& machine, replog::CommandLog& log, Clock& clock)
    : machine_(machine), log_(log), clock_(clock) {
  machine_.add_listener(this);
}

OffsetManager::~OffsetManager() { machine_.remove_listener(this); }

void OffsetManager::begin_term(Term term) {
  end_term();
  term_ = term;
  leading_ = true;
  guard_ = std::make_shared<bool>(true);
  last_flush_us_ = clock_.steady_us();
}

void OffsetManager::end_term() {
  leading_ = false;
  guard_.reset();
  batches_in_flight_ = 0;
  clear_overlay();
  for (Waiter& waiter : std::exchange(waiters_, {})) {
    finish(waiter.done, std::unexpected(not_leading()));
  }
}

CommandStamp OffsetManager::stamp() const { return CommandStamp{clock_.wall_ms(), term_}; }

std::optional<QueueOffset> OffsetManager::query(std::string_view group, std::string_view topic,
                                                std::int32_t queue_id) const {
  const Entry* entry = overlay_.find(group, topic, queue_id);
  if (entry != nullptr && entry->offset) return entry->offset;
  return machine_.offsets().committed(group, topic, queue_id);
}

OffsetManager::CommitResult OffsetManager::commit(std::string_view group, std::string_view topic,
                                                  std::int32_t queue_id, QueueOffset offset) {
  if (!leading_) return CommitResult::kNotLeading;
  if (has_pending_reset(group, topic, queue_id)) return CommitResult::kPendingReset;
  // Idle consumers commit the same offsets again and again.
  if (query(group, topic, queue_id) == offset) return CommitResult::kStored;
  Entry& entry = touch(group, topic, queue_id);
  entry.offset = offset;
  set_dirty(entry, true, entry.dirty_taken);
  return CommitResult::kStored;
}

std::optional<QueueOffset> OffsetManager::query_pull_offset(std::string_view group,
                                                            std::string_view topic,
                                                            std::int32_t queue_id) const {
  const QueueOffset* pulled = pull_offsets_.find(group, topic, queue_id);
  return pulled != nullptr ? *pulled : query(group, topic, queue_id);
}

void OffsetManager::commit_pull_offset(std::string_view group, std::string_view topic,
                                       std::int32_t queue_id, QueueOffset offset) {
  pull_offsets_.at(group, topic, queue_id) = offset;
}

bool OffsetManager::has_pending_reset(std::string_view group, std::string_view topic,
                                      std::int32_t queue_id) const {
  if (pending_in_overlay_ == 0 && machine_.offsets().pending_resets() == 0) return false;
  const Entry* entry = overlay_.find(group, topic, queue_id);
  if (entry != nullptr && entry->reset != ResetState::kFromTable) {
    return entry->reset == ResetState::kPending;
  }
  const OffsetTable::Entry* committed = machine_.offsets().find(group, topic, queue_id);
  return committed != nullptr && committed->pending_reset;
}

std::optional<QueueOffset> OffsetManager::take_pending_reset(std::string_view group,
                                                             std::string_view topic,
                                                             std::int32_t queue_id) {
  if (!leading_ || !has_pending_reset(group, topic, queue_id)) return std::nullopt;
  const std::optional<QueueOffset> offset = query(group, topic, queue_id);
  Entry& entry = touch(group, topic, queue_id);
  if (entry.reset == ResetState::kPending) --pending_in_overlay_;
  entry.reset = ResetState::kTaken;
  entry.offset = offset;
  set_dirty(entry, false, true);
  return offset;
}

std::map<std::int32_t, QueueOffset> OffsetManager::queues(std::string_view group,
                                                          std::string_view topic) const {
  std::map<std::int32_t, QueueOffset> out;
  if (const auto* committed = machine_.offsets().queues(group, topic)) {
    for (const auto& [queue_id, entry] : *committed) out.emplace(queue_id, entry.offset);
  }
  if (const auto* newer = overlay_.queues(group, topic)) {
    for (const auto& [queue_id, entry] : *newer) {
      if (entry.offset) out.insert_or_assign(queue_id, *entry.offset);
    }
  }
  return out;
}

std::vector<std::string> OffsetManager::topics_of(std::string_view group) const {
  const std::vector<std::string> committed = machine_.offsets().topics_of(group);
  std::set<std::string> names(committed.begin(), committed.end());
  if (const auto* topics = overlay_.topics(group)) {
    for (const auto& entry : *topics) names.insert(entry.first);
  }
  return {names.begin(), names.end()};
}

std::vector<std::string> OffsetManager::groups_of(std::string_view topic) const {
  const std::vector<std::string> committed = machine_.offsets().groups_of(topic);
  std::set<std::string> names(committed.begin(), committed.end());
  overlay_.for_each([&](const std::string& group, const std::string& of_topic, const auto&) {
    if (of_topic == topic) names.insert(group);
  });
  return {names.begin(), names.end()};
}

void OffsetManager::reset(std::vector<OffsetEntry> entries, PendingReset pending, Done done) {
  if (!leading_) return finish(done, std::unexpected(not_leading()));
  append_dirty();
  std::vector<Sent> sent;
  for (const OffsetEntry& reset : entries) {
    Entry& entry = touch(reset.group, reset.topic, reset.queue_id);
    const bool was_pending = entry.reset == ResetState::kPending;
    entry.offset = reset.offset;
    entry.reset = pending == PendingReset::kYes ? ResetState::kPending : ResetState::kTaken;
    if (was_pending) --pending_in_overlay_;
    if (entry.reset == ResetState::kPending) ++pending_in_overlay_;
    set_dirty(entry, false, false);
    sent.push_back(Sent{{reset.group, reset.topic, reset.queue_id}, entry.version});
  }
  log_.append_command(reset_offsets_command(stamp(), entries, pending).body,
                      [this, guard = std::weak_ptr(guard_), sent = std::move(sent),
                       done = std::move(done)](Result<void> result) mutable {
                        // Applied, the table says the same; failed, the table is right again.
                        if (!guard.expired()) {
                          for (const Sent& entry : sent) erase_if_version(entry);
                        }
                        finish(done, std::move(result));
                      });
}

void OffsetManager::remove(std::string_view group, std::string_view topic, Done done) {
  append(delete_offsets_command(stamp(), group, topic), std::move(done));
}

void OffsetManager::clone(std::string_view source_group, std::string_view target_group,
                          std::string_view topic, Done done) {
  append(clone_offsets_command(stamp(), source_group, target_group, topic), std::move(done));
}

void OffsetManager::append(EncodedCommand command, Done done) {
  if (!leading_) return finish(done, std::unexpected(not_leading()));
  append_dirty();
  log_.append_command(
      std::move(command.body),
      [done = std::move(done)](Result<void> result) mutable { finish(done, std::move(result)); });
}

void OffsetManager::flush_if_due(std::int64_t interval_us) {
  if (!leading_ || dirty_ == 0 || batches_in_flight_ != 0) return;
  if (clock_.steady_us() - last_flush_us_ < interval_us) return;
  append_dirty();
}

void OffsetManager::flush(Done done) {
  if (!leading_) return finish(done, std::unexpected(not_leading()));
  waiters_.push_back(Waiter{std::move(done), std::nullopt});
  append_dirty();
  run_waiters();
}

void OffsetManager::append_dirty() {
  last_flush_us_ = clock_.steady_us();
  std::vector<Batch> batches = take_dirty();
  batches_in_flight_ += batches.size();  // all of them first: a refused append reports at once
  for (Batch& batch : batches) append_batch(std::move(batch));
}

std::vector<OffsetManager::Batch> OffsetManager::take_dirty() {
  constexpr std::size_t kEntryBytes = 32;  // queue id, offset and framing, generously
  std::vector<Batch> batches;
  if (dirty_ == 0) return batches;
  overlay_.for_each(
      [&](const std::string& group, const std::string& topic, QueueTree<Entry>::Queues& queues) {
        for (auto& [queue_id, entry] : queues) {
          if (!entry.dirty()) continue;
          const std::size_t bytes = 2 * (group.size() + topic.size() + kEntryBytes);
          if (batches.empty() || batches.back().bytes + bytes > kCommandBytesMax) {
            batches.emplace_back();
          }
          Batch& batch = batches.back();
          batch.bytes += bytes;
          if (entry.dirty_taken) batch.taken.push_back({group, topic, queue_id});
          if (entry.dirty_offset) batch.offsets.push_back({group, topic, queue_id, *entry.offset});
          batch.sent.push_back(Sent{{group, topic, queue_id}, entry.version});
          set_dirty(entry, false, false);
        }
      });
  return batches;
}

void OffsetManager::append_batch(Batch batch) {
  log_.append_command(
      commit_offsets_command(stamp(), batch.offsets, batch.taken).body,
      [this, guard = std::weak_ptr(guard_), sent = std::move(batch.sent)](Result<void> result) {
        if (!guard.expired()) batch_done(sent, result);
      });
}

void OffsetManager::batch_done(const std::vector<Sent>& sent, const Result<void>& result) {
  --batches_in_flight_;
  for (const Sent& key : sent) {
    if (result) {
      erase_if_version(key);
      continue;
    }
    // Written again with the next batch, unless a reset has replaced it since.
    Entry* entry = overlay_.find(key.key.group, key.key.topic, key.key.queue_id);
    if (entry == nullptr || entry->reset == ResetState::kPending) continue;
    set_dirty(*entry, entry->offset.has_value(), entry->reset == ResetState::kTaken);
  }
  if (!result) {
    for (Waiter& waiter : waiters_) {
      if (!waiter.error) waiter.error = result.error();
    }
  }
  run_waiters();
}

void OffsetManager::run_waiters() {
  if (batches_in_flight_ != 0) return;
  for (Waiter& waiter : std::exchange(waiters_, {})) {
    if (waiter.error) {
      finish(waiter.done, std::unexpected(*std::move(waiter.error)));
    } else {
      finish(waiter.done, {});
    }
  }
}

OffsetManager::Entry& OffsetManager::touch(std::string_view group, std::string_view topic,
                                           std::int32_t queue_id) {
  Entry& entry = overlay_.at(group, topic, queue_id);
  entry.version = next_version_++;
  return entry;
}

void OffsetManager::set_dirty(Entry& entry, bool offset, bool taken) {
  if (entry.dirty()) --dirty_;
  entry.dirty_offset = offset;
  entry.dirty_taken = taken;
  if (entry.dirty()) ++dirty_;
}

bool OffsetManager::erase_if_version(const Sent& sent) {
  const auto& [group, topic, queue_id] = sent.key;
  Entry* entry = overlay_.find(group, topic, queue_id);
  if (entry == nullptr || entry->version != sent.version) return false;
  if (entry->reset == ResetState::kPending) --pending_in_overlay_;
  set_dirty(*entry, false, false);
  overlay_.erase(group, topic, queue_id);
  return true;
}

void OffsetManager::on_offsets_removed(std::string_view group, std::string_view topic) {
  const auto remove_from = [&](auto& tree) {
    if (topic.empty()) {
      tree.erase_group(group);
    } else if (group.empty()) {
      tree.erase_topic(topic);
    } else {
      tree.erase(group, topic);
    }
  };
  remove_from(overlay_);
  remove_from(pull_offsets_);
  recount();
}

void OffsetManager::on_reload() { clear_overlay(); }

void OffsetManager::clear_overlay() {
  overlay_.clear();
  pull_offsets_.clear();
  dirty_ = 0;
  pending_in_overlay_ = 0;
}

void OffsetManager::recount() {
  dirty_ = 0;
  pending_in_overlay_ = 0;
  overlay_.for_each([this](const auto&, const auto&, const QueueTree<Entry>::Queues& queues) {
    for (const auto& queue : queues) {
      dirty_ += queue.second.dirty() ? 1U : 0U;
      pending_in_overlay_ += queue.second.reset == ResetState::kPending ? 1U : 0U;
    }
  });
}

}  // namespace gantry::state
