// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <vector>

#include "net/remoting_client.h"
#include "net_test_util.h"

namespace gantry::net {
namespace {

using std::chrono::milliseconds;
using Answer = Result<protocol::Command>;

// A client on its own shard; calls from the test's thread.
class TestClient {
 public:
  explicit TestClient(ConnectionHandler* handler = nullptr,
                      milliseconds connect_timeout = kPatience)
      : client(std::make_unique<RemotingClient>(shard, handler, connect_timeout)) {
    shard.start();
  }
  ~TestClient() {
    run([this] { client.reset(); });
  }
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  void run(std::function<void()> function) {
    EXPECT_TRUE(shard.call(std::move(function), kPatience));
  }
  Answer call(const std::string& address, protocol::Command command,
              milliseconds timeout = kPatience) {
    Eventually<Answer> reply;
    run([&] {
      client->call(address, std::move(command), timeout,
                   [&](Answer answer) { reply.set(std::move(answer)); });
    });
    auto answer = reply.wait();
    if (!answer) return make_error(ErrorCode::kIo, "no reply at all");
    return std::move(*answer);
  }

  runtime::Shard shard{"test-client"};
  std::unique_ptr<RemotingClient> client;  // shard only
};

// A port nobody listens on (any more).
std::uint16_t free_port() {
  const TestServer server;
  return server.port();
}

TEST(RemotingClient, CallsByNameOverOneConnection) {
  TestServer server;
  TestClient client;
  const std::string address = "localhost:" + std::to_string(server.port());
  for (int i = 0; i < 3; ++i) {
    const auto answer = client.call(address, request(10, 99, "hello"));
    ASSERT_TRUE(answer.has_value()) << answer.error().message;
    EXPECT_EQ(answer->body, "hello");
  }
  EXPECT_EQ(server.handler.opened.value(), 1);
}

TEST(RemotingClient, CallsThatWaitForTheConnectionAreSentInOrder) {
  constexpr int kCalls = 100;
  TestServer server;
  TestClient client;
  Counter replies;
  std::vector<std::string> seen;  // server's shard
  server.handler.on_request_do = [&](Connection& connection, protocol::CommandView& view) {
    seen.emplace_back(view.body);
    if (!view.is_oneway()) echo(connection, view);
  };
  client.run([&] {
    for (int i = 0; i < kCalls; ++i) {
      client.client->send_oneway(server.address(), request(12, 0, "oneway"));
      client.client->call(server.address(), request(10, 0, std::to_string(i)), kPatience,
                          [&, i](Answer answer) {
                            ASSERT_TRUE(answer.has_value());
                            EXPECT_EQ(answer->body, std::to_string(i));
                            replies.add();
                          });
    }
  });
  ASSERT_TRUE(replies.wait_for(kCalls));
  server.run([&] {
    ASSERT_EQ(seen.size(), 2U * kCalls);
    EXPECT_EQ(seen[0], "oneway");
    EXPECT_EQ(seen[1], "0");
    EXPECT_EQ(seen.back(), std::to_string(kCalls - 1));
  });
  EXPECT_EQ(server.handler.opened.value(), 1);
}

TEST(RemotingClient, ReconnectsAfterAServerHasComeBack) {
  EchoHandler events;
  TestClient client(&events);
  auto server = std::make_unique<TestServer>();
  const std::uint16_t port = server->port();
  const std::string address = server->address();
  ASSERT_TRUE(client.call(address, request(10, 0, "a")).has_value());
  server.reset();
  ASSERT_TRUE(events.closed.wait_for(1));
  const auto refused = client.call(address, request(10, 0, "b"));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(refused.error().message.find(address), std::string::npos) << refused.error().message;
  server = std::make_unique<TestServer>(RemotingServerOptions{}, port);
  const auto answer = client.call(address, request(10, 0, "c"));
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->body, "c");
  EXPECT_EQ(events.opened.value(), 2);
}

TEST(RemotingClient, RefusesABadAddressAndAnUnknownName) {
  TestClient client;
  const auto bad = client.call("nowhere", request(10, 0));
  ASSERT_FALSE(bad.has_value());
  EXPECT_EQ(bad.error().code, ErrorCode::kInvalidArgument);
  const auto unknown = client.call("name.invalid:10911", request(10, 0));
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(unknown.error().message.find("resolve"), std::string::npos) << unknown.error().message;
  const std::string nobody = "localhost:" + std::to_string(free_port());
  EXPECT_FALSE(client.call(nobody, request(10, 0)).has_value());
  client.run([&] {
    EXPECT_TRUE(client.client->unresolved("name.invalid:10911"));
    EXPECT_FALSE(client.client->unresolved(nobody))
        << "it has an address, and nobody listens there";
  });
}

TEST(RemotingClient, ATimeoutWithoutASignOfLifeClosesTheConnection) {
  TestServer server;
  TestClient client;
  server.handler.on_request_do = [](Connection&, protocol::CommandView&) {};
  const auto silent = client.call(server.address(), request(10, 0), milliseconds(20));
  ASSERT_FALSE(silent.has_value());
  EXPECT_EQ(silent.error().code, ErrorCode::kTimeout);
  ASSERT_TRUE(server.handler.closed.wait_for(1));
  server.run([&] { server.handler.on_request_do = nullptr; });
  EXPECT_TRUE(client.call(server.address(), request(10, 0)).has_value());
  EXPECT_EQ(server.handler.opened.value(), 2);
}

TEST(RemotingClient, ATimeoutWhileOthersAreAnsweredKeepsTheConnection) {
  TestServer server;
  TestClient client;
  server.handler.on_request_do = [](Connection& connection, protocol::CommandView& view) {
    if (view.code == 10) echo(connection, view);
  };
  Eventually<Answer> slow;
  client.run([&] {
    client.client->call(server.address(), request(11, 0), milliseconds(1000),
                        [&](Answer answer) { slow.set(std::move(answer)); });
  });
  ASSERT_TRUE(client.call(server.address(), request(10, 0)).has_value());
  const auto answer = slow.wait();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->error().code, ErrorCode::kTimeout);
  ASSERT_TRUE(client.call(server.address(), request(10, 0)).has_value());
  EXPECT_EQ(server.handler.opened.value(), 1);
}

// A listening socket whose queue is full: further connects get no answer.
class BlackHole {
 public:
  BlackHole() : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 0), 0);
    socklen_t size = sizeof address;
    EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    filler_.emplace_back(port_);
  }
  ~BlackHole() { ::close(listener_); }
  BlackHole(const BlackHole&) = delete;
  BlackHole& operator=(const BlackHole&) = delete;
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  int listener_;
  std::uint16_t port_ = 0;
  std::vector<RawPeer> filler_;
};

TEST(RemotingClient, GivesUpConnectingAfterTheConnectTimeout) {
  const BlackHole hole;
  TestClient client(nullptr, milliseconds(50));
  const auto answer = client.call(hole.address(), request(10, 0));
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::kTimeout);
  EXPECT_NE(answer.error().message.find(hole.address()), std::string::npos);
}

TEST(RemotingClient, ACallMayTimeOutBeforeItsConnection) {
  const BlackHole hole;
  TestClient client(nullptr, kPatience);
  const auto answer = client.call(hole.address(), request(10, 0), milliseconds(20));
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::kTimeout);
}

TEST(RemotingClient, CloseAllFailsWhatIsPendingOnce) {
  const BlackHole hole;
  TestServer server;
  server.handler.on_request_do = [](Connection&, protocol::CommandView&) {};
  TestClient client;
  Counter replies;
  const auto count = [&](Answer answer) {
    EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
    replies.add();
  };
  client.run([&] {
    client.client->call(hole.address(), request(10, 0), kPatience, count);
    client.client->call(server.address(), request(10, 0), kPatience, count);
  });
  ASSERT_TRUE(server.handler.requests.wait_for(1));
  client.run([&] { client.client->close_all(); });
  ASSERT_TRUE(replies.wait_for(2));
  ASSERT_TRUE(server.handler.closed.wait_for(1));
  server.run([&] { server.handler.on_request_do = nullptr; });
  EXPECT_TRUE(client.call(server.address(), request(10, 0)).has_value());
  EXPECT_EQ(replies.value(), 2);
}

TEST(RemotingClient, SaysWhichConnectionWasLost) {
  TestServer server;
  TestClient client;
  Eventually<std::string> lost;
  client.run([&] { client.client->on_lost([&](const std::string& at) { lost.set(at); }); });
  EXPECT_TRUE(client.call(server.address(), request(10, 0)).has_value());
  server.run([&] { server.server->close_all("the server is restarted"); });
  EXPECT_EQ(lost.wait(), server.address());
}

TEST(RemotingClient, LosesNothingWhenItEnds) {
  TestServer server;
  bool lost = false;
  {
    TestClient client;
    client.run([&] { client.client->on_lost([&](const std::string&) { lost = true; }); });
    EXPECT_TRUE(client.call(server.address(), request(10, 0)).has_value());
  }
  EXPECT_FALSE(lost);
}

TEST(RemotingClient, MayBeDestroyedInAReply) {
  const std::string refused = "127.0.0.1:" + std::to_string(free_port());
  TestServer server;
  for (const std::string& address : {server.address(), refused}) {
    TestClient client;
    Counter replies;
    client.run([&] {
      for (int i = 0; i < 3; ++i) {
        client.client->call(address, request(10, 0), kPatience, [&](Answer) {
          client.client.reset();
          replies.add();
        });
      }
    });
    EXPECT_TRUE(replies.wait_for(3));
    client.run([] {});
    EXPECT_EQ(replies.value(), 3);
  }
}

TEST(RemotingClient, AnswersRequestsOfTheServerWithNotSupportedWhenItHasNoHandler) {
  TestServer server;
  TestClient client;
  Eventually<Answer> reply;
  server.handler.on_request_do = [&](Connection& connection, protocol::CommandView& view) {
    connection.call(protocol::Command::request(221), kPatience,
                    [&](Answer answer) { reply.set(std::move(answer)); });
    echo(connection, view);
  };
  ASSERT_TRUE(client.call(server.address(), request(10, 0)).has_value());
  const auto answer = reply.wait();
  ASSERT_TRUE(answer.has_value());
  ASSERT_TRUE(answer->has_value());
  EXPECT_EQ((*answer)->code, 3);
}

TEST(RemotingClient, GivesRequestsOfTheServerToItsHandler) {
  TestServer server;
  EchoHandler handler;
  TestClient client(&handler);
  Eventually<Answer> reply;
  server.handler.on_request_do = [&](Connection& connection, protocol::CommandView& view) {
    auto call = protocol::Command::request(221);
    call.body = "status?";
    connection.call(std::move(call), kPatience,
                    [&](Answer answer) { reply.set(std::move(answer)); });
    echo(connection, view);
  };
  ASSERT_TRUE(client.call(server.address(), request(10, 0)).has_value());
  const auto answer = reply.wait();
  ASSERT_TRUE(answer.has_value());
  ASSERT_TRUE(answer->has_value());
  EXPECT_EQ((*answer)->body, "status?");
}

}  // namespace
}  // namespace gantry::net
