// SPDX-License-Identifier: Apache-2.0
// What a NameServer knows: which brokers exist, at which addresses, and which queues of which topic
// they hold. Pure logic: no sockets, no clock (callers pass steady milliseconds), no threads. One
// object per NameServer, owned by NamesrvApp and only touched on its shard.
//
// Nothing here is stored on disk: brokers register again every 30 s, so a NameServer that starts
// empty is complete after one round. Rules and deviations: docs/protocol/namesrv.md.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/string_hash.h"
#include "namesrv/route/route_cache.h"
#include "protocol/cluster_info.h"
#include "protocol/data_version.h"
#include "protocol/register_broker.h"
#include "protocol/route_data.h"
#include "protocol/topic_list.h"

namespace gantry::namesrv {

// The connection a registration came over: net::ConnectionId, repeated here so that the table needs
// nothing of libs/net.
using ChannelId = std::uint64_t;

// How long a registration lives without news when the broker does not say (heartbeatTimeoutMillis).
inline constexpr std::int64_t kBrokerTimeoutMsDefault = 120'000;

struct RouteTableOptions {
  bool support_acting_master = false;
  bool delete_topic_with_broker_registration = false;
  std::size_t route_cache_bytes_max = 64U << 20U;
};

// The smallest broker id of a broker set changed: whom to tell, and what (code 905).
struct MinBrokerIdChange {
  std::string broker_name;
  std::int64_t min_broker_id = 0;
  std::string min_broker_addr;
  std::optional<std::string> offline_broker_addr;  // set when an address went away
  std::optional<std::string> ha_broker_addr;       // set when an address came
  std::vector<std::string> notify;                 // broker addresses to tell

  bool operator==(const MinBrokerIdChange&) const = default;
};

enum class RegisterOutcome {
  kAccepted,
  kFenced,   // an older state version than the holder of that id: answered, but not taken
  kRefused,  // one single topic from a broker that never registered as a whole
};

struct RegisterResult {
  RegisterOutcome outcome = RegisterOutcome::kAccepted;
  // For a slave: where its master is, when that is registered.
  std::optional<std::string> master_addr;
  std::optional<std::string> ha_server_addr;
  std::optional<MinBrokerIdChange> min_broker_id_change;
};

struct Removal {
  std::size_t registrations = 0;         // how many live entries went
  std::vector<ChannelId> idle_channels;  // connections that hold no registration any more
  std::vector<MinBrokerIdChange> min_broker_id_changes;
};

struct DataVersionAnswer {
  bool changed = true;                            // the broker's version is not the recorded one
  std::optional<protocol::DataVersion> recorded;  // nothing when the broker is unknown
};

struct RouteTableStats {
  std::size_t topics = 0, clusters = 0, broker_sets = 0, registrations = 0;
  std::size_t cached_routes = 0, cached_route_bytes = 0;
};

enum class UnitFilter { kUnit, kUnitSub, kUnitSubButNotUnit };

class RouteTable {
 public:
  explicit RouteTable(RouteTableOptions options);
  ~RouteTable();
  RouteTable(const RouteTable&) = delete;
  RouteTable& operator=(const RouteTable&) = delete;

  void set_options(const RouteTableOptions& options);

  // --- registrations (103, 104, 322, 904, closed connections, expiry) ---
  RegisterResult register_broker(const protocol::RegisterBrokerHeader& header,
                                 const protocol::RegisterBrokerBody& body, ChannelId channel,
                                 std::int64_t now_ms);
  // A broker that says goodbye. Ignored when another open connection holds that address with a
  // state version above 0: then a newer leader lives there already.
  Removal unregister_broker(std::string_view cluster, std::string_view broker_addr,
                            std::string_view broker_name, ChannelId channel);
  Removal channel_closed(ChannelId channel);
  Removal expire(std::int64_t now_ms);
  // False when (cluster, address) is not registered.
  bool heartbeat(std::string_view cluster, std::string_view broker_addr, std::int64_t now_ms);
  DataVersionAnswer query_data_version(std::string_view cluster, std::string_view broker_addr,
                                       const protocol::DataVersion& version, std::int64_t now_ms);

  // --- operator commands (205, 327, 216, 217): how many topics changed ---
  std::int32_t wipe_write_perm(std::string_view broker_name);
  std::int32_t add_write_perm(std::string_view broker_name);
  void delete_topic(std::string_view topic);
  void delete_topic(std::string_view topic, std::string_view cluster);
  std::int32_t register_topic(std::string_view topic,
                              const std::vector<protocol::QueueData>& queue_datas);

  // --- answers ---
  // The route as JSON, or null when the topic is unknown. Valid until the next call.
  const std::string* route_json(std::string_view topic);
  std::optional<protocol::TopicRouteData> route(std::string_view topic) const;
  protocol::ClusterInfo cluster_info() const;
  protocol::BrokerMemberGroup member_group(std::string_view cluster,
                                           std::string_view broker_name) const;
  protocol::TopicList all_topics() const;
  protocol::TopicList topics_of_cluster(std::string_view cluster) const;
  protocol::TopicList system_topics() const;
  protocol::TopicList unit_topics(UnitFilter filter) const;
  RouteTableStats stats() const;

 private:
  struct TopicQueues {
    std::int32_t read_queue_nums = 0;
    std::int32_t write_queue_nums = 0;
    std::int32_t perm = 0;
    std::int32_t topic_sys_flag = 0;
    bool operator==(const TopicQueues&) const = default;
  };
  // A broker set. Its address is stable; topics point at it.
  struct Broker {
    protocol::BrokerData data;
  };
  struct TopicOnBroker {
    Broker* broker = nullptr;
    TopicQueues queues;
  };
  using Mappings = std::map<std::string, protocol::TopicQueueMappingInfo, std::less<>>;
  struct Topic {
    std::vector<TopicOnBroker> on_brokers;  // sorted by broker name; never empty
    Mappings mappings;                      // by broker name; static topics of Java brokers
  };
  using Topics = StringMap<Topic>;
  struct LiveKey {
    std::string cluster;
    std::string addr;
    auto operator<=>(const LiveKey&) const = default;
  };
  struct Live {
    std::string broker_name;
    std::int64_t last_update_ms = 0;
    std::int64_t timeout_ms = 0;
    protocol::DataVersion version;
    ChannelId channel = 0;
    std::string ha_server_addr;
    std::vector<std::string> filter_servers;
  };
  using LiveTable = std::map<LiveKey, Live>;
  using BrokerSets = std::map<std::string, Broker, std::less<>>;
  enum class PermChange { kWipeWrite, kAddWrite };

  bool fenced(const Broker& broker, const protocol::RegisterBrokerHeader& header,
              const protocol::DataVersion& version, ChannelId channel) const;
  RegisterResult fence(Broker& broker, const protocol::RegisterBrokerHeader& header,
                       ChannelId channel);
  Broker& broker_set(const protocol::RegisterBrokerHeader& header);
  // Puts the address in; true when that id was not taken before.
  bool put_address(Broker& broker, const protocol::RegisterBrokerHeader& header);
  void merge_topics(Broker& broker, const protocol::TopicConfigTable& table, bool rewrite_all,
                    bool clear_write);
  void drop_topics_not_in(const Broker& broker, const protocol::TopicConfigTable& table);
  void put_queues(std::string_view topic, Broker& broker, const TopicQueues& queues);
  void point_to_master(const Broker& broker, const protocol::RegisterBrokerHeader& header,
                       RegisterResult& result) const;

  void remove_registration(LiveTable::iterator entry, Removal& removal);
  void remove_address(std::string_view broker_name, std::string_view addr, Removal& removal);
  void remove_broker_set(BrokerSets::iterator broker);
  void remove_from_topics(const Broker& broker);
  // Erases the broker from the topic; the topic goes with its last broker. Returns the next topic.
  Topics::iterator remove_from_topic(Topics::iterator topic, const Broker& broker);
  void clear_write_without_master(const Broker& broker);
  bool channel_in_use(ChannelId channel) const;

  std::int32_t change_perm(std::string_view broker_name, PermChange change);
  static std::vector<TopicOnBroker>::iterator find_on(Topic& topic, std::string_view broker_name);
  static bool holds(const Topic& topic, std::string_view broker_name);
  void add_filter_servers(const protocol::BrokerData& broker,
                          protocol::TopicRouteData& route) const;

  RouteTableOptions options_;
  Topics topics_;
  BrokerSets brokers_;
  std::map<std::string, std::set<std::string, std::less<>>, std::less<>> clusters_;
  LiveTable live_;
  RouteCache cache_;
};

// Keeps only what a client of `zone` should use: brokers of that zone, and brokers without a master
// (their consumers must find a slave wherever it is).
void keep_zone(protocol::TopicRouteData& route, std::string_view zone);

}  // namespace gantry::namesrv
