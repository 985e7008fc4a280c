// SPDX-License-Identifier: Apache-2.0
#include "net/name_lookup.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "net/socket.h"

namespace gantry::net {

struct NameLookup::State {
  explicit State(runtime::Shard& shard) : resolver(shard.io()) {}
  Tcp::resolver resolver;
  std::uint64_t newest = 0;  // of the lookup whose answer counts
};

NameLookup::NameLookup(runtime::Shard& shard) : state_(std::make_shared<State>(shard)) {}

NameLookup::~NameLookup() {
  ++state_->newest;
  state_->resolver.cancel();
}

void NameLookup::find(const std::string& host, Done done) {
  state_->resolver.cancel();
  const std::uint64_t number = ++state_->newest;
  state_->resolver.async_resolve(
      host, "",
      [state = state_, number, host, done = std::move(done)](
          const SystemError& error, const Tcp::resolver::results_type& results) mutable {
        if (number != state->newest) return;
        if (error || results.empty()) {
          done(make_error(ErrorCode::kUnavailable,
                          fmt::format("cannot resolve the name {}: {}", host, error.message())));
          return;
        }
        const auto v4 = std::ranges::find_if(
            results, [](const auto& entry) { return entry.endpoint().address().is_v4(); });
        const auto found = v4 == results.end() ? results.begin() : v4;
        done(found->endpoint().address().to_string());
      });
}

}  // namespace gantry::net
