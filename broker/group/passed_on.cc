// SPDX-License-Identifier: Apache-2.0
#include "broker/group/passed_on.h"

namespace gantry::broker {

void PassedOn::passed(net::ConnectionId id, bool oneway, std::int64_t now_us) {
  Entry& entry = entries_.try_emplace(id, Entry{now_us, 0}).first->second;
  if (!oneway) ++entry.waiting;
}

bool PassedOn::may_close(net::ConnectionId id, std::int64_t now_us) const {
  const auto found = entries_.find(id);
  return found != entries_.end() && found->second.waiting == 0 &&
         now_us - found->second.since_us >= kServedForUs;
}

void PassedOn::answered(net::ConnectionId id) {
  const auto found = entries_.find(id);
  if (found != entries_.end() && found->second.waiting > 0) --found->second.waiting;
}

}  // namespace gantry::broker
