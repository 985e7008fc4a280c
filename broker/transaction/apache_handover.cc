// SPDX-License-Identifier: Apache-2.0
#include "broker/transaction/apache_handover.h"

#include <string>
#include <vector>

#include "broker/core/transaction_records.h"
#include "broker/send/message_appender.h"
#include "log/log.h"
#include "protocol/properties.h"
#include "state/system_topics.h"

namespace gantry::broker {
namespace {

log::Logger logger("transaction");
constexpr std::size_t kOpBodyBytes = 4096;  // RocketMQ's transactionOpMsgMaxSize
constexpr std::size_t kOffsetBytesMax = 20;
constexpr std::size_t kOffsetsPerRecord = kOpBodyBytes / kOffsetBytesMax;

Result<void> append_op(BrokerContext& context, const std::vector<QueueOffset>& ended) {
  std::string properties;
  protocol::append_property(properties, protocol::property::kTags, kRemoveTransactionTag);
  const std::string body = op_body(ended);
  OutgoingMessage message;
  message.topic = state::kTransOpHalfTopic;
  message.queue_id = kTransactionQueue;
  message.born_timestamp_ms = context.clock.wall_ms();
  message.born_host = context.store_host;
  message.body = body;
  message.properties = properties;
  const auto appended = context.appender->append(message);
  return appended ? Result<void>() : std::unexpected(appended.error());
}

// For the half messages below `to`, from the first open one on, that are not open.
Result<void> append_ops(BrokerContext& context, const std::vector<QueueOffset>& open,
                        QueueOffset to) {
  std::vector<QueueOffset> ended;
  auto next_open = open.begin();
  for (QueueOffset at = open.empty() ? to : open.front(); at < to; ++at) {
    if (next_open != open.end() && *next_open == at) {
      ++next_open;
      continue;
    }
    ended.push_back(at);
    if (ended.size() < kOffsetsPerRecord) continue;
    GANTRY_TRY(append_op(context, ended));
    ended.clear();
  }
  return ended.empty() ? Result<void>() : append_op(context, ended);
}

QueueOffset end_of(store::QueueStore& queues, std::string_view topic) {
  const store::ConsumeQueue* queue = queues.find(topic, kTransactionQueue);
  return queue == nullptr ? QueueOffset(0) : queue->max();
}

}  // namespace

void leave_transactions(BrokerContext& context, const TransactionEnder& ender) {
  Storage& storage = context.storage;
  if (!storage.leading() || !storage.alone()) return;
  const QueueOffset halves = end_of(storage.queues(), state::kTransHalfTopic);
  const QueueOffset ops = end_of(storage.queues(), state::kTransOpHalfTopic);
  if (halves.v == 0) return;
  std::vector<QueueOffset> open;
  for (const auto& [position, transaction] : storage.state().transactions().all()) {
    if (ender.find(position) != nullptr) open.push_back(transaction.queue_offset);
  }
  if (const auto written = append_ops(context, open, halves); !written) {
    logger.warn("Apache RocketMQ would ask about transactions that have ended: {}",
                written.error().message);
    return;
  }
  const QueueOffset from = open.empty() ? halves : open.front();
  const auto commit = [&](std::string_view topic, QueueOffset offset) {
    const auto known = storage.offsets().query(state::kTransactionGroup, topic, kTransactionQueue);
    if (known == offset) return;
    storage.offsets().commit(state::kTransactionGroup, topic, kTransactionQueue, offset);
  };
  commit(state::kTransHalfTopic, from);
  commit(state::kTransOpHalfTopic, ops);
}

}  // namespace gantry::broker
