// SPDX-License-Identifier: Apache-2.0
#include "broker/send/topic_resolver.h"

#include <fmt/core.h>

#include "log/log.h"
#include "state/name_rules.h"
#include "state/system_topics.h"
#include "state/topic_rules.h"

namespace gantry::broker {
namespace {
log::Logger logger("topics");
using protocol::ResponseCode;
}  // namespace

const protocol::TopicConfig* TopicResolver::create(protocol::TopicConfig config) {
  const std::string name = config.topic_name;
  logger.info("creating topic {} read_queues={} write_queues={} perm={}", name,
              config.read_queue_nums, config.write_queue_nums, config.perm);
  context_.storage.proposals().put_topics({std::move(config)}, [name](Result<void> done) {
    if (!done) logger.warn("creating topic {} failed: {}", name, done.error().message);
  });
  return context_.storage.proposals().find_topic(name);
}

std::expected<const protocol::TopicConfig*, RefusedSend> TopicResolver::for_send(
    std::string_view topic, std::string_view default_topic, std::int32_t default_topic_queue_nums,
    bool unit_mode) {
  const state::Proposals& proposals = context_.storage.proposals();
  if (const protocol::TopicConfig* found = proposals.find_topic(topic)) {
    if (state::is_forbidden_send_target(topic)) {
      return std::unexpected(
          RefusedSend{ResponseCode::kNoPermission, state::send_forbidden_remark(topic)});
    }
    return found;
  }
  if (const auto valid = state::validate_topic_name(topic); !valid) {
    return std::unexpected(RefusedSend{ResponseCode::kInvalidParameter, valid.error().message});
  }
  if (state::is_forbidden_send_target(topic)) {
    return std::unexpected(
        RefusedSend{ResponseCode::kNoPermission, state::send_forbidden_remark(topic)});
  }
  const std::int32_t sys_flag = !unit_mode                     ? 0
                                : state::is_retry_topic(topic) ? protocol::kTopicSysFlagUnitSub
                                                               : protocol::kTopicSysFlagUnit;
  const protocol::TopicConfig* created = nullptr;
  if (const protocol::TopicConfig* pattern = proposals.find_topic(default_topic)) {
    auto inherited = state::inherit_topic(
        *pattern, topic,
        {default_topic_queue_nums, sys_flag, context_.config.auto_create_topic_enable});
    if (inherited) created = create(std::move(*inherited));
  }
  if (created == nullptr && state::is_retry_topic(topic)) {
    created =
        create(state::make_retry_topic(topic.substr(state::kRetryTopicPrefix.size()), 1, sys_flag));
  }
  if (created == nullptr) {
    return std::unexpected(RefusedSend{
        ResponseCode::kTopicNotExist,
        fmt::format("topic[{}] not exist, apply first please!See "
                    "https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.",
                    topic)});
  }
  return created;
}

const protocol::TopicConfig* TopicResolver::retry_topic(std::string_view group,
                                                        std::int32_t queue_nums, bool unit_mode) {
  const std::string name = state::retry_topic(group);
  if (const auto* found = context_.storage.proposals().find_topic(name)) return found;
  return create(
      state::make_retry_topic(group, queue_nums, unit_mode ? protocol::kTopicSysFlagUnitSub : 0));
}

const protocol::TopicConfig* TopicResolver::dlq_topic(std::string_view group) {
  const std::string name = state::dlq_topic(group);
  if (const auto* found = context_.storage.proposals().find_topic(name)) return found;
  return create(state::make_dlq_topic(group));
}

}  // namespace gantry::broker
