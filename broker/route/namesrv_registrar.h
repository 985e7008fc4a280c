// SPDX-License-Identifier: Apache-2.0
// Registers this broker and its topics at every NameServer: at start, every
// registerNameServerPeriod, and at once when topics change. Each NameServer has its own connection;
// one that is away costs the others nothing. Log shard only.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

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

  struct Status {
    std::string address;
    bool registered = false;
    std::int64_t last_success_ms = 0;
    std::string last_error;
  };
  std::vector<Status> status() const;

 private:
  struct Namesrv {
    bool registered = false;  // it has all our topics
    std::int64_t last_success_ms = 0;
    std::string last_error;
    bool warned = false;
    int in_flight = 0;
  };
  void on_topics_changed(std::span<const std::string> names) override;
  void on_reload() override;
  void on_turn_end() override;
  // Only `topics`; empty: all.
  void send_registration(const std::string& address, const std::set<std::string>& topics);
  protocol::Command make_request(const std::set<std::string>& topics) const;
  // brokerId: 0 for the leader, its number for any other member; nullopt: there is nothing to say
  // yet.
  std::optional<std::int64_t> broker_id() const;
  std::string address() const;

  BrokerContext& context_;
  net::RemotingClient client_;
  std::map<std::string, Namesrv> namesrvs_;
  std::set<std::string> changed_;
  bool all_changed_ = false;
  std::optional<std::int64_t> registered_id_;
  Term registered_term_;
  bool running_ = false;
  std::unique_ptr<runtime::Timer> timer_, retry_timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace gantry::broker
