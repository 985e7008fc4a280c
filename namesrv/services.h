// SPDX-License-Identifier: Apache-2.0
// What request handlers work with. Everything belongs to the NameServer's shard.
#pragma once

#include <cstdint>
#include <functional>

#include "base/clock.h"

namespace gantry::namesrv {

class KvConfig;
class RouteTable;
class Settings;
struct MinBrokerIdChange;

struct Services {
  RouteTable& routes;
  KvConfig& kv;
  Settings& settings;
  const Clock& clock;
  std::int64_t started_ms = 0;  // steady
  // Sends code 905 to the brokers concerned.
  std::function<void(const MinBrokerIdChange&)> tell_brokers;

  // Registrations age by the steady clock: a stepped wall clock must not expire every broker.
  std::int64_t now_ms() const { return clock.steady_us() / 1000; }
};

}  // namespace gantry::namesrv
