// SPDX-License-Identifier: Apache-2.0
#include "broker/group/feature_level.h"

#include <algorithm>

#include "broker/group/group_peers.h"
#include "log/log.h"

namespace gantry::broker {
namespace {
log::Logger logger("group");
}  // namespace

FeatureLevel::FeatureLevel(Storage& storage, GroupPeers& peers) : storage_(storage), peers_(peers) {
  storage_.add_role_observer(*this);
  peers_.on_peers_changed([this] { raise_if_possible(); });
}

FeatureLevel::~FeatureLevel() {
  *alive_ = false;
  peers_.on_peers_changed({});
  storage_.remove_role_observer(*this);
}

void FeatureLevel::on_leading(Term /*term*/) { raise_if_possible(); }
void FeatureLevel::on_group_changed() { raise_if_possible(); }

std::int32_t FeatureLevel::supported_by_all() const {
  const raft::Core& core = storage_.replica().core();
  std::int32_t level = storage_.state().supported_level();
  for (const raft::Member& member : core.membership().members) {
    if (member.id == core.self()) continue;
    const auto hello = peers_.hello_of(member.id);
    if (!hello) return 0;
    level = std::min(level, static_cast<std::int32_t>(hello->feature_level));
  }
  return level;
}

void FeatureLevel::raise_if_possible() {
  if (raising_ || !storage_.leading()) return;
  const std::int32_t level = supported_by_all();
  if (level <= storage_.state().feature_level()) return;
  raising_ = true;
  storage_.proposals().set_feature_level(
      level, [this, level, alive = alive_](const Result<void>& done) {
        if (!*alive) return;
        raising_ = false;
        if (done) {
          logger.info("every member supports feature level {}: it is used from now on", level);
        } else {
          logger.info("feature level {} is not used yet: {}", level, done.error().message);
        }
      });
}

}  // namespace gantry::broker
