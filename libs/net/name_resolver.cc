// SPDX-License-Identifier: Apache-2.0
#include "net/name_resolver.h"

#include <fmt/core.h>
#include <netdb.h>
#include <pthread.h>
#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <cstring>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace gantry::net {
namespace {

Result<Addresses> ask_system(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* first = nullptr;
  const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &first);
  if (error != 0) return make_error(ErrorCode::kUnavailable, ::gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(first, &::freeaddrinfo);
  Addresses found;
  for (const addrinfo* each = first; each != nullptr; each = each->ai_next) {
    boost::asio::ip::tcp::endpoint endpoint;
    if (each->ai_addrlen > endpoint.capacity()) continue;
    std::memcpy(endpoint.data(), each->ai_addr, each->ai_addrlen);
    endpoint.resize(each->ai_addrlen);
    found.push_back(endpoint.address());
  }
  if (found.empty()) return make_error(ErrorCode::kUnavailable, "it has no address");
  return found;
}

}  // namespace

// Shared with the threads that ask, which may outlive the loop.
struct NameResolver::State {
  std::mutex mutex;
  boost::asio::io_context* io = nullptr;  // guarded by mutex; null: the loop has ended
  // Shard only.
  std::map<std::string, std::vector<Done>> waiting;  // by name
  Ask ask = ask_system;

  void answer(const std::string& host, const Result<Addresses>& result) {
    auto node = waiting.extract(host);
    if (node.empty()) return;
    for (Done& done : node.mapped()) done(result);
  }
};

boost::asio::io_context::id NameResolver::id;

NameResolver& NameResolver::of(runtime::Shard& shard) {
  return boost::asio::use_service<NameResolver>(shard.io());
}

NameResolver::NameResolver(boost::asio::io_context& io)
    : boost::asio::io_context::service(io), state_(std::make_shared<State>()) {
  state_->io = &io;
}

NameResolver::~NameResolver() = default;

void NameResolver::shutdown() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->io = nullptr;
  }
  state_->waiting.clear();
}

void NameResolver::ask_with(Ask ask) { state_->ask = std::move(ask); }

void NameResolver::find(const std::string& host, Done done) {
  const auto deliver = [](const std::shared_ptr<State>& state, const std::string& name,
                          Result<Addresses> result) {
    const std::lock_guard lock(state->mutex);
    if (state->io == nullptr) return;
    boost::asio::post(*state->io,
                      [state, name, result = std::move(result)] { state->answer(name, result); });
  };
  auto& waiting = state_->waiting[host];
  waiting.push_back(std::move(done));
  if (waiting.size() > 1) return;
  if (state_->waiting.size() > kNamesMax) {
    return deliver(
        state_, host,
        make_error(ErrorCode::kUnavailable,
                   fmt::format("{} names are being asked for, none has an answer yet", kNamesMax)));
  }
  try {
    std::thread([state = state_, host, ask = state_->ask, deliver] {
      pthread_setname_np(pthread_self(), "resolve");
      deliver(state, host, ask(host));
    }).detach();
  } catch (const std::system_error& error) {
    deliver(state_, host,
            make_error(ErrorCode::kUnavailable,
                       fmt::format("no thread to ask for the name with: {}", error.what())));
  }
}

}  // namespace gantry::net
