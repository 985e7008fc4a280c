// SPDX-License-Identifier: Apache-2.0
// Storage: transactions that are open in a store of Apache RocketMQ.
#include <algorithm>
#include <set>

#include "broker/core/storage.h"
#include "broker/core/transaction_records.h"
#include "log/log.h"

namespace gantry::broker {
namespace {

log::Logger logger("storage");

// How far RocketMQ's check service has come; nullopt: it has not run yet.
std::optional<QueueOffset> checked_up_to(const state::ImportedState& config,
                                         std::string_view topic) {
  for (const state::OffsetEntry& entry : config.offsets) {
    if (entry.group == state::kTransactionGroup && entry.topic == topic &&
        entry.queue_id == kTransactionQueue) {
      return entry.offset;
    }
  }
  return std::nullopt;
}

}  // namespace

// Calls `visit` for the records of a queue from `from` on. Waits for the disk: for the one start
// that takes a store over.
void Storage::for_each_record(std::string_view topic, std::optional<QueueOffset> from,
                              const std::function<void(const protocol::RecordView&)>& visit) {
  store::ConsumeQueue* queue = queues_->find(topic, kTransactionQueue);
  if (queue == nullptr) return;
  std::string bytes;
  for (QueueOffset at = std::max(queue->min(), from.value_or(queue->min())); at < queue->max();
       ++at) {
    const auto entry = queue->at(at);
    if (entry && entry->blank()) continue;
    if (entry) bytes.resize(static_cast<std::size_t>(entry->size));
    const auto read = entry ? log_->peek(entry->position, bytes)
                            : Result<std::size_t>(std::unexpected(entry.error()));
    const auto record = read ? protocol::decode_record(std::string_view(bytes).substr(0, *read))
                             : std::unexpected(read.error());
    if (record) {
      visit(*record);
    } else {
      logger.warn("record {} of {} cannot be read and is left out: {}", at.v, topic,
                  record.error().message);
    }
  }
}

// RocketMQ's rule: what lies behind the offset of its check service and has no op record.
std::vector<state::OpenTransaction> Storage::open_in_apache_store(
    const state::ImportedState& config) {
  std::vector<state::OpenTransaction> open;
  std::set<QueueOffset> ended;
  for_each_record(state::kTransOpHalfTopic, checked_up_to(config, state::kTransOpHalfTopic),
                  [&](const protocol::RecordView& record) {
                    for (const QueueOffset half : ended_by(record)) ended.insert(half);
                  });
  for_each_record(state::kTransHalfTopic, checked_up_to(config, state::kTransHalfTopic),
                  [&](const protocol::RecordView& record) {
                    if (ended.contains(record.queue_offset)) return;
                    if (auto half = opened_by(record)) open.push_back(*std::move(half));
                  });
  if (!open.empty()) logger.info("taking over {} open transactions", open.size());
  return open;
}

}  // namespace gantry::broker
