// SPDX-License-Identifier: Apache-2.0
// The address behind a host name, asked without holding up the shard. Lives on one shard.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "runtime/shard.h"

namespace gantry::net {

class NameLookup {
 public:
  // The address as text: the first IPv4 one, else the first of any kind.
  using Done = std::move_only_function<void(Result<std::string> ip)>;

  explicit NameLookup(runtime::Shard& shard);
  ~NameLookup();  // what is under way is forgotten
  NameLookup(const NameLookup&) = delete;
  NameLookup& operator=(const NameLookup&) = delete;

  // Shard only. `done` runs once, on the shard and never inside find(), unless another find() takes
  // its place first. How long it takes is up to the system's resolver.
  void find(const std::string& host, Done done);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace gantry::net
