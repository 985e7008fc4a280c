// SPDX-License-Identifier: Apache-2.0
// Takes requests from connections and hands each to the handler of its code. Also tells the route
// table when a connection closes. Belongs to the NameServer's shard.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "metrics/metrics.h"
#include "namesrv/exchange.h"
#include "namesrv/handlers/handlers.h"
#include "namesrv/services.h"
#include "net/connection.h"

namespace gantry::namesrv {

class RequestDispatcher final : public net::ConnectionHandler {
 public:
  // All must outlive the dispatcher. `find` looks connections up for answers that come later.
  RequestDispatcher(Services& services, metrics::Registry& registry, ConnectionFinder find);
  ~RequestDispatcher() override;

  void on_open(net::Connection& connection) override;
  void on_request(net::Connection& connection, protocol::CommandView& request) override;
  void on_close(net::Connection& connection) override;

  // Writes the sizes of the route table into the metrics. Also done after every request.
  void publish_gauges();

 private:
  struct Gauges;
  void count(std::int32_t request_code, std::int32_t response_code);
  void not_supported(Exchange& exchange);

  Services& services_;
  metrics::Registry& registry_;
  ExchangeHooks hooks_;
  std::unordered_map<std::int32_t, HandlerEntry> handlers_;
  std::map<std::pair<std::int32_t, std::int32_t>, std::shared_ptr<metrics::Counter>> counters_;
  std::unique_ptr<Gauges> gauges_;
};

}  // namespace gantry::namesrv
