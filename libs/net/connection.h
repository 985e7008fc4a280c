// SPDX-License-Identifier: Apache-2.0
// One remoting connection, accepted or dialled: bytes in, decoded commands out, answers gathered
// and written once per turn. Remoting is symmetric: either side may send requests. Knows no request
// codes. Belongs to the shard it was made on; every call is made there.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "protocol/command.h"

namespace gantry::net {

// Stable for the process's lifetime, never reused; safe to keep after the connection has closed.
using ConnectionId = std::uint64_t;

struct HostPort {
  std::string host;  // "10.0.0.1", or an IPv6 text without brackets; v4-mapped v6 is given as v4
  std::uint16_t port = 0;
  std::string text() const;  // "10.0.0.1:4711", "[::1]:4711"
};
// "host:port"; IPv6 with or without brackets. Port 0 is refused.
Result<HostPort> parse_host_port(std::string_view text);

class Connection {
 public:
  using Reply = std::move_only_function<void(Result<protocol::Command>)>;

  virtual ~Connection() = default;
  virtual ConnectionId id() const = 0;
  virtual const HostPort& peer() const = 0;
  virtual const HostPort& local() const = 0;
  virtual bool open() const = 0;

  // The buffer answers are appended to as whole frames. Call touch() after appending; the bytes
  // leave at the end of the turn in one write.
  virtual std::string& output() = 0;
  virtual void touch() = 0;
  // Bytes appended and not yet taken by the kernel.
  virtual std::size_t output_pending() const = 0;

  // encode + touch.
  virtual void send(const protocol::Command& command) = 0;
  // A request to the peer with an opaque of our own; `reply` runs on this shard exactly once, never
  // inside call(): the answer, kTimeout, or kUnavailable when the connection closes.
  virtual void call(protocol::Command request, std::chrono::milliseconds timeout, Reply reply) = 0;
  virtual void send_oneway(protocol::Command request) = 0;

  // Closes after what is already in output() was offered once to the kernel. `reason` goes to the
  // log. open() is false at once; on_close() follows at the end of the turn, never inside close().
  virtual void close(std::string_view reason) = 0;
};

// What a server does with commands. Calls come on the connection's shard.
class ConnectionHandler {
 public:
  virtual ~ConnectionHandler() = default;
  virtual void on_open(Connection& /*connection*/) {}
  // A request (never a response: those go to call()'s reply). `request` is valid during the call.
  virtual void on_request(Connection& connection, protocol::CommandView& request) = 0;
  // After this call the connection is gone.
  virtual void on_close(Connection& /*connection*/) {}
};

}  // namespace gantry::net
