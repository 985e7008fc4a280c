// SPDX-License-Identifier: Apache-2.0
#include "client/broker.h"
#include "client/broker_calls.h"
#include "client/connections.h"
#include "protocol/reset_offset.h"

namespace gantry::client {
namespace {

using protocol::Command;
using protocol::RequestCode;
using protocol::SubscriptionGroupTable;

std::size_t merge_groups(SubscriptionGroupTable& into, SubscriptionGroupTable&& page) {
  const std::size_t count = page.groups.size();
  into.groups.merge(page.groups);
  return count;
}

Command offset_request(RequestCode code, std::string_view group,
                       const protocol::MessageQueue& queue) {
  return Command::request(protocol::to_int(code))
      .with("consumerGroup", std::string(group))
      .with("topic", queue.topic)
      .with("queueId", std::int64_t{queue.queue_id});
}

}  // namespace

Result<std::map<std::string, protocol::SubscriptionGroupConfig, std::less<>>> Broker::groups() {
  auto table =
      ask_pages<SubscriptionGroupTable>(RequestCode::kGetAllSubscriptionGroupConfig, "groupSeq",
                                        "maxGroupNum", "totalGroupNum", merge_groups);
  if (!table) return std::unexpected(std::move(table).error());
  return std::move(table->groups);
}

Result<protocol::ConsumerConnection> Broker::consumers(std::string_view group) {
  return ask_body<protocol::ConsumerConnection>(
      Command::request(protocol::to_int(RequestCode::kGetConsumerConnectionList))
          .with("consumerGroup", std::string(group)));
}

Result<protocol::ConsumeStats> Broker::consume_stats(std::string_view group,
                                                     std::string_view topic) {
  auto request = Command::request(protocol::to_int(RequestCode::kGetConsumeStats))
                     .with("consumerGroup", std::string(group));
  if (!topic.empty()) request.with("topic", std::string(topic));
  return ask_body<protocol::ConsumeStats>(std::move(request));
}

Result<protocol::MessageQueueMap<std::int64_t>> Broker::reset_offset(const Reset& reset) {
  auto request = Command::request(protocol::to_int(RequestCode::kInvokeBrokerToResetOffset))
                     .with("group", reset.group)
                     .with("topic", reset.topic)
                     .with("queueId", std::int64_t{reset.queue_id})
                     .with("timestamp", reset.timestamp_ms)
                     .with("isForce", "true");
  if (reset.offset) request.with("offset", *reset.offset);
  auto body = ask_body<protocol::ResetOffsetBody>(std::move(request));
  if (!body) return std::unexpected(std::move(body).error());
  return std::move(body->offset_table);
}

Result<std::optional<std::int64_t>> Broker::consumer_offset(std::string_view group,
                                                            const protocol::MessageQueue& queue) {
  auto answer =
      connections_.call(address_, offset_request(RequestCode::kQueryConsumerOffset, group, queue)
                                      .with("setZeroIfNotFound", "false"));
  if (!answer) return std::unexpected(std::move(answer).error());
  if (has_code(*answer, protocol::ResponseCode::kQueryNotFound)) {
    return std::optional<std::int64_t>{};
  }
  GANTRY_TRY(require_success(*answer, who_));
  const auto offset = int_field(*answer, "offset", who_);
  if (!offset) return std::unexpected(offset.error());
  return std::optional<std::int64_t>(*offset);
}

Result<void> Broker::commit_offset(std::string_view group, const protocol::MessageQueue& queue,
                                   std::int64_t offset) {
  auto answer = ask(offset_request(RequestCode::kUpdateConsumerOffset, group, queue)
                        .with("commitOffset", offset));
  if (!answer) return std::unexpected(std::move(answer).error());
  return {};
}

}  // namespace gantry::client
