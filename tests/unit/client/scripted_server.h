// SPDX-License-Identifier: Apache-2.0
// A remoting server in the test's process that answers as the test says, and remembers what it was
// asked. Usable from the test's thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "net/connection.h"
#include "net/remoting_server.h"
#include "protocol/codes.h"
#include "protocol/command.h"
#include "runtime/shard.h"

namespace gantry::test {

class ScriptedServer final : public net::ConnectionHandler {
 public:
  // nullopt: silence. Runs on the server's thread.
  using Answer = std::function<std::optional<protocol::Command>(const protocol::Command& request)>;

  ScriptedServer() {
    shard_.start();
    shard_.call([this] {
      server_ = std::make_unique<net::RemotingServer>(shard_, *this, net::RemotingServerOptions{});
      port_ = server_->listen("127.0.0.1", 0).value();
    });
  }
  ~ScriptedServer() override {
    shard_.call([this] { server_.reset(); });
    shard_.stop();
    shard_.join();
  }

  void on(protocol::RequestCode code, Answer answer) {
    const std::lock_guard lock(mutex_);
    answers_[protocol::to_int(code)] = std::move(answer);
  }
  void on(protocol::RequestCode code, protocol::Command answer) {
    on(code, [answer](const protocol::Command&) { return answer; });
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  std::uint16_t port() const { return port_; }

  std::vector<protocol::Command> requests(protocol::RequestCode code) const {
    const std::lock_guard lock(mutex_);
    const auto found = requests_.find(protocol::to_int(code));
    return found == requests_.end() ? std::vector<protocol::Command>{} : found->second;
  }

  // As if the process had died: nobody listens any more.
  void go_away() {
    shard_.call([this] { server_.reset(); });
  }

  void on_request(net::Connection& connection, protocol::CommandView& view) override {
    const protocol::Command request = protocol::to_command(view);
    Answer answer;
    {
      const std::lock_guard lock(mutex_);
      requests_[request.code].push_back(request);
      const auto found = answers_.find(request.code);
      if (found != answers_.end()) answer = found->second;
    }
    if (view.is_oneway()) return;
    auto response = answer ? answer(request)
                           : protocol::Command::response(protocol::to_int(
                                 protocol::ResponseCode::kRequestCodeNotSupported));
    if (!response) return;
    response->opaque = request.opaque;
    response->flag |= protocol::kFlagResponse;
    connection.send(*response);
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::int32_t, Answer> answers_;
  std::map<std::int32_t, std::vector<protocol::Command>> requests_;
  runtime::Shard shard_{"scripted"};
  std::unique_ptr<net::RemotingServer> server_;
  std::uint16_t port_ = 0;
};

inline protocol::Command success() { return protocol::Command::response(0); }
inline protocol::Command refuse(protocol::ResponseCode code, std::string remark = {}) {
  return protocol::Command::response(protocol::to_int(code), std::move(remark));
}
inline protocol::Command with_body(std::string body) {
  auto answer = success();
  answer.body = std::move(body);
  return answer;
}

// An address at which nobody listens.
inline std::string dead_address() {
  ScriptedServer server;
  const std::string address = server.address();
  server.go_away();
  return address;
}

}  // namespace gantry::test
