// SPDX-License-Identifier: Apache-2.0
#include "broker/http/broker_http.h"

#include <fmt/core.h>

#include "broker/core/context.h"
#include "http/health.h"
#include "http/http_server.h"
#include "http/metrics_endpoint.h"
#include "metrics/metrics.h"

namespace gantry::broker {

class BrokerHttp::Impl {
 public:
  Impl(const config::BrokerConfig& config, runtime::Shard& shard,
       const std::atomic<BrokerPhase>& phase)
      : config_(config), shard_(shard), phase_(phase) {
    health_.add(http::Probe::kLive, "process", [] { return http::CheckResult{}; });
    const auto running = [this]() -> http::CheckResult {
      switch (phase_.load()) {
        case BrokerPhase::kStarting: return "the store is being opened";
        case BrokerPhase::kRunning: return std::nullopt;
        case BrokerPhase::kStopping: return "the broker is stopping";
      }
      return "unknown phase";
    };
    health_.add(http::Probe::kStartup, "store", running);
    health_.add(http::Probe::kReady, "broker", running);
    health_.mount(server_);
    http::mount_metrics(server_, registry_);
  }

  const config::BrokerConfig& config_;
  runtime::Shard& shard_;
  const std::atomic<BrokerPhase>& phase_;
  http::HealthChecks health_;
  metrics::Registry registry_;
  http::HttpServer server_;
  std::uint16_t port_ = 0;
};

BrokerHttp::BrokerHttp(const config::BrokerConfig& config, runtime::Shard& shard,
                       const std::atomic<BrokerPhase>& phase)
    : impl_(std::make_unique<Impl>(config, shard, phase)) {}
BrokerHttp::~BrokerHttp() { impl_->server_.stop(); }

Result<void> BrokerHttp::listen() {
  const auto port = impl_->server_.listen(impl_->config_.http_address, impl_->config_.http_port);
  if (!port) return std::unexpected(port.error());
  impl_->port_ = static_cast<std::uint16_t>(*port);
  return {};
}

std::uint16_t BrokerHttp::port() const { return impl_->port_; }

void BrokerHttp::attach(BrokerContext& /*context*/, const Dispatcher& /*dispatcher*/,
                        const net::RemotingServer& /*server*/, const PullService& /*pulls*/,
                        const DelayDelivery& /*delays*/, const ClientManager& /*clients*/) {}
void BrokerHttp::detach() {}

}  // namespace gantry::broker
