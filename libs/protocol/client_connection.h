// SPDX-License-Identifier: Apache-2.0
// Who is connected: ConsumerConnection (203), ProducerConnection (204), ProducerTableInfo (328).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "protocol/command.h"
#include "protocol/consumer_enums.h"
#include "protocol/subscription_data.h"

namespace gantry::protocol {

// Java: Connection.
struct ClientConnection {
  std::string client_id;
  std::string client_addr;  // "ip:port"
  Language language = Language::kJava;
  std::int32_t version = 0;

  bool operator==(const ClientConnection&) const = default;
};

struct ConsumerConnection {
  std::vector<ClientConnection> connection_set;
  std::map<std::string, SubscriptionData, std::less<>> subscription_table;  // by topic
  ConsumeType consume_type = ConsumeType::kPassively;
  MessageModel message_model = MessageModel::kClustering;
  ConsumeFromWhere consume_from_where = ConsumeFromWhere::kLastOffset;

  bool operator==(const ConsumerConnection&) const = default;

  std::string to_json() const;
  static Result<ConsumerConnection> from_json(std::string_view body);
};

struct ProducerConnection {
  std::vector<ClientConnection> connection_set;

  bool operator==(const ProducerConnection&) const = default;

  std::string to_json() const;
  static Result<ProducerConnection> from_json(std::string_view body);
};

struct ProducerInfo {
  std::string client_id;
  std::string remote_ip;  // "/ip:port", with the slash of Java's address text
  Language language = Language::kJava;
  std::int32_t version = 0;
  std::int64_t last_update_timestamp_ms = 0;

  bool operator==(const ProducerInfo&) const = default;
};

struct ProducerTableInfo {
  std::map<std::string, std::vector<ProducerInfo>, std::less<>> data;  // by producer group

  bool operator==(const ProducerTableInfo&) const = default;

  std::string to_json() const;
  static Result<ProducerTableInfo> from_json(std::string_view body);
};

}  // namespace gantry::protocol
