// SPDX-License-Identifier: Apache-2.0
// GET /v1/leadership: whether this member leads, answered at once or, with ?known=STATE and
// waitMillis=N, as soon as that changes. For whoever has to follow leadership closely, such as the
// sidecar. Answers from before recovery until the HTTP server ends. That a member leads is answered
// only while its event loop turns: one that hangs may have been replaced without knowing.
#pragma once

#include <cstddef>

#include "broker/core/storage.h"
#include "broker/http/leadership_board.h"
#include "http/http_server.h"
#include "runtime/shard.h"

namespace gantry::broker {

class LeadershipHttp final : private RoleObserver {
 public:
  // Requests that wait at a time. The HTTP server has as many threads on top of its own.
  static constexpr std::size_t kWaitingMax = 2;

  LeadershipHttp(runtime::Shard& shard, http::HttpServer& server);
  ~LeadershipHttp() override;

  // Log shard only: the storage whose leadership it is / nobody's.
  void attach(Storage& storage);
  void detach();
  // Any thread: lets those go that wait, so that the HTTP server can stop.
  void close() { board_.close(); }

 private:
  void on_leading(Term) override { publish(); }
  void on_following() override { publish(); }
  void on_group_changed() override { publish(); }
  void publish();
  http::Response answer(const http::Request& request);

  runtime::Shard& shard_;
  LeadershipBoard board_{kWaitingMax};
  Storage* storage_ = nullptr;  // shard only
};

}  // namespace gantry::broker
