// SPDX-License-Identifier: Apache-2.0
// Private to libs/net: one attempt to connect to a name: resolve, then try its addresses in order
// until one answers. Lives on one shard.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/connection.h"
#include "net/socket.h"
#include "runtime/shard.h"

namespace gantry::net {

class Dialer : public std::enable_shared_from_this<Dialer> {
 public:
  using Done = std::move_only_function<void(Result<TcpSocket>)>;

  // Shard only. `done` runs once, on the shard and never inside dial(), unless cancelled first.
  static std::shared_ptr<Dialer> dial(runtime::Shard& shard, HostPort target,
                                      std::chrono::milliseconds timeout, Done done);
  void cancel();
  // The name has no address, or none that is known yet.
  bool unresolved() const { return unresolved_; }

  Dialer(runtime::Shard& shard, HostPort target, std::chrono::milliseconds timeout, Done done);

 private:
  using Clock = std::chrono::steady_clock;

  void start();
  void connect_next();
  void on_attempt_timeout();
  void fail(ErrorCode code, const std::string& what);
  void finish(Result<TcpSocket> result);

  runtime::Shard& shard_;
  const HostPort target_;
  const std::chrono::milliseconds timeout_;
  const Clock::time_point deadline_;
  Done done_;  // empty once finished or cancelled
  TcpSocket socket_;
  std::vector<Tcp::endpoint> endpoints_;
  std::size_t next_ = 0;
  std::string last_error_;
  bool attempt_timed_out_ = false;
  bool unresolved_ = false;
  std::unique_ptr<runtime::Timer> timer_;
};

}  // namespace gantry::net
