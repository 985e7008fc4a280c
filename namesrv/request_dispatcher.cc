// SPDX-License-Identifier: Apache-2.0
#include "namesrv/request_dispatcher.h"

#include <algorithm>
#include <string>

#include "namesrv/route/route_table.h"
#include "namesrv/settings/settings.h"

namespace gantry::namesrv {
namespace {

using metrics::MetricSpec;
using metrics::MetricType;
using protocol::ResponseCode;
using protocol::to_int;

constexpr MetricSpec kRequests{"gantry_namesrv_requests_total", MetricType::kCounter,
                               "Requests by name and by response code of the answer"};
constexpr MetricSpec kTopics{"gantry_namesrv_topics", MetricType::kGauge,
                             "Topics in the route table"};
constexpr MetricSpec kClusters{"gantry_namesrv_clusters", MetricType::kGauge,
                               "Clusters in the route table"};
constexpr MetricSpec kBrokerSets{"gantry_namesrv_broker_sets", MetricType::kGauge,
                                 "Broker names in the route table"};
constexpr MetricSpec kBrokers{"gantry_namesrv_brokers", MetricType::kGauge,
                              "Broker addresses with a live registration"};
constexpr MetricSpec kConnections{"gantry_namesrv_connections", MetricType::kGauge,
                                  "Open remoting connections"};
constexpr MetricSpec kCachedRoutes{"gantry_namesrv_route_cache_entries", MetricType::kGauge,
                                   "Encoded route answers kept"};
constexpr MetricSpec kCachedBytes{"gantry_namesrv_route_cache_bytes", MetricType::kGauge,
                                  "Bytes of encoded route answers kept"};

// Codes nobody handles share one label value: a peer must not be able to make series.
constexpr std::int32_t kUnknownRequest = -1;

std::string request_label(std::int32_t code) {
  const auto it = std::ranges::find(protocol::kRequestCodes, code,
                                    [](const auto& info) { return to_int(info.code); });
  return it == protocol::kRequestCodes.end() ? "unknown" : std::string(it->name);
}

}  // namespace

struct RequestDispatcher::Gauges {
  explicit Gauges(metrics::Registry& r)
      : topics(r.gauge(kTopics)),
        clusters(r.gauge(kClusters)),
        broker_sets(r.gauge(kBrokerSets)),
        brokers(r.gauge(kBrokers)),
        connections(r.gauge(kConnections)),
        cached_routes(r.gauge(kCachedRoutes)),
        cached_bytes(r.gauge(kCachedBytes)) {}
  std::shared_ptr<metrics::Gauge> topics, clusters, broker_sets, brokers, connections,
      cached_routes, cached_bytes;
};

std::vector<HandlerEntry> all_handlers() {
  std::vector<HandlerEntry> all;
  for (const auto family : {route_handlers(), kv_handlers(), config_handlers(), admin_handlers()}) {
    all.insert(all.end(), family.begin(), family.end());
  }
  std::ranges::sort(all, {}, &HandlerEntry::code);
  return all;
}

RequestDispatcher::RequestDispatcher(Services& services, metrics::Registry& registry,
                                     ConnectionFinder find)
    : services_(services),
      registry_(registry),
      hooks_{std::move(find),
             [this](std::int32_t request, std::int32_t response) { count(request, response); }},
      gauges_(std::make_unique<Gauges>(registry)) {
  for (const auto& entry : all_handlers()) handlers_.emplace(to_int(entry.code), entry);
}

RequestDispatcher::~RequestDispatcher() = default;

void RequestDispatcher::on_open(net::Connection& /*connection*/) { gauges_->connections->add(1); }

void RequestDispatcher::on_request(net::Connection& connection, protocol::CommandView& request) {
  Exchange exchange(hooks_, connection, request);
  const auto it = handlers_.find(request.code);
  if (it == handlers_.end()) {
    not_supported(exchange);
    return;
  }
  it->second.handle(services_, exchange);
  publish_gauges();
}

void RequestDispatcher::not_supported(Exchange& exchange) {
  exchange.reply(
      response(ResponseCode::kRequestCodeNotSupported,
               " request type " + std::to_string(exchange.request().code) + " not supported"));
}

void RequestDispatcher::on_close(net::Connection& connection) {
  gauges_->connections->add(-1);
  const auto removal = services_.routes.channel_closed(connection.id());
  if (services_.settings.config().notify_min_broker_id_changed) {
    for (const auto& change : removal.min_broker_id_changes) services_.tell_brokers(change);
  }
  publish_gauges();
}

void RequestDispatcher::count(std::int32_t request_code, std::int32_t response_code) {
  const bool known = handlers_.contains(request_code);
  auto& counter = counters_[{known ? request_code : kUnknownRequest, response_code}];
  if (!counter) {
    counter = registry_.counter(
        kRequests,
        {{"request", known ? request_label(request_code) : "unknown"},
         {"answer", response_code == kNoAnswer ? "none" : std::to_string(response_code)}});
  }
  counter->add();
}

void RequestDispatcher::publish_gauges() {
  const auto stats = services_.routes.stats();
  gauges_->topics->set(static_cast<double>(stats.topics));
  gauges_->clusters->set(static_cast<double>(stats.clusters));
  gauges_->broker_sets->set(static_cast<double>(stats.broker_sets));
  gauges_->brokers->set(static_cast<double>(stats.registrations));
  gauges_->cached_routes->set(static_cast<double>(stats.cached_routes));
  gauges_->cached_bytes->set(static_cast<double>(stats.cached_route_bytes));
}

}  // namespace gantry::namesrv
