// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <algorithm>

#include "client/broker.h"
#include "client/broker_calls.h"
#include "client/connections.h"
#include "client/pull_request.h"

namespace gantry::client {

using protocol::Command;
using protocol::RequestCode;

Result<std::vector<Message>> Broker::query_messages(const KeyQuery& query) {
  auto request = Command::request(protocol::to_int(RequestCode::kQueryMessage))
                     .with("topic", query.topic)
                     .with("key", query.key)
                     .with("maxNum", std::int64_t{query.count_max})
                     .with("beginTimestamp", query.from_ms)
                     .with("endTimestamp", query.to_ms);
  if (query.unique_id) request.with("_UNIQUE_KEY_QUERY", "true");
  auto answer = connections_.call(address_, std::move(request));
  if (!answer) {
    answer.error().message = fmt::format("broker {}", answer.error().message);
    return std::unexpected(std::move(answer).error());
  }
  if (has_code(*answer, protocol::ResponseCode::kQueryNotFound)) return std::vector<Message>{};
  GANTRY_TRY(require_success(*answer, who_));
  auto messages = decode_messages(answer->body);
  if (!messages) return messages;
  std::erase_if(*messages, [&](const Message& message) {
    return message.topic != query.topic ||
           (query.unique_id ? message.id() != query.key : !message.has_key(query.key));
  });
  return messages;
}

Result<Message> Broker::message_at(std::int64_t position, std::string_view topic) {
  auto request =
      Command::request(protocol::to_int(RequestCode::kViewMessageById)).with("offset", position);
  if (!topic.empty()) request.with("topic", std::string(topic));
  auto answer = connections_.call(address_, std::move(request));
  if (!answer) {
    answer.error().message = fmt::format("broker {}", answer.error().message);
    return std::unexpected(std::move(answer).error());
  }
  // RocketMQ has no code of its own for a position without a message.
  if (has_code(*answer, protocol::ResponseCode::kSystemError)) {
    return make_error(ErrorCode::kNotFound, error_of(*answer, who_).message);
  }
  GANTRY_TRY(require_success(*answer, who_));
  auto messages = decode_messages(answer->body);
  if (!messages) return std::unexpected(std::move(messages).error());
  if (messages->size() != 1) {
    return make_error(ErrorCode::kCorrupt,
                      fmt::format("{}: {} messages came for one position", who_, messages->size()));
  }
  return std::move(messages->front());
}

Result<Message> Broker::message_of_queue(const protocol::MessageQueue& queue, std::int64_t offset) {
  PullOptions options;
  options.messages_max = 1;
  options.suspend = std::chrono::milliseconds(0);
  auto answer = connections_.call(address_, pull_request(options, queue, offset));
  if (!answer) {
    answer.error().message = fmt::format("broker {}", answer.error().message);
    return std::unexpected(std::move(answer).error());
  }
  const auto pulled = parse_pull_answer(*answer, who_);
  if (!pulled) return std::unexpected(pulled.error());
  if (pulled->kind == PullAnswer::Kind::kFound) {
    auto messages = decode_messages(answer->body);
    if (!messages) return std::unexpected(std::move(messages).error());
    const auto found = std::ranges::find(*messages, offset, &Message::queue_offset);
    if (found != messages->end()) return std::move(*found);
  }
  return make_error(ErrorCode::kNotFound,
                    fmt::format("queue {}:{} of topic {} has no message at offset {}, it holds "
                                "offsets {} to {}",
                                queue.broker_name, queue.queue_id, queue.topic, offset,
                                pulled->min_offset, pulled->max_offset - 1));
}

}  // namespace gantry::client
