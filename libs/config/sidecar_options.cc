// SPDX-License-Identifier: Apache-2.0
// Key, type, range and meaning for every option of the sidecar. Defaults stand in SidecarConfig.
#include "config/sidecar_options.h"

#include <array>

namespace gantry::config {
namespace {

constexpr std::array<std::string_view, 6> kLogLevels{"trace", "debug", "info",
                                                     "warn",  "error", "off"};
constexpr std::array<std::string_view, 2> kLogFormats{"text", "json"};

using S = SidecarConfig;

constexpr auto kOptions = std::to_array<Binding<SidecarConfig>>({
    // Network.
    row<&S::broker_http_address>({.key = "brokerHttpAddress",
                                  .type = OptionType::kString,
                                  .description = "HTTP address of the broker in the same pod.",
                                  .gantry_only = true}),
    row<&S::http_address>({.key = "httpAddress",
                           .type = OptionType::kString,
                           .description = "Local address of the HTTP listener (metrics, health).",
                           .gantry_only = true}),
    row<&S::http_port>({.key = "httpPort",
                        .type = OptionType::kInt,
                        .description = "Its port. 0 takes any free port.",
                        .min = 0,
                        .max = 65535,
                        .gantry_only = true}),
    // Process.
    row<&S::log_level>({.key = "logLevel",
                        .type = OptionType::kEnum,
                        .description = "Least severe level that is logged.",
                        .enum_values = kLogLevels,
                        .gantry_only = true}),
    row<&S::log_format>({.key = "logFormat",
                         .type = OptionType::kEnum,
                         .description = "Log lines as text or as one JSON object each.",
                         .enum_values = kLogFormats,
                         .gantry_only = true}),
    row<&S::stop_timeout_ms>(
        {.key = "stopTimeoutMillis",
         .type = OptionType::kDuration,
         .description = "How long after SIGTERM the sidecar of a pod that is being deleted waits "
                        "for its broker to stop leading.",
         .unit = TimeUnit::kMillis,
         .min = 0,
         .gantry_only = true}),
    // The label of the pod.
    row<&S::leader_label>(
        {.key = "leaderLabel",
         .type = OptionType::kString,
         .description = "Label with the value `true` on the pod whose broker leads.",
         .gantry_only = true}),
    row<&S::poll_interval_ms>(
        {.key = "pollIntervalMillis",
         .type = OptionType::kDuration,
         .description = "Time between two questions to a broker that cannot be waited for.",
         .unit = TimeUnit::kMillis,
         .min = 10,
         .max = 60'000,
         .gantry_only = true}),
    row<&S::broker_timeout_ms>(
        {.key = "brokerTimeoutMillis",
         .type = OptionType::kDuration,
         .description = "A broker that does not answer for this long does not lead any more.",
         .unit = TimeUnit::kMillis,
         .min = 100,
         .max = 600'000,
         .gantry_only = true}),
    row<&S::pod_check_interval_ms>(
        {.key = "podCheckIntervalMillis",
         .type = OptionType::kDuration,
         .description = "Time between two looks at the labels the pod really has.",
         .unit = TimeUnit::kMillis,
         .min = 100,
         .gantry_only = true}),
    row<&S::service_account_path>(
        {.key = "serviceAccountPath",
         .type = OptionType::kString,
         .description =
             "Directory with `token`, `ca.crt` and `namespace` of the pod's service account.",
         .gantry_only = true}),
    // Events about the pod.
    row<&S::event_delay_ms>(
        {.key = "eventDelayMillis",
         .type = OptionType::kDuration,
         .description = "How long a broker has to be unready before a Kubernetes Event says why.",
         .unit = TimeUnit::kMillis,
         .min = 0,
         .max = 86'400'000,
         .gantry_only = true}),
    row<&S::event_interval_ms>(
        {.key = "eventIntervalMillis",
         .type = OptionType::kDuration,
         .description = "Time after which the same Event is counted once more while its cause "
                        "lasts. An hour or more lets Kubernetes forget it in between.",
         .unit = TimeUnit::kMillis,
         .min = 100,
         .max = 86'400'000,
         .gantry_only = true}),
});

}  // namespace

std::span<const Binding<SidecarConfig>> sidecar_bindings() { return kOptions; }

std::span<const OptionSpec> sidecar_options() {
  static const auto specs = specs_of(sidecar_bindings());
  return specs;
}

}  // namespace gantry::config
