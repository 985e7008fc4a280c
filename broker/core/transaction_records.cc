// SPDX-License-Identifier: Apache-2.0
#include "broker/core/transaction_records.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "protocol/properties.h"
#include "state/system_topics.h"

namespace gantry::broker {
namespace {

namespace property = protocol::property;
constexpr std::int64_t kMsPerSecond = 1000;
constexpr char kOffsetSeparator = ',';

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<RealTarget> real_target(std::string_view properties) {
  const auto topic = protocol::find_property(properties, property::kRealTopic);
  const auto queue = protocol::find_property(properties, property::kRealQueueId);
  if (!topic || topic->empty() || !queue) return std::nullopt;
  const auto queue_id = number<std::int32_t>(*queue);
  if (!queue_id || *queue_id < 0) return std::nullopt;
  return RealTarget{*topic, *queue_id};
}

std::int64_t immunity_ms(std::string_view properties) {
  const auto text = protocol::find_property(properties, property::kCheckImmunityTime);
  if (!text) return -1;
  const auto seconds = number<std::int64_t>(*text);
  if (!seconds || *seconds < 0) return -1;
  if (*seconds > std::numeric_limits<std::int64_t>::max() / kMsPerSecond) {
    return std::numeric_limits<std::int64_t>::max();
  }
  return *seconds * kMsPerSecond;
}

std::optional<state::OpenTransaction> opened_by(const protocol::RecordView& record) {
  if (record.topic != state::kTransHalfTopic || record.queue_id != kTransactionQueue ||
      record.transaction_type() != 0) {
    return std::nullopt;
  }
  const auto target = real_target(record.properties);
  if (!target) return std::nullopt;
  state::OpenTransaction open;
  open.position = record.position;
  open.queue_offset = record.queue_offset;
  open.born_ms = record.born_timestamp_ms;
  open.topic = target->topic;
  open.immunity_ms = immunity_ms(record.properties);
  const auto checks = protocol::find_property(record.properties, property::kTransactionCheckTimes);
  if (checks) open.checks = std::max(0, number<std::int32_t>(*checks).value_or(0));
  return open;
}

std::vector<QueueOffset> ended_by(const protocol::RecordView& record) {
  std::vector<QueueOffset> ended;
  if (record.topic != state::kTransOpHalfTopic || record.queue_id != kTransactionQueue)
    return ended;
  if (protocol::find_property(record.properties, property::kTags) != kRemoveTransactionTag) {
    return ended;
  }
  std::string_view text = record.body;
  while (!text.empty()) {
    const std::size_t end = text.find(kOffsetSeparator);
    if (const auto offset = number<std::int64_t>(text.substr(0, end))) ended.emplace_back(*offset);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return ended;
}

std::string op_body(const std::vector<QueueOffset>& halves) {
  std::string body;
  for (const QueueOffset half : halves) {
    if (!body.empty()) body.push_back(kOffsetSeparator);
    body.append(std::to_string(half.v));
  }
  return body;
}

}  // namespace gantry::broker
