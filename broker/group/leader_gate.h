// SPDX-License-Identifier: Apache-2.0
// What becomes of a request that only the leader of the broker set can serve when it reaches
// another member. Clients learn of a new leader within 30 s; until then they ask the old one. For a
// minute after a change of leader such requests are forwarded, with the client's address in the
// header; otherwise they are answered with a code that makes clients try elsewhere. Where the
// leader has an address of its own, clients have nowhere else to try: they are served until they
// have dialled that address again (see PassedOn). While a leader hands over, until the next one is
// known, and until that may decide, they wait, so that a planned change costs a client some
// milliseconds and no error. Log shard only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "broker/core/context.h"
#include "broker/group/passed_on.h"
#include "net/remoting_client.h"

namespace gantry::broker {

// The born host of a forwarded request, "ip:port".
inline constexpr std::string_view kForwardedBornHost = "gantryBornHost";
// How often it has been forwarded: leadership may have gone on meanwhile, but not for ever.
inline constexpr std::string_view kForwardHops = "gantryForwardHops";

// Changes state or must see every earlier change: sends, commits, locks, administration.
bool needs_leader(std::int32_t code);

// Changes nothing.
bool only_asks(std::int32_t code);

class LeaderGate {
 public:
  // `leader_address`: where clients reach the leader; empty: not known. `serve`: handles a request
  // that has waited, as if it had just come.
  LeaderGate(BrokerContext& context, std::function<std::string()> leader_address,
             std::function<void(net::Connection&, const protocol::CommandView&)> serve);
  ~LeaderGate();

  // True: serve the request here. False: it has been forwarded or answered.
  bool admit(net::Connection& connection, const protocol::CommandView& request);
  // The role, the leader or the readiness to take appends is another one.
  void on_group_changed();
  void on_connection_closed(net::ConnectionId id) { passed_on_.forget(id); }

  struct Stats {
    std::uint64_t forwarded = 0, refused = 0;
  };
  const Stats& stats() const { return stats_; }
  std::size_t waiting() const { return waiting_.size(); }

 private:
  struct Waiting {
    protocol::Command request;
    Responder responder;
    std::int64_t until_us;
  };

  bool may_wait() const;
  bool may_forward(const std::string& leader, std::int64_t hops) const;
  void wait(net::Connection& connection, const protocol::CommandView& request);
  void settle_waiting();
  void settle(Waiting entry, const std::string& leader);
  void serve(const Waiting& entry);
  void sweep();
  void forward(const std::string& address, protocol::Command request, const Responder& responder);
  bool leader_has_address() const { return !context_.config.leader_advertised_address.empty(); }
  void close_if_passed_on(const Responder& responder);
  std::string refusal(const std::string& leader) const;

  BrokerContext& context_;
  const std::function<std::string()> leader_address_;
  const std::function<void(net::Connection&, const protocol::CommandView&)> serve_;
  net::RemotingClient client_;
  raft::MemberId leader_;  // the last one that was known
  bool leader_is_gone_ = false;
  std::int64_t leader_gone_us_ = 0;
  std::int64_t forward_until_us_ = 0;
  std::size_t in_flight_ = 0;
  PassedOn passed_on_;
  std::vector<Waiting> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::unique_ptr<runtime::Timer> sweep_timer_;
  Stats stats_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace gantry::broker
