// SPDX-License-Identifier: Apache-2.0
// The topics and groups that every broker has, and which names clients may not use as they like.
// Immutable after construction; usable on every thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/string_hash.h"
#include "protocol/subscription_group_config.h"
#include "protocol/topic_config.h"

namespace gantry::state {

// Topic of the command records. Neither queue nor index is built from it and no client may use it:
// every request naming an internal topic is answered with code 16.
inline constexpr std::string_view kCommandTopic = "rmq_sys_GANTRY_LOG";
// Every topic with this prefix is internal to Gantry.
inline constexpr std::string_view kInternalTopicPrefix = "rmq_sys_GANTRY_";

inline constexpr std::string_view kAutoCreateTopic = "TBW102";
inline constexpr std::string_view kSelfTestTopic = "SELF_TEST_TOPIC";
inline constexpr std::string_view kBenchmarkTopic = "BenchmarkTest";
inline constexpr std::string_view kOffsetMovedTopic = "OFFSET_MOVED_EVENT";
inline constexpr std::string_view kScheduleTopic = "SCHEDULE_TOPIC_XXXX";
inline constexpr std::string_view kTraceTopic = "RMQ_SYS_TRACE_TOPIC";
inline constexpr std::string_view kTransHalfTopic = "RMQ_SYS_TRANS_HALF_TOPIC";
inline constexpr std::string_view kTransOpHalfTopic = "RMQ_SYS_TRANS_OP_HALF_TOPIC";
// Whose offsets say how far Apache RocketMQ's check service has come.
inline constexpr std::string_view kTransactionGroup = "CID_RMQ_SYS_TRANS";
inline constexpr std::string_view kTransCheckMaxTimeTopic = "TRANS_CHECK_MAX_TIME_TOPIC";
inline constexpr std::string_view kTimerTopic = "rmq_sys_wheel_timer";
inline constexpr std::string_view kCheckpointTopic = "CHECKPOINT_TOPIC";
inline constexpr std::string_view kSystemTopicPrefix = "rmq_sys_";
inline constexpr std::string_view kSystemGroupPrefix = "CID_RMQ_SYS_";

// Broker configuration that decides which of them exist; the names are RocketMQ's keys.
struct SystemTopicOptions {
  std::string broker_cluster_name;
  std::string broker_name;
  bool auto_create_topic_enable = true;
  std::int32_t default_topic_queue_nums = 8;
  bool cluster_topic_enable = true;
  bool broker_topic_enable = true;
  bool trace_topic_enable = false;
  std::string msg_trace_topic_name = std::string(kTraceTopic);
  bool timer_wheel_enable = true;
  std::int32_t revive_queue_num = 8;
  std::int32_t delay_level_count = 18;
};

class SystemTopics {
 public:
  explicit SystemTopics(const SystemTopicOptions& options);

  // What a leader creates at the start of its term when missing. TBW102 is among them only with
  // autoCreateTopicEnable; inherit_topic() refuses one that an earlier configuration left behind.
  const std::vector<protocol::TopicConfig>& initial_topics() const { return topics_; }
  const std::vector<protocol::SubscriptionGroupConfig>& initial_groups() const { return groups_; }

  // Reserved: may not be created, changed or deleted by clients (code 29).
  bool is_system_topic(std::string_view topic) const;
  // Sorted, for code 305. Gantry's internal topics are not in it.
  std::vector<std::string> names() const;

 private:
  std::vector<protocol::TopicConfig> topics_;
  std::vector<protocol::SubscriptionGroupConfig> groups_;
  StringSet names_;
};

// Clients may neither send to it, pull from it nor administrate it (code 16).
bool is_internal_topic(std::string_view topic);
// Clients may not send to it (code 16): internal topics included.
bool is_forbidden_send_target(std::string_view topic);
bool is_system_group(std::string_view group);

// Remarks as RocketMQ words them.
std::string send_forbidden_remark(std::string_view topic);
std::string system_topic_remark(std::string_view topic);

}  // namespace gantry::state
