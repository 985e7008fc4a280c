// SPDX-License-Identifier: Apache-2.0
// Helpers of the peer tests: something to wait for, a transport on its own shard, and a stranger
// that speaks frames but not our protocol. All waiting ends in failure after kPatience.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "net/frame_endpoint.h"
#include "peer/tcp_transport.h"
#include "runtime/shard.h"
#include "tests/support/log_lines.h"

namespace gantry::peer {

using gantry::testing::LogLines;

inline constexpr std::chrono::seconds kPatience{60};

inline std::string local(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }
inline raft::MemberId member_id(char digit) { return raft::MemberId(32, digit); }

// Tells waiting tests that something may have changed. The predicates run under its lock, and so
// must every change of what they look at.
class Board {
 public:
  void change(const std::function<void()>& function) {
    const std::lock_guard lock(mutex_);
    function();
    changed_.notify_all();
  }
  bool wait(const std::function<bool()>& predicate) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, predicate);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

inline net::FrameOptions quick_frames() {
  net::FrameOptions options;
  options.redial_min = std::chrono::milliseconds(5);
  options.redial_max = std::chrono::milliseconds(50);
  return options;
}

// A transport on its own shard. What the board guards may be looked at while waiting.
class Station {
 public:
  explicit Station(char digit) : shard("station") {
    hello.cluster = "C";
    hello.broker_name = "b";
    hello.member_uuid = member_id(digit);
    hello.file_bytes = 8192;
    hello.start = 1;
    shard.start();
    run([this] { open(0); });
    hello.address = local(port);
  }
  ~Station() {
    run([this] { transport.reset(); });
  }
  Station(const Station&) = delete;
  Station& operator=(const Station&) = delete;

  void run(std::function<void()> function) {
    EXPECT_TRUE(shard.call(std::move(function), kPatience));
  }
  void start() {
    run([this] { transport->start(hello); });
  }
  void dial(std::vector<std::string> addresses) {
    run([&] { transport->set_seeds(std::move(addresses)); });
  }
  void send(char to, raft::Message message, std::vector<std::string_view> bytes = {}) {
    run([&] {
      std::vector<io::Slice> slices;
      for (const std::string_view piece : bytes) slices.push_back({piece.data(), piece.size()});
      message.from = hello.member_uuid;
      message.to = member_id(to);
      transport->send({member_id(to), "", 1, true}, message, slices);
    });
  }
  TransportStats stats() {
    TransportStats stats;
    run([&] { stats = transport->stats(); });
    return stats;
  }
  bool wait_for_peer(char digit) {
    return board.wait([&] {
      for (const Peer& peer : peers) {
        if (peer.hello.member_uuid == member_id(digit)) return true;
      }
      return false;
    });
  }

  Hello hello;
  std::uint16_t port = 0;
  runtime::Shard shard;
  std::unique_ptr<TcpTransport> transport;  // shard only
  Board board;
  std::vector<Peer> peers;
  std::set<std::string> own_addresses;
  std::map<std::string, std::string> problems;
  std::vector<std::pair<raft::Message, std::string>> received;
  raft::Membership given_up;

 private:
  void open(std::uint16_t wanted) {
    TcpTransport::Callbacks callbacks;
    callbacks.receive = [this](raft::Message message, std::string_view body) {
      board.change([&] { received.emplace_back(std::move(message), std::string(body)); });
    };
    callbacks.peers_changed = [this] {
      board.change([&] {
        peers = transport->peers();
        own_addresses = transport->own_addresses();
        problems = transport->problems();
      });
    };
    callbacks.given_up = [this](const raft::Membership& newer) {
      board.change([&] { given_up = newer; });
    };
    transport = std::make_unique<TcpTransport>(shard, std::move(callbacks), quick_frames());
    const auto bound = transport->listen("127.0.0.1", wanted);
    ASSERT_TRUE(bound.has_value()) << bound.error().message;
    port = *bound;
  }
};

// Sends the headers it is given, remembers what it gets.
class Stranger final : public net::FrameHandler {
 public:
  Stranger(const std::string& address, std::vector<std::pair<std::string, std::string>> frames)
      : frames_(std::move(frames)), shard_("stranger") {
    net::FrameOptions options;
    options.redial_min = options.redial_max = std::chrono::hours(1);  // once is enough
    endpoint_ = std::make_unique<net::FrameEndpoint>(shard_, *this, options);
    shard_.start();
    EXPECT_TRUE(
        shard_.call([&] { EXPECT_TRUE(endpoint_->connect(address).has_value()); }, kPatience));
  }
  ~Stranger() override {
    EXPECT_TRUE(shard_.call([this] { endpoint_.reset(); }, kPatience));
  }
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;

  void on_open(net::FrameChannel& channel) override {
    for (const auto& [header, body] : frames_) {
      const std::string_view piece = body;
      EXPECT_TRUE(channel.send(header, {&piece, 1}));
    }
  }
  void on_frame(net::FrameChannel&, std::string_view header, std::string_view body) override {
    board.change([&] {
      auto decoded = decode(header, body.size());
      ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
      received.push_back(std::move(*decoded));
    });
  }
  void on_close(net::FrameChannel&) override {
    board.change([&] { closed = true; });
  }

  Board board;
  std::vector<Decoded> received;
  bool closed = false;

 private:
  const std::vector<std::pair<std::string, std::string>> frames_;
  runtime::Shard shard_;
  std::unique_ptr<net::FrameEndpoint> endpoint_;
};

}  // namespace gantry::peer
