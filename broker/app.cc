// SPDX-License-Identifier: Apache-2.0
#include "broker/app.h"

#include <fmt/core.h>

#include <atomic>
#include <future>

#include "broker/admin/admin_handlers.h"
#include "broker/admin/config_file.h"
#include "broker/client/client_manager.h"
#include "broker/client/lock_handlers.h"
#include "broker/client/queue_locks.h"
#include "broker/core/context.h"
#include "broker/core/stats.h"
#include "broker/group/feature_level.h"
#include "broker/group/group_members.h"
#include "broker/group/group_peers.h"
#include "broker/group/leader_gate.h"
#include "broker/group/maintenance.h"
#include "broker/group/state_comparison.h"
#include "broker/http/broker_http.h"
#include "broker/http/broker_metrics.h"
#include "broker/http/group_http.h"
#include "broker/offset/offset_handlers.h"
#include "broker/pull/pull_service.h"
#include "broker/query/query_handlers.h"
#include "broker/retention/retention.h"
#include "broker/route/namesrv_registrar.h"
#include "broker/route/store_host.h"
#include "broker/schedule/delay_delivery.h"
#include "broker/send/message_appender.h"
#include "broker/send/send_service.h"
#include "broker/transaction/transactions.h"
#include "config/host_facts.h"
#include "log/log.h"
#include "net/remoting_server.h"

namespace gantry::broker {
namespace {

log::Logger logger("broker");
constexpr int kFastPortDistance = 2;  // RocketMQ's "VIP" port: listenPort - 2

// Codes that RocketMQ's fast port does not serve.
bool served_on_fast_port(std::int32_t code) {
  using protocol::RequestCode;
  switch (static_cast<RequestCode>(code)) {
    case RequestCode::kPullMessage:
    case RequestCode::kLitePullMessage:
    case RequestCode::kPopMessage:
    case RequestCode::kPeekMessage:
    case RequestCode::kNotification:
    case RequestCode::kPollingInfo:
      return false;
    default:
      return true;
  }
}

}  // namespace

class BrokerApp::Impl final : private RoleObserver {
 public:
  Impl(config::BrokerConfig config, BrokerSurroundings surroundings)
      : config_(std::move(config)),
        surroundings_(std::move(surroundings)),
        shard_("broker"),
        main_listener_(*this, false),
        fast_listener_(*this, true) {}

  ~Impl() override = default;

  Result<void> start();
  void stop();
  std::uint16_t remoting_port() const { return remoting_port_; }
  std::uint16_t http_port() const { return http_ ? http_->port() : 0; }
  std::vector<std::int32_t> request_codes() const { return dispatcher_.codes(); }

 private:
  class Listener final : public net::ConnectionHandler {
   public:
    Listener(Impl& app, bool fast) : app_(app), fast_(fast) {}
    void on_request(net::Connection& connection, protocol::CommandView& request) override {
      if (fast_ && !served_on_fast_port(request.code)) {
        return respond(connection, request, protocol::ResponseCode::kRequestCodeNotSupported,
                       fmt::format(" request type {} not supported", request.code));
      }
      if (!app_.gate_->admit(connection, request)) return;
      app_.dispatcher_.dispatch(connection, request);
    }
    void on_close(net::Connection& connection) override { app_.on_close(connection.id()); }

   private:
    Impl& app_;
    const bool fast_;
  };

  void on_leading(Term term) override;
  void on_following() override;
  void on_group_changed() override;
  void note_serving();

  Result<void> start_on_shard();
  void hand_over();
  Result<void> listen();
  void make_services();
  void stop_services();
  void on_close(net::ConnectionId id) {
    if (gate_) gate_->on_connection_closed(id);
    if (pulls_) pulls_->on_connection_closed(id);
    if (clients_) clients_->on_connection_closed(id);
  }

  config::BrokerConfig config_;
  const BrokerSurroundings surroundings_;
  runtime::Shard shard_;
  Dispatcher dispatcher_;
  ConnectionDirectory connections_;
  BrokerStats stats_;
  Listener main_listener_, fast_listener_;
  std::atomic<BrokerPhase> phase_{BrokerPhase::kStarting};
  bool shard_running_ = false, stopped_ = false;
  std::promise<void> serving_;  // set when clients are served: as leader, or as one of several
  bool is_serving_ = false;
  std::uint16_t remoting_port_ = 0;

  std::unique_ptr<BrokerHttp> http_;
  std::unique_ptr<Storage> storage_;
  std::unique_ptr<GroupPeers> peers_;
  std::unique_ptr<LeaderGate> gate_;
  std::unique_ptr<GroupMembers> members_;
  std::unique_ptr<Maintenance> maintenance_;
  std::unique_ptr<FeatureLevel> feature_level_;
  std::unique_ptr<StateComparison> comparison_;
  std::unique_ptr<ConfigFile> config_file_;
  std::unique_ptr<BrokerContext> context_;
  std::unique_ptr<StoreHost> store_host_;
  std::unique_ptr<net::RemotingServer> server_, fast_server_;
  std::unique_ptr<MessageAppender> appender_;
  std::unique_ptr<QueueLocks> locks_;
  std::unique_ptr<ClientManager> clients_;
  std::unique_ptr<SendService> sends_;
  std::unique_ptr<PullService> pulls_;
  std::unique_ptr<DelayDelivery> delays_;
  std::unique_ptr<Transactions> transactions_;
  std::unique_ptr<Retention> retention_;
  std::unique_ptr<NamesrvRegistrar> registrar_;
  std::unique_ptr<AdminHandlers> admin_;
};

Result<void> BrokerApp::Impl::start() {
  if (config_.shards > 1) {
    logger.warn("shards={} is not used yet: connections and log share one shard", config_.shards);
  }
  http_ = std::make_unique<BrokerHttp>(config_, shard_, phase_);
  GANTRY_TRY(http_->listen());
  shard_.start();
  shard_running_ = true;
  std::promise<Result<void>> started;
  // The task may outlive nothing: this call waits for it without a limit, recovery takes its time.
  shard_.post([&] { started.set_value(start_on_shard()); });
  Result<void> result = started.get_future().get();
  if (!result) {
    phase_ = BrokerPhase::kStopping;
    stop();
    return result;
  }
  serving_.get_future().wait();
  return result;
}

Result<void> BrokerApp::Impl::listen() {
  net::RemotingServerOptions options;
  options.idle_max = std::chrono::seconds(config_.server_channel_max_idle_time_seconds);
  options.backlog = config_.server_socket_backlog;
  server_ = std::make_unique<net::RemotingServer>(shard_, main_listener_, options);
  const auto port =
      server_->listen(config_.bind_address, static_cast<std::uint16_t>(config_.listen_port));
  if (!port) return std::unexpected(port.error());
  remoting_port_ = *port;
  connections_.add(*server_);
  if (config_.listen_port > kFastPortDistance) {
    fast_server_ = std::make_unique<net::RemotingServer>(shard_, fast_listener_, options);
    const auto fast = fast_server_->listen(
        config_.bind_address, static_cast<std::uint16_t>(config_.listen_port - kFastPortDistance));
    if (!fast) return std::unexpected(fast.error());
    connections_.add(*fast_server_);
  }
  return {};
}

void BrokerApp::Impl::make_services() {
  peers_ = std::make_unique<GroupPeers>(shard_, *storage_, config_, *surroundings_.clock);
  gate_ = std::make_unique<LeaderGate>(
      *context_, [this] { return peers_->leader_client_address(); },
      [this](net::Connection& connection, const protocol::CommandView& request) {
        dispatcher_.dispatch(connection, request);
      });
  members_ = std::make_unique<GroupMembers>(*context_, *peers_);
  maintenance_ = std::make_unique<Maintenance>(*context_, *members_);
  feature_level_ = std::make_unique<FeatureLevel>(*storage_, *peers_);
  comparison_ = std::make_unique<StateComparison>(*context_);
  appender_ = std::make_unique<MessageAppender>(*context_);
  context_->appender = appender_.get();
  locks_ = std::make_unique<QueueLocks>(config_.lock_max_live_time_ms);
  context_->locks = locks_.get();
  clients_ = std::make_unique<ClientManager>(*context_);
  context_->clients = clients_.get();
  pulls_ = std::make_unique<PullService>(*context_);
  context_->pulls = pulls_.get();
  registrar_ = std::make_unique<NamesrvRegistrar>(*context_);
  context_->registrar = registrar_.get();
  sends_ = std::make_unique<SendService>(*context_);
  delays_ = std::make_unique<DelayDelivery>(*context_);
  transactions_ = std::make_unique<Transactions>(*context_);
  context_->transactions = transactions_.get();
  retention_ = std::make_unique<Retention>(*context_);
  admin_ = std::make_unique<AdminHandlers>(*context_, *delays_, *retention_);

  sends_->register_handlers(dispatcher_);
  pulls_->register_handlers(dispatcher_);
  transactions_->register_handlers(dispatcher_);
  clients_->register_handlers(dispatcher_);
  register_lock_handlers(*context_, dispatcher_);
  register_offset_handlers(*context_, dispatcher_);
  register_query_handlers(*context_, dispatcher_);
  admin_->register_handlers(dispatcher_);
}

Result<void> BrokerApp::Impl::start_on_shard() {
  io::FileSystem& files = *surroundings_.files;
  Clock& clock = *surroundings_.clock;
  storage_ = std::make_unique<Storage>(shard_, files, config_, clock);
  GANTRY_TRY(storage_->open());
  GANTRY_TRY(listen());
  store_host_ = std::make_unique<StoreHost>(
      shard_, config_, remoting_port_, config::detect_host().ipv4,
      [this](const protocol::RecordHost& host) { context_->store_host = host; });
  config_file_ = std::make_unique<ConfigFile>(files, shard_, surroundings_.config_file);
  context_.reset(new BrokerContext{config_, *config_file_, clock, files, shard_, *storage_,
                                   connections_, stats_, store_host_->value(),
                                   fmt::format("{}:{}", config_.broker_ip1, remoting_port_),
                                   fmt::format("{}:{}", config_.broker_ip1, http_->port())});
  make_services();
  dispatcher_.observe(
      clock, [this](const protocol::CommandView& request, std::int32_t code, std::int64_t us) {
        stats_.rpc.record(
            {request.code, code, false,
             request.is_oneway() ? RpcLatency::Result::kOneway : RpcLatency::Result::kSuccess},
            us);
      });
  storage_->add_role_observer(*this);
  GANTRY_TRY(peers_->listen(context_->address, http_->port()));
  GANTRY_TRY(storage_->start(store_host_->value(), peers_->transport()));
  peers_->start();
  retention_->start();
  store_host_->look_up();
  registrar_->start();
  http_->attach({*context_, *server_, *pulls_, *clients_, *peers_, *gate_, *comparison_,
                 transactions_->ender()},
                {*context_, *peers_, *members_, *maintenance_});
  // Alone, it serves as soon as it leads; else clients may come and are told who does.
  const raft::Core& core = storage_->replica().core();
  const bool alone =
      core.membership().voter_count() == 1 && core.membership().is_voter(core.self());
  if (!alone) note_serving();
  return {};
}

void BrokerApp::Impl::note_serving() {
  if (std::exchange(is_serving_, true)) return;
  phase_ = BrokerPhase::kRunning;
  logger.info("broker {} is serving on {} store={}", config_.broker_name, context_->address,
              config_.store_path_root_dir);
  serving_.set_value();
}

void BrokerApp::Impl::on_leading(Term /*term*/) {
  locks_->load(storage_->state().locks());
  store_host_->look_up();
  delays_->start();
  transactions_->start();
  retention_->run(false);  // a follower leaves the trim to its leader
  gate_->on_group_changed();
  registrar_->on_role_changed();
  note_serving();
}

void BrokerApp::Impl::on_following() {
  delays_->stop();
  transactions_->stop();
  appender_->stop();
  sends_->refuse_waiting("service not available now: this broker is not the master any more");
  pulls_->stop();
  registrar_->on_role_changed();
}

void BrokerApp::Impl::on_group_changed() {
  gate_->on_group_changed();
  registrar_->on_role_changed();
}

void BrokerApp::Impl::stop_services() {
  if (delays_) delays_->stop();
  if (retention_) retention_->stop();
  if (server_) server_->stop_accepting();
  if (fast_server_) fast_server_->stop_accepting();
  if (pulls_) pulls_->stop();
  if (transactions_) transactions_->leave();
  if (storage_ && context_) {
    if (const auto stopped = storage_->stop(); !stopped) {
      logger.error("the store was not closed cleanly: {}", stopped.error().message);
    }
  }
  if (sends_) sends_->refuse_waiting("the broker is stopping");
  if (appender_) appender_->stop();
  if (server_) server_->close_all("the broker is stopping");
  if (fast_server_) fast_server_->close_all("the broker is stopping");
  if (http_) http_->detach();
  admin_.reset();
  retention_.reset();
  delays_.reset();
  transactions_.reset();
  sends_.reset();
  registrar_.reset();
  if (storage_) storage_->remove_role_observer(*this);
  comparison_.reset();
  feature_level_.reset();
  maintenance_.reset();
  members_.reset();
  gate_.reset();
  peers_.reset();
  pulls_.reset();
  clients_.reset();
  appender_.reset();
  connections_.clear();
  fast_server_.reset();
  server_.reset();
  store_host_.reset();
  context_.reset();
  config_file_.reset();
  storage_.reset();
}

// Whoever leads lets another member lead before it goes: clients wait milliseconds instead of an
// election.
void BrokerApp::Impl::hand_over() {
  std::promise<void> over;
  shard_.post([&] {
    const bool others = members_ && storage_->leading() &&
                        storage_->replica().core().membership().voter_count() > 1;
    if (!others) return over.set_value();
    members_->hand_over({}, [&](const Result<raft::MemberId>& leader) {
      if (leader) {
        logger.info("leadership handed over to member {}", *leader);
      } else {
        logger.warn("leaving without a successor: {}", leader.error().message);
      }
      over.set_value();
    });
  });
  over.get_future().wait();
}

void BrokerApp::Impl::stop() {
  if (stopped_) return;
  stopped_ = true;
  phase_ = BrokerPhase::kStopping;
  if (shard_running_) {
    hand_over();
    std::promise<void> unregistered;
    shard_.post([&] {
      if (registrar_) {
        registrar_->unregister([&] { unregistered.set_value(); });
      } else {
        unregistered.set_value();
      }
    });
    unregistered.get_future().wait();
    std::promise<void> done;
    shard_.post([&] {
      stop_services();
      done.set_value();
    });
    done.get_future().wait();
    shard_.stop();
    shard_.join();
  }
  http_.reset();
  logger.info("broker {} has stopped", config_.broker_name);
}

BrokerApp::BrokerApp(config::BrokerConfig config, BrokerSurroundings surroundings)
    : impl_(std::make_unique<Impl>(std::move(config), std::move(surroundings))) {}
BrokerApp::~BrokerApp() { impl_->stop(); }
Result<void> BrokerApp::start() { return impl_->start(); }
void BrokerApp::stop() { impl_->stop(); }
std::uint16_t BrokerApp::remoting_port() const { return impl_->remoting_port(); }
std::uint16_t BrokerApp::http_port() const { return impl_->http_port(); }
std::vector<std::int32_t> BrokerApp::request_codes() const { return impl_->request_codes(); }

}  // namespace gantry::broker
