// SPDX-License-Identifier: Apache-2.0
// Keeps the replicated subscriptions of consumer groups (state::SubscriptionTable) in step with
// what heartbeats tell the leader, and decides which pulls they may filter. Every member tells it
// of heartbeats, only the leader writes: a group at most once in kInterval, and only while the
// replicated feature level allows it. Owned by ClientManager, log shard only.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "state/proposals.h"
#include "state/state_machine.h"

namespace gantry::broker {

struct ConsumerGroup;

// How much of a group's subscriptions the member's own table holds.
enum class Heard : std::uint8_t {
  kPart,  // there may be more: other clients have not been heard of yet
  kAll,   // a heartbeat with all topics has just replaced them
};

// Whether a subscription of version `known` is at least as new as one of version `asked`. A version
// is a client's clock, in ms or ns by its language; those of different units never compare.
bool at_least_as_new(std::int64_t known, std::int64_t asked);

class SubscriptionKeeper {
 public:
  static constexpr std::int64_t kIntervalMs = 5000;

  // All references must outlive this object.
  SubscriptionKeeper(const state::StateMachine& machine, state::Proposals& proposals, Clock& clock);
  ~SubscriptionKeeper();

  // The subscriptions of an online group are as given now. Writes what is new, or remembers to do
  // so when it may.
  void note(const std::string& name, const ConsumerGroup& online, Heard heard);
  // Writes what has waited for its interval or for the feature level; call it now and then. A group
  // that is offline by then keeps what is known.
  template <class Find>  // name -> const ConsumerGroup*
  void write_due(Find&& find) {
    if (!may_write()) return;
    for (auto it = groups_.begin(); it != groups_.end();) {
      const auto entry = it++;
      if (!is_due(entry->second)) continue;
      const ConsumerGroup* online = entry->second.waits ? find(entry->first) : nullptr;
      if (online == nullptr) {
        groups_.erase(entry);
      } else {
        write(entry->first, *online, entry->second);
      }
    }
  }
  // Leadership ends: nothing waits any more.
  void forget_all() { groups_.clear(); }

 private:
  struct Pace {
    std::int64_t written_ms = 0;  // 0: not yet
    bool waits = false;
    Heard heard = Heard::kPart;  // the most since it was written
  };

  bool may_write() const;
  bool is_due(const Pace& pace) const;
  void write(const std::string& name, const ConsumerGroup& online, Pace& pace);

  const state::StateMachine& machine_;
  state::Proposals& proposals_;
  Clock& clock_;
  std::map<std::string, Pace, std::less<>> groups_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace gantry::broker
