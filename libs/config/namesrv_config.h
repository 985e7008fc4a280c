// SPDX-License-Identifier: Apache-2.0
// Every option of a NameServer as a typed struct with RocketMQ's defaults; the counterpart of
// broker_config.h, with the same rules. The table stands in namesrv_options.cc.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/host_facts.h"
#include "config/load.h"
#include "config/option.h"

namespace gantry::config {

struct NamesrvConfig {
  // Network.
  std::string bind_address = "0.0.0.0";
  int listen_port = 9876;  // 0: any free port
  int server_channel_max_idle_time_seconds = 120;
  int server_socket_backlog = 1024;
  std::string http_address = "0.0.0.0";
  int http_port = 5558;  // 0: any free port

  // Process.
  int shards = 0;  // 0: from the CPUs the process may use
  std::string log_level = "info";
  std::string log_format = "text";

  // Routes.
  std::int64_t scan_not_active_broker_interval_ms = 5000;
  bool order_message_enable = false;
  bool return_order_topic_config_to_broker = true;
  bool support_acting_master = false;
  bool notify_min_broker_id_changed = false;
  bool enable_all_topic_list = true;
  bool enable_topic_list = true;
  bool delete_topic_with_broker_registration = false;
  bool need_wait_for_service = false;
  std::int64_t wait_seconds_for_service = 45;
  bool cluster_test = false;
  std::string product_env_name = "center";

  // Files.
  std::string kv_config_path;     // default: ${user.home}/namesrv/kvConfig.json
  std::string config_store_path;  // default: ${user.home}/namesrv/namesrv.properties

  // Keys that code 318 must not change.
  std::vector<std::string> config_black_list = {"configBlackList", "configStorePath",
                                                "kvConfigPath"};

  // As in BrokerConfig.
  std::map<std::string, std::string> kept;
};

Result<Loaded<NamesrvConfig>> load_namesrv_config(const Inputs& inputs,
                                                  const HostFacts& host = detect_host());

// Every effective key as `key=value` lines, sorted (code 319).
std::string to_properties_text(const NamesrvConfig& config);

// Changes one key at run time (code 318). A bad value is an error and changes nothing.
Result<Updated> update(NamesrvConfig& config, std::string_view key, std::string_view value);

std::span<const OptionSpec> namesrv_options();

}  // namespace gantry::config
