// SPDX-License-Identifier: Apache-2.0
// The requests a NameServer answers, by family. Handlers run on the NameServer's shard, answer
// every exchange exactly once and never throw.
#pragma once

#include <span>
#include <vector>

#include "namesrv/exchange.h"
#include "namesrv/services.h"
#include "protocol/codes.h"

namespace gantry::namesrv {

struct HandlerEntry {
  protocol::RequestCode code;
  void (*handle)(Services&, Exchange&);
};

std::span<const HandlerEntry> route_handlers();  // brokers and clients: 103-105, 217, 322, 901, 904
std::span<const HandlerEntry> kv_handlers();     // 100-102, 219
std::span<const HandlerEntry> config_handlers();  // 318, 319
std::span<const HandlerEntry> admin_handlers();   // tools: lists, permissions, deleting

// All of the above, sorted by code.
std::vector<HandlerEntry> all_handlers();

// For a handler that returns its answer (Command or Result<Command>).
template <auto Handle>
void answered(Services& services, Exchange& exchange) {
  exchange.reply(Handle(services, exchange));
}

}  // namespace gantry::namesrv
