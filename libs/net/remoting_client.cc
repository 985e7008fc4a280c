// SPDX-License-Identifier: Apache-2.0
#include "net/remoting_client.h"

#include <fmt/core.h>

#include <algorithm>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "net/connection_set.h"
#include "net/dialer.h"
#include "net/refuse_requests.h"
#include "net/tcp_connection.h"
#include "runtime/shard.h"

namespace gantry::net {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kReadBufferBytes = 64U << 10;
// Requests that may wait for one connection to be made.
constexpr std::size_t kWaitingMax = 10000;

struct Waiting {
  protocol::Command request;
  Connection::Reply reply;  // empty: one-way
  Clock::time_point deadline;
  std::unique_ptr<runtime::Timer> timer;
};

// What is known about one address. Exists while there is a connection or an attempt to make one.
struct Peer {
  ConnectionId connection = 0;
  std::shared_ptr<Dialer> dialer;
  std::list<Waiting> waiting;
};

// Shared with the dialers' callbacks; a reply may destroy the client.
class Core final : public ConnectionHandler, public std::enable_shared_from_this<Core> {
 public:
  Core(runtime::Shard& shard, ConnectionHandler* handler, milliseconds connect_timeout)
      : shard_(shard), handler_(handler), connect_timeout_(connect_timeout) {
    ConnectionLimits limits;
    limits.read_buffer_bytes = kReadBufferBytes;
    limits.close_when_silent = true;
    set_ = std::make_shared<ConnectionSet>(shard_, *this, limits);
  }

  void send(const std::string& address, protocol::Command request, milliseconds timeout,
            Connection::Reply reply);
  void close_all(std::string_view reason);
  void shut_down();
  bool unresolved(const std::string& address) const { return unresolved_.contains(address); }

  void on_open(Connection& connection) override {
    if (handler_ != nullptr) handler_->on_open(connection);
  }
  void on_request(Connection& connection, protocol::CommandView& request) override {
    if (handler_ != nullptr) {
      handler_->on_request(connection, request);
    } else {
      refuse_.on_request(connection, request);
    }
  }
  void on_close(Connection& connection) override {
    const auto peer = std::ranges::find_if(peers_, [&](const auto& entry) {
      return entry.second.connection == connection.id() && entry.second.dialer == nullptr;
    });
    const bool lost = peer != peers_.end();
    const std::string address = lost ? peer->first : std::string();
    if (lost) peers_.erase(peer);
    if (handler_ != nullptr) handler_->on_close(connection);
    if (lost && lost_) lost_(address);
  }
  void on_lost(std::move_only_function<void(const std::string&)> lost) { lost_ = std::move(lost); }

 private:
  void enqueue(const std::string& address, Peer& peer, Waiting waiting);
  void expire(const std::string& address, const Waiting* waiting);
  void on_dialled(const std::string& address, Result<TcpSocket> socket);
  static void hand_over(Connection& connection, Waiting waiting);
  static void fail_all(std::list<Waiting> waiting, const Error& error);

  runtime::Shard& shard_;
  ConnectionHandler* const handler_;
  RefuseRequests refuse_;
  const milliseconds connect_timeout_;
  std::shared_ptr<ConnectionSet> set_;
  std::map<std::string, Peer> peers_;
  std::set<std::string> unresolved_;  // the last attempt has ended with that
  std::move_only_function<void(const std::string&)> lost_;
};

void Core::send(const std::string& address, protocol::Command request, milliseconds timeout,
                Connection::Reply reply) {
  Waiting waiting{std::move(request), std::move(reply), Clock::now() + timeout, nullptr};
  const auto known = peers_.find(address);
  if (known != peers_.end() && known->second.dialer == nullptr) {
    Connection* const connection = set_->find(known->second.connection);
    if (connection != nullptr && connection->open()) {
      hand_over(*connection, std::move(waiting));
      return;
    }
  }
  const auto target = parse_host_port(address);
  Peer* const peer = target ? &peers_[address] : nullptr;
  if (peer == nullptr || peer->waiting.size() >= kWaitingMax) {
    if (!waiting.reply) return;
    Error error = target ? Error{ErrorCode::kBusy, fmt::format("{} requests wait for {} already",
                                                               kWaitingMax, address)}
                         : target.error();
    shard_.post([reply = std::move(waiting.reply), error = std::move(error)]() mutable {
      reply(std::unexpected(std::move(error)));
    });
    return;
  }
  enqueue(address, *peer, std::move(waiting));
  if (peer->dialer != nullptr) return;
  peer->connection = 0;
  peer->dialer = Dialer::dial(shard_, *target, connect_timeout_,
                              [core = weak_from_this(), address](Result<TcpSocket> socket) {
                                if (const auto self = core.lock()) {
                                  self->on_dialled(address, std::move(socket));
                                }
                              });
}

void Core::enqueue(const std::string& address, Peer& peer, Waiting waiting) {
  Waiting& queued = peer.waiting.emplace_back(std::move(waiting));
  if (!queued.reply) return;
  const auto left = std::chrono::ceil<milliseconds>(queued.deadline - Clock::now());
  queued.timer = shard_.after(left, [this, address, &queued] { expire(address, &queued); });
}

void Core::expire(const std::string& address, const Waiting* waiting) {
  const auto peer = peers_.find(address);
  if (peer == peers_.end()) return;
  auto& list = peer->second.waiting;
  const auto found =
      std::find_if(list.begin(), list.end(), [&](const Waiting& w) { return &w == waiting; });
  if (found == list.end()) return;
  Waiting expired = std::move(*found);
  list.erase(found);
  expired.reply(
      make_error(ErrorCode::kTimeout, fmt::format("no connection to {} in time", address)));
}

void Core::on_dialled(const std::string& address, Result<TcpSocket> socket) {
  const auto found = peers_.find(address);
  if (found == peers_.end()) return;
  const auto set = set_;
  auto waiting = std::exchange(found->second.waiting, {});
  unresolved_.erase(address);
  if (!socket) {
    if (found->second.dialer->unresolved()) unresolved_.insert(address);
    peers_.erase(found);
    fail_all(std::move(waiting), socket.error());
    return;
  }
  found->second.dialer = nullptr;
  TcpConnection* const adopted = set->adopt(std::move(*socket));
  if (adopted == nullptr) {
    peers_.erase(address);
    fail_all(std::move(waiting),
             {ErrorCode::kUnavailable, fmt::format("connection to {} was lost at once", address)});
    return;
  }
  if (const auto peer = peers_.find(address); peer != peers_.end()) {
    peer->second.connection = adopted->id();
  }
  for (Waiting& one : waiting) hand_over(*adopted, std::move(one));
}

void Core::hand_over(Connection& connection, Waiting waiting) {
  waiting.timer.reset();
  if (!waiting.reply) {
    connection.send_oneway(std::move(waiting.request));
    return;
  }
  const auto left = std::chrono::ceil<milliseconds>(waiting.deadline - Clock::now());
  connection.call(std::move(waiting.request), std::max(left, milliseconds(0)),
                  std::move(waiting.reply));
}

void Core::fail_all(std::list<Waiting> waiting, const Error& error) {
  for (Waiting& one : waiting) {
    one.timer.reset();
    if (one.reply) one.reply(std::unexpected(error));
  }
}

void Core::close_all(std::string_view reason) {
  set_->close_all(reason);
  std::list<Waiting> waiting;
  for (auto& [address, peer] : peers_) {
    if (peer.dialer != nullptr) peer.dialer->cancel();
    waiting.splice(waiting.end(), peer.waiting);
  }
  peers_.clear();
  fail_all(std::move(waiting), {ErrorCode::kUnavailable, std::string(reason)});
}

void Core::shut_down() {
  const auto keep = shared_from_this();
  lost_ = nullptr;
  set_->shut_down("the client shuts down");
  close_all("the client shuts down");
}

}  // namespace

struct RemotingClient::Impl {
  std::shared_ptr<Core> core;
};

RemotingClient::RemotingClient(runtime::Shard& shard, ConnectionHandler* handler,
                               milliseconds connect_timeout)
    : impl_(std::make_unique<Impl>(std::make_shared<Core>(shard, handler, connect_timeout))) {}

RemotingClient::~RemotingClient() { impl_->core->shut_down(); }

void RemotingClient::call(const std::string& address, protocol::Command request,
                          milliseconds timeout, Connection::Reply reply) {
  impl_->core->send(address, std::move(request), timeout, std::move(reply));
}

void RemotingClient::send_oneway(const std::string& address, protocol::Command request) {
  impl_->core->send(address, std::move(request), milliseconds(0), nullptr);
}

void RemotingClient::close_all() { impl_->core->close_all("closed by the client"); }

bool RemotingClient::unresolved(const std::string& address) const {
  return impl_->core->unresolved(address);
}

void RemotingClient::on_lost(std::move_only_function<void(const std::string&)> lost) {
  impl_->core->on_lost(std::move(lost));
}

}  // namespace gantry::net
