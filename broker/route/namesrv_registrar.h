// SPDX-License-Identifier: Apache-2.0
// Registers this broker and its topics at every NameServer: at start, every
// registerNameServerPeriod, at once when topics change, and when a connection to one was lost. Each
// NameServer has its own connection; one that is away costs the others nothing. Log shard only.
//
// A registration (103) always carries all topics: a NameServer with
// deleteTopicWithBrokerRegistration takes what is not in it for deleted. So Apache's incremental
// registration, which carries the changed ones only, is not used. With enableSingleTopicRegister a
// changed topic is made known by itself (217), which deletes nothing; a deleted one always by a
// registration. While one registration is on its way, further changes wait for its answer and go
// out together.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/not_ready.h"
#include "broker/core/context.h"
#include "net/remoting_client.h"

namespace gantry::broker {

class NamesrvRegistrar final : private state::StateMachine::Listener, private runtime::TurnHook {
 public:
  explicit NamesrvRegistrar(BrokerContext& context);
  ~NamesrvRegistrar() override;

  void start();
  // Role, leader, term or membership have changed: what every NameServer knows of us has, too.
  void on_role_changed();
  // Takes the broker out of every route; `done` runs when all have answered or timed out.
  void unregister(std::move_only_function<void()> done);
  // All topics, now (brokerPermission changed, or a tool asks).
  void register_all();
  // namesrvAddr changed: registers at the new ones; those that are left out forget us by
  // themselves.
  void set_addresses(const std::vector<std::string>& addresses);

  struct Status {
    std::string address;
    bool registered = false;
    std::int64_t last_success_ms = 0;
    std::string last_error;
  };
  std::vector<Status> status() const;
  // Why clients cannot know of this broker, with every NameServer and its last error. Nothing: one
  // has taken a registration since the start, or there is nothing to register, or nowhere.
  std::optional<NotReady> obstacle() const;

 private:
  struct Namesrv {
    bool registered = false;  // it has all our topics
    std::int64_t last_success_ms = 0;
    std::string last_error;
    bool refused = false;  // the last error is its own answer
    bool warned = false;
    bool in_flight = false;                // a registration, or what follows from it
    bool again = false;                    // topics changed since it was sent
    std::optional<std::int64_t> follower;  // set: may have our own address under that number
  };
  struct Sent {
    std::int64_t broker_id;
    std::string broker_addr;
  };
  void on_topics_changed(std::span<const std::string> names) override;
  void on_reload() override;
  void on_turn_end() override;
  // brokerId: 0 for the leader, its number for any other member; nullopt: there is nothing to say
  // yet.
  std::optional<std::int64_t> broker_id() const;
  // A leader that becomes a follower stays master in the routes until the next one has taken its
  // place there: a route without a master is an error for producers, an old one is forwarded.
  void step_down();
  void send_registration(const std::string& address);
  void on_registered(const std::string& address, const Sent& sent,
                     const Result<protocol::Command>& reply);
  // It may have forgotten us, as one does that was restarted: it learns of us again when it is
  // back.
  void on_lost(const std::string& address);
  // The registration, or what followed from it, is over.
  void on_landed(const std::string& address);
  // A leader with an address of its own leaves the one behind that it had as a follower.
  void forget_follower(const std::string& address, std::int64_t number);
  protocol::Command farewell(const std::string& broker_addr, std::int64_t broker_id) const;
  void send_topic(const std::string& address, const protocol::TopicConfig& topic);
  protocol::Command registration() const;
  // As clients see it in routes: the broker's own permission limits every topic's.
  std::int32_t visible_perm(const protocol::TopicConfig& topic) const;
  std::string own_address() const;
  // What stands between us and that NameServer, as far as is known.
  std::string_view trouble_with(const std::string& address, const Namesrv& namesrv) const;

  BrokerContext& context_;
  net::RemotingClient client_;
  std::map<std::string, Namesrv> namesrvs_;
  std::set<std::string> changed_;
  bool all_changed_ = false;
  std::optional<std::int64_t> registered_id_;
  Term registered_term_;
  bool running_ = false;
  std::unique_ptr<runtime::Timer> timer_, retry_timer_;
  std::unique_ptr<runtime::Timer> step_down_timer_;  // set: still in the routes as the master
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace gantry::broker
