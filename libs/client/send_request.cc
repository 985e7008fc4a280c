// SPDX-License-Identifier: Apache-2.0
#include "client/send_request.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "client/answer.h"
#include "protocol/properties.h"
#include "protocol/record.h"

namespace gantry::client {
namespace {

using protocol::ResponseCode;

constexpr std::string_view kShardingKey = "__SHARDINGKEY";
// Clients name a template for topics that are made by the first send to them.
constexpr std::string_view kDefaultTopic = "TBW102";
constexpr std::int64_t kDefaultTopicQueueNums = 4;

constexpr std::array kOwnNames = {protocol::property::kKeys,
                                  protocol::property::kTags,
                                  protocol::property::kWait,
                                  protocol::property::kDelay,
                                  protocol::property::kUniqKey,
                                  protocol::property::kRetryTopic,
                                  protocol::property::kRealTopic,
                                  protocol::property::kRealQueueId,
                                  protocol::property::kMsgRegion,
                                  protocol::property::kTraceOn,
                                  protocol::property::kCluster,
                                  protocol::property::kTranMsg,
                                  protocol::property::kPopCk,
                                  protocol::property::kTimerDeliverMs,
                                  protocol::property::kTimerDelaySec,
                                  protocol::property::kTimerDelayMs,
                                  kShardingKey};

bool has_separator(std::string_view text) {
  return text.find_first_of("\x01\x02") != std::string_view::npos;
}

Result<void> append(std::string& out, std::string_view name, std::string_view value) {
  if (name.empty() || has_separator(name) || has_separator(value)) {
    return make_error(ErrorCode::kInvalidArgument,
                      fmt::format("property '{}': empty names and the bytes 0x01 and 0x02 are not "
                                  "allowed",
                                  name));
  }
  protocol::append_property(out, name, value);
  return {};
}

Result<std::string> joined_keys(const std::vector<std::string>& keys) {
  std::string joined;
  for (const std::string& key : keys) {
    if (key.empty() || key.find(' ') != std::string::npos) {
      return make_error(ErrorCode::kInvalidArgument,
                        fmt::format("message key '{}': a key is not empty and has no space", key));
    }
    if (!joined.empty()) joined += ' ';
    joined += key;
  }
  return joined;
}

}  // namespace

Result<std::string> property_text(const OutgoingMessage& message, std::string_view unique_id) {
  std::string text;
  GANTRY_TRY(append(text, protocol::property::kUniqKey, unique_id));
  GANTRY_TRY(append(text, protocol::property::kWait, "true"));
  if (!message.tag.empty()) GANTRY_TRY(append(text, protocol::property::kTags, message.tag));
  auto keys = joined_keys(message.keys);
  if (!keys) return keys;
  if (!keys->empty()) GANTRY_TRY(append(text, protocol::property::kKeys, *keys));
  if (!message.sharding_key.empty()) GANTRY_TRY(append(text, kShardingKey, message.sharding_key));
  if (message.delay_level > 0) {
    GANTRY_TRY(append(text, protocol::property::kDelay, std::to_string(message.delay_level)));
  }
  if (message.deliver_at_ms > 0) {
    GANTRY_TRY(
        append(text, protocol::property::kTimerDeliverMs, std::to_string(message.deliver_at_ms)));
  }
  for (const auto& [name, value] : message.properties) {
    if (std::ranges::find(kOwnNames, name) != kOwnNames.end()) {
      return make_error(ErrorCode::kInvalidArgument,
                        fmt::format("property {} belongs to the protocol and cannot be set", name));
    }
    GANTRY_TRY(append(text, name, value));
  }
  if (text.size() > protocol::kPropertiesBytesMax) {
    return make_error(ErrorCode::kInvalidArgument,
                      fmt::format("the properties have {} bytes, at most {} fit into a message",
                                  text.size(), protocol::kPropertiesBytesMax));
  }
  return text;
}

protocol::Command send_request(const OutgoingMessage& message, std::string_view properties,
                               const protocol::MessageQueue& queue, std::string_view producer_group,
                               std::int64_t born_timestamp_ms) {
  auto request =
      protocol::Command::request(protocol::to_int(protocol::RequestCode::kSendMessageV2));
  request.ext.reserve(14);
  request.with("a", std::string(producer_group))
      .with("b", message.topic)
      .with("c", std::string(kDefaultTopic))
      .with("d", kDefaultTopicQueueNums)
      .with("e", std::int64_t{queue.queue_id})
      .with("f", 0)
      .with("g", born_timestamp_ms)
      .with("h", std::int64_t{message.flag})
      .with("i", std::string(properties))
      .with("j", 0)
      .with("k", "false")
      .with("l", 0)
      .with("m", "false")
      .with("n", queue.broker_name);
  request.body = message.body;
  return request;
}

Result<SendReceipt> parse_send_answer(const protocol::Command& answer,
                                      const protocol::MessageQueue& queue, std::string_view who) {
  const auto status = static_cast<ResponseCode>(answer.code);
  switch (status) {
    case ResponseCode::kSuccess:
    case ResponseCode::kFlushDiskTimeout:
    case ResponseCode::kFlushSlaveTimeout:
    case ResponseCode::kSlaveNotAvailable:
      break;
    default:
      return std::unexpected(error_of(answer, who));
  }
  auto id = text_field(answer, "msgId", who);
  if (!id) return std::unexpected(std::move(id).error());
  const auto queue_id = int_field(answer, "queueId", who);
  if (!queue_id) return std::unexpected(queue_id.error());
  const auto offset = int_field(answer, "queueOffset", who);
  if (!offset) return std::unexpected(offset.error());
  SendReceipt receipt{status, std::move(*id), queue, *offset};
  receipt.queue.queue_id = static_cast<std::int32_t>(*queue_id);
  return receipt;
}

bool is_retryable_send(std::int32_t code) {
  switch (static_cast<ResponseCode>(code)) {
    case ResponseCode::kSystemError:
    case ResponseCode::kSystemBusy:
    case ResponseCode::kServiceNotAvailable:
    case ResponseCode::kNoPermission:
    case ResponseCode::kTopicNotExist:
    case ResponseCode::kNoBuyerId:
    case ResponseCode::kNotInCurrentUnit:
    case ResponseCode::kGoAway:
      return true;
    default:
      return false;
  }
}

}  // namespace gantry::client
