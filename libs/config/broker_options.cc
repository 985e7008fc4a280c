// SPDX-License-Identifier: Apache-2.0
// Key, type, range, meaning and effect of a change for every option of a broker. Defaults stand in
// BrokerConfig.
#include "config/broker_options.h"

#include <array>

namespace gantry::config {
namespace {

constexpr std::array<std::string_view, 6> kLogLevels{"trace", "debug", "info",
                                                     "warn",  "error", "off"};
constexpr std::array<std::string_view, 2> kLogFormats{"text", "json"};
// In the order of FlushDiskType.
constexpr std::array<std::string_view, 2> kFlushDiskTypes{"ASYNC_FLUSH", "SYNC_FLUSH"};
// In the order of BrokerRole.
constexpr std::array<std::string_view, 3> kBrokerRoles{"ASYNC_MASTER", "SYNC_MASTER", "SLAVE"};

using B = BrokerConfig;

constexpr auto kOptions = std::to_array<Binding<BrokerConfig>>({
    // Identity and network.
    row<&B::broker_name>(
        {.key = "brokerName",
         .type = OptionType::kString,
         .description = "Name of the broker set. Brokers of one name are replicas of each other.",
         .default_note = "the host name"}),
    row<&B::broker_cluster_name>({.key = "brokerClusterName",
                                  .type = OptionType::kString,
                                  .description = "Name of the cluster."}),
    row<&B::broker_id>(
        {.key = "brokerId",
         .type = OptionType::kLong,
         .description =
             "Number within the broker set; 0 is the master. A replicated set assigns it itself.",
         .min = 0}),
    row<&B::broker_ip1>({.key = "brokerIP1",
                         .type = OptionType::kString,
                         .description = "Address that clients use, registered at the NameServers.",
                         .default_note = "the first IPv4 address of the host"}),
    row<&B::broker_ip2>(
        {.key = "brokerIP2",
         .type = OptionType::kString,
         .description = "Address that RocketMQ uses for replication; shown to tools.",
         .default_note = "as brokerIP1"}),
    row<&B::bind_address>({.key = "bindAddress",
                           .type = OptionType::kString,
                           .description = "Local address of the remoting listeners."}),
    row<&B::listen_port>(
        {.key = "listenPort",
         .type = OptionType::kInt,
         .description = "Port for clients; the fast port is two below. 0 takes any free port.",
         .min = 0,
         .max = 65535}),
    row<&B::raft_listen_port>({.key = "raftListenPort",
                               .type = OptionType::kInt,
                               .description = "Port for the other members of the broker set.",
                               .min = 0,
                               .max = 65535,
                               .default_note = "listenPort + 1",
                               .gantry_only = true}),
    row<&B::raft_initial_members>(
        {.key = "raftInitialMembers",
         .type = OptionType::kList,
         .description = "Raft addresses `host:port` of all members of a new broker set, this one "
                        "included. Used only while every store is empty.",
         .default_note = "none: a broker set of one",
         .gantry_only = true}),
    row<&B::raft_advertised_address>(
        {.key = "raftAdvertisedAddress",
         .type = OptionType::kString,
         .description = "`host:port` under which the other members reach this one.",
         .default_note = "brokerIP1 and raftListenPort",
         .gantry_only = true}),
    row<&B::leader_advertised_address>(
        {.key = "leaderAdvertisedAddress",
         .type = OptionType::kString,
         .description = "`host:port` that the leader registers instead of its own address, e.g. a "
                        "Kubernetes Service.",
         .gantry_only = true}),
    row<&B::namesrv_addr>({.key = "namesrvAddr",
                           .type = OptionType::kList,
                           .description = "NameServers as `host:port`.",
                           .change = Change::kLive,
                           .default_note = "the environment variable NAMESRV_ADDR"}),
    row<&B::server_channel_max_idle_time_seconds>(
        {.key = "serverChannelMaxIdleTimeSeconds",
         .type = OptionType::kDuration,
         .description = "A connection without traffic for this long is closed.",
         .unit = TimeUnit::kSeconds,
         .min = 1}),
    row<&B::server_socket_backlog>({.key = "serverSocketBacklog",
                                    .type = OptionType::kInt,
                                    .description = "Connections that wait to be accepted.",
                                    .min = 1}),
    // HTTP.
    row<&B::http_address>(
        {.key = "httpAddress",
         .type = OptionType::kString,
         .description = "Local address of the HTTP listener (metrics, health, administration).",
         .gantry_only = true}),
    row<&B::http_port>({.key = "httpPort",
                        .type = OptionType::kInt,
                        .description = "Its port. 0 takes any free port.",
                        .min = 0,
                        .max = 65535,
                        .gantry_only = true}),
    // Process.
    row<&B::shards>({.key = "shards",
                     .type = OptionType::kInt,
                     .description = "Event loops. 0: from the CPUs that the process may use.",
                     .min = 0,
                     .max = 256,
                     .gantry_only = true}),
    row<&B::tail_cache_bytes>({.key = "tailCacheBytes",
                               .type = OptionType::kSize,
                               .description = "Memory for the newest part of the CommitLog. 0: 128 "
                                              "MiB, but at most a quarter of the memory limit.",
                               .min = 0,
                               .gantry_only = true}),
    row<&B::log_level>({.key = "logLevel",
                        .type = OptionType::kEnum,
                        .description = "Least severe level that is logged.",
                        .change = Change::kLive,
                        .enum_values = kLogLevels,
                        .gantry_only = true}),
    row<&B::log_format>({.key = "logFormat",
                         .type = OptionType::kEnum,
                         .description = "Log lines as text or as one JSON object each.",
                         .enum_values = kLogFormats,
                         .gantry_only = true}),
    // Store.
    row<&B::store_path_root_dir>({.key = "storePathRootDir",
                                  .type = OptionType::kString,
                                  .description = "Directory of all data.",
                                  .default_note = "`${user.home}/store`"}),
    row<&B::store_path_commit_log>({.key = "storePathCommitLog",
                                    .type = OptionType::kString,
                                    .description = "Directory of the CommitLog.",
                                    .default_note = "`commitlog` under storePathRootDir"}),
    row<&B::mapped_file_size_commit_log>(
        {.key = "mappedFileSizeCommitLog",
         .type = OptionType::kSize,
         .description = "Size of a CommitLog file. Must not change once there is data.",
         .min = 16384,
         .max = 2147483647}),
    row<&B::mapped_file_size_consume_queue>(
        {.key = "mappedFileSizeConsumeQueue",
         .type = OptionType::kSize,
         .description = "Size of a consume queue file; rounded up to whole 20-byte units. Must not "
                        "change once there is data.",
         .min = 20,
         .max = 2147483640}),
    row<&B::broker_role>(
        {.key = "brokerRole",
         .type = OptionType::kEnum,
         .description =
             "Of old files. The members of a broker set elect who leads, and a message is "
             "acknowledged when a majority has it; `SLAVE` needs raftInitialMembers.",
         .enum_values = kBrokerRoles}),
    row<&B::flush_disk_type>({.key = "flushDiskType",
                              .type = OptionType::kEnum,
                              .description = "`SYNC_FLUSH` acknowledges a message when it is on "
                                             "disk, `ASYNC_FLUSH` when it is in memory.",
                              .enum_values = kFlushDiskTypes}),
    row<&B::flush_interval_commit_log_ms>(
        {.key = "flushIntervalCommitLog",
         .type = OptionType::kDuration,
         .description = "Longest time between two syncs of the CommitLog with `ASYNC_FLUSH`.",
         .unit = TimeUnit::kMillis,
         .min = 1}),
    row<&B::sync_flush_timeout_ms>(
        {.key = "syncFlushTimeout",
         .type = OptionType::kDuration,
         .description =
             "With `SYNC_FLUSH`: after this time a send is answered with FLUSH_DISK_TIMEOUT.",
         .change = Change::kLive,
         .unit = TimeUnit::kMillis,
         .min = 1}),
    row<&B::file_reserved_time_hours>({.key = "fileReservedTime",
                                       .type = OptionType::kDuration,
                                       .description = "How long messages are kept.",
                                       .change = Change::kLive,
                                       .unit = TimeUnit::kHours,
                                       .min = 0}),
    row<&B::delete_when>(
        {.key = "deleteWhen",
         .type = OptionType::kList,
         .description = "Hours of the day at which expired files are deleted, `00` to `23`.",
         .change = Change::kLive}),
    row<&B::disk_max_used_space_ratio>(
        {.key = "diskMaxUsedSpaceRatio",
         .type = OptionType::kInt,
         .description = "Percent of the disk from which expired files are deleted at any hour; "
                        "limited to 10..95.",
         .change = Change::kLive,
         .min = 0,
         .max = 100}),
    row<&B::disk_space_clean_forcibly_ratio>(
        {.key = "diskSpaceCleanForciblyRatio",
         .type = OptionType::kInt,
         .description = "Percent of the disk from which the oldest files are deleted although not "
                        "expired; limited to 30..85.",
         .change = Change::kLive,
         .min = 0,
         .max = 100}),
    row<&B::disk_space_warning_level_ratio>(
        {.key = "diskSpaceWarningLevelRatio",
         .type = OptionType::kInt,
         .description = "Percent of the disk from which sends are refused; limited to 35..90.",
         .change = Change::kLive,
         .min = 0,
         .max = 100}),
    row<&B::clean_file_forcibly_enable>(
        {.key = "cleanFileForciblyEnable",
         .type = OptionType::kBool,
         .description = "Whether files may be deleted before they expire.",
         .change = Change::kLive}),
    // Messages and topics.
    row<&B::max_message_size>({.key = "maxMessageSize",
                               .type = OptionType::kSize,
                               .description = "Largest message body.",
                               .change = Change::kLive,
                               .min = 1,
                               .max = 1073741824}),
    row<&B::auto_create_topic_enable>(
        {.key = "autoCreateTopicEnable",
         .type = OptionType::kBool,
         .description = "Whether sending to an unknown topic creates it.",
         .change = Change::kLive}),
    row<&B::auto_create_subscription_group>(
        {.key = "autoCreateSubscriptionGroup",
         .type = OptionType::kBool,
         .description = "Whether an unknown group is created when its first consumer connects.",
         .change = Change::kLive}),
    row<&B::cluster_topic_enable>(
        {.key = "clusterTopicEnable",
         .type = OptionType::kBool,
         .description = "Whether there is a topic with the name of the cluster."}),
    row<&B::broker_topic_enable>(
        {.key = "brokerTopicEnable",
         .type = OptionType::kBool,
         .description = "Whether there is a topic with the name of the broker."}),
    row<&B::default_topic_queue_nums>(
        {.key = "defaultTopicQueueNums",
         .type = OptionType::kInt,
         .description = "Queues of a topic that is created by sending to it.",
         .change = Change::kLive,
         .min = 1,
         .max = 65536}),
    row<&B::broker_permission>({.key = "brokerPermission",
                                .type = OptionType::kInt,
                                .description = "2 write, 4 read, 6 both.",
                                .change = Change::kLive,
                                .min = 0,
                                .max = 6}),
    row<&B::message_delay_level>({.key = "messageDelayLevel",
                                  .type = OptionType::kString,
                                  .description = "Delays of the delay levels, level 1 first."}),
    row<&B::timer_wheel_enable>(
        {.key = "timerWheelEnable",
         .type = OptionType::kBool,
         .description = "Whether messages with an arbitrary delivery time are accepted."}),
    row<&B::timer_max_delay_sec>({.key = "timerMaxDelaySec",
                                  .type = OptionType::kDuration,
                                  .description = "Not served yet: Longest such delay.",
                                  .change = Change::kLive,
                                  .unit = TimeUnit::kSeconds,
                                  .min = 1}),
    row<&B::timer_precision_ms>({.key = "timerPrecisionMs",
                                 .type = OptionType::kDuration,
                                 .description = "Not served yet: Step of such delivery times.",
                                 .unit = TimeUnit::kMillis,
                                 .min = 1}),
    row<&B::reject_transaction_message>(
        {.key = "rejectTransactionMessage",
         .type = OptionType::kBool,
         .description = "Whether transactional messages are refused.",
         .change = Change::kLive}),
    row<&B::transaction_time_out_ms>(
        {.key = "transactionTimeOut",
         .type = OptionType::kDuration,
         .description = "Age from which an open transaction is checked with its producer.",
         .change = Change::kLive,
         .unit = TimeUnit::kMillis,
         .min = 0}),
    row<&B::transaction_check_max>(
        {.key = "transactionCheckMax",
         .type = OptionType::kInt,
         .description = "Checks after which an open transaction is given up.",
         .change = Change::kLive,
         .min = 1}),
    row<&B::transaction_check_interval_ms>({.key = "transactionCheckInterval",
                                            .type = OptionType::kDuration,
                                            .description = "Time between two rounds of checks.",
                                            .change = Change::kLive,
                                            .unit = TimeUnit::kMillis,
                                            .min = 1}),
    row<&B::start_accept_send_request_time_stamp>(
        {.key = "startAcceptSendRequestTimeStamp",
         .type = OptionType::kLong,
         .description = "Sends before this time (Unix milliseconds) are refused.",
         .change = Change::kLive,
         .min = 0}),
    row<&B::recall_message_enable>(
        {.key = "recallMessageEnable",
         .type = OptionType::kBool,
         .description = "Not served yet: Whether a delayed message may be recalled.",
         .change = Change::kLive}),
    row<&B::store_reply_message_enable>(
        {.key = "storeReplyMessageEnable",
         .type = OptionType::kBool,
         .description = "Not served yet: Whether replies of request-reply are also stored.",
         .change = Change::kLive}),
    // Pull and query.
    row<&B::max_transfer_bytes_on_message_in_memory>(
        {.key = "maxTransferBytesOnMessageInMemory",
         .type = OptionType::kSize,
         .description = "Bytes of one pull of messages that are in memory.",
         .change = Change::kLive,
         .min = 1}),
    row<&B::max_transfer_count_on_message_in_memory>({.key = "maxTransferCountOnMessageInMemory",
                                                      .type = OptionType::kInt,
                                                      .description = "Messages of one such pull.",
                                                      .change = Change::kLive,
                                                      .min = 1}),
    row<&B::max_transfer_bytes_on_message_in_disk>(
        {.key = "maxTransferBytesOnMessageInDisk",
         .type = OptionType::kSize,
         .description = "Bytes of one pull of messages that must be read from disk.",
         .change = Change::kLive,
         .min = 1}),
    row<&B::max_transfer_count_on_message_in_disk>({.key = "maxTransferCountOnMessageInDisk",
                                                    .type = OptionType::kInt,
                                                    .description = "Messages of one such pull.",
                                                    .change = Change::kLive,
                                                    .min = 1}),
    row<&B::max_filter_message_size>(
        {.key = "maxFilterMessageSize",
         .type = OptionType::kSize,
         .description = "Bytes of the consume queue that one filtered pull looks through.",
         .change = Change::kLive,
         .min = 20}),
    row<&B::access_message_in_memory_max_ratio>(
        {.key = "accessMessageInMemoryMaxRatio",
         .type = OptionType::kInt,
         .description = "Percent of the memory within which a message counts as being in memory.",
         .change = Change::kLive,
         .min = 0,
         .max = 100}),
    row<&B::max_msgs_num_batch>({.key = "maxMsgsNumBatch",
                                 .type = OptionType::kInt,
                                 .description = "Most messages of one query by key.",
                                 .change = Change::kLive,
                                 .min = 1}),
    row<&B::default_query_max_num>(
        {.key = "defaultQueryMaxNum",
         .type = OptionType::kInt,
         .description = "Messages of a query by key that names no number.",
         .change = Change::kLive,
         .min = 1}),
    row<&B::message_index_enable>(
        {.key = "messageIndexEnable",
         .type = OptionType::kBool,
         .description = "Keep an index of keys; without it queries by key find nothing."}),
    row<&B::max_hash_slot_num>(
        {.key = "maxHashSlotNum",
         .type = OptionType::kInt,
         .description = "Hash slots of RocketMQ's index files, in a store taken over from it. Must "
                        "be what it was there.",
         .min = 1}),
    row<&B::max_index_num>({.key = "maxIndexNum",
                            .type = OptionType::kInt,
                            .description = "Entries of RocketMQ's index files, likewise.",
                            .min = 1}),
    row<&B::long_polling_enable>(
        {.key = "longPollingEnable",
         .type = OptionType::kBool,
         .description = "Whether a pull without messages waits as long as the client allows.",
         .change = Change::kLive}),
    row<&B::short_polling_time_mills>({.key = "shortPollingTimeMills",
                                       .type = OptionType::kDuration,
                                       .description = "How long it waits otherwise.",
                                       .change = Change::kLive,
                                       .unit = TimeUnit::kMillis,
                                       .min = 1}),
    row<&B::slave_read_enable>({.key = "slaveReadEnable",
                                .type = OptionType::kBool,
                                .description = "Whether slow consumers are sent to a follower.",
                                .change = Change::kLive}),
    row<&B::lite_pull_message_enable>({.key = "litePullMessageEnable",
                                       .type = OptionType::kBool,
                                       .description = "Whether LITE_PULL_MESSAGE is served.",
                                       .change = Change::kLive}),
    row<&B::enable_property_filter>(
        {.key = "enablePropertyFilter",
         .type = OptionType::kBool,
         .description = "Not served yet: Whether SQL92 subscriptions are accepted.",
         .change = Change::kLive}),
    row<&B::use_server_side_reset_offset>(
        {.key = "useServerSideResetOffset",
         .type = OptionType::kBool,
         .description = "Whether offsets are reset in the broker instead of through the consumers.",
         .change = Change::kLive}),
    // Clients and groups.
    row<&B::channel_expired_timeout_ms>(
        {.key = "channelExpiredTimeout",
         .type = OptionType::kDuration,
         .description = "A client without heartbeat for this long is forgotten.",
         .change = Change::kLive,
         .unit = TimeUnit::kMillis,
         .min = 1}),
    row<&B::subscription_expired_timeout_ms>(
        {.key = "subscriptionExpiredTimeout",
         .type = OptionType::kDuration,
         .description = "A subscription without heartbeat for this long is forgotten.",
         .change = Change::kLive,
         .unit = TimeUnit::kMillis,
         .min = 1}),
    row<&B::notify_consumer_ids_changed_enable>(
        {.key = "notifyConsumerIdsChangedEnable",
         .type = OptionType::kBool,
         .description = "Whether consumers are told when their group changes.",
         .change = Change::kLive}),
    row<&B::real_time_notify_consumer_change>(
        {.key = "realTimeNotifyConsumerChange",
         .type = OptionType::kBool,
         .description = "Whether they are told at once instead of once per interval.",
         .change = Change::kLive}),
    row<&B::flush_consumer_offset_interval_ms>(
        {.key = "flushConsumerOffsetInterval",
         .type = OptionType::kDuration,
         .description = "Longest time between two saves of the consumer offsets, and so how far "
                        "they may go back with a leader that is lost; never above 200 ms.",
         .change = Change::kLive,
         .unit = TimeUnit::kMillis,
         .min = 1}),
    row<&B::compare_state_interval_ms>(
        {.key = "compareStateInterval",
         .type = OptionType::kDuration,
         .description = "Time between two comparisons of the replicated state of all members.",
         .unit = TimeUnit::kMillis,
         .min = 1,
         .gantry_only = true}),
    row<&B::lock_max_live_time_ms>(
        {.key = "lockMaxLiveTime",
         .type = OptionType::kDuration,
         .description = "Life of a queue lock of an orderly consumer that does not renew it.",
         .unit = TimeUnit::kMillis,
         .min = 1,
         .gantry_only = true}),
    // NameServer.
    row<&B::register_name_server_period_ms>(
        {.key = "registerNameServerPeriod",
         .type = OptionType::kDuration,
         .description =
             "Time between two registrations; limited to 10..60 seconds, as in RocketMQ.",
         .unit = TimeUnit::kMillis,
         .min = 1}),
    row<&B::broker_heartbeat_interval_ms>(
        {.key = "brokerHeartbeatInterval",
         .type = OptionType::kDuration,
         .description = "Accepted and not used: the registration is the heartbeat.",
         .unit = TimeUnit::kMillis,
         .min = 1}),
    row<&B::enable_single_topic_register>(
        {.key = "enableSingleTopicRegister",
         .type = OptionType::kBool,
         .description = "Tell the NameServers of a changed topic by that topic alone (code 217) "
                        "instead of registering all topics. For brokers with many thousand topics.",
         .change = Change::kLive}),
    row<&B::register_broker_timeout_ms>({.key = "registerBrokerTimeoutMills",
                                         .type = OptionType::kDuration,
                                         .description = "How long a registration may take.",
                                         .change = Change::kLive,
                                         .unit = TimeUnit::kMillis,
                                         .min = 1}),
    // Trace.
    row<&B::trace_on>({.key = "traceOn",
                       .type = OptionType::kBool,
                       .description = "Whether send answers tell clients that tracing is on.",
                       .change = Change::kLive}),
    row<&B::trace_topic_enable>({.key = "traceTopicEnable",
                                 .type = OptionType::kBool,
                                 .description = "Whether the trace topic exists."}),
    row<&B::msg_trace_topic_name>({.key = "msgTraceTopicName",
                                   .type = OptionType::kString,
                                   .description = "Name of the trace topic."}),
    row<&B::region_id>({.key = "regionId",
                        .type = OptionType::kString,
                        .description = "Region in send answers, for tracing.",
                        .change = Change::kLive}),
    // Changes at run time.
    row<&B::config_black_list>({.key = "configBlackList",
                                .type = OptionType::kList,
                                .description = "Keys that tools must not change."}),
});

}  // namespace

std::span<const Binding<BrokerConfig>> broker_bindings() { return kOptions; }

std::span<const OptionSpec> broker_options() {
  static const auto specs = specs_of(broker_bindings());
  return specs;
}

}  // namespace gantry::config
