// SPDX-License-Identifier: Apache-2.0
#include "broker/core/groups.h"

#include "log/log.h"
#include "state/name_rules.h"
#include "state/system_topics.h"

namespace gantry::broker {
namespace {
log::Logger logger("groups");
}

const protocol::SubscriptionGroupConfig* find_or_create_group(BrokerContext& context,
                                                              std::string_view group) {
  state::Proposals& proposals = context.storage.proposals();
  if (const auto* found = proposals.find_group(group)) return found;
  if (!context.config.auto_create_subscription_group && !state::is_system_group(group))
    return nullptr;
  if (!state::validate_group_name(group)) return nullptr;
  protocol::SubscriptionGroupConfig config;
  config.group_name = std::string(group);
  if (!context.storage.leading()) {
    // Only the leader creates groups; until its one arrives the defaults count.
    static thread_local protocol::SubscriptionGroupConfig defaults;
    defaults = std::move(config);
    return &defaults;
  }
  logger.info("creating subscription group {}", group);
  proposals.put_groups({config}, [name = std::string(group)](Result<void> done) {
    if (!done) logger.warn("creating group {} failed: {}", name, done.error().message);
  });
  return proposals.find_group(group);
}

}  // namespace gantry::broker
