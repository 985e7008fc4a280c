// SPDX-License-Identifier: Apache-2.0
// gantry-broker: the process around the broker.
#include <memory>

#include "broker/app.h"
#include "config/broker_config.h"
#include "process/open_files.h"
#include "process/server.h"

int main(int argc, char** argv) {
  using gantry::broker::BrokerApp;
  using gantry::config::BrokerConfig;
  gantry::process::Server server(
      "gantry-broker", "Gantry broker: RocketMQ-compatible messages, queues and consumers",
      "broker.conf");
  if (const auto exit_code = server.parse(argc, argv)) return *exit_code;
  return server.run(
      gantry::config::load_broker_config(server.inputs()), &BrokerConfig::bind_address,
      [&](BrokerConfig config) {
        gantry::process::raise_open_files_limit();
        return std::make_unique<BrokerApp>(
            std::move(config),
            gantry::broker::BrokerSurroundings{.config_file = server.inputs().file});
      },
      &BrokerApp::remoting_port);
}
