// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <future>
#include <optional>
#include <utility>

#include "net/connection_set.h"
#include "net/dialer.h"
#include "net/refuse_requests.h"
#include "net/remoting_client.h"
#include "net/tcp_connection.h"
#include "runtime/shard.h"

namespace gantry::net {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kReadBufferBytes = 64U << 10;

// Runs `start` on the shard with a function that takes the result, and waits for it. What runs on
// the shard always comes to a result: dialling and calls have time limits of their own.
template <class T, class Start>
Result<T> await(runtime::Shard& shard, Start start) {
  std::promise<Result<T>> promise;
  std::future<Result<T>> future = promise.get_future();
  shard.post([start = std::move(start), promise = std::move(promise)]() mutable {
    start([promise = std::move(promise)](Result<T> result) mutable {
      promise.set_value(std::move(result));
    });
  });
  return future.get();
}

}  // namespace

struct BlockingClient::Impl {
  Impl() {
    ConnectionLimits limits;
    limits.read_buffer_bytes = kReadBufferBytes;
    set = std::make_shared<ConnectionSet>(shard, refuse, limits);  // the shard does not run yet
    shard.start();
  }
  ~Impl() {
    shard.post([this] { set->shut_down("the client shuts down"); });
    shard.stop();
    shard.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void dial(HostPort target, milliseconds timeout,
            std::move_only_function<void(Result<ConnectionId>)> done) {
    Dialer::dial(shard, std::move(target), timeout,
                 [this, done = std::move(done)](Result<TcpSocket> socket) mutable {
                   if (!socket) {
                     done(std::unexpected(std::move(socket).error()));
                     return;
                   }
                   const TcpConnection* const adopted = set->adopt(std::move(*socket));
                   if (adopted == nullptr) {
                     done(make_error(ErrorCode::kUnavailable, "the connection was lost at once"));
                     return;
                   }
                   done(adopted->id());
                 });
  }

  RefuseRequests refuse;
  runtime::Shard shard{"rmq-client"};
  std::shared_ptr<ConnectionSet> set;
  std::string address;
  ConnectionId connection = 0;
};

BlockingClient::BlockingClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
BlockingClient::~BlockingClient() = default;

Result<std::unique_ptr<BlockingClient>> BlockingClient::connect(const std::string& address,
                                                                milliseconds timeout) {
  auto target = parse_host_port(address);
  if (!target) return std::unexpected(std::move(target).error());
  auto impl = std::make_unique<Impl>();
  impl->address = address;
  auto connected = await<ConnectionId>(
      impl->shard, [&impl = *impl, target = std::move(*target), timeout](auto done) mutable {
        impl.dial(std::move(target), timeout, std::move(done));
      });
  if (!connected) return std::unexpected(std::move(connected).error());
  impl->connection = *connected;
  return std::unique_ptr<BlockingClient>(new BlockingClient(std::move(impl)));
}

Result<protocol::Command> BlockingClient::call(protocol::Command request, milliseconds timeout) {
  return await<protocol::Command>(
      impl_->shard, [&impl = *impl_, request = std::move(request), timeout](auto done) mutable {
        Connection* const connection = impl.set->find(impl.connection);
        if (connection == nullptr) {
          done(make_error(ErrorCode::kUnavailable,
                          fmt::format("the connection to {} is closed", impl.address)));
          return;
        }
        connection->call(std::move(request), timeout, std::move(done));
      });
}

Result<void> BlockingClient::send_oneway(protocol::Command request) {
  return await<void>(
      impl_->shard, [&impl = *impl_, request = std::move(request)](auto done) mutable {
        Connection* const connection = impl.set->find(impl.connection);
        if (connection == nullptr || !connection->open()) {
          done(make_error(ErrorCode::kUnavailable,
                          fmt::format("the connection to {} is closed", impl.address)));
          return;
        }
        connection->send_oneway(std::move(request));
        done({});
      });
}

}  // namespace gantry::net
