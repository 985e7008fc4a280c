// SPDX-License-Identifier: Apache-2.0
// Registrations: what brokers say about themselves.
#include "namesrv/route/route_table.h"

#include <algorithm>
#include <utility>

#include "log/log.h"

namespace gantry::namesrv {
namespace {

constexpr Logger kLog("route");

// After an address went, everyone left is told; after one came, those who were there before it.
std::vector<std::string> whom_to_tell(const std::map<std::int64_t, std::string>& addrs,
                                      bool address_went) {
  std::vector<std::string> out;
  const bool all = address_went || addrs.size() == 1;
  for (auto it = addrs.begin(); it != addrs.end(); ++it) {
    if (all || it != addrs.begin()) out.push_back(it->second);
  }
  return out;
}

MinBrokerIdChange min_id_change(const protocol::BrokerData& broker, bool address_went) {
  MinBrokerIdChange change;
  change.broker_name = broker.broker_name;
  change.min_broker_id = broker.broker_addrs.begin()->first;
  change.min_broker_addr = broker.broker_addrs.begin()->second;
  change.notify = whom_to_tell(broker.broker_addrs, address_went);
  return change;
}

}  // namespace

RouteTable::RouteTable(RouteTableOptions options)
    : options_(options), cache_(options.route_cache_bytes_max) {}

RouteTable::~RouteTable() = default;

void RouteTable::set_options(const RouteTableOptions& options) {
  options_ = options;
  cache_.set_bytes_max(options.route_cache_bytes_max);
  cache_.clear();  // acting masters may look different now
}

RegisterResult RouteTable::register_broker(const protocol::RegisterBrokerHeader& header,
                                           const protocol::RegisterBrokerBody& body,
                                           ChannelId channel, std::int64_t now_ms) {
  RegisterResult result;
  const auto& table = body.topic_configs;
  const auto known = brokers_.find(header.broker_name);
  const bool id_taken =
      known != brokers_.end() && known->second.data.broker_addrs.contains(header.broker_id);
  if (!id_taken && table.topics.size() == 1) {
    kLog.warn(
        "refused a single topic from a broker that has not registered yet broker={} id={} "
        "addr={} topic={}",
        header.broker_name, header.broker_id, header.broker_addr, table.topics.begin()->first);
    result.outcome = RegisterOutcome::kRefused;
    return result;
  }
  if (id_taken && fenced(known->second, header, table.data_version, channel)) {
    return fence(known->second, header, channel);
  }

  Broker& broker = broker_set(header);
  const auto& addrs = broker.data.broker_addrs;
  const bool new_minimum = !addrs.empty() && header.broker_id < addrs.begin()->first;
  const bool first = put_address(broker, header);
  const LiveKey key{header.cluster_name, header.broker_addr};
  const auto live = live_.find(key);
  const bool version_changed = live == live_.end() || live->second.version != table.data_version;
  const bool master = header.broker_id == protocol::kMasterBrokerId;
  const bool prime_slave = !master && header.enable_acting_master.has_value() &&
                           header.broker_id == addrs.begin()->first;
  if (master || prime_slave) {
    if (options_.delete_topic_with_broker_registration && table.mapping_infos.empty()) {
      drop_topics_not_in(broker, table);
    }
    merge_topics(broker, table, first || version_changed,
                 prime_slave && broker.data.enable_acting_master);
  }

  if (live == live_.end()) {
    kLog.info("broker registered cluster={} broker={} id={} addr={} topics={}", header.cluster_name,
              header.broker_name, header.broker_id, header.broker_addr, table.topics.size());
  }
  Live& entry = live_[key];
  if (entry.filter_servers != body.filter_server_list) cache_.clear();
  entry = Live{header.broker_name,
               now_ms,
               header.heartbeat_timeout_ms.value_or(kBrokerTimeoutMsDefault),
               table.data_version,
               channel,
               header.ha_server_addr,
               body.filter_server_list};
  if (!master) point_to_master(broker, header, result);
  if (new_minimum) {
    result.min_broker_id_change = min_id_change(broker.data, false);
    result.min_broker_id_change->ha_broker_addr = header.ha_server_addr;
  }
  return result;
}

// A leader that lost its term must not take its id back from the new one. The state version is the
// Raft term (Gantry) or the controller's epoch (Apache); brokers without either always say 0.
bool RouteTable::fenced(const Broker& broker, const protocol::RegisterBrokerHeader& header,
                        const protocol::DataVersion& version, ChannelId channel) const {
  const std::string& holder_addr = broker.data.broker_addrs.at(header.broker_id);
  const auto holder = live_.find(LiveKey{header.cluster_name, holder_addr});
  if (holder == live_.end()) return false;
  // Over its own connection a broker may say what it likes about its own address. The same address
  // over another connection is either its next life, which the closing of the old connection lets
  // in, or a name that two brokers in turn stand behind.
  if (holder_addr == header.broker_addr && holder->second.channel == channel) return false;
  return holder->second.version.state_version > version.state_version;
}

RegisterResult RouteTable::fence(Broker& broker, const protocol::RegisterBrokerHeader& header,
                                 ChannelId channel) {
  auto& addrs = broker.data.broker_addrs;
  const std::string& holder_addr = addrs.at(header.broker_id);
  kLog.warn(
      "ignored a registration with an older state version broker={} id={} addr={} holder={} "
      "channel={}",
      header.broker_name, header.broker_id, header.broker_addr, holder_addr, channel);
  // What the loser registered before under another id is no longer true. An address shared with the
  // winner (a service name that follows the leader) stays: it is the winner's registration.
  if (holder_addr != header.broker_addr) {
    live_.erase(LiveKey{header.cluster_name, header.broker_addr});
    const auto gone =
        std::erase_if(addrs, [&](const auto& item) { return item.second == header.broker_addr; });
    if (gone != 0) cache_.clear();
  }
  RegisterResult result;
  result.outcome = RegisterOutcome::kFenced;
  return result;
}

RouteTable::Broker& RouteTable::broker_set(const protocol::RegisterBrokerHeader& header) {
  clusters_[header.cluster_name].insert(header.broker_name);
  auto& broker = brokers_[header.broker_name];
  auto& data = broker.data;
  if (data.broker_name.empty()) {
    data.cluster = header.cluster_name;
    data.broker_name = header.broker_name;
  }
  const bool acting_master = header.enable_acting_master.value_or(false);
  if (data.enable_acting_master != acting_master || data.zone_name != header.zone_name) {
    data.enable_acting_master = acting_master;
    data.zone_name = header.zone_name;
    cache_.clear();
  }
  return broker;
}

bool RouteTable::put_address(Broker& broker, const protocol::RegisterBrokerHeader& header) {
  auto& addrs = broker.data.broker_addrs;
  // A broker that changed its role has one id only: the new one.
  const auto moved = std::erase_if(addrs, [&](const auto& item) {
    return item.second == header.broker_addr && item.first != header.broker_id;
  });
  const auto [it, first] = addrs.try_emplace(header.broker_id, header.broker_addr);
  if (moved != 0 || first || it->second != header.broker_addr) {
    if (!first || moved != 0) {
      kLog.info("broker changed role or address broker={} id={} addr={} before={}",
                header.broker_name, header.broker_id, header.broker_addr, it->second);
    }
    it->second = header.broker_addr;
    cache_.clear();
  }
  return first;
}

void RouteTable::merge_topics(Broker& broker, const protocol::TopicConfigTable& table,
                              bool rewrite_all, bool clear_write) {
  for (const auto& [name, config] : table.topics) {
    if (!rewrite_all) {
      const auto it = topics_.find(name);
      if (it != topics_.end() && holds(it->second, broker.data.broker_name)) continue;
    }
    const std::int32_t perm = clear_write ? config.perm & ~protocol::kPermWrite : config.perm;
    put_queues(
        name, broker,
        TopicQueues{config.read_queue_nums, config.write_queue_nums, perm, config.topic_sys_flag});
  }
  for (const auto& [name, info] : table.mapping_infos) {
    const auto topic = topics_.find(name);
    // A mapping without queues cannot be looked up.
    if (topic == topics_.end()) continue;
    auto& mappings = topic->second.mappings;
    if (!rewrite_all && mappings.contains(info.broker_name)) continue;
    mappings.insert_or_assign(info.broker_name, info);
    cache_.erase(name);
  }
}

void RouteTable::drop_topics_not_in(const Broker& broker, const protocol::TopicConfigTable& table) {
  for (auto it = topics_.begin(); it != topics_.end();) {
    it = table.topics.contains(it->first) ? std::next(it) : remove_from_topic(it, broker);
  }
}

void RouteTable::put_queues(std::string_view topic, Broker& broker, const TopicQueues& queues) {
  auto it = topics_.find(topic);
  if (it == topics_.end()) {
    it = topics_.emplace(std::string(topic), Topic{}).first;
    kLog.debug("topic registered topic={} broker={}", topic, broker.data.broker_name);
  }
  auto& on = it->second.on_brokers;
  const auto at = find_on(it->second, broker.data.broker_name);
  if (at == on.end() || at->broker != &broker) {
    on.insert(at, TopicOnBroker{&broker, queues});
  } else if (at->queues == queues) {
    return;
  } else {
    at->queues = queues;
  }
  cache_.erase(topic);
}

void RouteTable::point_to_master(const Broker& broker, const protocol::RegisterBrokerHeader& header,
                                 RegisterResult& result) const {
  const auto master = broker.data.broker_addrs.find(protocol::kMasterBrokerId);
  if (master == broker.data.broker_addrs.end()) return;
  const auto live = live_.find(LiveKey{header.cluster_name, master->second});
  if (live == live_.end()) return;
  result.master_addr = master->second;
  result.ha_server_addr = live->second.ha_server_addr;
}

bool RouteTable::heartbeat(std::string_view cluster, std::string_view broker_addr,
                           std::int64_t now_ms) {
  const auto it = live_.find(LiveKey{std::string(cluster), std::string(broker_addr)});
  if (it == live_.end()) return false;
  it->second.last_update_ms = now_ms;
  return true;
}

DataVersionAnswer RouteTable::query_data_version(std::string_view cluster,
                                                 std::string_view broker_addr,
                                                 const protocol::DataVersion& version,
                                                 std::int64_t now_ms) {
  DataVersionAnswer answer;
  const auto it = live_.find(LiveKey{std::string(cluster), std::string(broker_addr)});
  if (it == live_.end()) return answer;
  answer.recorded = it->second.version;
  answer.changed = it->second.version != version;
  if (!answer.changed) it->second.last_update_ms = now_ms;
  return answer;
}

Removal RouteTable::unregister_broker(std::string_view cluster, std::string_view broker_addr,
                                      std::string_view broker_name, ChannelId channel) {
  Removal removal;
  const auto it = live_.find(LiveKey{std::string(cluster), std::string(broker_addr)});
  if (it != live_.end()) {
    const Live& live = it->second;
    if (live.channel != channel && live.version.state_version > 0) {
      kLog.info("ignored a goodbye for an address that a newer connection holds broker={} addr={}",
                broker_name, broker_addr);
      return removal;
    }
    live_.erase(it);
    ++removal.registrations;
    cache_.clear();  // its filter servers
  }
  kLog.info("broker unregistered cluster={} broker={} addr={}", cluster, broker_name, broker_addr);
  remove_address(broker_name, broker_addr, removal);
  return removal;
}

Removal RouteTable::channel_closed(ChannelId channel) {
  Removal removal;
  for (auto it = live_.begin(); it != live_.end();) {
    const auto entry = it++;
    if (entry->second.channel != channel) continue;
    kLog.info("broker's connection closed cluster={} broker={} addr={}", entry->first.cluster,
              entry->second.broker_name, entry->first.addr);
    remove_registration(entry, removal);
  }
  return removal;
}

Removal RouteTable::expire(std::int64_t now_ms) {
  Removal removal;
  std::set<ChannelId> channels;
  for (auto it = live_.begin(); it != live_.end();) {
    const auto entry = it++;
    const Live& live = entry->second;
    if (now_ms - live.last_update_ms <= live.timeout_ms) continue;
    kLog.warn("broker expired cluster={} broker={} addr={} silent_ms={}", entry->first.cluster,
              live.broker_name, entry->first.addr, now_ms - live.last_update_ms);
    channels.insert(live.channel);
    remove_registration(entry, removal);
  }
  for (const ChannelId channel : channels) {
    if (!channel_in_use(channel)) removal.idle_channels.push_back(channel);
  }
  return removal;
}

bool RouteTable::channel_in_use(ChannelId channel) const {
  return std::ranges::any_of(live_, [&](const auto& e) { return e.second.channel == channel; });
}

void RouteTable::remove_registration(LiveTable::iterator entry, Removal& removal) {
  const std::string addr = entry->first.addr;
  const std::string broker_name = entry->second.broker_name;
  live_.erase(entry);
  ++removal.registrations;
  cache_.clear();
  remove_address(broker_name, addr, removal);
}

void RouteTable::remove_address(std::string_view broker_name, std::string_view addr,
                                Removal& removal) {
  const auto it = brokers_.find(broker_name);
  if (it == brokers_.end()) return;
  auto& data = it->second.data;
  const auto minimum = data.broker_addrs.begin();
  const bool minimum_went = minimum != data.broker_addrs.end() && minimum->second == addr;
  if (std::erase_if(data.broker_addrs, [&](const auto& e) { return e.second == addr; }) != 0) {
    cache_.clear();
  }
  if (data.broker_addrs.empty()) {
    remove_broker_set(it);
    return;
  }
  if (!data.enable_acting_master) return;
  clear_write_without_master(it->second);
  if (minimum_went) {
    auto change = min_id_change(data, true);
    change.offline_broker_addr = std::string(addr);
    removal.min_broker_id_changes.push_back(std::move(change));
  }
}

void RouteTable::remove_broker_set(BrokerSets::iterator broker) {
  remove_from_topics(broker->second);
  for (auto it = clusters_.begin(); it != clusters_.end();) {
    it->second.erase(broker->first);
    it = it->second.empty() ? clusters_.erase(it) : std::next(it);
  }
  cache_.clear();
  brokers_.erase(broker);
}

void RouteTable::remove_from_topics(const Broker& broker) {
  for (auto it = topics_.begin(); it != topics_.end();) it = remove_from_topic(it, broker);
}

RouteTable::Topics::iterator RouteTable::remove_from_topic(Topics::iterator topic,
                                                           const Broker& broker) {
  auto& on = topic->second.on_brokers;
  const auto at = find_on(topic->second, broker.data.broker_name);
  if (at == on.end() || at->broker != &broker) return std::next(topic);
  cache_.erase(topic->first);
  on.erase(at);
  return on.empty() ? topics_.erase(topic) : std::next(topic);
}

// With acting masters a set without its master stays readable, and its routes must say read-only.
void RouteTable::clear_write_without_master(const Broker& broker) {
  if (broker.data.broker_addrs.contains(protocol::kMasterBrokerId)) return;
  change_perm(broker.data.broker_name, PermChange::kWipeWrite);
}

}  // namespace gantry::namesrv
