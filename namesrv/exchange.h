// SPDX-License-Identifier: Apache-2.0
// One request while it is being answered. Lives on the stack of the dispatcher, on the shard of the
// connection; an answer that comes later goes through late().
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/result.h"
#include "net/connection.h"
#include "protocol/codes.h"
#include "protocol/command.h"

namespace gantry::namesrv {

// Finds an open connection; null when it has closed.
using ConnectionFinder = std::function<net::Connection*(net::ConnectionId)>;
// Told of each answered request: the response code (-1: one-way, nothing was sent).
using AnswerObserver = std::function<void(std::int32_t request_code, std::int32_t response_code)>;

inline constexpr std::int32_t kNoAnswer = -1;

struct ExchangeHooks {
  ConnectionFinder find;
  AnswerObserver answered;
};

// The right to answer one request after its handler has returned. Use once.
class LateReply {
 public:
  LateReply(const ExchangeHooks& hooks, net::ConnectionId connection, std::int32_t request_code,
            std::int32_t opaque, bool oneway)
      : hooks_(hooks),
        connection_(connection),
        request_code_(request_code),
        opaque_(opaque),
        oneway_(oneway) {}

  void reply(protocol::Command response) const;

 private:
  const ExchangeHooks& hooks_;
  net::ConnectionId connection_;
  std::int32_t request_code_;
  std::int32_t opaque_;
  bool oneway_;
};

class Exchange {
 public:
  Exchange(const ExchangeHooks& hooks, net::Connection& connection, protocol::CommandView& request)
      : hooks_(hooks), connection_(connection), request_(request) {}

  const protocol::CommandView& request() const { return request_; }
  net::ConnectionId connection_id() const { return connection_.id(); }

  // Exactly one of these. A one-way request gets no bytes, whatever is called.
  void reply(protocol::Command response);
  void reply(Result<protocol::Command> response);
  void reply_body(std::string_view body);  // success, no fields: the hot path of routes
  LateReply late();

 private:
  const ExchangeHooks& hooks_;
  net::Connection& connection_;
  protocol::CommandView& request_;
};

// SYSTEM_BUSY for kBusy, SYSTEM_ERROR for everything else; the message is the remark.
protocol::Command error_response(const Error& error);

protocol::Command response(protocol::ResponseCode code, std::string_view remark = {});

}  // namespace gantry::namesrv
