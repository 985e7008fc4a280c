// SPDX-License-Identifier: Apache-2.0
// Frames in pieces, large frames, and bytes that are no frames.
#include <gtest/gtest.h>

#include <thread>

#include "base/bytes.h"
#include "net_test_util.h"
#include "tests/support/log_lines.h"

namespace gantry::net {
namespace {

std::string frame(std::uint32_t total, std::uint32_t header_length, std::string_view rest) {
  std::string bytes(8, '\0');
  store_be(bytes.data(), total);
  store_be(bytes.data() + 4, header_length);
  return bytes.append(rest);
}

// The body that makes the whole frame exactly `size` bytes.
std::string body_for_frame_of(std::size_t size) {
  const std::size_t head = encoded(request(10, 1)).size();
  std::string body(size - head, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i % 23);
  return body;
}

TEST(ServerFrames, OneByteAtATime) {
  TestServer server;
  RawPeer peer(server.port());
  const std::string bytes = encoded(request(10, 1, "slow")) + encoded(request(10, 2, "boat"));
  for (const char byte : bytes) ASSERT_TRUE(peer.send(std::string_view(&byte, 1)));
  EXPECT_EQ(peer.receive().body, "slow");
  EXPECT_EQ(peer.receive().body, "boat");
}

TEST(ServerFrames, EverySplitOfTwoFrames) {
  TestServer server;
  const std::string bytes = encoded(request(10, 1, "first")) + encoded(request(10, 2, "second"));
  RawPeer peer(server.port());
  RawPeer marker(server.port());
  for (std::size_t split = 1; split < bytes.size(); ++split) {
    ASSERT_TRUE(peer.send(bytes.substr(0, split)));
    marker.send(request(10, 3));  // when this is answered, the first part has most likely been read
    marker.receive();
    ASSERT_TRUE(peer.send(bytes.substr(split)));
    ASSERT_EQ(peer.receive().body, "first") << split;
    ASSERT_EQ(peer.receive().body, "second") << split;
  }
}

// Around the sizes where the way of receiving changes, with small frames on both sides.
TEST(ServerFrames, LargeFramesBetweenSmallOnes) {
  TestServer server;
  RawPeer peer(server.port());
  for (const std::size_t size :
       {std::size_t{16} << 10, (std::size_t{16} << 10) + 1, std::size_t{64} << 10,
        std::size_t{512} << 10, (std::size_t{512} << 10) + 1, std::size_t{3} << 20}) {
    const std::string body = body_for_frame_of(size);
    const std::string large = encoded(request(10, 1, body));
    ASSERT_EQ(large.size(), size);
    const std::string small = encoded(request(10, 2, "small"));
    std::thread sender([&] { EXPECT_TRUE(peer.send(small + large + large + small)); });
    EXPECT_EQ(peer.receive().body, "small");
    EXPECT_TRUE(peer.receive().body == body) << size;
    EXPECT_TRUE(peer.receive().body == body) << size;
    EXPECT_EQ(peer.receive().body, "small");
    sender.join();
  }
}

TEST(ServerFrames, TheLargestFrameIsServed) {
  TestServer server;
  RawPeer peer(server.port());
  Eventually<std::size_t> body_size;
  server.handler.on_request_do = [&](Connection&, protocol::CommandView& view) {
    body_size.set(view.body.size());
  };
  const std::string body = body_for_frame_of(protocol::kFrameBytesMax);
  peer.send(request(10, 1, body));
  EXPECT_EQ(body_size.wait(), body.size());
}

struct BadFrame {
  const char* name;
  std::string bytes;
  std::string reason;
};

class BadFrames : public ::testing::TestWithParam<BadFrame> {};

TEST_P(BadFrames, CloseTheConnectionWithAReason) {
  testing::LogLines log;
  TestServer server;
  RawPeer peer(server.port());
  peer.send(request(10, 1, "good"));
  EXPECT_EQ(peer.receive().body, "good");
  peer.send(GetParam().bytes);
  EXPECT_TRUE(peer.closed());
  const std::string line = log.line_with(GetParam().reason);
  EXPECT_NE(line, "");
  EXPECT_NE(line.find("warn"), std::string::npos) << line;
  EXPECT_NE(line.find("peer=127.0.0.1:"), std::string::npos) << line;
  ASSERT_TRUE(server.handler.closed.wait_for(1));
  EXPECT_EQ(server.stats().protocol_errors, 1U);
  EXPECT_EQ(server.handler.requests.value(), 1);
}

INSTANTIATE_TEST_SUITE_P(
    All, BadFrames,
    ::testing::Values(
        BadFrame{"OneByteTooLarge", frame(16777213, 2, ""), "frame of 16777217 bytes"},
        BadFrame{"NegativeLength", frame(0xFFFFFFFF, 2, ""), "frame of 4294967299 bytes"},
        BadFrame{"NoRoomForTheHeaderLength", frame(3, 0, ""), "frame of 7 bytes has no header"},
        BadFrame{"HeaderBeyondTheFrame", frame(10, 7, ""), "header of 7 bytes in a frame of 14"},
        BadFrame{"HeaderIsNoJson", frame(8, 4, "nope"), "connection closed"},
        BadFrame{"UnknownSerializeType", frame(8, 0x07000004, "{}  "), "connection closed"},
        BadFrame{"HttpRequest", "GET / HTTP/1.1\r\n\r\n", "frame of 1195725860 bytes"}),
    [](const auto& bad) { return std::string(bad.param.name); });

TEST(ServerFrames, AConnectionThatEndsInsideAFrameIsSimplyGone) {
  TestServer server;
  {
    RawPeer peer(server.port());
    ASSERT_TRUE(peer.send(encoded(request(10, 1, "half")).substr(0, 20)));
  }
  ASSERT_TRUE(server.handler.closed.wait_for(1));
  EXPECT_EQ(server.handler.requests.value(), 0);
  EXPECT_EQ(server.stats().protocol_errors, 0U);
}

}  // namespace
}  // namespace gantry::net
