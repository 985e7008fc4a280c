// SPDX-License-Identifier: Apache-2.0
// Frames between servers: split and hostile input, full queues, dialling again.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <deque>
#include <future>

#include "base/bytes.h"
#include "net/frame_endpoint.h"
#include "net_test_util.h"
#include "tests/support/log_lines.h"

namespace {

// Stands before the C library's: counts what this program asks for, and knows one name more.
constexpr const char* kName = "member.frame.test";
std::atomic<int> g_lookups{0};
std::atomic<int> g_lookups_to_fail{0};

}  // namespace

// The C library's own parameter names are reserved.
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                           addrinfo** result) {
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto original = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  if (node != nullptr && std::strcmp(node, kName) == 0) {
    ++g_lookups;
    if (g_lookups_to_fail.fetch_sub(1) > 0) return EAI_AGAIN;
    node = "127.0.0.1";
  }
  return original(node, service, hints, result);
}

namespace gantry::net {
namespace {

using std::chrono::milliseconds;

std::string frame(std::string_view header, std::string_view body) {
  std::string bytes(8, '\0');
  store_be(bytes.data(), static_cast<std::uint32_t>(4 + header.size() + body.size()));
  store_be(bytes.data() + 4, static_cast<std::uint32_t>(header.size()));
  return bytes.append(header).append(body);
}

std::string lengths(std::uint32_t rest, std::uint32_t header) {
  std::string bytes(8, '\0');
  store_be(bytes.data(), rest);
  store_be(bytes.data() + 4, header);
  return bytes;
}

// Remembers frames; the last channel is for the shard only.
class Side final : public FrameHandler {
 public:
  explicit Side(FrameOptions options = {})
      : endpoint(std::make_unique<FrameEndpoint>(shard, *this, options)) {
    shard.start();
  }
  ~Side() override {
    run([this] { endpoint.reset(); });
  }
  Side(const Side&) = delete;
  Side& operator=(const Side&) = delete;

  void run(std::function<void()> function) {
    EXPECT_TRUE(shard.call(std::move(function), kPatience));
  }
  std::uint16_t listen(std::uint16_t port = 0) {
    std::uint16_t bound = 0;
    run([&] {
      const auto result = endpoint->listen("127.0.0.1", port);
      EXPECT_TRUE(result.has_value()) << result.error().message;
      bound = result.value_or(0);
    });
    return bound;
  }
  void connect(const std::string& address) {
    run([&] {
      const auto result = endpoint->connect(address);
      EXPECT_TRUE(result.has_value()) << result.error().message;
    });
  }
  bool send(std::string_view header, std::vector<std::string_view> body) {
    bool sent = false;
    run([&] { sent = channel != nullptr && channel->send(header, body); });
    return sent;
  }
  FrameStats stats() {
    FrameStats stats;
    run([&] { stats = endpoint->stats(); });
    return stats;
  }
  std::pair<std::string, std::string> frame_at(std::size_t index) {
    std::pair<std::string, std::string> result;
    run([&] { result = frames.at(index); });
    return result;
  }

  void on_open(FrameChannel& opening) override {
    channel = &opening;
    if (content) opening.accept_peer();
    opened.add();
  }
  void on_frame(FrameChannel& from, std::string_view header, std::string_view body) override {
    EXPECT_EQ(&from, channel);
    frames.emplace_back(header, body);
    received.add();
  }
  void on_close(FrameChannel& closing) override {
    EXPECT_FALSE(closing.open());
    if (channel == &closing) channel = nullptr;
    closed.add();
  }

  std::atomic<bool> content{true};
  Counter opened, received, closed;
  FrameChannel* channel = nullptr;
  std::deque<std::pair<std::string, std::string>> frames;
  runtime::Shard shard{"frame-side"};
  std::unique_ptr<FrameEndpoint> endpoint;
};

std::string local(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

TEST(Frames, TravelBothWaysInOrderAndInAnySize) {
  Side a;
  Side b;
  b.connect(local(a.listen()));
  ASSERT_TRUE(a.opened.wait_for(1));
  ASSERT_TRUE(b.opened.wait_for(1));
  std::string big(20U << 20, '\0');
  for (std::size_t i = 0; i < big.size(); ++i) big[i] = static_cast<char>(i * 31 + (i >> 9));
  ASSERT_TRUE(b.send("one", {"a", "", "bc"}));
  ASSERT_TRUE(b.send("", {}));
  ASSERT_TRUE(b.send("big", {std::string_view(big).substr(0, 7), std::string_view(big).substr(7)}));
  ASSERT_TRUE(b.send("last", {}));
  ASSERT_TRUE(a.received.wait_for(4));
  EXPECT_EQ(a.frame_at(0), std::pair(std::string("one"), std::string("abc")));
  EXPECT_EQ(a.frame_at(1), std::pair(std::string(), std::string()));
  EXPECT_EQ(a.frame_at(2).first, "big");
  EXPECT_TRUE(a.frame_at(2).second == big);
  EXPECT_EQ(a.frame_at(3).first, "last");
  ASSERT_TRUE(a.send("back", {"!"}));
  ASSERT_TRUE(b.received.wait_for(1));
  EXPECT_EQ(b.frame_at(0), std::pair(std::string("back"), std::string("!")));
  EXPECT_EQ(a.stats().bytes_in, b.stats().bytes_out);
  EXPECT_EQ(a.stats().frames_in, 4U);
  EXPECT_EQ(b.stats().frames_out, 4U);
}

TEST(Frames, MayArriveByteByByte) {
  Side a;
  RawPeer peer(a.listen());
  const std::string bytes =
      frame("head", "body") + frame("h2", "") + frame("", std::string(40, 'x'));
  for (const char byte : bytes) ASSERT_TRUE(peer.send({&byte, 1}));
  ASSERT_TRUE(a.received.wait_for(3));
  EXPECT_EQ(a.frame_at(0), std::pair(std::string("head"), std::string("body")));
  EXPECT_EQ(a.frame_at(2).second, std::string(40, 'x'));
}

// A frame too large to be copied into the shared buffer again and again, in uneven pieces with the
// start of the next one behind it.
TEST(Frames, MayArriveInUnevenPieces) {
  Side a;
  RawPeer peer(a.listen());
  std::string body(300'000, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i % 251);
  const std::string bytes = frame("x", body) + frame("y", body) + frame("z", "end");
  for (std::size_t at = 0, step = 1; at < bytes.size(); at += step, step = step * 3 % 40961 + 1) {
    ASSERT_TRUE(peer.send(std::string_view(bytes).substr(at, step)));
  }
  ASSERT_TRUE(a.received.wait_for(3));
  EXPECT_TRUE(a.frame_at(0).second == body);
  EXPECT_TRUE(a.frame_at(1).second == body);
  EXPECT_EQ(a.frame_at(2), std::pair(std::string("z"), std::string("end")));
}

struct Hostile {
  std::string bytes;
  std::string reason;
};

TEST(Frames, ImpossibleLengthsCloseTheChannelAndSayWhy) {
  FrameOptions options;
  options.header_bytes_max = 100;
  options.frame_bytes_max = 1000;
  const std::vector<Hostile> cases = {
      {lengths(0xFFFFFFFFU, 0), "frame of 4294967299 bytes, at most 1000"},
      {lengths(997, 0), "frame of 1001 bytes, at most 1000"},
      {lengths(0, 0), "frame of 4 bytes has no header length"},
      {lengths(3, 0), "frame of 7 bytes has no header length"},
      {lengths(10, 7), "header of 7 bytes in a frame of 14 bytes, at most 6"},
      {lengths(500, 101), "header of 101 bytes in a frame of 504 bytes, at most 100"},
      {lengths(10, 0x80000000U), "header of 2147483648 bytes"},
  };
  for (const Hostile& hostile : cases) {
    testing::LogLines log;
    Side a(options);
    RawPeer peer(a.listen());
    ASSERT_TRUE(peer.send(hostile.bytes));
    EXPECT_TRUE(peer.closed()) << hostile.reason;
    EXPECT_NE(log.line_with(hostile.reason), "") << hostile.reason;
    EXPECT_EQ(a.stats().protocol_errors, 1U);
    EXPECT_EQ(a.received.value(), 0);
  }
  Side a(options);
  RawPeer good(a.listen());
  ASSERT_TRUE(good.send(frame(std::string(100, 'h'), std::string(892, 'b'))));
  EXPECT_TRUE(a.received.wait_for(1)) << "a frame of exactly the limits";
}

TEST(Frames, OverTheLimitsAreNotSent) {
  FrameOptions options;
  options.header_bytes_max = 100;
  options.frame_bytes_max = 1000;
  Side a(options);
  Side b(options);
  b.connect(local(a.listen()));
  ASSERT_TRUE(b.opened.wait_for(1));
  EXPECT_FALSE(b.send(std::string(101, 'h'), {}));
  EXPECT_FALSE(b.send("", {std::string(993, 'b')}));
  EXPECT_EQ(b.stats().dropped, 2U);
  EXPECT_TRUE(b.send("", {std::string(992, 'b')}));
  EXPECT_TRUE(a.received.wait_for(1));
}

TEST(Frames, WhatAPeerDoesNotReadIsDroppedAndCounted) {
  FrameOptions options;
  options.output_bytes_max = 1U << 20;
  Side a(options);
  RawPeer peer(a.listen(), 4096);
  ASSERT_TRUE(a.opened.wait_for(1));
  const std::string body(100'000, 'x');
  std::size_t taken = 0;
  bool full = false;
  for (int i = 0; i < 1000 && !full; ++i) {
    full = !a.send("h", {body});
    if (!full) ++taken;
  }
  ASSERT_TRUE(full) << "a peer that reads nothing takes everything";
  EXPECT_EQ(a.stats().dropped, 1U);
  // What was queued arrives whole, and then there is room again.
  for (std::size_t i = 0; i < taken; ++i) ASSERT_EQ(peer.receive_frame(), frame("h", body));
  EXPECT_TRUE(a.send("after", {body}));
  EXPECT_EQ(peer.receive_frame(), frame("after", body));
}

TEST(Frames, ALostPeerIsDialledAgain) {
  FrameOptions options;
  options.redial_min = milliseconds(5);
  Side b(options);
  auto a = std::make_unique<Side>();
  const std::uint16_t port = a->listen();
  b.connect(local(port));
  b.connect(local(port));  // is one channel
  ASSERT_TRUE(b.opened.wait_for(1));
  a.reset();
  ASSERT_TRUE(b.closed.wait_for(1));
  a = std::make_unique<Side>();
  a->listen(port);
  ASSERT_TRUE(b.opened.wait_for(2));
  ASSERT_TRUE(a->opened.wait_for(1));
  ASSERT_TRUE(b.send("again", {}));
  ASSERT_TRUE(a->received.wait_for(1));
  EXPECT_EQ(b.stats().channels, 1U);
  EXPECT_EQ(b.stats().dialled, 2U);
  b.run([&] { b.endpoint->disconnect(local(port), "not wanted"); });
  ASSERT_TRUE(a->closed.wait_for(1));
  EXPECT_EQ(b.stats().channels, 0U);
}

TEST(Frames, ThePauseGrowsWhileThePeerIsNotAccepted) {
  FrameOptions options;
  options.redial_min = milliseconds(20);
  options.redial_max = milliseconds(40);
  Side a;
  Side b(options);
  b.content = false;
  const std::uint16_t port = a.listen();
  const auto close_at_once = [&] {
    b.run([&] {
      if (b.channel != nullptr) b.channel->close("not content");
    });
  };
  const auto began = std::chrono::steady_clock::now();
  b.connect(local(port));
  for (int i = 1; i <= 4; ++i) {
    ASSERT_TRUE(b.opened.wait_for(i));
    close_at_once();
  }
  // Three pauses: 20, 40 and 40 ms.
  EXPECT_GE(std::chrono::steady_clock::now() - began, milliseconds(100));
}

TEST(Frames, TheNameIsResolvedForEveryAttempt) {
  FrameOptions options;
  options.redial_min = milliseconds(5);
  auto a = std::make_unique<Side>();
  const std::uint16_t port = a->listen();
  Side b(options);
  g_lookups = 0;
  g_lookups_to_fail = 2;
  b.connect(std::string(kName) + ":" + std::to_string(port));
  ASSERT_TRUE(b.opened.wait_for(1));
  EXPECT_EQ(g_lookups, 3);
  EXPECT_EQ(b.stats().dial_failures, 2U);
  a.reset();
  ASSERT_TRUE(b.closed.wait_for(1));
  a = std::make_unique<Side>();
  a->listen(port);
  ASSERT_TRUE(b.opened.wait_for(2));
  EXPECT_GE(g_lookups, 4);
}

TEST(Frames, ChannelsOverTheLimitAreClosed) {
  FrameOptions options;
  options.channels_max = 1;
  Side a(options);
  const std::uint16_t port = a.listen();
  RawPeer first(port);
  ASSERT_TRUE(a.opened.wait_for(1));
  RawPeer second(port);
  EXPECT_TRUE(second.closed());
  ASSERT_TRUE(first.send(frame("still", "here")));
  EXPECT_TRUE(a.received.wait_for(1));
}

TEST(Frames, AnAddressWithoutPortIsRefused) {
  Side a;
  a.run([&] {
    const auto result = a.endpoint->connect("nowhere");
    ASSERT_FALSE(result.has_value());
    EXPECT_NE(result.error().message.find("has no port"), std::string::npos);
  });
}

}  // namespace
}  // namespace gantry::net
