// SPDX-License-Identifier: Apache-2.0
// Private to libs/net: the addresses behind host names, asked of the system's resolver without
// holding up the shard. Each name has a thread of its own while it is asked for: a name whose
// server does not answer holds up no other name, and not the end of the process either.
//
// One per shard, made with the first question, gone with the shard's loop. Shard only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/shard.h"

namespace gantry::net {

using Addresses = std::vector<boost::asio::ip::address>;

class NameResolver final : public boost::asio::io_context::service {
 public:
  using Done = std::move_only_function<void(const Result<Addresses>&)>;
  using Ask = std::function<Result<Addresses>(const std::string& host)>;  // any thread; may wait

  // Names that are asked for at a time; further ones get kUnavailable.
  static constexpr std::size_t kNamesMax = 64;

  static boost::asio::io_context::id id;  // as Asio wants it of a service
  static NameResolver& of(runtime::Shard& shard);
  explicit NameResolver(boost::asio::io_context& io);
  ~NameResolver() override;

  // `done` runs on the shard, never inside find(). Who asks for a name that is being asked for gets
  // that answer. kUnavailable: the name has no address.
  void find(const std::string& host, Done done);
  // Instead of the system's resolver, from the next question on; for tests.
  void ask_with(Ask ask);

 private:
  struct State;
  void shutdown() override;

  std::shared_ptr<State> state_;
};

}  // namespace gantry::net
