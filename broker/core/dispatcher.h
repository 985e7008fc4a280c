// SPDX-License-Identifier: Apache-2.0
// From request code to handler, and the ways to answer. One table a broker; docs/protocol/
// request-codes.md is compared with it by a test. Log shard only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "net/connection.h"
#include "net/remoting_server.h"
#include "protocol/codes.h"
#include "protocol/command.h"

namespace gantry::broker {

// Answers a request now. One-way requests are never answered; opaque and flag are filled in.
void respond(net::Connection& connection, const protocol::CommandView& request,
             protocol::Command response);
void respond(net::Connection& connection, const protocol::CommandView& request,
             protocol::ResponseCode code, std::string remark = {});

// Finds open connections of every listener of the broker.
class ConnectionDirectory {
 public:
  void add(net::RemotingServer& server) { servers_.push_back(&server); }
  void clear() { servers_.clear(); }
  net::Connection* find(net::ConnectionId id) const {
    for (net::RemotingServer* server : servers_) {
      if (net::Connection* connection = server->find(id)) return connection;
    }
    return nullptr;
  }

 private:
  std::vector<net::RemotingServer*> servers_;
};

// Answers a request later, from any point on the shard; drops the answer when the connection is
// gone or the request was one-way. Copyable, small.
class Responder {
 public:
  Responder(const ConnectionDirectory& connections, const net::Connection& connection,
            const protocol::CommandView& request)
      : connections_(&connections),
        connection_(connection.id()),
        opaque_(request.opaque),
        oneway_(request.is_oneway()) {}

  void send(protocol::Command response) const;
  void send(protocol::ResponseCode code, std::string remark = {}) const;
  net::ConnectionId connection_id() const { return connection_; }
  net::Connection* connection() const { return connections_->find(connection_); }
  std::int32_t opaque() const { return opaque_; }
  bool oneway() const { return oneway_; }

 private:
  const ConnectionDirectory* connections_;
  net::ConnectionId connection_;
  std::int32_t opaque_;
  bool oneway_;
};

class Dispatcher {
 public:
  using Handler = std::function<void(net::Connection&, const protocol::CommandView&)>;

  void add(protocol::RequestCode code, Handler handler);
  // Answers 3 for unknown codes and 1 for a request whose extFields are missing altogether.
  void dispatch(net::Connection& connection, const protocol::CommandView& request);
  std::vector<std::int32_t> codes() const;  // ascending
  // Told after a request that was answered (or, one-way, handled) inside its handler. Sends and
  // pulls are measured where they are answered.
  using Observer = std::function<void(const protocol::CommandView& request,
                                      std::int32_t response_code, std::int64_t us)>;
  void observe(const Clock& clock, Observer observer) {
    clock_ = &clock;
    observer_ = std::move(observer);
  }

 private:
  std::map<std::int32_t, Handler> handlers_;
  std::vector<const Handler*> fast_;  // by code, for codes below 512
  const Clock* clock_ = nullptr;
  Observer observer_;
};

}  // namespace gantry::broker
