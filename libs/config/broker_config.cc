// SPDX-License-Identifier: Apache-2.0
#include "config/broker_config.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "config/broker_options.h"
#include "config/checks.h"

namespace gantry::config {
namespace {

constexpr std::string_view kNoAccessControl =
    "access control is not part of this version; a broker that silently drops it would be open";
constexpr std::string_view kOwnReplication =
    "replicas of a broker set are kept by Gantry itself; remove the key";

constexpr auto kRefused = std::to_array<RefusedValue>({
    {"aclEnable", "true", kNoAccessControl},
    {"authenticationEnabled", "true", kNoAccessControl},
    {"authorizationEnabled", "true", kNoAccessControl},
    {"enableDLegerCommitLog", "true", kOwnReplication},
    {"enableControllerMode", "true", kOwnReplication},
});

const Program<BrokerConfig>& program() {
  using enum KeyOwner;
  static const Program<BrokerConfig> instance{
      .options = broker_bindings(),
      .accepted = owners_of({kBroker, kStore, kServer, kClient, kAuth, kTiered, kOlder}),
      .shown = owners_of({kBroker, kStore, kServer, kClient, kAuth}),
      .refused = kRefused,
  };
  return instance;
}

// RocketMQ silently moves these values into their limits; so do we, but we say so.
template <class T>
void limit(std::string_view key, T& value, T low, T high, std::vector<std::string>& warnings) {
  const T limited = std::clamp(value, low, high);
  if (limited == value) return;
  warnings.push_back(std::string(key) + "=" + std::to_string(value) + " is limited to " +
                     std::to_string(limited));
  value = limited;
}

void limit_values(BrokerConfig& config, std::vector<std::string>& warnings) {
  limit("diskMaxUsedSpaceRatio", config.disk_max_used_space_ratio, 10, 95, warnings);
  limit("diskSpaceCleanForciblyRatio", config.disk_space_clean_forcibly_ratio, 30, 85, warnings);
  limit("diskSpaceWarningLevelRatio", config.disk_space_warning_level_ratio, 35, 90, warnings);
  limit<std::int64_t>("registerNameServerPeriod", config.register_name_server_period_ms, 10'000,
                      60'000, warnings);
  constexpr std::int64_t kQueueUnit = 20;
  std::int64_t& size = config.mapped_file_size_consume_queue;
  size = (size + kQueueUnit - 1) / kQueueUnit * kQueueUnit;
}

void check_names(const BrokerConfig& config, std::vector<std::string>& errors) {
  const auto check = [&](std::string_view key, const std::string& value, bool good,
                         std::string_view expected) {
    if (good) return;
    errors.push_back("key \"" + std::string(key) + "\" has the value \"" + value + "\": expected " +
                     std::string(expected));
  };
  constexpr std::string_view kName = "a name without blanks, '/' or '@'";
  check("brokerName", config.broker_name, is_plain_name(config.broker_name), kName);
  check("brokerClusterName", config.broker_cluster_name, is_plain_name(config.broker_cluster_name),
        kName);
  check("brokerIP1", config.broker_ip1, is_plain_name(config.broker_ip1), "a host or an address");
  check("brokerIP2", config.broker_ip2, is_plain_name(config.broker_ip2), "a host or an address");
  for (const std::string& address : config.namesrv_addr) {
    check("namesrvAddr", address, is_host_port(address), "host:port items separated by ';'");
  }
  const std::string& leader = config.leader_advertised_address;
  check("leaderAdvertisedAddress", leader, leader.empty() || is_host_port(leader), "host:port");
  for (const std::string& address : config.raft_initial_members) {
    check("raftInitialMembers", address, is_host_port(address), "host:port items separated by ';'");
  }
  const std::string& raft = config.raft_advertised_address;
  check("raftAdvertisedAddress", raft, raft.empty() || is_host_port(raft), "host:port");
  for (const std::string& hour : config.delete_when) {
    const bool good =
        hour.size() == 2 && hour >= "00" && hour <= "23" && hour[1] >= '0' && hour[1] <= '9';
    check("deleteWhen", hour, good, "hours from 00 to 23 separated by ';'");
  }
  check("storePathCommitLog", config.store_path_commit_log,
        config.store_path_commit_log.find(',') == std::string::npos,
        "one directory; a CommitLog over several is not supported");
  const auto delays = parse_delay_levels(config.message_delay_level);
  if (!delays) {
    check("messageDelayLevel", config.message_delay_level, false, delays.error().message);
  }
}

void check_ports(const BrokerConfig& config, std::vector<std::string>& errors) {
  constexpr int kFastPortBelow = 2;
  const int fast_port = config.listen_port == 0 ? 0 : config.listen_port - kFastPortBelow;
  if (fast_port < 0 || (config.listen_port != 0 && fast_port == 0)) {
    errors.push_back("listenPort must be 0 or at least 3: the fast port is two below it");
    return;
  }
  check_ports_differ(std::to_array<NamedPort>({{"listenPort", config.listen_port},
                                               {"the fast port (listenPort - 2)", fast_port},
                                               {"raftListenPort", config.raft_listen_port},
                                               {"httpPort", config.http_port}}),
                     errors);
}

// brokerRole means nothing where members elect their leader; what its owner expects is said.
void check_role(const BrokerConfig& config, std::vector<std::string>& errors,
                std::vector<std::string>& warnings) {
  const bool alone = config.raft_initial_members.empty();
  switch (config.broker_role) {
    case BrokerRole::kAsyncMaster:
      return;
    case BrokerRole::kSyncMaster:
      warnings.emplace_back(
          alone
              ? "brokerRole=SYNC_MASTER is ignored: nothing is replicated while the broker set has "
                "one member; name the members in raftInitialMembers, or let others join"
              : "brokerRole=SYNC_MASTER is ignored: the members elect who leads, and a message is "
                "acknowledged when a majority has it");
      return;
    case BrokerRole::kSlave:
      if (alone) {
        errors.emplace_back(
            "key \"brokerRole\" has the value \"SLAVE\": alone, this broker would be a second "
            "master "
            "of its broker set; name the members in raftInitialMembers, they elect who leads");
      } else {
        warnings.emplace_back("brokerRole=SLAVE is ignored: the members elect who leads");
      }
  }
}

void check_together(BrokerConfig& config, std::vector<std::string>& errors,
                    std::vector<std::string>& warnings) {
  limit_values(config, warnings);
  check_names(config, errors);
  check_ports(config, errors);
  check_role(config, errors, warnings);
}

void fill_defaults(BrokerConfig& config, const HostFacts& host) {
  if (config.broker_name.empty()) config.broker_name = host.host_name;
  if (config.broker_ip1.empty()) config.broker_ip1 = host.ipv4;
  if (config.broker_ip2.empty()) config.broker_ip2 = config.broker_ip1;
  if (config.namesrv_addr.empty()) config.namesrv_addr = split_list(host.namesrv_addr);
  constexpr int kLastPort = 65535;
  if (config.raft_listen_port == 0 && config.listen_port != 0 && config.listen_port < kLastPort) {
    config.raft_listen_port = config.listen_port + 1;
  }
  if (config.raft_advertised_address.empty() && config.raft_listen_port != 0) {
    config.raft_advertised_address =
        config.broker_ip1 + ":" + std::to_string(config.raft_listen_port);
  }
  fill_path(config.store_path_root_dir, "${user.home}/store", host.home);
  fill_path(config.store_path_commit_log, config.store_path_root_dir + "/commitlog", host.home);
}

}  // namespace

Result<Loaded<BrokerConfig>> load_broker_config(const Inputs& inputs, const HostFacts& host) {
  return load_with<BrokerConfig>(program(), inputs,
                                 [&host](BrokerConfig& config, std::vector<std::string>& errors,
                                         std::vector<std::string>& warnings) {
                                   fill_defaults(config, host);
                                   check_together(config, errors, warnings);
                                 });
}

std::string to_properties_text(const BrokerConfig& config) {
  return properties_text_of(program(), config);
}

Result<Updated> update(BrokerConfig& config, std::string_view key, std::string_view value) {
  return update_with<BrokerConfig>(program(), config, key, value, check_together);
}

}  // namespace gantry::config
