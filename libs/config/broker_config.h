// SPDX-License-Identifier: Apache-2.0
// Every option of a broker as a typed struct with RocketMQ's defaults. Key, type, range, meaning
// and whether a change needs a restart stand in one table, broker_options.cc; docs/operations/
// configuration.md is kept equal to it by a test.
//
// A BrokerConfig is a plain value. The broker's app owns it and hands out copies or
// `shared_ptr<const BrokerConfig>`; a change at run time (code 25) makes a new one.
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

enum class FlushDiskType { kAsyncFlush, kSyncFlush };
// Of RocketMQ's own replication; in Gantry members elect who leads.
enum class BrokerRole { kAsyncMaster, kSyncMaster, kSlave };

struct BrokerConfig {
  // Identity and network.
  std::string broker_name;  // default: host name
  std::string broker_cluster_name = "DefaultCluster";
  std::int64_t broker_id = 0;
  std::string broker_ip1;                         // default: first IPv4 of the host
  std::string broker_ip2;                         // default: as brokerIP1
  std::string bind_address = "0.0.0.0";           // of every remoting listener
  int listen_port = 10911;                        // 0: any free port
  int raft_listen_port = 0;                       // between members of a set; load: listen_port + 1
  std::vector<std::string> raft_initial_members;  // host:port of a new set; empty: a set of one
  std::string raft_advertised_address;            // host:port; load: broker_ip1:raft_listen_port
  std::string
      leader_advertised_address;  // host[:port] registered by the leader; empty: own address
  std::vector<std::string> namesrv_addr;  // host:port
  int server_channel_max_idle_time_seconds = 120;
  int server_socket_backlog = 1024;

  // HTTP: metrics, health, administration.
  std::string http_address = "0.0.0.0";
  int http_port = 5557;  // 0: any free port

  // Process.
  int shards = 0;                     // 0: from the CPUs the process may use
  std::int64_t tail_cache_bytes = 0;  // 0: min(128 MiB, 25 % of the memory limit)
  std::string log_level = "info";
  std::string log_format = "text";

  // Store. Empty paths are filled in by load.
  std::string store_path_root_dir;    // default: ${user.home}/store
  std::string store_path_commit_log;  // default: <root>/commitlog
  std::int64_t mapped_file_size_commit_log = 1LL << 30;
  std::int64_t mapped_file_size_consume_queue = 6'000'000;  // load rounds up to whole 20-byte units
  BrokerRole broker_role = BrokerRole::kAsyncMaster;
  FlushDiskType flush_disk_type = FlushDiskType::kAsyncFlush;
  std::int64_t flush_interval_commit_log_ms = 500;
  std::int64_t sync_flush_timeout_ms = 5000;
  std::int64_t file_reserved_time_hours = 72;
  std::vector<std::string> delete_when = {"04"};  // hours of the day, "00" to "23"
  int disk_max_used_space_ratio = 75;             // percent; load limits it to 10..95, as RocketMQ
  int disk_space_clean_forcibly_ratio = 85;       // percent
  int disk_space_warning_level_ratio = 90;        // percent
  bool clean_file_forcibly_enable = true;

  // Messages and topics.
  std::int64_t max_message_size = 4 * 1024 * 1024;
  bool auto_create_topic_enable = true;
  bool auto_create_subscription_group = true;
  bool cluster_topic_enable = true;
  bool broker_topic_enable = true;
  int default_topic_queue_nums = 8;
  int broker_permission = 6;  // 2 write, 4 read
  std::string message_delay_level = "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h";
  bool timer_wheel_enable = true;
  std::int64_t timer_max_delay_sec = 259'200;
  std::int64_t timer_precision_ms = 1000;
  bool reject_transaction_message = false;
  std::int64_t transaction_time_out_ms = 6000;
  int transaction_check_max = 15;
  std::int64_t transaction_check_interval_ms = 30'000;
  std::int64_t start_accept_send_request_time_stamp = 0;  // Unix ms; sends before it are refused
  bool recall_message_enable = false;
  bool store_reply_message_enable = true;

  // Pull and query limits.
  std::int64_t max_transfer_bytes_on_message_in_memory = 262'144;
  int max_transfer_count_on_message_in_memory = 32;
  std::int64_t max_transfer_bytes_on_message_in_disk = 65'536;
  int max_transfer_count_on_message_in_disk = 8;
  std::int64_t max_filter_message_size = 16'000;  // consume-queue bytes read for one filtered pull
  int access_message_in_memory_max_ratio = 40;    // percent
  int max_msgs_num_batch = 64;                    // messages of one query by key
  int default_query_max_num = 32;
  bool message_index_enable = true;   // false: queries by key find nothing
  int max_hash_slot_num = 5'000'000;  // of index files that RocketMQ left behind
  int max_index_num = 20'000'000;     // likewise
  bool long_polling_enable = true;
  std::int64_t short_polling_time_mills = 1000;
  bool slave_read_enable = false;
  bool lite_pull_message_enable = true;
  bool enable_property_filter = false;  // SQL92
  bool use_server_side_reset_offset = true;

  // Clients and groups.
  std::int64_t channel_expired_timeout_ms = 120'000;
  std::int64_t subscription_expired_timeout_ms = 600'000;
  bool notify_consumer_ids_changed_enable = true;
  bool real_time_notify_consumer_change = true;
  std::int64_t flush_consumer_offset_interval_ms = 5000;
  std::int64_t compare_state_interval_ms = 600000;
  std::int64_t lock_max_live_time_ms = 60'000;  // of a queue lock of an orderly consumer

  // NameServer.
  std::int64_t register_name_server_period_ms = 30'000;
  std::int64_t broker_heartbeat_interval_ms = 1000;
  bool enable_single_topic_register = false;
  std::int64_t register_broker_timeout_ms = 24'000;

  // Trace.
  bool trace_on = true;
  bool trace_topic_enable = false;
  std::string msg_trace_topic_name = "RMQ_SYS_TRACE_TOPIC";
  std::string region_id = "DefaultRegion";

  // Keys that code 25 must not change.
  std::vector<std::string> config_black_list = {"configBlackList", "brokerConfigPath"};

  // Text of keys that codes 26 shows differently from this struct: RocketMQ keys without meaning
  // here that the operator gave, and changes that wait for a restart.
  std::map<std::string, std::string> kept;
};

// Reads and checks everything. The error names file, line, key, value and what was expected.
Result<Loaded<BrokerConfig>> load_broker_config(const Inputs& inputs,
                                                const HostFacts& host = detect_host());

// Every effective key as `key=value` lines, sorted: Gantry's options and, so that tools find what
// they look for, RocketMQ's other keys with their defaults (codes 26, and `getBrokerConfig`).
std::string to_properties_text(const BrokerConfig& config);

// Changes one key at run time. A bad value is an error and changes nothing.
Result<Updated> update(BrokerConfig& config, std::string_view key, std::string_view value);

// The delays of messageDelayLevel in milliseconds; level 1 is the first.
Result<std::vector<std::int64_t>> parse_delay_levels(std::string_view text);

// The table, in the order of the documentation.
std::span<const OptionSpec> broker_options();

}  // namespace gantry::config
