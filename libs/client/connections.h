// SPDX-License-Identifier: Apache-2.0
// Blocking connections by address, for tools and tests: dialled on first use and again after a
// failure. Owned by one thread.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "protocol/command.h"

namespace gantry::net {
class BlockingClient;
}

namespace gantry::client {

class Connections {
 public:
  struct Options {
    std::chrono::milliseconds connect_timeout{3000};
    std::chrono::milliseconds call_timeout{5000};
  };

  explicit Connections(Options options);
  ~Connections();
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  // kUnavailable or kTimeout when the peer cannot be reached or stays silent; the message names the
  // address. A request is sent at most once: whoever knows that it may be repeated repeats it.
  Result<protocol::Command> call(const std::string& address, protocol::Command request,
                                 std::optional<std::chrono::milliseconds> timeout = {});

  const Options& options() const { return options_; }

 private:
  const Options options_;
  std::map<std::string, std::unique_ptr<net::BlockingClient>, std::less<>> clients_;
};

}  // namespace gantry::client
