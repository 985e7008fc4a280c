// SPDX-License-Identifier: Apache-2.0
// Key, type, range, meaning and effect of a change for every option of a NameServer. Defaults stand
// in NamesrvConfig.
#include "config/namesrv_options.h"

#include <array>

namespace gantry::config {
namespace {

constexpr std::array<std::string_view, 6> kLogLevels{"trace", "debug", "info",
                                                     "warn",  "error", "off"};
constexpr std::array<std::string_view, 2> kLogFormats{"text", "json"};

using N = NamesrvConfig;

constexpr auto kOptions = std::to_array<Binding<NamesrvConfig>>({
    // Network.
    row<&N::bind_address>({.key = "bindAddress",
                           .type = OptionType::kString,
                           .description = "Local address of the remoting listener."}),
    row<&N::listen_port>(
        {.key = "listenPort",
         .type = OptionType::kInt,
         .description = "Port for brokers, clients and tools. 0 takes any free port.",
         .min = 0,
         .max = 65535}),
    row<&N::server_channel_max_idle_time_seconds>(
        {.key = "serverChannelMaxIdleTimeSeconds",
         .type = OptionType::kDuration,
         .description = "A connection without traffic for this long is closed.",
         .unit = TimeUnit::kSeconds,
         .min = 1}),
    row<&N::server_socket_backlog>({.key = "serverSocketBacklog",
                                    .type = OptionType::kInt,
                                    .description = "Connections that wait to be accepted.",
                                    .min = 1}),
    row<&N::http_address>(
        {.key = "httpAddress",
         .type = OptionType::kString,
         .description = "Local address of the HTTP listener (metrics, health, administration).",
         .gantry_only = true}),
    row<&N::http_port>({.key = "httpPort",
                        .type = OptionType::kInt,
                        .description = "Its port. 0 takes any free port.",
                        .min = 0,
                        .max = 65535,
                        .gantry_only = true}),
    // Process.
    row<&N::shards>({.key = "shards",
                     .type = OptionType::kInt,
                     .description = "Event loops. 0: from the CPUs that the process may use.",
                     .min = 0,
                     .max = 256,
                     .gantry_only = true}),
    row<&N::log_level>({.key = "logLevel",
                        .type = OptionType::kEnum,
                        .description = "Least severe level that is logged.",
                        .change = Change::kLive,
                        .enum_values = kLogLevels,
                        .gantry_only = true}),
    row<&N::log_format>({.key = "logFormat",
                         .type = OptionType::kEnum,
                         .description = "Log lines as text or as one JSON object each.",
                         .enum_values = kLogFormats,
                         .gantry_only = true}),
    // Routes.
    row<&N::scan_not_active_broker_interval_ms>(
        {.key = "scanNotActiveBrokerInterval",
         .type = OptionType::kDuration,
         .description = "Time between two searches for brokers that stopped sending heartbeats.",
         .change = Change::kLive,
         .unit = TimeUnit::kMillis,
         .min = 1}),
    row<&N::order_message_enable>(
        {.key = "orderMessageEnable",
         .type = OptionType::kBool,
         .description = "Whether routes carry the order configuration of a topic.",
         .change = Change::kLive}),
    row<&N::return_order_topic_config_to_broker>(
        {.key = "returnOrderTopicConfigToBroker",
         .type = OptionType::kBool,
         .description = "Whether the answer to a registration carries it, too.",
         .change = Change::kLive}),
    row<&N::support_acting_master>(
        {.key = "supportActingMaster",
         .type = OptionType::kBool,
         .description =
             "Whether the follower with the smallest id counts as master while there is none.",
         .change = Change::kLive}),
    row<&N::notify_min_broker_id_changed>(
        {.key = "notifyMinBrokerIdChanged",
         .type = OptionType::kBool,
         .description = "Whether brokers are told when the smallest id of their set changes.",
         .change = Change::kLive}),
    row<&N::enable_all_topic_list>({.key = "enableAllTopicList",
                                    .type = OptionType::kBool,
                                    .description = "Whether the list of all topics is served.",
                                    .change = Change::kLive}),
    row<&N::enable_topic_list>({.key = "enableTopicList",
                                .type = OptionType::kBool,
                                .description = "Whether the other lists of topics are served.",
                                .change = Change::kLive}),
    row<&N::delete_topic_with_broker_registration>(
        {.key = "deleteTopicWithBrokerRegistration",
         .type = OptionType::kBool,
         .description = "Whether a registration removes topics that it no longer names.",
         .change = Change::kLive}),
    row<&N::need_wait_for_service>(
        {.key = "needWaitForService",
         .type = OptionType::kBool,
         .description = "Whether route requests are refused for a while after the start."}),
    row<&N::wait_seconds_for_service>({.key = "waitSecondsForService",
                                       .type = OptionType::kDuration,
                                       .description = "How long.",
                                       .unit = TimeUnit::kSeconds,
                                       .min = 0}),
    row<&N::cluster_test>(
        {.key = "clusterTest",
         .type = OptionType::kBool,
         .description = "Whether unknown topics are looked up in another environment."}),
    row<&N::product_env_name>({.key = "productEnvName",
                               .type = OptionType::kString,
                               .description = "Name of that environment."}),
    // Files.
    row<&N::kv_config_path>({.key = "kvConfigPath",
                             .type = OptionType::kString,
                             .description = "File of the key-value table.",
                             .default_note = "`${user.home}/namesrv/kvConfig.json`"}),
    row<&N::config_store_path>({.key = "configStorePath",
                                .type = OptionType::kString,
                                .description = "File to which changes at run time are saved.",
                                .default_note = "`${user.home}/namesrv/namesrv.properties`"}),
    // Changes at run time.
    row<&N::config_black_list>({.key = "configBlackList",
                                .type = OptionType::kList,
                                .description = "Keys that tools must not change."}),
});

}  // namespace

std::span<const Binding<NamesrvConfig>> namesrv_bindings() { return kOptions; }

std::span<const OptionSpec> namesrv_options() {
  static const auto specs = specs_of(namesrv_bindings());
  return specs;
}

}  // namespace gantry::config
