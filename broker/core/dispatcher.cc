// SPDX-License-Identifier: Apache-2.0
#include "broker/core/dispatcher.h"

#include <fmt/core.h>

#include <utility>

namespace gantry::broker {
namespace {
constexpr std::size_t kFastCodes = 512;

// The request whose handler is running, and its answer if there was one already. Requests are
// handled one at a time on a shard.
struct Handling {
  net::ConnectionId connection = 0;
  std::int32_t opaque = 0;
  std::int32_t answered_code = -1;
};
thread_local Handling handling;

bool measured_elsewhere(std::int32_t code) {
  using protocol::RequestCode;
  switch (static_cast<RequestCode>(code)) {
    case RequestCode::kSendMessage:
    case RequestCode::kSendMessageV2:
    case RequestCode::kSendBatchMessage:
    case RequestCode::kPullMessage:
    case RequestCode::kLitePullMessage:
      return true;
    default:
      return false;
  }
}

}  // namespace

void respond(net::Connection& connection, const protocol::CommandView& request,
             protocol::Command response) {
  handling.answered_code = response.code;
  if (request.is_oneway()) return;
  response.opaque = request.opaque;
  response.flag = protocol::kFlagResponse;
  connection.send(response);
}

void respond(net::Connection& connection, const protocol::CommandView& request,
             protocol::ResponseCode code, std::string remark) {
  respond(connection, request,
          protocol::Command::response(static_cast<std::int32_t>(code), std::move(remark)));
}

void Responder::send(protocol::Command response) const {
  if (handling.connection == connection_ && handling.opaque == opaque_) {
    handling.answered_code = response.code;
  }
  if (oneway_) return;
  net::Connection* target = connection();
  if (target == nullptr) return;
  response.opaque = opaque_;
  response.flag = protocol::kFlagResponse;
  target->send(response);
}

void Responder::send(protocol::ResponseCode code, std::string remark) const {
  send(protocol::Command::response(static_cast<std::int32_t>(code), std::move(remark)));
}

void Dispatcher::add(protocol::RequestCode code, Handler handler) {
  const auto number = static_cast<std::int32_t>(code);
  Handler& stored = handlers_[number] = std::move(handler);
  if (static_cast<std::size_t>(number) < kFastCodes) {
    if (fast_.empty()) fast_.resize(kFastCodes, nullptr);
    fast_[static_cast<std::size_t>(number)] = &stored;
  }
}

void Dispatcher::dispatch(net::Connection& connection, const protocol::CommandView& request) {
  const Handler* handler = nullptr;
  if (request.code >= 0 && static_cast<std::size_t>(request.code) < fast_.size()) {
    handler = fast_[static_cast<std::size_t>(request.code)];
  } else if (const auto it = handlers_.find(request.code); it != handlers_.end()) {
    handler = &it->second;
  }
  if (handler == nullptr) {
    respond(connection, request, protocol::ResponseCode::kRequestCodeNotSupported,
            fmt::format(" request type {} not supported", request.code));
    return;
  }
  if (!observer_ || measured_elsewhere(request.code)) {
    (*handler)(connection, request);
    return;
  }
  handling = {connection.id(), request.opaque, -1};
  const std::int64_t began_us = clock_->steady_us();
  (*handler)(connection, request);
  const std::int32_t answered = std::exchange(handling, {}).answered_code;
  if (answered >= 0) observer_(request, answered, clock_->steady_us() - began_us);
}

std::vector<std::int32_t> Dispatcher::codes() const {
  std::vector<std::int32_t> result;
  for (const auto& [code, handler] : handlers_) result.push_back(code);
  return result;
}

}  // namespace gantry::broker
