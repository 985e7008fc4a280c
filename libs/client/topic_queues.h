// SPDX-License-Identifier: Apache-2.0
// Which queues of a topic can be written and read, and where, from its route. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/message_queue.h"
#include "protocol/route_data.h"

namespace gantry::client {

// A queue and the broker to ask for it.
struct QueueAddress {
  protocol::MessageQueue queue;
  std::string address;  // "host:port"

  bool operator==(const QueueAddress&) const = default;
};

// Queues with write permission whose broker has a master, by broker and queue id.
std::vector<QueueAddress> writable_queues(std::string_view topic,
                                          const protocol::TopicRouteData& route);
// Queues with read permission; without a master, the member with the smallest id serves them.
std::vector<QueueAddress> readable_queues(std::string_view topic,
                                          const protocol::TopicRouteData& route);

// The master's address; nullopt when the broker has none at the moment.
std::optional<std::string> master_address(const protocol::BrokerData& broker);
// The master's, or that of the member with the smallest id.
std::optional<std::string> any_address(const protocol::BrokerData& broker);

// Hands out queues in turn. Queues of the brokers are interleaved, so that load spreads evenly from
// the first message on.
class RoundRobin {
 public:
  RoundRobin() = default;
  explicit RoundRobin(std::vector<QueueAddress> queues, std::size_t start = 0);
  bool empty() const { return queues_.empty(); }
  const QueueAddress& next();
  // The next queue of another broker than `avoid`, if there is another one.
  const QueueAddress& next_avoiding(std::string_view avoid);
  // The queue all messages with that sharding key go to.
  const QueueAddress& of_key(std::string_view key) const;
  const std::vector<QueueAddress>& all() const { return queues_; }

 private:
  std::vector<QueueAddress> queues_;
  std::size_t next_ = 0;
};

}  // namespace gantry::client
