// SPDX-License-Identifier: Apache-2.0
// Everything of a NameServer but sockets and disk: frames in, frames out.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fakes.h"
#include "namesrv/kvconfig/kv_config.h"
#include "namesrv/request_dispatcher.h"
#include "namesrv/route/route_table.h"
#include "namesrv/settings/settings.h"
#include "registration.h"

namespace gantry::namesrv::test {

using protocol::Command;
using protocol::RequestCode;
using protocol::to_int;

using Ext = std::vector<std::pair<std::string, std::string>>;

inline config::NamesrvConfig some_config() {
  config::NamesrvConfig config;
  config.kv_config_path = "/data/kvConfig.json";
  config.config_store_path = "/data/namesrv.properties";
  return config;
}

class DispatcherTest : public ::testing::Test {
 protected:
  explicit DispatcherTest(config::NamesrvConfig config = some_config())
      : settings(std::move(config), writer) {
    services.started_ms = services.now_ms();
  }

  // A request as the Java client writes it.
  static Command request(RequestCode code, Ext ext = {}, std::string body = {}) {
    Command command = Command::request(to_int(code));
    command.opaque = 77;
    command.ext = std::move(ext);
    command.body = std::move(body);
    return command;
  }
  void send(const Command& command) {
    std::string frame;
    protocol::encode(command, frame);
    deliver(frame.substr(4));
  }
  // A frame with this JSON header, exactly as given.
  void send_header(std::string_view header, std::string_view body = {}) {
    std::string frame(4, '\0');
    store_be(frame.data(), static_cast<std::uint32_t>(header.size()));
    deliver(frame + std::string(header) + std::string(body));
  }
  void deliver(std::string frame) {
    protocol::CommandView view;
    const auto decoded = protocol::decode(std::span<char>(frame), view);
    ASSERT_TRUE(decoded) << decoded.error().message;
    dispatcher.on_request(connection, view);
  }
  // Sends and takes the answer; checks what every answer must have.
  Command ask(const Command& command) {
    send(command);
    const auto answer = connection.take();
    if (!answer) {
      ADD_FAILURE() << "no answer to " << command.code;
      return Command::response(-1);
    }
    EXPECT_TRUE(answer->is_response());
    EXPECT_EQ(answer->opaque, command.opaque);
    EXPECT_FALSE(connection.take()) << "two answers to " << command.code;
    return *answer;
  }
  Command ask(RequestCode code, Ext ext = {}, std::string body = {}) {
    return ask(request(code, std::move(ext), std::move(body)));
  }
  Command register_broker(const BrokerSpec& spec = {}, bool compressed = false) {
    auto command =
        protocol::make_register_broker_request(header_of(spec), body_of(spec), compressed);
    if (!command) {
      ADD_FAILURE() << command.error().message;
      return Command::response(-1);
    }
    return ask(*command);
  }

  FakeClock clock;
  ManualFileWriter writer;
  RouteTable routes{RouteTableOptions{}};
  KvConfig kv{{}, "/data/kvConfig.json", writer};
  Settings settings;
  std::vector<MinBrokerIdChange> told;
  Services services{routes,   kv,
                    settings, clock,
                    0,        [this](const MinBrokerIdChange& change) { told.push_back(change); }};
  metrics::Registry registry;
  FakeConnection connection;
  RequestDispatcher dispatcher{services, registry, [this](net::ConnectionId id) {
                                 return id == connection.id() ? &connection : nullptr;
                               }};
};

}  // namespace gantry::namesrv::test
