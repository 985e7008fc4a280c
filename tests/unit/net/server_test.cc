// SPDX-License-Identifier: Apache-2.0
// Accepting, serving, closing.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <set>
#include <vector>

#include "net/remoting_server.h"
#include "net_test_util.h"
#include "tests/support/log_lines.h"

namespace gantry::net {
namespace {

TEST(RemotingServer, AnswersPipelinedRequests) {
  constexpr int kRequests = 1000;
  TestServer server;
  RawPeer peer(server.port());
  std::string bytes;
  for (int i = 0; i < kRequests; ++i) bytes += encoded(request(10, i, "body " + std::to_string(i)));
  ASSERT_TRUE(peer.send(bytes));
  for (int i = 0; i < kRequests; ++i) {
    const auto answer = peer.receive();
    EXPECT_TRUE(answer.is_response());
    EXPECT_EQ(answer.opaque, i);
    EXPECT_EQ(answer.body, "body " + std::to_string(i));
  }
  const auto stats = server.stats();
  EXPECT_EQ(stats.connections, 1U);
  EXPECT_EQ(stats.accepted, 1U);
  EXPECT_EQ(stats.frames_in, static_cast<std::uint64_t>(kRequests));
  EXPECT_EQ(stats.bytes_in, bytes.size());
  EXPECT_GT(stats.bytes_out, 0U);
  EXPECT_EQ(stats.protocol_errors, 0U);
}

TEST(RemotingServer, AnswersMayComeInAnyOrderAndLater) {
  TestServer server;
  std::vector<std::int32_t> parked;
  server.handler.on_request_do = [&](Connection& connection, protocol::CommandView& view) {
    parked.push_back(view.opaque);
    if (parked.size() < 3) return;
    server.shard.post([&, id = connection.id()] {
      Connection* const found = server.server->find(id);
      ASSERT_NE(found, nullptr);
      for (auto opaque = parked.rbegin(); opaque != parked.rend(); ++opaque) {
        auto answer = protocol::Command::response(0);
        answer.opaque = *opaque;
        found->send(answer);
      }
    });
  };
  RawPeer peer(server.port());
  for (const int opaque : {7, 8, 9}) peer.send(request(10, opaque));
  EXPECT_EQ(peer.receive().opaque, 9);
  EXPECT_EQ(peer.receive().opaque, 8);
  EXPECT_EQ(peer.receive().opaque, 7);
}

TEST(RemotingServer, TellsBothEndsOfAConnection) {
  TestServer server;
  HostPort peer_end;
  HostPort local_end;
  server.handler.on_open_do = [&](Connection& connection) {
    peer_end = connection.peer();
    local_end = connection.local();
  };
  RawPeer peer(server.port());
  ASSERT_TRUE(server.handler.opened.wait_for(1));
  EXPECT_EQ(peer_end.host, "127.0.0.1");
  EXPECT_NE(peer_end.port, 0);
  EXPECT_EQ(local_end.text(), server.address());
}

TEST(RemotingServer, ListensOnBothFamiliesAndGivesMappedAddressesAsIpv4) {
  TestServer server;
  HostPort peer_end;
  server.handler.on_open_do = [&](Connection& connection) { peer_end = connection.peer(); };
  Result<std::uint16_t> port = 0;
  server.run([&] { port = server.server->listen("::", 0); });
  if (!port) GTEST_SKIP() << "no IPv6 here: " << port.error().message;
  RawPeer peer(*port);
  ASSERT_TRUE(server.handler.opened.wait_for(1));
  EXPECT_EQ(peer_end.host, "127.0.0.1");
}

TEST(RemotingServer, NamesThePortThatIsInUse) {
  TestServer server;
  EchoHandler handler;
  runtime::Shard shard("second");
  RemotingServer second(shard, handler, {});
  const auto bound = second.listen("127.0.0.1", server.port());
  ASSERT_FALSE(bound.has_value());
  EXPECT_EQ(bound.error().code, ErrorCode::kConflict);
  EXPECT_NE(bound.error().message.find(server.address()), std::string::npos)
      << bound.error().message;
}

TEST(RemotingServer, RefusesAListenAddressThatIsNone) {
  EchoHandler handler;
  runtime::Shard shard("t");
  RemotingServer server(shard, handler, {});
  const auto bound = server.listen("not-an-address", 0);
  ASSERT_FALSE(bound.has_value());
  EXPECT_EQ(bound.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(bound.error().message.find("not-an-address"), std::string::npos);
}

TEST(RemotingServer, ServesAThousandConnections) {
  constexpr int kConnections = 1000;
  TestServer server;
  std::set<ConnectionId> ids;
  server.handler.on_open_do = [&](Connection& connection) { ids.insert(connection.id()); };
  std::vector<RawPeer> peers;
  for (int i = 0; i < kConnections; ++i) peers.emplace_back(server.port());
  for (int i = 0; i < kConnections; ++i) {
    peers[static_cast<std::size_t>(i)].send(request(10, i, std::to_string(i)));
  }
  for (int i = 0; i < kConnections; ++i) {
    EXPECT_EQ(peers[static_cast<std::size_t>(i)].receive().body, std::to_string(i));
  }
  EXPECT_EQ(server.stats().connections, static_cast<std::size_t>(kConnections));
  peers.clear();
  ASSERT_TRUE(server.handler.closed.wait_for(kConnections));
  EXPECT_EQ(server.stats().connections, 0U);
  EXPECT_EQ(ids.size(), static_cast<std::size_t>(kConnections));
}

TEST(RemotingServer, FindsOpenConnectionsOnlyAndNeverReusesAnId) {
  TestServer server;
  ConnectionId first = 0;
  {
    RawPeer peer(server.port());
    ASSERT_TRUE(server.handler.opened.wait_for(1));
    server.run([&] {
      first = server.handler.last_opened;
      ASSERT_NE(server.server->find(first), nullptr);
      EXPECT_EQ(server.server->find(first)->id(), first);
    });
  }
  ASSERT_TRUE(server.handler.closed.wait_for(1));
  RawPeer peer(server.port());
  ASSERT_TRUE(server.handler.opened.wait_for(2));
  server.run([&] {
    EXPECT_EQ(server.server->find(first), nullptr);
    EXPECT_NE(server.handler.last_opened, first);
    EXPECT_EQ(server.server->find(0), nullptr);
    EXPECT_EQ(server.server->find(~ConnectionId{0}), nullptr);
  });
}

TEST(RemotingServer, CloseInAHandlerDeliversWhatWasAnsweredAndStopsTheBatch) {
  TestServer server;
  server.handler.on_request_do = [&](Connection& connection, protocol::CommandView& view) {
    echo(connection, view);
    connection.close("enough");
    EXPECT_FALSE(connection.open());
    connection.close("again");
    echo(connection, view);  // no harm
  };
  RawPeer peer(server.port());
  ASSERT_TRUE(peer.send(encoded(request(10, 1, "a")) + encoded(request(10, 2, "b"))));
  EXPECT_EQ(peer.receive().body, "a");
  ASSERT_TRUE(server.handler.closed.wait_for(1));
  EXPECT_EQ(server.handler.requests.value(), 1);
}

TEST(RemotingServer, MayBeDestroyedInsideAHandler) {
  TestServer server;
  server.handler.on_request_do = [&](Connection& connection, protocol::CommandView& view) {
    echo(connection, view);
    server.server.reset();
    EXPECT_EQ(view.body, "a");  // the request stays valid during the call
    EXPECT_FALSE(connection.open());
  };
  RawPeer other(server.port());
  ASSERT_TRUE(server.handler.opened.wait_for(1));
  RawPeer peer(server.port());
  ASSERT_TRUE(peer.send(encoded(request(10, 1, "a")) + encoded(request(10, 2, "b"))));
  EXPECT_EQ(peer.receive().body, "a");
  EXPECT_TRUE(other.closed());
  ASSERT_TRUE(server.handler.closed.wait_for(2));
  server.run([] {});
  EXPECT_EQ(server.handler.requests.value(), 1);
}

TEST(RemotingServer, MayBeDestroyedInOnOpenAndOnClose) {
  for (const bool in_open : {true, false}) {
    TestServer server;
    if (in_open) {
      server.handler.on_open_do = [&](Connection&) { server.server.reset(); };
    } else {
      server.handler.on_request_do = [&](Connection& connection, protocol::CommandView&) {
        connection.call(protocol::Command::request(1), kPatience,
                        [&](Result<protocol::Command> reply) {
                          EXPECT_EQ(reply.error().code, ErrorCode::kUnavailable);
                          server.server.reset();
                        });
        connection.close("test");
      };
    }
    RawPeer peer(server.port());
    if (!in_open) peer.send(request(10, 1));
    ASSERT_TRUE(server.handler.closed.wait_for(1));
    server.run([&] { EXPECT_EQ(server.server, nullptr); });
  }
}

TEST(RemotingServer, CloseAllClosesAndStopAcceptingRefuses) {
  TestServer server;
  RawPeer first(server.port());
  RawPeer second(server.port());
  ASSERT_TRUE(server.handler.opened.wait_for(2));
  server.run([&] {
    server.server->stop_accepting();
    server.server->close_all("maintenance");
  });
  EXPECT_TRUE(first.closed());
  EXPECT_TRUE(second.closed());
  ASSERT_TRUE(server.handler.closed.wait_for(2));
  const auto refused = BlockingClient::connect(server.address(), kPatience);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
}

TEST(RemotingServer, ClosesConnectionsBeyondTheLimit) {
  testing::LogLines log;
  RemotingServerOptions options;
  options.connections_max = 2;
  TestServer server(options);
  RawPeer first(server.port());
  RawPeer second(server.port());
  ASSERT_TRUE(server.handler.opened.wait_for(2));
  RawPeer third(server.port());
  EXPECT_TRUE(third.closed());
  EXPECT_NE(log.line_with("connections_max=2"), "");
  EXPECT_EQ(server.stats().rejected, 1U);
  first.close();
  ASSERT_TRUE(server.handler.closed.wait_for(1));
  RawPeer fourth(server.port());
  fourth.send(request(10, 4, "in"));
  EXPECT_EQ(fourth.receive().body, "in");
}

TEST(RemotingServer, WaitsWhenThereAreNoDescriptorsLeftAndGoesOn) {
  testing::LogLines log;
  TestServer server;
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const int highest = ::dup(0);
  ASSERT_GE(highest, 0);
  rlimit low = limit;
  low.rlim_cur = static_cast<rlim_t>(highest) + 2;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  std::vector<int> fillers;
  for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) fillers.push_back(fd);
  ASSERT_FALSE(fillers.empty());
  ::close(fillers.back());  // for the peer's socket; the server's finds none
  fillers.pop_back();
  RawPeer peer(server.port());
  EXPECT_NE(log.line_with("cannot accept"), "");
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  peer.send(request(10, 1, "late"));
  EXPECT_EQ(peer.receive().body, "late");
  for (const int fd : fillers) ::close(fd);
  ::close(highest);
}

}  // namespace
}  // namespace gantry::net
