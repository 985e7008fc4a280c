// SPDX-License-Identifier: Apache-2.0
// Answers of the route table, and the commands of operators that change topics.
#include <algorithm>
#include <cctype>
#include <utility>

#include "log/log.h"
#include "namesrv/route/route_table.h"

namespace gantry::namesrv {
namespace {

constexpr Logger kLog("route");

// Brokers exchange their member lists through these topics; a re-labelled id would mislead them.
constexpr std::string_view kMemberGroupTopicPrefix = "rmq_sys_SYNC_BROKER_MEMBER_";

const protocol::QueueData* queues_of(const protocol::TopicRouteData& route,
                                     std::string_view broker_name) {
  const auto it =
      std::ranges::find(route.queue_datas, broker_name, &protocol::QueueData::broker_name);
  return it == route.queue_datas.end() ? nullptr : &*it;
}

// Old clients pull from id 0 only: the smallest slave of a set that lost its master poses as it.
void show_acting_masters(protocol::TopicRouteData& route) {
  for (auto& broker : route.broker_datas) {
    auto& addrs = broker.broker_addrs;
    if (!broker.enable_acting_master || addrs.empty() ||
        addrs.contains(protocol::kMasterBrokerId)) {
      continue;
    }
    const auto* queues = queues_of(route, broker.broker_name);
    if (queues == nullptr || (queues->perm & protocol::kPermWrite) != 0) continue;
    auto smallest = addrs.extract(addrs.begin());
    smallest.key() = protocol::kMasterBrokerId;
    addrs.insert(std::move(smallest));
  }
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

bool matches(UnitFilter filter, std::int32_t flag) {
  const bool unit = (flag & protocol::kTopicSysFlagUnit) != 0;
  const bool unit_sub = (flag & protocol::kTopicSysFlagUnitSub) != 0;
  switch (filter) {
    case UnitFilter::kUnit:
      return unit;
    case UnitFilter::kUnitSub:
      return unit_sub;
    case UnitFilter::kUnitSubButNotUnit:
      return unit_sub && !unit;
  }
  return false;
}

}  // namespace

std::vector<RouteTable::TopicOnBroker>::iterator RouteTable::find_on(Topic& topic,
                                                                     std::string_view broker_name) {
  return std::ranges::lower_bound(
      topic.on_brokers, broker_name, std::less<>{},
      [](const TopicOnBroker& t) -> std::string_view { return t.broker->data.broker_name; });
}

bool RouteTable::holds(const Topic& topic, std::string_view broker_name) {
  return std::ranges::binary_search(
      topic.on_brokers, broker_name, std::less<>{},
      [](const TopicOnBroker& t) -> std::string_view { return t.broker->data.broker_name; });
}

std::int32_t RouteTable::wipe_write_perm(std::string_view broker_name) {
  return change_perm(broker_name, PermChange::kWipeWrite);
}

std::int32_t RouteTable::add_write_perm(std::string_view broker_name) {
  return change_perm(broker_name, PermChange::kAddWrite);
}

std::int32_t RouteTable::change_perm(std::string_view broker_name, PermChange change) {
  std::int32_t topics = 0;
  for (auto& [name, topic] : topics_) {
    const auto at = find_on(topic, broker_name);
    if (at == topic.on_brokers.end() || at->broker->data.broker_name != broker_name) continue;
    ++topics;
    std::int32_t& perm = at->queues.perm;
    const std::int32_t wanted = change == PermChange::kWipeWrite
                                    ? perm & ~protocol::kPermWrite
                                    : protocol::kPermRead | protocol::kPermWrite;
    if (perm == wanted) continue;
    perm = wanted;
    cache_.erase(name);
  }
  kLog.info("write permission {} broker={} topics={}",
            change == PermChange::kWipeWrite ? "wiped" : "added", broker_name, topics);
  return topics;
}

void RouteTable::delete_topic(std::string_view topic) {
  const auto it = topics_.find(topic);
  if (it == topics_.end()) return;
  kLog.info("topic deleted topic={}", topic);
  cache_.erase(topic);
  topics_.erase(it);
}

void RouteTable::delete_topic(std::string_view topic, std::string_view cluster) {
  const auto names = clusters_.find(cluster);
  if (names == clusters_.end()) return;
  for (const auto& name : names->second) {
    const auto it = topics_.find(topic);
    if (it == topics_.end()) return;
    const auto broker = brokers_.find(name);
    if (broker != brokers_.end()) remove_from_topic(it, broker->second);
  }
  kLog.info("topic deleted topic={} cluster={}", topic, cluster);
}

std::int32_t RouteTable::register_topic(std::string_view topic,
                                        const std::vector<protocol::QueueData>& queue_datas) {
  std::int32_t taken = 0;
  for (const auto& queues : queue_datas) {
    const auto broker = brokers_.find(queues.broker_name);
    if (broker == brokers_.end()) {
      kLog.warn("ignored a topic of an unknown broker topic={} broker={}", topic,
                queues.broker_name);
      continue;
    }
    put_queues(topic, broker->second,
               TopicQueues{queues.read_queue_nums, queues.write_queue_nums, queues.perm,
                           queues.topic_sys_flag});
    ++taken;
  }
  return taken;
}

const std::string* RouteTable::route_json(std::string_view topic) {
  if (const auto* body = cache_.find(topic)) return body;
  const auto found = route(topic);
  return found ? cache_.put(topic, found->to_json()) : nullptr;
}

std::optional<protocol::TopicRouteData> RouteTable::route(std::string_view topic) const {
  const auto it = topics_.find(topic);
  if (it == topics_.end()) return std::nullopt;
  protocol::TopicRouteData out;
  out.queue_datas.reserve(it->second.on_brokers.size());
  out.broker_datas.reserve(it->second.on_brokers.size());
  for (const auto& [broker, queues] : it->second.on_brokers) {
    out.queue_datas.push_back({broker->data.broker_name, queues.read_queue_nums,
                               queues.write_queue_nums, queues.perm, queues.topic_sys_flag});
    out.broker_datas.push_back(broker->data);
    add_filter_servers(broker->data, out);
  }
  if (!it->second.mappings.empty()) out.topic_queue_mapping_by_broker = it->second.mappings;
  if (options_.support_acting_master && !topic.starts_with(kMemberGroupTopicPrefix)) {
    show_acting_masters(out);
  }
  return out;
}

void RouteTable::add_filter_servers(const protocol::BrokerData& broker,
                                    protocol::TopicRouteData& route) const {
  for (const auto& [id, addr] : broker.broker_addrs) {
    const auto live = live_.find(LiveKey{broker.cluster, addr});
    if (live == live_.end() || live->second.filter_servers.empty()) continue;
    route.filter_server_table.insert_or_assign(addr, live->second.filter_servers);
  }
}

protocol::ClusterInfo RouteTable::cluster_info() const {
  protocol::ClusterInfo out;
  for (const auto& [name, broker] : brokers_) out.broker_addr_table.emplace(name, broker.data);
  out.cluster_addr_table = clusters_;
  return out;
}

protocol::BrokerMemberGroup RouteTable::member_group(std::string_view cluster,
                                                     std::string_view broker_name) const {
  protocol::BrokerMemberGroup out;
  out.cluster = cluster;
  out.broker_name = broker_name;
  const auto it = brokers_.find(broker_name);
  if (it != brokers_.end()) out.broker_addrs = it->second.data.broker_addrs;
  return out;
}

protocol::TopicList RouteTable::all_topics() const {
  protocol::TopicList out;
  out.topics.reserve(topics_.size());
  for (const auto& [name, topic] : topics_) out.topics.push_back(name);
  std::ranges::sort(out.topics);
  return out;
}

protocol::TopicList RouteTable::topics_of_cluster(std::string_view cluster) const {
  protocol::TopicList out;
  const auto names = clusters_.find(cluster);
  if (names == clusters_.end()) return out;
  for (const auto& [name, topic] : topics_) {
    const bool here = std::ranges::any_of(topic.on_brokers, [&](const TopicOnBroker& t) {
      return names->second.contains(t.broker->data.broker_name);
    });
    if (here) out.topics.push_back(name);
  }
  std::ranges::sort(out.topics);
  return out;
}

protocol::TopicList RouteTable::system_topics() const {
  protocol::TopicList out;
  for (const auto& [cluster, brokers] : clusters_) {
    out.topics.push_back(cluster);
    out.topics.insert(out.topics.end(), brokers.begin(), brokers.end());
  }
  // The asker goes on to this address for the broker's own system topics.
  for (const auto& [name, broker] : brokers_) {
    if (broker.data.broker_addrs.empty()) continue;
    out.broker_addr = broker.data.broker_addrs.begin()->second;
    break;
  }
  return out;
}

protocol::TopicList RouteTable::unit_topics(UnitFilter filter) const {
  protocol::TopicList out;
  for (const auto& [name, topic] : topics_) {
    if (matches(filter, topic.on_brokers.front().queues.topic_sys_flag)) {
      out.topics.push_back(name);
    }
  }
  std::ranges::sort(out.topics);
  return out;
}

RouteTableStats RouteTable::stats() const {
  return {topics_.size(), clusters_.size(), brokers_.size(),
          live_.size(),   cache_.size(),    cache_.bytes()};
}

void keep_zone(protocol::TopicRouteData& route, std::string_view zone) {
  std::set<std::string, std::less<>> dropped;
  std::erase_if(route.broker_datas, [&](const protocol::BrokerData& broker) {
    if (!broker.broker_addrs.contains(protocol::kMasterBrokerId)) return false;
    if (broker.zone_name && equals_ignoring_case(*broker.zone_name, zone)) return false;
    for (const auto& [id, addr] : broker.broker_addrs) route.filter_server_table.erase(addr);
    dropped.insert(broker.broker_name);
    return true;
  });
  std::erase_if(route.queue_datas, [&](const protocol::QueueData& queues) {
    return dropped.contains(queues.broker_name);
  });
}

}  // namespace gantry::namesrv
