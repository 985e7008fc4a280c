// SPDX-License-Identifier: Apache-2.0
#include "broker/transaction/transaction_ender.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "broker/core/transaction_records.h"
#include "broker/transaction/check_message.h"
#include "metrics/rocketmq_metrics.h"
#include "protocol/properties.h"
#include "state/system_topics.h"

namespace gantry::broker {
namespace {

namespace property = protocol::property;
constexpr std::int64_t kMsPerSecond = 1000;

// TRANS_CHECK_MAX_TIME_TOPIC as Apache RocketMQ makes it.
protocol::TopicConfig given_up_topic() {
  protocol::TopicConfig config;
  config.topic_name = state::kTransCheckMaxTimeTopic;
  config.read_queue_nums = config.write_queue_nums = 1;
  config.perm = protocol::kPermRead | protocol::kPermWrite;
  return config;
}

}  // namespace

TransactionEnder::TransactionEnder(BrokerContext& context) : context_(context) {
  context_.storage.add_observer(*this);
}

TransactionEnder::~TransactionEnder() { context_.storage.remove_observer(*this); }

const state::OpenTransaction* TransactionEnder::find(LogPosition half) const {
  if (ending_.contains(half)) return nullptr;
  return context_.storage.state().transactions().find(half);
}

void TransactionEnder::forget_pending() {
  pending_.clear();
  ending_.clear();
}

Result<Appended> TransactionEnder::end(const protocol::RecordView& half, TransactionEnd how) {
  const state::OpenTransaction* open = find(half.position);
  if (open == nullptr) {
    return make_error(ErrorCode::kNotFound,
                      fmt::format("no transaction is open at {}", half.position.v));
  }
  OutgoingMessage message;
  message.born_timestamp_ms = half.born_timestamp_ms;
  message.born_host = half.born_host;
  message.flag = half.flag;
  message.sys_flag = half.sys_flag & protocol::sys_flag::kClientMask;
  message.reconsume_times = half.reconsume_times;
  message.prepared_transaction_offset = TransactionStep{half.position}.encode();
  message.body = half.body;
  Result<Appended> appended = how == TransactionEnd::kCommit     ? append_final(half, message)
                              : how == TransactionEnd::kRollback ? append_op(half, message)
                                                                 : append_given_up(half, message);
  if (appended) {
    pending_.push_back({appended->end, half.position, how, open->topic, open->born_ms});
    ending_.insert(half.position);
  }
  return appended;
}

Result<Appended> TransactionEnder::append_final(const protocol::RecordView& half,
                                                OutgoingMessage message) {
  const auto target = real_target(half.properties);
  if (!target || context_.storage.proposals().find_topic(target->topic) == nullptr) {
    return make_error(ErrorCode::kNotFound,
                      fmt::format("topic[{}] of the half message at {} does not exist",
                                  target ? target->topic : "", half.position.v));
  }
  message.topic = target->topic;
  message.queue_id = target->queue_id;
  message.type = MessageType::kTransaction;
  message.sys_flag |= protocol::sys_flag::kTransactionCommit;
  message.properties = protocol::fields_of(half).properties;
  return context_.appender->append(message);
}

// As Apache RocketMQ writes it: the half message's queue offset.
Result<Appended> TransactionEnder::append_op(const protocol::RecordView& half,
                                             OutgoingMessage message) {
  const std::string body = op_body({half.queue_offset});
  std::string properties;
  protocol::append_property(properties, property::kTags, kRemoveTransactionTag);
  message.topic = state::kTransOpHalfTopic;
  message.queue_id = kTransactionQueue;
  message.flag = message.sys_flag = message.reconsume_times = 0;
  message.born_timestamp_ms = context_.clock.wall_ms();
  message.born_host = context_.store_host;
  message.body = body;
  message.properties = properties;
  return context_.appender->append(message);
}

Result<Appended> TransactionEnder::append_given_up(const protocol::RecordView& half,
                                                   OutgoingMessage message) {
  state::Proposals& proposals = context_.storage.proposals();
  if (proposals.find_topic(state::kTransCheckMaxTimeTopic) == nullptr) {
    proposals.put_topics({given_up_topic()}, {});
  }
  const std::string properties = properties_with_checks(half, find(half.position)->checks);
  message.topic = state::kTransCheckMaxTimeTopic;
  message.queue_id = 0;
  message.properties = properties;
  return context_.appender->append(message);
}

void TransactionEnder::on_committed(LogPosition position) {
  while (!pending_.empty() && pending_.front().end <= position) {
    count(pending_.front());
    ending_.erase(pending_.front().half);
    pending_.pop_front();
  }
}

void TransactionEnder::count(const Pending& pending) {
  const auto& bounds = metrics::rocketmq::kFinishLatencyBuckets;
  auto it = counts_.find(pending.topic);
  if (it == counts_.end()) {
    it = counts_.emplace(pending.topic, TopicCounts{}).first;
    it->second.latency.counts.resize(bounds.size() + 1);
  }
  TopicCounts& counts = it->second;
  if (pending.how == TransactionEnd::kGiveUp) {
    ++counts.given_up;
    return;
  }
  ++(pending.how == TransactionEnd::kCommit ? counts.committed : counts.rolled_back);
  // Whole seconds, as RocketMQ counts them.
  const std::int64_t whole_seconds =
      std::max<std::int64_t>(0, context_.clock.wall_ms() - pending.born_ms) / kMsPerSecond;
  const auto seconds = static_cast<double>(whole_seconds);
  const auto bucket = std::ranges::lower_bound(bounds, seconds) - bounds.begin();
  ++counts.latency.counts[static_cast<std::size_t>(bucket)];
  counts.latency.sum += seconds;
}

}  // namespace gantry::broker
