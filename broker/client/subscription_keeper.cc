// SPDX-License-Identifier: Apache-2.0
#include "broker/client/subscription_keeper.h"

#include <utility>

#include "broker/client/client_manager.h"
#include "log/log.h"

namespace gantry::broker {
namespace {

using state::GroupSubscriptions;
log::Logger logger("clients");

// Clocks of one unit that count from 1970 differ by far less, those of two units by 1000 or more.
constexpr std::int64_t kOneUnit = 100;

bool same_but_for_version(const protocol::SubscriptionData& a,
                          const protocol::SubscriptionData& b) {
  protocol::SubscriptionData copy = a;
  copy.sub_version = b.sub_version;
  return copy == b;
}

// Whether `known` stays, though `online` is what heartbeats say. The instances of a group subscribe
// at different times to the same: of those the newest version counts, as it vouches for all of
// them. Another expression counts whatever its version, once heard from a client that is there.
bool stays(const protocol::SubscriptionData& known, const protocol::SubscriptionData& online,
           Heard heard) {
  if (!at_least_as_new(known.sub_version, online.sub_version)) return false;
  return heard == Heard::kPart || same_but_for_version(known, online);
}

// What is to be known of a group of which `known` is (or nothing).
GroupSubscriptions wanted(const GroupSubscriptions* known, const ConsumerGroup& online,
                          Heard heard) {
  GroupSubscriptions out{online.consume_type, online.message_model, {}};
  if (known != nullptr && heard == Heard::kPart) out.topics = known->topics;
  for (const auto& [topic, subscription] : online.subscriptions) {
    const protocol::SubscriptionData* old = known == nullptr ? nullptr : known->find(topic);
    const bool keep = old != nullptr && stays(*old, subscription.data, heard);
    out.topics.insert_or_assign(topic, keep ? *old : subscription.data);
  }
  return out;
}

bool differs(const GroupSubscriptions* known, const GroupSubscriptions& wanted) {
  return known == nullptr ? !wanted.topics.empty() : *known != wanted;
}

}  // namespace

bool at_least_as_new(std::int64_t known, std::int64_t asked) {
  return known >= asked && (asked <= 0 || known / asked < kOneUnit);
}

SubscriptionKeeper::SubscriptionKeeper(const state::StateMachine& machine,
                                       state::Proposals& proposals, Clock& clock)
    : machine_(machine), proposals_(proposals), clock_(clock) {}

SubscriptionKeeper::~SubscriptionKeeper() { *alive_ = false; }

bool SubscriptionKeeper::may_write() const {
  return proposals_.leading() && machine_.feature_level() >= state::kSubscriptionsLevel;
}

// A wall clock that was set back holds nothing up.
bool SubscriptionKeeper::is_due(const Pace& pace) const {
  const std::int64_t since = clock_.wall_ms() - pace.written_ms;
  return since >= kIntervalMs || since < 0;
}

void SubscriptionKeeper::note(const std::string& name, const ConsumerGroup& online, Heard heard) {
  if (!proposals_.leading() || proposals_.find_group(name) == nullptr) return;
  const GroupSubscriptions* known = proposals_.find_subscriptions(name);
  if (!differs(known, wanted(known, online, heard))) return;
  Pace& pace = groups_[name];
  pace.waits = true;
  if (heard == Heard::kAll) pace.heard = heard;
  if (may_write() && is_due(pace)) write(name, online, pace);
}

void SubscriptionKeeper::write(const std::string& name, const ConsumerGroup& online, Pace& pace) {
  const Heard heard = std::exchange(pace.heard, Heard::kPart);
  pace.waits = false;
  // Without the group, what is known of it is about to go.
  if (proposals_.find_group(name) == nullptr) return;
  const GroupSubscriptions* known = proposals_.find_subscriptions(name);
  GroupSubscriptions entry = wanted(known, online, heard);
  if (!differs(known, entry)) return;
  pace.written_ms = clock_.wall_ms();
  proposals_.put_subscriptions(
      name, std::move(entry), [this, alive = alive_, name, heard](const Result<void>& done) {
        // Not the leader any more: the next one hears of the clients itself.
        if (done || !*alive || !proposals_.leading()) return;
        logger.warn("the subscriptions of group {} are not replicated now: {}", name,
                    done.error().message);
        if (done.error().code == ErrorCode::kInvalidArgument) return;
        Pace& again = groups_[name];
        again.waits = true;
        if (heard == Heard::kAll) again.heard = heard;
      });
}

}  // namespace gantry::broker
