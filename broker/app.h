// SPDX-License-Identifier: Apache-2.0
// A whole broker: storage, request handlers, listeners, NameServer registration, HTTP. Used by
// gantry-broker and, in-process, by `gantry up` and by tests.
//
// Start: HTTP (so that probes answer during recovery) -> storage -> handlers -> listeners ->
// registration. Stop: unregister -> stop accepting -> answer what waits -> storage -> HTTP.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "config/broker_config.h"
#include "io/file_system.h"

namespace gantry::broker {

// What a broker stands in. Both outlive it and are used from several threads.
struct BrokerSurroundings {
  // Where the configuration was read from; code 25 writes changes there. Empty: they are not kept.
  std::string config_file{};
  io::FileSystem* files = &io::posix_file_system();
  Clock* clock = &system_clock();
};

class BrokerApp {
 public:
  explicit BrokerApp(config::BrokerConfig config, BrokerSurroundings surroundings = {});
  ~BrokerApp();  // stops
  BrokerApp(const BrokerApp&) = delete;
  BrokerApp& operator=(const BrokerApp&) = delete;

  // Blocks until the broker serves, or says what has to change. Any thread.
  Result<void> start();
  // A clean stop. Idempotent. Any thread.
  void stop();

  // After start(): the ports in use, also when the configuration said 0.
  std::uint16_t remoting_port() const;
  std::uint16_t http_port() const;
  // Request codes this broker handles, ascending.
  std::vector<std::int32_t> request_codes() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gantry::broker
