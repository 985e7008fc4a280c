// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/cli/fake_cluster.h"

#include <algorithm>
#include <sstream>

#include "cli/run.h"
#include "client/message.h"
#include "protocol/cluster_info.h"
#include "protocol/consume_stats.h"
#include "protocol/kv_table.h"
#include "protocol/reset_offset.h"
#include "protocol/route_data.h"
#include "protocol/subscription_group_config.h"
#include "protocol/topic_list.h"
#include "protocol/topic_stats_table.h"

namespace gantry::test {
namespace {

using protocol::Command;
using protocol::MessageQueue;
using protocol::RequestCode;
using protocol::ResponseCode;

constexpr const char* kBroker = "broker-a";

std::string text(const Command& request, std::string_view field) {
  return std::string(request.find(field).value_or(""));
}

std::int64_t number(const Command& request, std::string_view field) {
  return std::stoll(text(request, field));
}

std::int64_t stored_ms(const std::string& record) {
  return protocol::decode_record(record)->store_timestamp_ms;
}

}  // namespace

FakeCluster::FakeCluster() {
  script_name_server();
  script_topics();
  script_groups();
  script_offsets();
  script_messages();
}

void FakeCluster::add_topic(const std::string& name, int queues) {
  const std::lock_guard lock(mutex_);
  Topic& topic = topics_[name];
  topic.config.topic_name = name;
  topic.config.read_queue_nums = topic.config.write_queue_nums = queues;
  topic.queues.resize(static_cast<std::size_t>(queues));
}

void FakeCluster::append(const std::string& topic, int queue, TestMessage message) {
  auto& records = topics_.at(topic).queues.at(static_cast<std::size_t>(queue));
  message.topic = topic;
  message.queue_id = queue;
  message.offset = static_cast<std::int64_t>(records.size());
  message.position = position_;
  message.store_port = server_.port();
  records.push_back(record(message));
  position_ += static_cast<std::int64_t>(records.back().size());
}

void FakeCluster::add_message(const std::string& topic, int queue, TestMessage message) {
  const std::lock_guard lock(mutex_);
  append(topic, queue, std::move(message));
}

void FakeCluster::add_group(const std::string& group) {
  const std::lock_guard lock(mutex_);
  groups_.insert(group);
}

void FakeCluster::set_offset(const std::string& group, const std::string& topic, int queue,
                             std::int64_t offset) {
  const std::lock_guard lock(mutex_);
  offsets_[{group, topic, queue}] = offset;
}

void FakeCluster::add_member(const std::string& group, const std::string& client_id) {
  const std::lock_guard lock(mutex_);
  protocol::ClientConnection member;
  member.client_id = client_id;
  member.client_addr = "10.0.0.9:5000";
  member.version = 479;
  members_[group].push_back(member);
}

bool FakeCluster::has_topic(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  return topics_.contains(name);
}

std::optional<std::int64_t> FakeCluster::offset(const std::string& group, const std::string& topic,
                                                int queue) const {
  const std::lock_guard lock(mutex_);
  const auto found = offsets_.find({group, topic, queue});
  if (found == offsets_.end()) return std::nullopt;
  return found->second;
}

std::vector<std::string> FakeCluster::bodies(const std::string& topic) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> bodies;
  for (const auto& queue : topics_.at(topic).queues) {
    for (const std::string& record : queue) {
      bodies.emplace_back(protocol::decode_record(record)->body);
    }
  }
  return bodies;
}

std::string FakeCluster::properties(const std::string& topic) const {
  const std::lock_guard lock(mutex_);
  for (const auto& queue : topics_.at(topic).queues) {
    if (!queue.empty()) return std::string(protocol::decode_record(queue.front())->properties);
  }
  return {};
}

const std::vector<std::string>* FakeCluster::queue_of(const Command& request) const {
  const auto topic = topics_.find(text(request, "topic"));
  if (topic == topics_.end()) return nullptr;
  const auto id = static_cast<std::size_t>(number(request, "queueId"));
  return id < topic->second.queues.size() ? &topic->second.queues[id] : nullptr;
}

// --- NameServer ---

Command FakeCluster::route(const Command& request) {
  const std::lock_guard lock(mutex_);
  const auto topic = topics_.find(text(request, "topic"));
  if (topic == topics_.end()) return refuse(ResponseCode::kTopicNotExist, "no route");
  protocol::TopicRouteData data;
  protocol::BrokerData broker;
  broker.cluster = "c1";
  broker.broker_name = kBroker;
  broker.broker_addrs = {{0, server_.address()}};
  data.broker_datas = {broker};
  protocol::QueueData queues;
  queues.broker_name = kBroker;
  queues.read_queue_nums = topic->second.config.read_queue_nums;
  queues.write_queue_nums = topic->second.config.write_queue_nums;
  queues.perm = topic->second.config.perm;
  data.queue_datas = {queues};
  return with_body(data.to_json());
}

void FakeCluster::script_name_server() {
  server_.on(RequestCode::kGetRouteInfoByTopic,
             [this](const Command& request) { return route(request); });
  server_.on(RequestCode::kGetBrokerClusterInfo, [this](const Command&) {
    protocol::ClusterInfo info;
    protocol::BrokerData broker;
    broker.cluster = "c1";
    broker.broker_name = kBroker;
    broker.broker_addrs = {{0, server_.address()}};
    info.broker_addr_table[kBroker] = broker;
    info.cluster_addr_table["c1"] = {kBroker};
    return with_body(info.to_json());
  });
  server_.on(RequestCode::kDeleteTopicInNamesrv, success());
}

// --- topics ---

Command FakeCluster::update_topic(const Command& request) {
  add_topic(text(request, "topic"), static_cast<int>(number(request, "writeQueueNums")));
  const std::lock_guard lock(mutex_);
  protocol::TopicConfig& config = topics_[text(request, "topic")].config;
  config.read_queue_nums = static_cast<std::int32_t>(number(request, "readQueueNums"));
  config.perm = static_cast<std::int32_t>(number(request, "perm"));
  return success();
}

void FakeCluster::script_topics() {
  server_.on(RequestCode::kUpdateAndCreateTopic,
             [this](const Command& request) { return update_topic(request); });
  server_.on(RequestCode::kDeleteTopicInBroker, [this](const Command& request) {
    const std::lock_guard lock(mutex_);
    topics_.erase(text(request, "topic"));
    return success();
  });
  server_.on(RequestCode::kGetTopicConfig, [this](const Command& request) {
    const std::lock_guard lock(mutex_);
    const auto topic = topics_.find(text(request, "topic"));
    if (topic == topics_.end()) return refuse(ResponseCode::kTopicNotExist);
    return with_body(topic->second.config.to_json());
  });
  server_.on(RequestCode::kGetAllTopicConfig, [this](const Command&) {
    const std::lock_guard lock(mutex_);
    protocol::TopicConfigTable table;
    for (const auto& [name, topic] : topics_) table.topics[name] = topic.config;
    return with_body(table.to_json());
  });
  server_.on(RequestCode::kGetSystemTopicListFromBroker,
             with_body(protocol::TopicList{{"TBW102", "SELF_TEST_TOPIC"}, {}}.to_json()));
  server_.on(RequestCode::kGetTopicStatsInfo, [this](const Command& request) {
    const std::lock_guard lock(mutex_);
    protocol::TopicStatsTable table;
    const std::string name = text(request, "topic");
    const Topic& topic = topics_.at(name);
    for (std::size_t i = 0; i < topic.queues.size(); ++i) {
      protocol::TopicOffset offset;
      offset.max_offset = static_cast<std::int64_t>(topic.queues[i].size());
      if (!topic.queues[i].empty())
        offset.last_update_timestamp_ms = stored_ms(topic.queues[i].back());
      table.offset_table[{name, kBroker, static_cast<std::int32_t>(i)}] = offset;
    }
    return with_body(table.to_json());
  });
  server_.on(RequestCode::kQueryTopicConsumeByWho, [this](const Command& request) {
    const std::lock_guard lock(mutex_);
    protocol::GroupList list;
    for (const auto& [key, offset] : offsets_) {
      const auto& [group, topic, queue] = key;
      if (topic == text(request, "topic") &&
          std::ranges::find(list.groups, group) == list.groups.end()) {
        list.groups.push_back(group);
      }
    }
    return with_body(list.to_json());
  });
}

// --- groups ---

Command FakeCluster::consume_stats(const Command& request) {
  const std::lock_guard lock(mutex_);
  const std::string wanted = text(request, "topic");
  protocol::ConsumeStats stats;
  for (const auto& [key, offset] : offsets_) {
    const auto& [group, topic, queue] = key;
    if (group != text(request, "consumerGroup") || (!wanted.empty() && topic != wanted)) continue;
    protocol::OffsetWrapper wrapper;
    wrapper.consumer_offset = offset;
    wrapper.broker_offset = static_cast<std::int64_t>(
        topics_.at(topic).queues.at(static_cast<std::size_t>(queue)).size());
    stats.offset_table[{topic, kBroker, queue}] = wrapper;
  }
  stats.consume_tps = 1.5;
  return with_body(stats.to_json());
}

Command FakeCluster::reset(const Command& request) {
  const std::lock_guard lock(mutex_);
  const std::string topic = text(request, "topic");
  const auto only = number(request, "queueId");
  const auto time = number(request, "timestamp");
  protocol::ResetOffsetBody body;
  const auto& queues = topics_.at(topic).queues;
  for (std::size_t i = 0; i < queues.size(); ++i) {
    const auto id = static_cast<std::int32_t>(i);
    if (only >= 0 && only != id) continue;
    auto target = static_cast<std::int64_t>(queues[i].size());
    if (request.find("offset")) {
      target = number(request, "offset");
    } else if (time >= 0) {
      target = std::ranges::count_if(queues[i], [&](const auto& r) { return stored_ms(r) < time; });
    }
    offsets_[{text(request, "group"), topic, id}] = target;
    body.offset_table[{topic, kBroker, id}] = target;
  }
  return with_body(body.to_json());
}

void FakeCluster::script_groups() {
  server_.on(RequestCode::kGetAllSubscriptionGroupConfig, [this](const Command&) {
    const std::lock_guard lock(mutex_);
    protocol::SubscriptionGroupTable table;
    for (const std::string& group : groups_) table.groups[group].group_name = group;
    return with_body(table.to_json());
  });
  server_.on(RequestCode::kGetConsumerConnectionList, [this](const Command& request) {
    const std::lock_guard lock(mutex_);
    const auto members = members_.find(text(request, "consumerGroup"));
    if (members == members_.end()) return refuse(ResponseCode::kConsumerNotOnline);
    protocol::ConsumerConnection connection;
    connection.connection_set = members->second;
    connection.subscription_table["orders"].topic = "orders";
    connection.subscription_table["orders"].sub_string = "*";
    return with_body(connection.to_json());
  });
  server_.on(RequestCode::kGetConsumeStats,
             [this](const Command& request) { return consume_stats(request); });
  server_.on(RequestCode::kInvokeBrokerToResetOffset,
             [this](const Command& request) { return reset(request); });
  protocol::KVTable runtime;
  runtime.table = {{"brokerVersionDesc", "V5_3_3"},    {"putTps", "12.5 11.0 10.0"},
                   {"getTransferredTps", "3.0"},       {"msgPutTotalTodayNow", "1500"},
                   {"msgPutTotalTodayMorning", "500"}, {"msgGetTotalTodayNow", "7"},
                   {"msgGetTotalTodayMorning", "0"},   {"commitLogDiskRatio", "0.25"},
                   {"bootTimestamp", "1700000000000"}};
  server_.on(RequestCode::kGetBrokerRuntimeInfo, with_body(runtime.to_json()));
}

void FakeCluster::script_offsets() {
  const auto size = [this](const Command& request) {
    const std::lock_guard lock(mutex_);
    const auto* queue = queue_of(request);
    return success().with("offset", queue ? static_cast<std::int64_t>(queue->size()) : 0);
  };
  server_.on(RequestCode::kGetMaxOffset, size);
  server_.on(RequestCode::kGetMinOffset, success().with("offset", 0));
  server_.on(RequestCode::kSearchOffsetByTimestamp, [this](const Command& request) {
    const std::lock_guard lock(mutex_);
    const auto* queue = queue_of(request);
    const auto time = number(request, "timestamp");
    const auto before =
        std::ranges::count_if(*queue, [&](const auto& record) { return stored_ms(record) < time; });
    return success().with("offset", static_cast<std::int64_t>(before));
  });
  server_.on(RequestCode::kQueryConsumerOffset, [this](const Command& request) {
    const auto stored = offset(text(request, "consumerGroup"), text(request, "topic"),
                               static_cast<int>(number(request, "queueId")));
    if (!stored) return refuse(ResponseCode::kQueryNotFound);
    return success().with("offset", *stored);
  });
  server_.on(RequestCode::kUpdateConsumerOffset, [this](const Command& request) {
    set_offset(text(request, "consumerGroup"), text(request, "topic"),
               static_cast<int>(number(request, "queueId")), number(request, "commitOffset"));
    return success();
  });
}

// --- messages ---

Command FakeCluster::send(const Command& request) {
  const std::lock_guard lock(mutex_);
  const std::string topic = text(request, "b");
  if (!topics_.contains(topic)) return refuse(ResponseCode::kTopicNotExist);
  const auto queue = static_cast<int>(number(request, "e"));
  TestMessage message;
  message.body = request.body;
  protocol::for_each_property(*request.find("i"),
                              [&](std::string_view name, std::string_view value) {
                                message.properties.emplace_back(name, value);
                              });
  append(topic, queue, std::move(message));
  const auto& records = topics_.at(topic).queues[static_cast<std::size_t>(queue)];
  return success()
      .with("msgId", client::decode_messages(records.back())->front().offset_message_id)
      .with("queueId", std::int64_t{queue})
      .with("queueOffset", static_cast<std::int64_t>(records.size()) - 1);
}

Command FakeCluster::pull(const Command& request) {
  const std::lock_guard lock(mutex_);
  const auto* queue = queue_of(request);
  if (queue == nullptr) return refuse(ResponseCode::kTopicNotExist);
  const auto offset = number(request, "queueOffset");
  const auto max = static_cast<std::int64_t>(queue->size());
  const auto end = std::min(max, offset + number(request, "maxMsgNums"));
  auto answer = offset < max    ? success()
                : offset == max ? refuse(ResponseCode::kPullNotFound)
                                : refuse(ResponseCode::kPullOffsetMoved);
  for (auto i = offset; i < end; ++i) answer.body += (*queue)[static_cast<std::size_t>(i)];
  answer.with("nextBeginOffset", std::min(end, max)).with("minOffset", 0).with("maxOffset", max);
  answer.with("suggestWhichBrokerId", 0);
  return answer;
}

Command FakeCluster::query(const Command& request) {
  const std::lock_guard lock(mutex_);
  const std::string key = text(request, "key");
  const bool unique = text(request, "_UNIQUE_KEY_QUERY") == "true";
  auto answer = success();
  const auto topic = topics_.find(text(request, "topic"));
  if (topic == topics_.end()) return refuse(ResponseCode::kQueryNotFound);
  for (const auto& queue : topic->second.queues) {
    for (const std::string& record : queue) {
      const client::Message message = client::decode_messages(record)->front();
      if (unique ? message.id() == key : message.has_key(key)) answer.body += record;
    }
  }
  return answer.body.empty() ? refuse(ResponseCode::kQueryNotFound) : answer;
}

Command FakeCluster::view(const Command& request) {
  const std::lock_guard lock(mutex_);
  for (const auto& [name, topic] : topics_) {
    for (const auto& queue : topic.queues) {
      for (const std::string& record : queue) {
        if (protocol::decode_record(record)->position.v == number(request, "offset")) {
          return with_body(record);
        }
      }
    }
  }
  return refuse(ResponseCode::kSystemError, "can not find message by the offset");
}

void FakeCluster::script_messages() {
  server_.on(RequestCode::kSendMessageV2, [this](const Command& r) { return send(r); });
  server_.on(RequestCode::kPullMessage, [this](const Command& r) { return pull(r); });
  server_.on(RequestCode::kQueryMessage, [this](const Command& r) { return query(r); });
  server_.on(RequestCode::kViewMessageById, [this](const Command& r) { return view(r); });
}

// --- running commands ---

Ran run_gantry(std::vector<std::string> arguments, const std::string& input) {
  std::istringstream in(input);
  std::ostringstream out;
  std::ostringstream err;
  cli::Environment environment{.in = in, .out = out, .err = err};
  Ran ran;
  ran.code = cli::run(arguments, environment);
  ran.out = out.str();
  ran.err = err.str();
  return ran;
}

Ran run_gantry(const FakeCluster& cluster, std::vector<std::string> arguments,
               const std::string& input) {
  arguments.insert(arguments.begin(), {"--namesrv", cluster.namesrv()});
  return run_gantry(std::move(arguments), input);
}

}  // namespace gantry::test
