// SPDX-License-Identifier: Apache-2.0
// Every option of the sidecar that runs beside a broker in Kubernetes; the counterpart of
// broker_config.h, with the same rules. RocketMQ has no such program: all keys are Gantry's own.
// The table stands in sidecar_options.cc.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/load.h"
#include "config/option.h"

namespace gantry::config {

struct SidecarConfig {
  // Network.
  std::string broker_http_address = "http://127.0.0.1:5557";
  std::string http_address = "0.0.0.0";
  int http_port = 5559;  // 0: any free port

  // Process.
  std::string log_level = "info";
  std::string log_format = "text";
  std::int64_t stop_timeout_ms = 60'000;

  // The label of the pod.
  std::string leader_label = "gantry.dev/leader";
  std::int64_t poll_interval_ms = 200;
  std::int64_t broker_timeout_ms = 3000;
  std::int64_t pod_check_interval_ms = 30'000;
  std::string service_account_path = "/var/run/secrets/kubernetes.io/serviceaccount";

  // Events about the pod.
  std::int64_t event_delay_ms = 30'000;
  std::int64_t event_interval_ms = 300'000;

  // As in BrokerConfig; stays empty, because no key of RocketMQ is accepted.
  std::map<std::string, std::string> kept;
};

Result<Loaded<SidecarConfig>> load_sidecar_config(const Inputs& inputs);

// Every effective key as `key=value` lines, sorted.
std::string to_properties_text(const SidecarConfig& config);

std::span<const OptionSpec> sidecar_options();

// "host:port" of "http://host:port" (a '/' at the end is allowed). Errors say what was expected.
Result<std::string> host_port_of(std::string_view http_address);

// A key that Kubernetes accepts for labels: [prefix/]name.
bool is_label_key(std::string_view text);

}  // namespace gantry::config
