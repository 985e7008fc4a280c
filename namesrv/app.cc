// SPDX-License-Identifier: Apache-2.0
#include "namesrv/app.h"

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "http/health.h"
#include "http/http_server.h"
#include "http/metrics_endpoint.h"
#include "io/file_system.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "namesrv/kvconfig/kv_config.h"
#include "namesrv/min_broker_id_notifier.h"
#include "namesrv/node_status.h"
#include "namesrv/persist/file_writer.h"
#include "namesrv/request_dispatcher.h"
#include "namesrv/route/route_table.h"
#include "namesrv/services.h"
#include "namesrv/settings/settings.h"
#include "net/remoting_server.h"
#include "runtime/shard.h"

namespace gantry::namesrv {
namespace {

constexpr Logger kLog("namesrv");
constexpr std::chrono::seconds kTick{1};
constexpr std::chrono::seconds kStopMax{60};

RouteTableOptions route_options(const config::NamesrvConfig& config) {
  RouteTableOptions options;
  options.support_acting_master = config.support_acting_master;
  options.delete_topic_with_broker_registration = config.delete_topic_with_broker_registration;
  return options;
}

net::RemotingServerOptions server_options(const config::NamesrvConfig& config) {
  net::RemotingServerOptions options;
  options.idle_max = std::chrono::seconds(config.server_channel_max_idle_time_seconds);
  options.backlog = config.server_socket_backlog;
  return options;
}

// Keys that are understood but cannot do anything here.
void warn_of_ineffective(const config::NamesrvConfig& config) {
  if (config.shards > 1) {
    kLog.warn("a NameServer runs on one shard; the key is ignored shards={}", config.shards);
  }
  if (config.cluster_test) {
    kLog.warn("clusterTest is ignored: routes of another environment are not looked up");
  }
}

// What lives on the shard, made and destroyed there.
struct OnShard {
  OnShard(runtime::Shard& shard, config::NamesrvConfig config, KvNamespaces kv_namespaces,
          FileWriter& writer, metrics::Registry& registry)
      : routes(route_options(config)),
        kv(std::move(kv_namespaces), config.kv_config_path, writer),
        settings(config, writer),
        notifier(shard),
        services{routes,
                 kv,
                 settings,
                 system_clock(),
                 system_clock().steady_us() / 1000,
                 [this](const MinBrokerIdChange& change) { notifier.tell(change); }},
        dispatcher(services, registry,
                   [this](net::ConnectionId id) { return server ? server->find(id) : nullptr; }),
        traffic(registry),
        server(std::make_unique<net::RemotingServer>(shard, dispatcher, server_options(config))) {}

  RouteTable routes;
  KvConfig kv;
  Settings settings;
  MinBrokerIdNotifier notifier;
  Services services;
  RequestDispatcher dispatcher;
  TrafficMetrics traffic;
  std::unique_ptr<net::RemotingServer> server;
  std::unique_ptr<runtime::Timer> scan_timer;
  std::unique_ptr<runtime::Timer> tick_timer;
};

}  // namespace

class NamesrvApp::Impl {
 public:
  Impl(config::NamesrvConfig config, runtime::Shard* shard)
      : config_(std::move(config)),
        registry_(metrics::Labels{{"node_type", "namesrv"}}),
        borrowed_shard_(shard) {}

  Result<void> start();
  void stop();
  std::uint16_t remoting_port() const { return remoting_port_; }
  std::uint16_t http_port() const { return http_port_; }

 private:
  runtime::Shard& shard() { return borrowed_shard_ != nullptr ? *borrowed_shard_ : *own_shard_; }
  Result<void> start_remoting(KvNamespaces kv);
  Result<void> start_http();
  Result<void> listen_on_shard(KvNamespaces kv);
  void run_on_shard(runtime::Shard::Task task);
  void apply(const config::NamesrvConfig& config);
  void arm_scan_timer(std::int64_t interval_ms);
  void scan();
  void tick();
  NodeStatus status();

  const config::NamesrvConfig config_;
  metrics::Registry registry_;
  NodeState state_;
  http::HealthChecks health_;
  std::unique_ptr<http::HttpServer> http_;
  runtime::Shard* borrowed_shard_;
  std::unique_ptr<runtime::Shard> own_shard_;
  std::unique_ptr<BackgroundFileWriter> writer_;
  std::unique_ptr<OnShard> on_shard_;
  std::int64_t scan_interval_ms_ = 0;
  std::atomic<std::uint16_t> remoting_port_ = 0;  // also read by HTTP threads
  std::atomic<std::uint16_t> http_port_ = 0;
};

Result<void> NamesrvApp::Impl::start() {
  warn_of_ineffective(config_);
  auto kv = load_kv_namespaces(io::posix_file_system(), config_.kv_config_path);
  if (!kv) {
    return make_error(kv.error().code, "cannot load the KV table: " + kv.error().message);
  }
  if (borrowed_shard_ == nullptr) {
    own_shard_ = std::make_unique<runtime::Shard>("namesrv");
    own_shard_->start();
  }
  // HTTP first: probes get an answer while the rest starts.
  auto started = start_http();
  if (started) started = start_remoting(*std::move(kv));
  if (!started) {
    stop();
    return started;
  }
  state_.listening = true;
  kLog.info("NameServer started address={} port={} http_port={} kv_config_path={}",
            config_.bind_address, remoting_port(), http_port(), config_.kv_config_path);
  return {};
}

Result<void> NamesrvApp::Impl::start_remoting(KvNamespaces kv) {
  writer_ = std::make_unique<BackgroundFileWriter>(shard(), io::posix_file_system());
  Result<void> result = make_error(ErrorCode::kUnavailable, "the event loop does not run");
  const bool ran = shard().call([&] { result = listen_on_shard(std::move(kv)); });
  if (!ran && result) return make_error(ErrorCode::kTimeout, "the event loop does not answer");
  return result;
}

Result<void> NamesrvApp::Impl::listen_on_shard(KvNamespaces kv) {
  on_shard_ = std::make_unique<OnShard>(shard(), config_, std::move(kv), *writer_, registry_);
  const auto port = on_shard_->server->listen(config_.bind_address,
                                              static_cast<std::uint16_t>(config_.listen_port));
  if (!port) {
    return make_error(port.error().code, port.error().message + " (keys bindAddress, listenPort)");
  }
  remoting_port_ = *port;
  on_shard_->settings.on_change([this](const config::NamesrvConfig& config) { apply(config); });
  arm_scan_timer(config_.scan_not_active_broker_interval_ms);
  on_shard_->tick_timer = shard().every(kTick, [this] { tick(); });
  tick();
  return {};
}

Result<void> NamesrvApp::Impl::start_http() {
  http_ = std::make_unique<http::HttpServer>();
  add_health_checks(health_, state_, system_clock());
  health_.mount(*http_);
  http::mount_metrics(*http_, registry_);
  http_->get("/v1/node", [this](const http::Request&) { return node_response(status()); });
  const auto port = http_->listen(config_.http_address, config_.http_port);
  if (!port) {
    return make_error(port.error().code, port.error().message + " (keys httpAddress, httpPort)");
  }
  http_port_ = static_cast<std::uint16_t>(*port);
  return {};
}

// Runs `task` there, or here when that loop has already ended.
void NamesrvApp::Impl::run_on_shard(runtime::Shard::Task task) {
  bool ran = false;
  shard().call(
      [&] {
        task();
        ran = true;
      },
      kStopMax);
  if (!ran) task();
}

// Order: answer probes with "stopping", take no new connections, finish what is on its way to disk
// and answer it, then close.
void NamesrvApp::Impl::stop() {
  state_.stopping = true;
  state_.listening = false;
  if (on_shard_) {
    run_on_shard([this] {
      on_shard_->server->stop_accepting();
      on_shard_->scan_timer.reset();
      on_shard_->tick_timer.reset();
      writer_->refuse_writes();
    });
  }
  if (writer_) writer_->stop();
  if (http_) http_->stop();
  if (on_shard_) {
    run_on_shard([this] {
      // Connections that we close say nothing about the brokers behind them.
      on_shard_->services.tell_brokers = [](const MinBrokerIdChange&) {};
      on_shard_->server->close_all("NameServer stops");
      on_shard_->server.reset();
    });
    // A second turn: answers of refused writes that were under way come before it.
    run_on_shard([this] { on_shard_.reset(); });
    kLog.info("NameServer stopped");
  }
  if (own_shard_) {
    own_shard_->stop();
    own_shard_->join();
    own_shard_.reset();
  }
  writer_.reset();
}

void NamesrvApp::Impl::apply(const config::NamesrvConfig& config) {
  on_shard_->routes.set_options(route_options(config));
  if (const auto level = log::parse_level(config.log_level)) log::set_level(*level);
  if (config.scan_not_active_broker_interval_ms != scan_interval_ms_) {
    arm_scan_timer(config.scan_not_active_broker_interval_ms);
  }
}

void NamesrvApp::Impl::arm_scan_timer(std::int64_t interval_ms) {
  scan_interval_ms_ = interval_ms;
  on_shard_->scan_timer = shard().every(std::chrono::milliseconds(interval_ms), [this] { scan(); });
}

void NamesrvApp::Impl::scan() {
  auto& s = *on_shard_;
  const auto removal = s.routes.expire(s.services.now_ms());
  for (const auto id : removal.idle_channels) {
    if (auto* connection = s.server->find(id)) connection->close("registration expired");
  }
  if (s.settings.config().notify_min_broker_id_changed) {
    for (const auto& change : removal.min_broker_id_changes) s.notifier.tell(change);
  }
  if (removal.registrations != 0) s.dispatcher.publish_gauges();
}

void NamesrvApp::Impl::tick() {
  auto& s = *on_shard_;
  const auto& config = s.settings.config();
  state_.last_tick_ms = s.services.now_ms();
  const std::int64_t wait_ms =
      config.need_wait_for_service ? config.wait_seconds_for_service * 1000 : 0;
  state_.ready_at_ms = s.services.started_ms + wait_ms;
  s.traffic.publish(s.server->stats());
}

NodeStatus NamesrvApp::Impl::status() {
  NodeStatus out;
  out.remoting_port = remoting_port_;
  out.http_port = http_port_;
  out.answered = !state_.stopping && shard().call([&] {
    if (!on_shard_) return;
    auto& s = *on_shard_;
    out.routes = s.routes.stats();
    out.connections = s.server->stats().connections;
    out.uptime_ms = s.services.now_ms() - s.services.started_ms;
  });
  return out;
}

NamesrvApp::NamesrvApp(config::NamesrvConfig config, runtime::Shard* shard)
    : impl_(std::make_unique<Impl>(std::move(config), shard)) {}

NamesrvApp::~NamesrvApp() { stop(); }

Result<void> NamesrvApp::start() { return impl_->start(); }

void NamesrvApp::stop() { impl_->stop(); }

std::uint16_t NamesrvApp::remoting_port() const { return impl_->remoting_port(); }

std::uint16_t NamesrvApp::http_port() const { return impl_->http_port(); }

}  // namespace gantry::namesrv
