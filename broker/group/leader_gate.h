// SPDX-License-Identifier: Apache-2.0
// What becomes of a request that only the leader of the broker set can serve when it reaches
// another member. Clients learn of a new leader within 30 s; until then they ask the old one. For a
// minute after a change of leader such requests are forwarded, with the client's address in the
// header; otherwise they are answered with a code that makes clients try elsewhere. Log shard only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "broker/core/context.h"
#include "net/remoting_client.h"

namespace gantry::broker {

// The born host of a forwarded request, "ip:port".
inline constexpr std::string_view kForwardedBornHost = "gantryBornHost";

// Changes state or must see every earlier change: sends, commits, locks, administration.
bool needs_leader(std::int32_t code);

class LeaderGate {
 public:
  // `leader_address`: where clients reach the leader; empty: not known.
  LeaderGate(BrokerContext& context, std::function<std::string()> leader_address);
  ~LeaderGate();

  // True: serve the request here. False: it has been forwarded or answered.
  bool admit(net::Connection& connection, const protocol::CommandView& request);
  // The leader is another one, or none.
  void on_leader_changed();

  struct Stats {
    std::uint64_t forwarded = 0, refused = 0;
  };
  const Stats& stats() const { return stats_; }

 private:
  void forward(const std::string& address, net::Connection& connection,
               const protocol::CommandView& request);
  void refuse(net::Connection& connection, const protocol::CommandView& request,
              const std::string& leader);

  BrokerContext& context_;
  const std::function<std::string()> leader_address_;
  net::RemotingClient client_;
  std::int64_t forward_until_us_ = 0;
  std::size_t in_flight_ = 0;
  Stats stats_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace gantry::broker
