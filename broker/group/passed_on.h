// SPDX-License-Identifier: Apache-2.0
// Connections whose requests this member passes on to the leader. Where the leader has an address
// of its own (leaderAdvertisedAddress), a client keeps that address when another member leads, and
// with it a connection that may still end here: it learns of the change only when the connection
// closes and it dials again. So a connection is closed when it has been served this way for a
// while, and nothing that was passed on for it waits for an answer. Log shard only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "net/connection.h"

namespace gantry::broker {

class PassedOn {
 public:
  // Kubernetes has moved the address by then; dialling earlier could lead here again.
  static constexpr std::int64_t kServedForUs = 10'000'000;

  void passed(net::ConnectionId id, bool oneway, std::int64_t now_us);
  // After passed() of a one-way request, and after the answer of any other: it is time to close it.
  bool may_close(net::ConnectionId id, std::int64_t now_us) const;
  void answered(net::ConnectionId id);
  void forget(net::ConnectionId id) { entries_.erase(id); }
  // This member leads: nothing is passed on.
  void clear() { entries_.clear(); }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::int64_t since_us = 0;
    std::size_t waiting = 0;
  };
  std::unordered_map<net::ConnectionId, Entry> entries_;
};

}  // namespace gantry::broker
