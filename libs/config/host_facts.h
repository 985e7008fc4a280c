// SPDX-License-Identifier: Apache-2.0
// What defaults depend on outside the configuration file.
#pragma once

#include <string>

namespace gantry::config {

struct HostFacts {
  std::string host_name{};     // default of brokerName
  std::string ipv4{};          // default of brokerIP1 and brokerIP2
  std::string home{};          // ${user.home} in default paths
  std::string namesrv_addr{};  // NAMESRV_ADDR, RocketMQ's variable; default of namesrvAddr
};

// Asks the system: uname, the first network interface that is up and neither loopback nor a bridge,
// and the environment (HOME, NAMESRV_ADDR). Never fails; unknown parts get "localhost" and
// "127.0.0.1".
HostFacts detect_host();

}  // namespace gantry::config
