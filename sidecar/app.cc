// SPDX-License-Identifier: Apache-2.0
#include "sidecar/app.h"

#include <atomic>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "http/health.h"
#include "http/http_server.h"
#include "http/metrics_endpoint.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "sidecar/event_loop.h"
#include "sidecar/label_loop.h"
#include "sidecar/leader_watch.h"

namespace gantry::sidecar {
namespace {

using std::chrono::milliseconds;

constexpr Logger kLog("sidecar");
// Longer than any request with its pauses takes: a thread that is busy for so long hangs.
constexpr std::int64_t kHangUs = 90'000'000;
// For the last change of the label, when the API server does not answer at the end.
constexpr milliseconds kLastChangeMax{5000};

struct PodName {
  std::string name, name_space, uid;
};

Result<PodName> find_pod(const kube::Environment& environment,
                         const kube::ServiceAccount& account) {
  PodName pod{environment("POD_NAME"), environment("POD_NAMESPACE"), environment("POD_UID")};
  if (pod.name_space.empty()) pod.name_space = account.name_space;
  const auto bad = [](const std::string& what, const std::string& value, const char* field) {
    return make_error(ErrorCode::kInvalidArgument,
                      "environment variable " + what + " has the value \"" + value +
                          "\": expected the pod's " + field + " (downward API)");
  };
  if (!kube::is_object_name(pod.name)) return bad("POD_NAME", pod.name, "metadata.name");
  if (!kube::is_object_name(pod.name_space)) {
    return bad("POD_NAMESPACE", pod.name_space, "metadata.namespace");
  }
  return pod;
}

http::CheckResult turns(const Pulse& pulse) {
  const std::int64_t silent_us = pulse.silent_us();
  if (silent_us < kHangUs) return std::nullopt;
  return NotReady{.text = "no progress for " + std::to_string(silent_us / 1'000'000) + " s",
                  .reason = reason::kEventLoopHangs};
}

}  // namespace

class SidecarApp::Impl {
 public:
  Impl(config::SidecarConfig config, kube::Environment environment)
      : config_(std::move(config)), environment_(std::move(environment)) {}

  Result<void> start();
  void stop();
  void halt();
  std::uint16_t http_port() const { return http_port_; }

 private:
  Result<void> start_http();
  std::string own_uid() const;
  http::Response node() const;

  const config::SidecarConfig config_;
  const kube::Environment environment_;
  PodName pod_;
  std::unique_ptr<metrics::Registry> registry_;
  std::unique_ptr<LabelLoop> labels_;
  std::unique_ptr<LeaderWatch> watch_;
  std::unique_ptr<EventLoop> events_;
  http::HealthChecks health_;
  std::unique_ptr<http::HttpServer> http_;
  std::atomic<bool> stopping_ = false;
  std::uint16_t http_port_ = 0;
};

Result<void> SidecarApp::Impl::start() {
  const auto broker = config::host_port_of(config_.broker_http_address);
  if (!broker) {
    return make_error(broker.error().code, "brokerHttpAddress: " + broker.error().message);
  }
  const auto account = kube::find_service_account(config_.service_account_path, environment_);
  if (!account) return std::unexpected(account.error());
  auto pod = find_pod(environment_, *account);
  if (!pod) return std::unexpected(pod.error());
  pod_ = *std::move(pod);
  registry_ = std::make_unique<metrics::Registry>(
      metrics::Labels{{"node_type", "sidecar"}, {"node_id", pod_.name}});
  const kube::ApiClientOptions options{.user_agent = "gantry-sidecar/" GANTRY_VERSION};
  labels_ = std::make_unique<LabelLoop>(kube::ApiClient(*account, options), pod_.name_space,
                                        PodIdentity{.name = pod_.name, .uid = pod_.uid},
                                        config_.leader_label,
                                        milliseconds(config_.pod_check_interval_ms), *registry_);
  watch_ = std::make_unique<LeaderWatch>(
      *broker,
      LeaderWatchOptions{.poll_interval = milliseconds(config_.poll_interval_ms),
                         .broker_timeout = milliseconds(config_.broker_timeout_ms)},
      *registry_, [this](std::optional<bool> leads) { labels_->want(leads); });
  events_ = std::make_unique<EventLoop>(
      kube::ApiClient(*account, options), BrokerClient(*broker),
      kube::PodReference{.name = pod_.name, .name_space = pod_.name_space, .uid = pod_.uid},
      [this] { return own_uid(); },
      EventLoopOptions{.delay = milliseconds(config_.event_delay_ms),
                       .interval = milliseconds(config_.event_interval_ms)},
      *registry_);
  GANTRY_TRY(start_http());
  labels_->start();
  watch_->start();
  events_->start();
  kLog.info("keeping the leader label pod={}/{} label={} broker={} http_port={}", pod_.name_space,
            pod_.name, config_.leader_label, *broker, http_port_);
  return {};
}

// Empty: not known yet, or the pod is gone.
std::string SidecarApp::Impl::own_uid() const {
  const LabelStatus labels = labels_->status();
  return labels.lost ? std::string() : labels.uid;
}

// Neither broker nor API server: a probe that fails because of them would restart or hide what
// works.
Result<void> SidecarApp::Impl::start_http() {
  health_.add(http::Probe::kLive, "leader-watch", [this] { return turns(watch_->pulse()); });
  health_.add(http::Probe::kLive, "leader-label", [this] { return turns(labels_->pulse()); });
  const auto running = [this]() -> http::CheckResult {
    return stopping_ ? http::CheckResult(NotReady{.text = "stopping", .reason = reason::kStopping})
                     : std::nullopt;
  };
  health_.add(http::Probe::kReady, "sidecar", running);
  health_.add(http::Probe::kStartup, "sidecar", running);
  http_ = std::make_unique<http::HttpServer>();
  health_.mount(*http_);
  http::mount_metrics(*http_, *registry_);
  http_->get("/v1/node", [this](const http::Request&) { return node(); });
  const auto port = http_->listen(config_.http_address, config_.http_port);
  if (!port) {
    return make_error(port.error().code, port.error().message + " (keys httpAddress, httpPort)");
  }
  http_port_ = static_cast<std::uint16_t>(*port);
  return {};
}

http::Response SidecarApp::Impl::node() const {
  const LabelStatus labels = labels_->status();
  nlohmann::json body = {{"kind", "sidecar"},
                         {"version", GANTRY_VERSION},
                         {"pod", pod_.name},
                         {"namespace", pod_.name_space},
                         {"podUid", labels.uid},
                         {"broker", watch_->last_seen()},
                         {"leaderLabel", config_.leader_label},
                         {"inStep", labels.in_step},
                         {"obstacle", labels.obstacle}};
  body["leads"] = labels.leads ? nlohmann::json(*labels.leads) : nlohmann::json(nullptr);
  return {.body = body.dump() + "\n"};
}

void SidecarApp::Impl::stop() {
  stopping_ = true;
  events_->request_stop();
  const std::int64_t looks = labels_->status().looks;
  labels_->look_now();
  const bool may_end = labels_->wait_until(
      [looks](const LabelStatus& s) {
        if (s.leads != true || s.lost) return true;
        return s.looks > looks && s.in_step && s.deleting == false;
      },
      milliseconds(config_.stop_timeout_ms));
  if (!may_end) {
    kLog.warn("ending although the broker still leads after {} ms", config_.stop_timeout_ms);
  } else if (!labels_->wait_until(
                 [](const LabelStatus& s) { return s.in_step || s.lost || !s.leads.has_value(); },
                 kLastChangeMax)) {
    kLog.warn("ending although the leader label is not in step: {}", labels_->status().obstacle);
  }
  halt();
}

void SidecarApp::Impl::halt() {
  stopping_ = true;
  if (events_) events_->request_stop();
  if (watch_) watch_->stop();
  if (events_) events_->stop();
  if (labels_) labels_->stop();
  if (http_) http_->stop();
}

SidecarApp::SidecarApp(config::SidecarConfig config, kube::Environment environment)
    : impl_(std::make_unique<Impl>(std::move(config), std::move(environment))) {}

SidecarApp::~SidecarApp() { halt(); }

Result<void> SidecarApp::start() { return impl_->start(); }
void SidecarApp::stop() { impl_->stop(); }
void SidecarApp::halt() { impl_->halt(); }
std::uint16_t SidecarApp::http_port() const { return impl_->http_port(); }

}  // namespace gantry::sidecar
