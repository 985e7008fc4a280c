// SPDX-License-Identifier: Apache-2.0
// The configuration keys that Apache RocketMQ 5.5.0 knows, with its defaults. Used to tell a typing
// mistake from a key that merely has no meaning here, and to answer codes 26 and 319 with all the
// keys that RocketMQ's tools expect.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

namespace gantry::config {

// The class of RocketMQ that has the field.
enum class KeyOwner : std::uint8_t {
  kBroker,      // BrokerConfig
  kStore,       // MessageStoreConfig
  kServer,      // NettyServerConfig
  kClient,      // NettyClientConfig
  kAuth,        // AuthConfig
  kNamesrv,     // NamesrvConfig
  kController,  // ControllerConfig
  kTiered,      // MessageStoreConfig of the tiered store
  kOlder,       // found in configuration files for RocketMQ 4, unknown to 5.5.0
};

// A set of owners, one bit each.
using KeyOwners = std::uint32_t;

constexpr KeyOwners owners_of(std::initializer_list<KeyOwner> owners) {
  KeyOwners set = 0;
  for (const KeyOwner owner : owners) set |= KeyOwners{1} << static_cast<unsigned>(owner);
  return set;
}
constexpr bool contains(KeyOwners set, KeyOwner owner) {
  return (set >> static_cast<unsigned>(owner) & 1U) != 0;
}

struct RocketmqKey {
  std::string_view key;
  KeyOwner owner;
  const char* default_text;  // nullptr: null there, or depends on the host
};

// Sorted by key; a key that several classes have stands there once for each.
std::span<const RocketmqKey> rocketmq_keys();

// The first row of that key among `owners`, or nullptr.
const RocketmqKey* find_rocketmq_key(std::string_view key, KeyOwners owners);

}  // namespace gantry::config
