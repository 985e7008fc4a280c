// SPDX-License-Identifier: Apache-2.0
// A whole NameServer in this process: real sockets on loopback, real files in a directory of its
// own, brokers and clients played through BlockingClient.
#include "namesrv/app.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <condition_variable>
#include <deque>
#include <mutex>

#include "fakes.h"
#include "io/file_system.h"
#include "net/remoting_client.h"
#include "net/remoting_server.h"
#include "protocol/codes.h"
#include "protocol/route_data.h"
#include "registration.h"
#include "runtime/shard.h"
#include "tests/support/metrics_page.h"

namespace gantry::namesrv {
namespace {

using protocol::Command;
using protocol::RequestCode;
using protocol::to_int;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

config::NamesrvConfig config_in(const test::TempDirectory& dir) {
  config::NamesrvConfig config;
  config.bind_address = "127.0.0.1";
  config.listen_port = 0;
  config.http_address = "127.0.0.1";
  config.http_port = 0;
  config.kv_config_path = dir.file("kvConfig.json");
  config.config_store_path = dir.file("namesrv.properties");
  return config;
}

// Asks again until the answer fits: for what happens after a socket event, which no answer reports.
template <class F>
bool eventually(F&& fits) {
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (!fits()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
  }
  return true;
}

class AppTest : public ::testing::Test {
 protected:
  std::unique_ptr<NamesrvApp> start(config::NamesrvConfig config) {
    auto app = std::make_unique<NamesrvApp>(std::move(config));
    const auto started = app->start();
    EXPECT_TRUE(started) << started.error().message;
    return app;
  }
  static std::unique_ptr<net::BlockingClient> dial(const NamesrvApp& app) {
    auto client =
        net::BlockingClient::connect("127.0.0.1:" + std::to_string(app.remoting_port()), 5s);
    EXPECT_TRUE(client) << client.error().message;
    return client ? *std::move(client) : nullptr;
  }
  static Command ask(net::BlockingClient& client, Command request) {
    auto answer = client.call(std::move(request), 5s);
    EXPECT_TRUE(answer) << answer.error().message;
    return answer ? *std::move(answer) : Command::response(-1);
  }
  static Command route_request(std::string topic) {
    return Command::request(to_int(RequestCode::kGetRouteInfoByTopic))
        .with("topic", std::move(topic));
  }
  static Command register_request(const test::BrokerSpec& spec) {
    return *protocol::make_register_broker_request(test::header_of(spec), test::body_of(spec),
                                                   false);
  }

  test::TempDirectory dir;
};

TEST_F(AppTest, BrokerRegistersAndClientFindsIt) {
  const auto app = start(config_in(dir));
  const auto broker = dial(*app);
  const auto client = dial(*app);
  ASSERT_TRUE(broker && client);
  EXPECT_EQ(ask(*client, route_request("T")).code, 17);
  EXPECT_EQ(ask(*broker, register_request({})).code, 0);
  const auto answer = ask(*client, route_request("T"));
  EXPECT_EQ(answer.code, 0);
  EXPECT_TRUE(protocol::TopicRouteData::from_json(answer.body));
  EXPECT_EQ(ask(*client, Command::request(12345)).code, 3);
}

TEST_F(AppTest, ClosedBrokerConnectionRemovesItsRoutes) {
  const auto app = start(config_in(dir));
  auto broker = dial(*app);
  const auto client = dial(*app);
  ASSERT_TRUE(broker && client);
  ask(*broker, register_request({}));
  EXPECT_EQ(ask(*client, route_request("T")).code, 0);
  broker.reset();
  EXPECT_TRUE(eventually([&] { return ask(*client, route_request("T")).code == 17; }));
}

TEST_F(AppTest, SilentBrokerExpires) {
  auto config = config_in(dir);
  config.scan_not_active_broker_interval_ms = 20;
  const auto app = start(config);
  const auto broker = dial(*app);
  const auto client = dial(*app);
  ASSERT_TRUE(broker && client);
  ask(*broker, register_request({.timeout_ms = 50}));
  EXPECT_TRUE(eventually([&] { return ask(*client, route_request("T")).code == 17; }));
  EXPECT_FALSE(broker->call(route_request("T"), 5s)) << "its connection is closed";
}

TEST_F(AppTest, KvAndSettingsSurviveARestart) {
  {
    const auto app = start(config_in(dir));
    const auto client = dial(*app);
    ASSERT_TRUE(client);
    EXPECT_EQ(ask(*client, Command::request(to_int(RequestCode::kPutKvConfig))
                               .with("namespace", "n")
                               .with("key", "k")
                               .with("value", "v"))
                  .code,
              0);
    Command update = Command::request(to_int(RequestCode::kUpdateNamesrvConfig));
    update.body = "enableTopicList=false\nscanNotActiveBrokerInterval=60\n";
    EXPECT_EQ(ask(*client, update).code, 0);
    EXPECT_EQ(ask(*client, Command::request(to_int(RequestCode::kGetUnitTopicList))).code, 1);
  }
  auto loaded =
      config::load_namesrv_config({.file = dir.file("namesrv.properties"), .overrides = {}});
  ASSERT_TRUE(loaded) << loaded.error().message;
  const auto app = start(loaded->config);
  const auto client = dial(*app);
  ASSERT_TRUE(client);
  EXPECT_EQ(ask(*client, Command::request(to_int(RequestCode::kGetKvConfig))
                             .with("namespace", "n")
                             .with("key", "k"))
                .find("value"),
            "v");
  EXPECT_EQ(ask(*client, Command::request(to_int(RequestCode::kGetUnitTopicList))).code, 1);
}

TEST_F(AppTest, PortInUseIsSaidPlainly) {
  const auto app = start(config_in(dir));
  auto config = config_in(dir);
  config.listen_port = app->remoting_port();
  NamesrvApp second(config);
  auto started = second.start();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr(std::to_string(app->remoting_port())));
  EXPECT_THAT(started.error().message, HasSubstr("listenPort"));

  config = config_in(dir);
  config.http_port = app->http_port();
  NamesrvApp third(config);
  started = third.start();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr(std::to_string(app->http_port())));
  EXPECT_THAT(started.error().message, HasSubstr("httpPort"));
}

TEST_F(AppTest, DamagedKvTableStopsTheStart) {
  auto config = config_in(dir);
  ASSERT_TRUE(io::write_file_atomically(io::posix_file_system(), config.kv_config_path, "{"));
  NamesrvApp app(config);
  const auto started = app.start();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr(config.kv_config_path));
}

TEST_F(AppTest, StopAndStartAgainOnTheSamePort) {
  auto app = start(config_in(dir));
  auto config = config_in(dir);
  config.listen_port = app->remoting_port();
  const auto client = dial(*app);
  ASSERT_TRUE(client);
  app->stop();
  app->stop();
  EXPECT_FALSE(client->call(route_request("T"), 5s));
  app = start(config);
  const auto again = dial(*app);
  ASSERT_TRUE(again);
  EXPECT_EQ(ask(*again, route_request("T")).code, 17);
}

TEST_F(AppTest, SeveralAppsShareOneShard) {
  runtime::Shard shard("test");
  shard.start();
  {
    auto config = config_in(dir);
    NamesrvApp first(config, &shard);
    ASSERT_TRUE(first.start());
    config.kv_config_path = dir.file("other.json");
    NamesrvApp second(config, &shard);
    ASSERT_TRUE(second.start());
    const auto a = dial(first);
    const auto b = dial(second);
    ASSERT_TRUE(a && b);
    ask(*a, register_request({}));
    EXPECT_EQ(ask(*a, route_request("T")).code, 0);
    EXPECT_EQ(ask(*b, route_request("T")).code, 17);
    first.stop();
    EXPECT_EQ(ask(*b, route_request("T")).code, 17);
  }
  shard.stop();
  shard.join();
}

TEST_F(AppTest, HttpAnswersProbesMetricsAndNode) {
  const auto app = start(config_in(dir));
  const auto broker = dial(*app);
  ASSERT_TRUE(broker);
  ask(*broker, register_request({}));
  httplib::Client http("127.0.0.1", app->http_port());
  for (const char* path : {"/livez", "/readyz", "/startupz"}) {
    const auto answer = http.Get(path);
    ASSERT_TRUE(answer) << path;
    EXPECT_EQ(answer->status, 200) << path << answer->body;
  }
  const auto metrics = http.Get("/metrics");
  ASSERT_TRUE(metrics);
  EXPECT_THAT(metrics->body, HasSubstr("gantry_namesrv_brokers{"));
  EXPECT_THAT(metrics->body, HasSubstr(R"(request="REGISTER_BROKER")"));
  // docs/operations/metrics.md lists what there is.
  std::map<std::string, std::string> exposed;
  for (const auto& [name, family] : gantry::testing::families(metrics->body)) {
    exposed[name] = family.type;
  }
  EXPECT_EQ(exposed, gantry::testing::documented(GANTRY_SOURCE_DIR "/docs/operations/metrics.md",
                                                 "NameServer"));
  const auto node = http.Get("/v1/node");
  ASSERT_TRUE(node);
  EXPECT_EQ(node->status, 200);
  EXPECT_THAT(node->body, HasSubstr(R"("kind":"NameServer")"));
  EXPECT_THAT(node->body, HasSubstr(R"("brokers":1)"));
  EXPECT_THAT(node->body, HasSubstr("\"remotingPort\":" + std::to_string(app->remoting_port())));
}

TEST_F(AppTest, NotReadyWhileItWaitsForBrokers) {
  auto config = config_in(dir);
  config.need_wait_for_service = true;
  config.wait_seconds_for_service = 3600;
  const auto app = start(config);
  httplib::Client http("127.0.0.1", app->http_port());
  const auto ready = http.Get("/readyz?verbose");
  ASSERT_TRUE(ready);
  EXPECT_EQ(ready->status, 503);
  EXPECT_THAT(ready->body, HasSubstr("waiting for brokers"));
  EXPECT_EQ(http.Get("/livez")->status, 200);
  EXPECT_EQ(http.Get("/startupz")->status, 200);
}

// A broker's side of code 905: keeps the requests it is sent.
class BrokerEnd final : public net::ConnectionHandler {
 public:
  BrokerEnd() {
    shard_.start();
    shard_.call([&] {
      server_.emplace(shard_, *this, net::RemotingServerOptions{});
      port_ = server_->listen("127.0.0.1", 0).value_or(0);
    });
  }
  ~BrokerEnd() override {
    shard_.call([&] { server_.reset(); });
    shard_.stop();
    shard_.join();
  }
  std::string addr() const { return "127.0.0.1:" + std::to_string(port_); }
  void on_request(net::Connection&, protocol::CommandView& request) override {
    const std::lock_guard lock(mutex_);
    received_.push_back(protocol::to_command(request));
    changed_.notify_all();
  }
  std::optional<Command> next() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, 10s, [&] { return !received_.empty(); })) return std::nullopt;
    Command command = std::move(received_.front());
    received_.pop_front();
    return command;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Command> received_;
  runtime::Shard shard_{"broker"};
  std::optional<net::RemotingServer> server_;
  std::uint16_t port_ = 0;
};

TEST_F(AppTest, BrokersAreToldOfANewSmallestId) {
  auto config = config_in(dir);
  config.notify_min_broker_id_changed = true;
  const auto app = start(config);
  BrokerEnd slave;
  const auto slave_client = dial(*app);
  auto master_client = dial(*app);
  ASSERT_TRUE(slave_client && master_client);
  ask(*slave_client, register_request({.id = 1, .addr = slave.addr(), .acting_master = true}));
  ask(*master_client, register_request({.id = 0, .addr = "127.0.0.1:1", .acting_master = true}));
  auto told = slave.next();
  ASSERT_TRUE(told);
  EXPECT_EQ(told->code, 905);
  EXPECT_EQ(told->flag & protocol::kFlagOneway, protocol::kFlagOneway);
  EXPECT_EQ(told->find("minBrokerId"), "0");
  EXPECT_EQ(told->find("minBrokerAddr"), "127.0.0.1:1");
  master_client.reset();
  told = slave.next();
  ASSERT_TRUE(told);
  EXPECT_EQ(told->find("minBrokerId"), "1");
  EXPECT_EQ(told->find("offlineBrokerAddr"), "127.0.0.1:1");
}

}  // namespace
}  // namespace gantry::namesrv
