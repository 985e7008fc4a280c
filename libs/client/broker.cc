// SPDX-License-Identifier: Apache-2.0
#include "client/broker.h"

#include <fmt/core.h>

#include "client/broker_calls.h"
#include "client/connections.h"

namespace gantry::client {

using protocol::Command;
using protocol::RequestCode;

Broker::Broker(Connections& connections, std::string address)
    : connections_(connections),
      address_(std::move(address)),
      who_(fmt::format("broker {}", address_)) {}

// The answer when it is a success.
Result<Command> Broker::ask(Command request) {
  auto answer = connections_.call(address_, std::move(request));
  if (!answer) {
    answer.error().message = fmt::format("broker {}", answer.error().message);
    return answer;
  }
  GANTRY_TRY(require_success(*answer, who_));
  return answer;
}

Result<std::int64_t> Broker::queue_number(Command request, const protocol::MessageQueue& queue,
                                          std::string_view field) {
  auto answer = ask(
      std::move(request).with("topic", queue.topic).with("queueId", std::int64_t{queue.queue_id}));
  if (!answer) return std::unexpected(std::move(answer).error());
  return int_field(*answer, field, who_);
}

Result<std::int64_t> Broker::max_offset(const protocol::MessageQueue& queue) {
  return queue_number(Command::request(protocol::to_int(RequestCode::kGetMaxOffset)), queue,
                      "offset");
}

Result<std::int64_t> Broker::min_offset(const protocol::MessageQueue& queue) {
  return queue_number(Command::request(protocol::to_int(RequestCode::kGetMinOffset)), queue,
                      "offset");
}

Result<std::int64_t> Broker::offset_by_time(const protocol::MessageQueue& queue,
                                            std::int64_t timestamp_ms) {
  return queue_number(Command::request(protocol::to_int(RequestCode::kSearchOffsetByTimestamp))
                          .with("timestamp", timestamp_ms),
                      queue, "offset");
}

Result<std::map<std::string, std::string, std::less<>>> Broker::runtime_info() {
  auto table = ask_body<protocol::KVTable>(
      Command::request(protocol::to_int(RequestCode::kGetBrokerRuntimeInfo)));
  if (!table) return std::unexpected(std::move(table).error());
  return std::move(table->table);
}

}  // namespace gantry::client
