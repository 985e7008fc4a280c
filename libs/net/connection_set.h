// SPDX-License-Identifier: Apache-2.0
// Private to libs/net: the connections of one server or client and what they share: the read
// buffer, the hook that writes at the end of a turn, the timer that looks for idle and stalled
// ones, the deadlines of calls. Lives on one shard. Held by shared_ptr, because a callback may
// destroy the server in the middle of the set's own work.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "log/log.h"
#include "net/connection.h"
#include "net/remoting_server.h"
#include "net/socket.h"
#include "protocol/command.h"
#include "runtime/shard.h"

namespace gantry::net {

class TcpConnection;

struct ConnectionLimits {
  std::chrono::milliseconds idle_max{0};          // 0: never
  std::chrono::milliseconds output_stall_max{0};  // 0: never
  std::size_t output_pause_bytes = 4U << 20;
  std::size_t output_max_bytes = 64U << 20;
  std::size_t connections_max = 100000;
  std::size_t read_buffer_bytes = 512U << 10;
  // Clients: a call that timed out without one byte from the peer since closes the connection, so
  // that the next call dials (and resolves) anew.
  bool close_when_silent = false;
};

class ConnectionSet final : public runtime::TurnHook,
                            public std::enable_shared_from_this<ConnectionSet> {
 public:
  struct CallKey {
    ConnectionId connection;
    std::int32_t opaque;
  };
  using Time = std::chrono::steady_clock::time_point;
  using Deadlines = std::multimap<Time, CallKey>;

  ConnectionSet(runtime::Shard& shard, ConnectionHandler& handler, ConnectionLimits limits);
  ~ConnectionSet() override;

  // Takes over a connected socket. Null (and the socket closed) when the set is full or shut down
  // or the peer has gone already.
  TcpConnection* adopt(TcpSocket socket);
  TcpConnection* find(ConnectionId id) const;
  void close_all(std::string_view reason);
  // Closes all at once, within this call, and makes the set inert. The owner's last call.
  void shut_down(std::string_view reason);

  // For TcpConnection.
  runtime::Shard& shard() const { return shard_; }
  ConnectionHandler& handler() const { return handler_; }
  const ConnectionLimits& limits() const { return limits_; }
  RemotingServerStats& stats() { return stats_; }
  // For lines that a peer can cause at will.
  RateLimit& warn_rate() { return warn_rate_; }
  std::span<char> read_buffer();
  protocol::CommandView& view() { return view_; }
  // Counts rounds of the sweep timer. A difference of n says that at least n-1 periods have passed.
  std::uint64_t tick() const { return tick_; }
  std::uint64_t idle_ticks() const { return idle_ticks_; }
  std::uint64_t stall_ticks() const { return stall_ticks_; }
  void mark_dirty(std::shared_ptr<TcpConnection> connection);
  void remove(ConnectionId id);
  Deadlines::iterator add_deadline(Time when, CallKey key);
  void remove_deadline(Deadlines::iterator deadline) { deadlines_.erase(deadline); }

  void on_turn_end() override;

 private:
  void sweep();
  void arm_deadline_timer();
  void expire_calls();

  runtime::Shard& shard_;
  ConnectionHandler& handler_;
  const ConnectionLimits limits_;
  RemotingServerStats stats_;
  RateLimit warn_rate_{1000};
  bool shut_ = false;

  // An id is (process-wide counter << kSlotBits) | slot.
  std::vector<std::shared_ptr<TcpConnection>> slots_;
  std::vector<std::uint32_t> free_slots_;

  std::vector<std::shared_ptr<TcpConnection>> dirty_;
  std::vector<std::shared_ptr<TcpConnection>> flushing_;

  std::unique_ptr<char[]> read_buffer_;
  protocol::CommandView view_;

  std::uint64_t tick_ = 0;
  std::uint64_t idle_ticks_ = 0;  // 0: no limit
  std::uint64_t stall_ticks_ = 0;
  std::unique_ptr<runtime::Timer> sweep_timer_;

  Deadlines deadlines_;
  Time deadline_armed_ = Time::max();
  std::unique_ptr<runtime::Timer> deadline_timer_;
};

}  // namespace gantry::net
