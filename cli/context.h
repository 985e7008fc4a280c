// SPDX-License-Identifier: Apache-2.0
// What every command has: the global options, the process around it, and connections made when
// first needed. Lives for one command; owned by the main thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/environment.h"
#include "cli/failure.h"
#include "client/broker.h"
#include "client/connections.h"
#include "client/name_server.h"

namespace gantry::cli {

struct GlobalOptions {
  std::string namesrv = "127.0.0.1:9876";
  std::int64_t timeout_ms = 5000;
  bool json = false;
};

// A member of a broker set, as the NameServer knows it.
struct BrokerNode {
  std::string cluster;
  std::string name;
  std::int64_t id = 0;
  std::string address;
  bool master() const;
};

// Which brokers a command is about; empty: all.
struct BrokerFilter {
  std::string cluster;
  std::string broker;
};

class Context {
 public:
  explicit Context(Environment& environment);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  Environment& env;
  GlobalOptions options;
  // What the command line asks for; set while it is parsed.
  std::function<Outcome()> command;

  // After the command line has been parsed. kUsage-like error when --namesrv does not parse.
  Result<client::NameServer*> name_server();
  client::Connections& connections();
  client::Broker broker(const std::string& address);

  // Sorted by cluster, name and id.
  std::expected<std::vector<BrokerNode>, Failure> brokers();
  // The masters a filter leaves; a Failure when there are none.
  std::expected<std::vector<BrokerNode>, Failure> masters(const BrokerFilter& filter = {});
  // The topic's route; the Failure for a topic that does not exist names the next step.
  std::expected<protocol::TopicRouteData, Failure> route(std::string_view topic);

  // A remark for people on stderr that does not make the command fail.
  void warn(std::string_view text);

 private:
  std::unique_ptr<client::Connections> connections_;
  std::unique_ptr<client::NameServer> name_server_;
};

}  // namespace gantry::cli
