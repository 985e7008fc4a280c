// SPDX-License-Identifier: Apache-2.0
#include "net/dialer.h"

#include <fmt/core.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <utility>

#include "net/name_resolver.h"

namespace gantry::net {

using std::chrono::milliseconds;

std::shared_ptr<Dialer> Dialer::dial(runtime::Shard& shard, HostPort target, milliseconds timeout,
                                     Done done) {
  auto dialer = std::make_shared<Dialer>(shard, std::move(target), timeout, std::move(done));
  dialer->start();
  return dialer;
}

Dialer::Dialer(runtime::Shard& shard, HostPort target, milliseconds timeout, Done done)
    : shard_(shard),
      target_(std::move(target)),
      timeout_(timeout),
      deadline_(Clock::now() + timeout),
      done_(std::move(done)),
      socket_(shard.io()) {}

void Dialer::start() {
  SystemError not_numeric;
  const auto ip = boost::asio::ip::make_address(target_.host, not_numeric);
  if (!not_numeric) {
    endpoints_.emplace_back(ip, target_.port);
    connect_next();
    return;
  }
  unresolved_ = true;
  timer_ = shard_.after(timeout_, [this] {
    fail(ErrorCode::kTimeout, fmt::format("name not resolved within {} ms", timeout_.count()));
  });
  NameResolver::of(shard_).find(
      target_.host, [self = shared_from_this()](const Result<Addresses>& found) {
        if (!self->done_) return;
        if (!found) {
          self->fail(ErrorCode::kUnavailable, "cannot resolve the name: " + found.error().message);
          return;
        }
        self->unresolved_ = false;
        for (const auto& each : *found) {
          self->endpoints_.emplace_back(each, self->target_.port);
        }
        self->connect_next();
      });
}

void Dialer::connect_next() {
  if (next_ == endpoints_.size()) {
    fail(attempt_timed_out_ ? ErrorCode::kTimeout : ErrorCode::kUnavailable, last_error_);
    return;
  }
  // An address that swallows packets must not use up the time of the ones behind it.
  const auto left = std::chrono::ceil<milliseconds>(deadline_ - Clock::now());
  const auto share = left / static_cast<int>(endpoints_.size() - next_);
  timer_ = shard_.after(std::max(share, milliseconds(1)), [this] { on_attempt_timeout(); });
  const Tcp::endpoint endpoint = endpoints_[next_++];
  attempt_timed_out_ = false;
  socket_.async_connect(endpoint, [self = shared_from_this(), endpoint](const SystemError& error) {
    if (!self->done_) return;
    if (!error && self->socket_.is_open()) {
      self->finish(std::move(self->socket_));
      return;
    }
    if (!self->attempt_timed_out_) {
      self->last_error_ = fmt::format("{}: {}", to_host_port(endpoint).text(), error.message());
    }
    SystemError ignored;
    self->socket_.close(ignored);
    self->connect_next();
  });
}

void Dialer::on_attempt_timeout() {
  last_error_ = fmt::format("{}: no answer", to_host_port(endpoints_[next_ - 1]).text());
  attempt_timed_out_ = true;
  SystemError ignored;
  socket_.close(ignored);  // the pending connect goes on with the next address
}

void Dialer::fail(ErrorCode code, const std::string& what) {
  finish(make_error(code, fmt::format("cannot connect to {}: {}", target_.text(), what)));
}

void Dialer::finish(Result<TcpSocket> result) {
  const auto keep = shared_from_this();
  Done done = std::exchange(done_, nullptr);
  cancel();
  done(std::move(result));
}

void Dialer::cancel() {
  done_ = nullptr;
  timer_.reset();
  SystemError ignored;
  socket_.close(ignored);
}

}  // namespace gantry::net
