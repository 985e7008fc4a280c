// SPDX-License-Identifier: Apache-2.0
// Short ways to say "this broker registers with these topics" in tests.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "namesrv/route/route_table.h"
#include "protocol/register_broker.h"

namespace gantry::namesrv::test {

struct TopicSpec {
  std::string name;
  std::int32_t perm = 6;
  std::int32_t queues = 4;
  std::int32_t sys_flag = 0;
};

struct BrokerSpec {
  std::string name = "broker-a";
  std::int64_t id = 0;
  std::string addr = "10.0.0.1:10911";
  std::string cluster = "DefaultCluster";
  protocol::DataVersion version = {.state_version = 0, .timestamp_ms = 1000, .counter = 1};
  std::vector<TopicSpec> topics = {{"TBW102", 7, 8}, {"T"}};
  ChannelId channel = 1;
  std::optional<bool> acting_master = std::nullopt;
  std::optional<std::string> zone = std::nullopt;
  std::optional<std::int64_t> timeout_ms = std::nullopt;
  std::vector<std::string> filter_servers = {};
};

inline protocol::RegisterBrokerHeader header_of(const BrokerSpec& spec) {
  protocol::RegisterBrokerHeader header;
  header.broker_name = spec.name;
  header.broker_id = spec.id;
  header.broker_addr = spec.addr;
  header.cluster_name = spec.cluster;
  header.ha_server_addr = spec.addr.substr(0, spec.addr.find(':')) + ":10912";
  header.enable_acting_master = spec.acting_master;
  header.zone_name = spec.zone;
  header.heartbeat_timeout_ms = spec.timeout_ms;
  return header;
}

inline protocol::RegisterBrokerBody body_of(const BrokerSpec& spec) {
  protocol::RegisterBrokerBody body;
  body.topic_configs.data_version = spec.version;
  for (const auto& topic : spec.topics) {
    protocol::TopicConfig config;
    config.topic_name = topic.name;
    config.perm = topic.perm;
    config.read_queue_nums = config.write_queue_nums = topic.queues;
    config.topic_sys_flag = topic.sys_flag;
    body.topic_configs.topics.emplace(topic.name, config);
  }
  body.filter_server_list = spec.filter_servers;
  return body;
}

inline RegisterResult register_broker(RouteTable& table, const BrokerSpec& spec,
                                      std::int64_t now_ms = 0) {
  return table.register_broker(header_of(spec), body_of(spec), spec.channel, now_ms);
}

inline protocol::DataVersion version(std::int64_t counter, std::int64_t state_version = 0) {
  return {.state_version = state_version, .timestamp_ms = 1000 + counter, .counter = counter};
}

}  // namespace gantry::namesrv::test
