// SPDX-License-Identifier: Apache-2.0
// The server over loopback, spoken to with plain sockets, so that also what a well-behaved client
// would never send can be sent.
#include "http/http_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <latch>
#include <stdexcept>
#include <string>
#include <thread>

#include "http/health.h"
#include "http/metrics_endpoint.h"
#include "log/log.h"

namespace gantry::http {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// One connection; sends bytes and reads to the end.
class Connection {
 public:
  explicit Connection(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~Connection() { ::close(socket_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool connected() const { return connected_; }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;  // the server has closed; what it said can still be read
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  // To the end of the connection, or until what was read ends with `end`.
  std::string read_until(std::string_view end) {
    std::string text;
    char buffer[4096];
    for (ssize_t n; (n = ::recv(socket_, buffer, sizeof buffer, 0)) > 0;) {
      text.append(buffer, static_cast<std::size_t>(n));
      if (!end.empty() && text.ends_with(end)) break;
    }
    return text;
  }
  std::string read_all() { return read_until({}); }

 private:
  int socket_;
  bool connected_ = false;
};

class HttpServerTest : public testing::Test {
 protected:
  void start(HttpServerOptions options = {}) {
    server = std::make_unique<HttpServer>(options);
    server->get("/echo/{name}", [](const Request& request) {
      std::string text = request.method + " " + request.params.at("name");
      for (const auto& [key, value] : request.query) text += " " + key + "=" + value;
      return Response{.status = 201, .content_type = "text/plain", .body = text};
    });
    server->post("/body", [](const Request& request) {
      return Response{.body = std::to_string(request.body.size()) + request.body.substr(0, 10)};
    });
    server->del("/thing", [](const Request&) { return Response{.status = 204}; });
    server->get("/throws", [](const Request&) -> Response { throw std::runtime_error("secret"); });
    const auto bound = server->listen("127.0.0.1", 0);
    ASSERT_TRUE(bound) << bound.error().message;
    port = *bound;
  }

  std::string ask(std::string_view request) const {
    Connection connection(port);
    connection.send(request);
    return connection.read_all();
  }

  std::string get(const std::string& path) const {
    return ask("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
  }

  std::string post(std::string_view headers, std::string_view body) const {
    return ask("POST /body HTTP/1.1\r\nHost: x\r\n" + std::string(headers) + "\r\n" +
               std::string(body));
  }

  std::unique_ptr<HttpServer> server;
  int port = 0;
};

TEST_F(HttpServerTest, serves_paths_with_parameters_and_query) {
  start();
  const std::string answer = get("/echo/%25RETRY%25g?verbose&a=1%202");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 201 "));
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nGET %RETRY%g a=1 2 verbose="));
}

TEST_F(HttpServerTest, head_answers_without_body) {
  start();
  const std::string answer = ask("HEAD /echo/x HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 201 "));
  EXPECT_THAT(answer, HasSubstr("Content-Length: "));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(HttpServerTest, unknown_paths_and_methods) {
  start();
  EXPECT_THAT(get("/nothing"), StartsWith("HTTP/1.1 404 "));
  const std::string answer = get("/thing");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(answer, HasSubstr("Allow: DELETE\r\n"));
  EXPECT_THAT(ask("PATCH /thing HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"),
              StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(ask("DELETE /thing HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 204 "));
}

TEST_F(HttpServerTest, passes_bodies_up_to_the_limit) {
  start({.body_bytes_max = 100});
  EXPECT_THAT(post("Content-Length: 5\r\n", "hello"), EndsWith("\r\n\r\n5hello"));
  EXPECT_THAT(post("Content-Length: 100\r\n", std::string(100, 'x')),
              EndsWith("\r\n\r\n100xxxxxxxxxx"));
  EXPECT_THAT(post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"),
              EndsWith("\r\n\r\n5hello"));
}

TEST_F(HttpServerTest, refuses_larger_bodies_without_reading_them) {
  start({.body_bytes_max = 100});
  // The rest of the body is never sent: an answer shows that the server does not wait for it.
  EXPECT_THAT(post("Content-Length: 101\r\n", ""), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(post("Content-Length: 99999999999999999999\r\n", ""), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(
      post("Transfer-Encoding: chunked\r\n", "60\r\n" + std::string(0x60, 'x') + "\r\n60\r\n" +
                                                 std::string(0x60, 'x') + "\r\n0\r\n\r\n"),
      StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, refuses_other_odd_requests) {
  start();
  EXPECT_THAT(get("/" + std::string(2000, 'a')), StartsWith("HTTP/1.1 414 "));
  EXPECT_THAT(post("Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1\r\n", "x"),
              StartsWith("HTTP/1.1 415 "));
  EXPECT_THAT(ask("nonsense\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
}

TEST_F(HttpServerTest, a_failing_handler_is_answered_with_500_and_tells_nothing) {
  log::init_logging({.sink = [](std::string_view) {}});
  start();
  const std::int64_t errors = log::error_count();
  const std::string answer = get("/throws");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(answer, Not(HasSubstr("secret")));
  EXPECT_EQ(log::error_count(), errors + 1);
  log::init_logging({});
}

TEST_F(HttpServerTest, closes_connections_unless_keep_alive_is_configured) {
  start();
  EXPECT_THAT(get("/echo/x"), HasSubstr("Connection: close\r\n"));
  start({.keep_alive_requests = 2});
  Connection connection(port);
  const std::string request = "GET /echo/x HTTP/1.1\r\nHost: x\r\n\r\n";
  connection.send(request);
  EXPECT_THAT(connection.read_until("GET x"), Not(HasSubstr("Connection: close")));
  connection.send(request);
  EXPECT_THAT(connection.read_all(), AllOf(StartsWith("HTTP/1.1 201 "), EndsWith("GET x"),
                                           HasSubstr("Connection: close\r\n")));
}

TEST_F(HttpServerTest, a_port_in_use_is_an_error) {
  start();
  HttpServer other;
  const auto bound = other.listen("127.0.0.1", port);
  ASSERT_FALSE(bound);
  EXPECT_THAT(bound.error().message,
              HasSubstr("127.0.0.1:" + std::to_string(port) + ": Address already in use"));
  EXPECT_FALSE(other.listen("no.such.host.invalid", 0));
}

TEST_F(HttpServerTest, stop_is_idempotent_and_the_port_is_free_again) {
  start();
  const int first_port = port;
  server->stop();
  server->stop();
  EXPECT_FALSE(Connection(first_port).connected());
  const auto again = server->listen("127.0.0.1", first_port);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, first_port);
  EXPECT_THAT(get("/echo/x"), StartsWith("HTTP/1.1 201 "));
}

TEST_F(HttpServerTest, stop_lets_a_running_handler_finish) {
  start();
  std::latch entered(1);
  std::latch go_on(1);
  HttpServer slow;
  slow.get("/slow", [&](const Request&) {
    entered.count_down();
    go_on.wait();
    return Response{.body = "done"};
  });
  const auto bound = slow.listen("127.0.0.1", 0);
  ASSERT_TRUE(bound);
  Connection connection(*bound);
  connection.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  entered.wait();
  std::jthread stopper([&] { slow.stop(); });
  go_on.count_down();
  EXPECT_THAT(connection.read_all(), EndsWith("done"));
}

TEST_F(HttpServerTest, idle_connections_do_not_starve_others_for_long) {
  start({.threads = 1, .read_timeout_s = 1});
  const Connection idle(port);
  EXPECT_THAT(get("/echo/x"), StartsWith("HTTP/1.1 201 "));
}

TEST(HttpEndpoints, health_and_metrics) {
  constexpr metrics::MetricSpec kUp{.name = "test_up", .help = "Up"};
  metrics::Registry registry;
  const auto up = registry.gauge(kUp);
  up->set(1);
  HealthChecks checks;
  checks.add(Probe::kReady, "leader", [] { return CheckResult(NotReady{.text = "no quorum"}); });
  checks.add(Probe::kReady, "log", []() -> CheckResult { return std::nullopt; });
  HttpServer server;
  checks.mount(server);
  mount_metrics(server, registry);
  const auto port = server.listen("127.0.0.1", 0);
  ASSERT_TRUE(port);
  const auto get = [&](const std::string& path) {
    Connection connection(*port);
    connection.send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
    return connection.read_all();
  };
  EXPECT_THAT(get("/livez"), EndsWith("\r\n\r\nok"));
  EXPECT_THAT(get("/healthz"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(get("/startupz"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(get("/readyz?verbose"), HasSubstr("[-]leader failed: no quorum\n[+]log ok\n"));
  EXPECT_THAT(get("/readyz?exclude=leader"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(get("/readyz/log"), EndsWith("\r\n\r\nok"));
  EXPECT_THAT(get("/readyz/leader"), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(get("/readyz/none"), StartsWith("HTTP/1.1 404 "));
  const std::string text = get("/metrics");
  EXPECT_THAT(text, HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE test_up gauge\ntest_up 1\n"));
}

}  // namespace
}  // namespace gantry::http
