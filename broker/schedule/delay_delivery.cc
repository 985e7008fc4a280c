// SPDX-License-Identifier: Apache-2.0
#include "broker/schedule/delay_delivery.h"

#include <charconv>

#include "log/log.h"
#include "protocol/properties.h"
#include "state/system_topics.h"

namespace gantry::broker {
namespace {

log::Logger logger("schedule");
constexpr int kDeliveriesPerRun = 512;
constexpr std::int64_t kRefusedRetryMs = 200;

}  // namespace

DelayDelivery::DelayDelivery(BrokerContext& context) : context_(context) {
  levels_.resize(static_cast<std::size_t>(context_.storage.delay_levels().max_level()) + 1);
  context_.storage.add_observer(*this);
}

DelayDelivery::~DelayDelivery() { context_.storage.remove_observer(*this); }

void DelayDelivery::start() {
  running_ = true;
  for (std::int32_t level = 1; level < static_cast<std::int32_t>(levels_.size()); ++level) {
    Level& state = levels_[static_cast<std::size_t>(level)];
    state.next = context_.storage.state().delays().next(level);
    run(level);
  }
}

void DelayDelivery::stop() {
  running_ = false;
  for (Level& level : levels_) level.timer.reset();
}

std::vector<DelayDelivery::LevelStatus> DelayDelivery::status() const {
  std::vector<LevelStatus> result;
  for (std::int32_t level = 1; level < static_cast<std::int32_t>(levels_.size()); ++level) {
    const auto* queue = context_.storage.queues().find(state::kScheduleTopic, level - 1);
    if (queue == nullptr || queue->max().v == 0) continue;
    result.push_back({level, levels_[static_cast<std::size_t>(level)].next, queue->max()});
  }
  return result;
}

void DelayDelivery::on_message(const protocol::RecordView& record, std::int64_t deliver_ms) {
  if (!running_ || record.topic != state::kScheduleTopic) return;
  const std::int32_t level = record.queue_id + 1;
  if (level < 1 || static_cast<std::size_t>(level) >= levels_.size()) return;
  const Level& state = levels_[static_cast<std::size_t>(level)];
  // Only the head of the queue needs a timer; an armed one belongs to an earlier head.
  if (!state.timer && !state.fetching) arm(level, due_in_ms(level, deliver_ms));
}

std::int64_t DelayDelivery::due_in_ms(std::int32_t level, std::int64_t deliver_ms) const {
  const std::int64_t now_ms = context_.clock.wall_ms();
  // A deliver time beyond now + delay comes from a clock that stepped back or from levels that were
  // changed: RocketMQ delivers it now.
  if (deliver_ms > now_ms + context_.storage.delay_levels().delay_ms(level)) return 0;
  return std::max<std::int64_t>(0, deliver_ms - now_ms);
}

void DelayDelivery::arm(std::int32_t level, std::int64_t delay_ms) {
  levels_[static_cast<std::size_t>(level)].timer =
      context_.shard.after(std::chrono::milliseconds(delay_ms), [this, level] { run(level); });
}

void DelayDelivery::run(std::int32_t level) {
  if (!running_) return;
  Level& state = levels_[static_cast<std::size_t>(level)];
  state.timer.reset();
  for (int i = 0; i < kDeliveriesPerRun; ++i) {
    if (deliver_head(level, state) == Step::kWait) return;
  }
  arm(level, 0);
}

DelayDelivery::Step DelayDelivery::deliver_head(std::int32_t level, Level& state) {
  store::ConsumeQueue* queue = context_.storage.queues().find(state::kScheduleTopic, level - 1);
  if (queue == nullptr || state.next >= queue->max()) return Step::kWait;
  if (state.next < queue->min()) {
    logger.warn("level {} continues at the queue's begin: {} messages before it are gone", level,
                queue->min() - state.next);
    state.next = queue->min();
  }
  const auto entry = queue->at(state.next);
  if (!entry) {
    logger.error("reading the schedule queue of level {} failed: {}", level, entry.error().message);
    arm(level, kRefusedRetryMs);
    return Step::kWait;
  }
  if (entry->blank()) {
    ++state.next;
    return Step::kSkipped;
  }
  if (const std::int64_t wait_ms = due_in_ms(level, entry->tags_code); wait_ms > 0) {
    arm(level, wait_ms);
    return Step::kWait;
  }
  bool would_block = false;
  const auto record = context_.storage.log().read_record(
      entry->position, static_cast<std::size_t>(entry->size), &would_block);
  if (would_block) {
    state.fetching = true;
    context_.storage.log().fetch(entry->position, static_cast<std::size_t>(entry->size),
                                 [this, level] {
                                   levels_[static_cast<std::size_t>(level)].fetching = false;
                                   run(level);
                                 });
    return Step::kWait;
  }
  if (!record) {
    logger.error("the delayed message at level={} offset={} cannot be read and is skipped: {}",
                 level, state.next.v, record.error().message);
    ++state.next;
    return Step::kSkipped;
  }
  return deliver_record(level, state, *record);
}

DelayDelivery::Step DelayDelivery::deliver_record(std::int32_t level, Level& state,
                                                  const protocol::RecordView& record) {
  const protocol::RecordFields stored = protocol::fields_of(record);
  const std::string_view real_topic =
      protocol::find_property(stored.properties, protocol::property::kRealTopic).value_or("");
  const std::string_view queue_text =
      protocol::find_property(stored.properties, protocol::property::kRealQueueId).value_or("");
  std::int32_t queue_id = -1;
  std::from_chars(queue_text.data(), queue_text.data() + queue_text.size(), queue_id);
  if (real_topic.empty() || queue_id < 0 || real_topic == state::kTransHalfTopic) {
    logger.error("the delayed message at level={} offset={} names no target and is skipped", level,
                 state.next.v);
    ++state.next;
    return Step::kSkipped;
  }
  OutgoingMessage message;
  // The record's bytes may move when the log appends: copy what the views need.
  const std::string bytes(record.bytes);
  const auto rebase = [&](std::string_view view) {
    return std::string_view(bytes).substr(
        static_cast<std::size_t>(view.data() - record.bytes.data()), view.size());
  };
  message.topic = rebase(real_topic);
  message.queue_id = queue_id;
  message.flag = stored.flag;
  message.sys_flag = stored.sys_flag;
  message.born_timestamp_ms = stored.born_timestamp_ms;
  message.born_host = stored.born_host;
  message.reconsume_times = stored.reconsume_times;
  message.prepared_transaction_offset = DelayStep{level, state.next}.encode();
  message.body = rebase(stored.body);
  message.properties = rebase(stored.properties);
  if (const auto appended = context_.appender->append(message); !appended) {
    static log::RateLimit limit(10000);
    if (limit.admit())
      logger.warn("delivering delayed messages waits: {}", appended.error().message);
    arm(level, kRefusedRetryMs);
    return Step::kWait;
  }
  ++state.next;
  return Step::kDelivered;
}

}  // namespace gantry::broker
