// SPDX-License-Identifier: Apache-2.0
#include "state/system_topics.h"

#include <algorithm>
#include <array>

namespace gantry::state {
namespace {

// Names Apache RocketMQ also reserves when its RocksDB store is in use; a store that it has written
// contains these topics.
constexpr std::string_view kRocksDbTransHalfTopic = "RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC";
constexpr std::string_view kRocksDbTransOpHalfTopic = "RMQ_SYS_ROCKSDB_TRANS_OP_HALF_TOPIC";

constexpr std::array kReservedNames = {
    kAutoCreateTopic,  kScheduleTopic,    kBenchmarkTopic,         kTransHalfTopic,
    kTraceTopic,       kTransOpHalfTopic, kTransCheckMaxTimeTopic, kSelfTestTopic,
    kOffsetMovedTopic, kCheckpointTopic,  kRocksDbTransHalfTopic,  kRocksDbTransOpHalfTopic,
};

constexpr std::array kForbiddenSendTargets = {
    kScheduleTopic, kTransHalfTopic,   kTransOpHalfTopic,      kTransCheckMaxTimeTopic,
    kSelfTestTopic, kOffsetMovedTopic, kRocksDbTransHalfTopic, kRocksDbTransOpHalfTopic,
};

constexpr std::array<std::string_view, 8> kInitialGroups = {
    "TOOLS_CONSUMER",  "FILTERSRV_CONSUMER",    "SELF_TEST_C_GROUP", "CID_ONS-HTTP-PROXY",
    "CID_ONSAPI_PULL", "CID_ONSAPI_PERMISSION", "CID_ONSAPI_OWNER",  kTransactionGroup,
};

constexpr std::int32_t kPermReadWrite = protocol::kPermRead | protocol::kPermWrite;
constexpr std::int32_t kPermTemplate = kPermReadWrite | protocol::kPermInherit;
constexpr std::int32_t kBenchmarkQueues = 1024;
constexpr std::int32_t kClusterTopicQueues = 16;

}  // namespace

SystemTopics::SystemTopics(const SystemTopicOptions& options) {
  const auto add = [this](std::string name, std::int32_t queues,
                          std::int32_t perm = kPermReadWrite) {
    names_.insert(name);
    protocol::TopicConfig& config = topics_.emplace_back();
    config.topic_name = std::move(name);
    config.read_queue_nums = queues;
    config.write_queue_nums = queues;
    config.perm = perm;
  };
  const std::string& cluster = options.broker_cluster_name;
  const std::string& broker = options.broker_name;
  add(std::string(kSelfTestTopic), 1);
  if (options.auto_create_topic_enable) {
    add(std::string(kAutoCreateTopic), options.default_topic_queue_nums, kPermTemplate);
  }
  add(std::string(kBenchmarkTopic), kBenchmarkQueues);
  // The names stay reserved without the switch: it decides whether clients may create from them.
  add(cluster, kClusterTopicQueues,
      options.cluster_topic_enable ? kPermTemplate : protocol::kPermInherit);
  add(broker, 1, options.broker_topic_enable ? kPermTemplate : protocol::kPermInherit);
  add(std::string(kOffsetMovedTopic), 1);
  add(std::string(kScheduleTopic), options.delay_level_count);
  if (options.trace_topic_enable) add(options.msg_trace_topic_name, 1);
  add(cluster + "_REPLY_TOPIC", 1);
  add("rmq_sys_REVIVE_LOG_" + cluster, options.revive_queue_num);
  add("rmq_sys_SYNC_BROKER_MEMBER_" + broker, 1, protocol::kPermInherit);
  add(std::string(kTransHalfTopic), 1);
  add(std::string(kTransOpHalfTopic), 1);
  if (options.timer_wheel_enable) add(std::string(kTimerTopic), 1);
  for (const std::string_view name : kReservedNames) names_.emplace(name);
  for (const std::string_view name : kInitialGroups) {
    groups_.emplace_back().group_name = std::string(name);
  }
}

bool SystemTopics::is_system_topic(std::string_view topic) const {
  return topic.starts_with(kSystemTopicPrefix) || names_.contains(topic);
}

std::vector<std::string> SystemTopics::names() const {
  std::vector<std::string> out(names_.begin(), names_.end());
  std::sort(out.begin(), out.end());
  return out;
}

bool is_internal_topic(std::string_view topic) { return topic.starts_with(kInternalTopicPrefix); }

bool is_forbidden_send_target(std::string_view topic) {
  return is_internal_topic(topic) ||
         std::find(kForbiddenSendTargets.begin(), kForbiddenSendTargets.end(), topic) !=
             kForbiddenSendTargets.end();
}

bool is_system_group(std::string_view group) { return group.starts_with(kSystemGroupPrefix); }

std::string send_forbidden_remark(std::string_view topic) {
  return std::string("Sending message to topic[").append(topic).append("] is forbidden.");
}

std::string system_topic_remark(std::string_view topic) {
  return std::string("The topic[").append(topic).append("] is conflict with system topic.");
}

}  // namespace gantry::state
