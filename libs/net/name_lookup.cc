// SPDX-License-Identifier: Apache-2.0
#include "net/name_lookup.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "net/name_resolver.h"

namespace gantry::net {

struct NameLookup::State {
  runtime::Shard& shard;
  std::uint64_t newest = 0;  // of the lookup whose answer counts
};

NameLookup::NameLookup(runtime::Shard& shard) : state_(std::make_shared<State>(State{shard})) {}

NameLookup::~NameLookup() { ++state_->newest; }

void NameLookup::find(const std::string& host, Done done) {
  const std::uint64_t number = ++state_->newest;
  NameResolver::of(state_->shard)
      .find(host, [state = state_, number, host,
                   done = std::move(done)](const Result<Addresses>& found) mutable {
        if (number != state->newest) return;
        if (!found) {
          done(make_error(ErrorCode::kUnavailable, fmt::format("cannot resolve the name {}: {}",
                                                               host, found.error().message)));
          return;
        }
        const auto v4 = std::ranges::find_if(*found, [](const auto& ip) { return ip.is_v4(); });
        done((v4 == found->end() ? found->front() : *v4).to_string());
      });
}

}  // namespace gantry::net
