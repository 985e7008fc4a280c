// SPDX-License-Identifier: Apache-2.0
// Helpers of the net tests: a peer made of plain blocking sockets, a server on its own shard, and
// the log as something to wait for. All waiting ends in failure after kPatience, never in success.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/remoting_client.h"
#include "net/remoting_server.h"
#include "protocol/command.h"
#include "runtime/shard.h"

namespace gantry::net {

inline constexpr std::chrono::seconds kPatience{30};

// A value that one thread sets and another waits for.
template <class T>
class Eventually {
 public:
  void set(T value) {
    const std::lock_guard lock(mutex_);
    value_.emplace(std::move(value));
    changed_.notify_all();
  }
  std::optional<T> wait() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPatience, [this] { return value_.has_value(); });
    return std::move(value_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<T> value_;
};

class Counter {
 public:
  void add();
  int value();
  bool wait_for(int at_least);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int value_ = 0;
};

// A blocking socket. Failures are test failures.
class RawPeer {
 public:
  // `receive_buffer`: SO_RCVBUF, 0 for the system's choice.
  explicit RawPeer(std::uint16_t port, int receive_buffer = 0);
  ~RawPeer();
  RawPeer(RawPeer&& other) noexcept;
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;
  RawPeer& operator=(RawPeer&&) = delete;

  // Sends what it can; false when the server has closed.
  bool send(std::string_view bytes);
  void send(const protocol::Command& command);
  protocol::Command receive();
  // The next frame with its length; "" when none came.
  std::string receive_frame();
  // True when the server has closed and nothing more arrives.
  bool closed();
  // True when it is closed already. Does not wait.
  bool closed_now();
  void close();

 private:
  bool receive_exactly(char* data, std::size_t size);
  int fd_ = -1;
};

std::string encoded(const protocol::Command& command);
protocol::Command request(std::int32_t code, std::int32_t opaque, std::string body = {});
// The answer that EchoHandler gives.
void echo(Connection& connection, const protocol::CommandView& request);

// Answers with the request's body unless `on_request_do` says otherwise. Its functions run on the
// shard; the counters may be waited for from anywhere.
class EchoHandler : public ConnectionHandler {
 public:
  void on_open(Connection& connection) override;
  void on_request(Connection& connection, protocol::CommandView& request) override;
  void on_close(Connection& connection) override;

  std::function<void(Connection&)> on_open_do;
  std::function<void(Connection&, protocol::CommandView&)> on_request_do;
  Counter opened;
  Counter requests;
  Counter closed;
  ConnectionId last_opened = 0;  // shard only
};

// A server on 127.0.0.1 with a running shard. Stops before the handler dies.
class TestServer {
 public:
  explicit TestServer(RemotingServerOptions options = {}, std::uint16_t port = 0);
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  RemotingServerStats stats();
  void run(std::function<void()> function);  // on the shard

  EchoHandler handler;
  runtime::Shard shard{"test-server"};
  std::unique_ptr<RemotingServer> server;  // shard only

 private:
  std::uint16_t port_ = 0;
};

}  // namespace gantry::net
