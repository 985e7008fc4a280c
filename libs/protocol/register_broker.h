// SPDX-License-Identifier: Apache-2.0
// REGISTER_BROKER (103): header fields, body in its plain and its compressed form, and the answer.
// Plain values; no thread rules.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "protocol/command.h"
#include "protocol/kv_table.h"
#include "protocol/topic_config.h"

namespace gantry::protocol {

// Ordinal of the first release whose compressed body has the queue mapping section.
inline constexpr std::int32_t kVersionWithQueueMapping = 413;  // 5.0.0
// A compressed body may not inflate to more than this many bytes.
inline constexpr std::size_t kRegisterBodyBytesMax = 256U << 20U;

struct RegisterBrokerHeader {
  std::string broker_name;
  std::string broker_addr;  // "ip:port" clients dial
  std::string cluster_name;
  std::string ha_server_addr;
  std::int64_t broker_id = 0;  // 0 = master
  std::optional<std::int64_t> heartbeat_timeout_ms;
  // Whether the key was there at all matters to the NameServer, hence optional.
  std::optional<bool> enable_acting_master;
  bool compressed = false;
  std::uint32_t body_crc32 = 0;  // 31 bits; 0 = not checked
  std::optional<std::string> zone_name;

  bool operator==(const RegisterBrokerHeader&) const = default;

  // Errors: kInvalidArgument naming the missing or wrong field.
  static Result<RegisterBrokerHeader> from_ext(const ExtFields& ext);
  void add_to(Command& command) const;
};

struct RegisterBrokerBody {
  TopicConfigTable topic_configs;
  std::vector<std::string> filter_server_list;

  bool operator==(const RegisterBrokerBody&) const = default;

  // With the layout a sender of release ordinal "version" uses when compressed.
  Result<std::string> encode(bool compressed, std::int32_t version) const;
  static Result<RegisterBrokerBody> decode(std::string_view body, bool compressed,
                                           std::int32_t version);
};

// A ready request; fills in compressed and bodyCrc32.
Result<Command> make_register_broker_request(RegisterBrokerHeader header,
                                             const RegisterBrokerBody& body, bool compressed);

// Checks the CRC (error kCorrupt "crc32 not match"), then decodes. An empty body is an empty table.
Result<RegisterBrokerBody> decode_register_broker_body(const RegisterBrokerHeader& header,
                                                       std::int32_t version, std::string_view body);

struct RegisterBrokerResponse {
  std::optional<std::string> ha_server_addr;
  std::optional<std::string> master_addr;
  std::optional<KVTable> order_topic_conf;  // body; absent when empty

  bool operator==(const RegisterBrokerResponse&) const = default;

  void add_to(Command& response) const;
  static Result<RegisterBrokerResponse> from(const Command& response);
};

}  // namespace gantry::protocol
