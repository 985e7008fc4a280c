// SPDX-License-Identifier: Apache-2.0
#include "client/pull_request.h"

#include "client/answer.h"

namespace gantry::client {
namespace {

constexpr std::int64_t kSuspend = 2;
constexpr std::int64_t kSubscription = 4;

}  // namespace

protocol::Command pull_request(const PullOptions& options, const protocol::MessageQueue& queue,
                               std::int64_t offset) {
  const std::int64_t sys_flag =
      kSubscription | (options.suspend.count() > 0 ? kSuspend : std::int64_t{0});
  auto request = protocol::Command::request(protocol::to_int(protocol::RequestCode::kPullMessage));
  request.ext.reserve(12);
  request.with("consumerGroup", options.group)
      .with("topic", queue.topic)
      .with("queueId", std::int64_t{queue.queue_id})
      .with("queueOffset", offset)
      .with("maxMsgNums", std::int64_t{options.messages_max})
      .with("sysFlag", sys_flag)
      .with("commitOffset", 0)
      .with("suspendTimeoutMillis", std::int64_t{options.suspend.count()})
      .with("subscription", options.expression)
      .with("subVersion", 0)
      .with("expressionType", options.expression_type)
      .with("bname", queue.broker_name);
  return request;
}

Result<PullAnswer> parse_pull_answer(const protocol::Command& answer, std::string_view who) {
  PullAnswer parsed;
  switch (static_cast<protocol::ResponseCode>(answer.code)) {
    case protocol::ResponseCode::kSuccess:
      parsed.kind = PullAnswer::Kind::kFound;
      break;
    case protocol::ResponseCode::kPullNotFound:
      parsed.kind = PullAnswer::Kind::kNothingNew;
      break;
    case protocol::ResponseCode::kPullRetryImmediately:
      parsed.kind = PullAnswer::Kind::kNoneMatched;
      break;
    case protocol::ResponseCode::kPullOffsetMoved:
      parsed.kind = PullAnswer::Kind::kOffsetMoved;
      break;
    default:
      return std::unexpected(error_of(answer, who));
  }
  const auto next = int_field(answer, "nextBeginOffset", who);
  if (!next) return std::unexpected(next.error());
  const auto min = int_field(answer, "minOffset", who);
  if (!min) return std::unexpected(min.error());
  const auto max = int_field(answer, "maxOffset", who);
  if (!max) return std::unexpected(max.error());
  parsed.next_offset = *next;
  parsed.min_offset = *min;
  parsed.max_offset = *max;
  return parsed;
}

}  // namespace gantry::client
