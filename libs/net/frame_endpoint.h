// SPDX-License-Identifier: Apache-2.0
// The channels of one server: those it accepts and those it dials and keeps alive. Lives on one
// shard.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "net/frame_channel.h"

namespace gantry::runtime {
class Shard;
}

namespace gantry::net {

class FrameEndpoint {
 public:
  // Destroy it on the shard, or after the shard's loop has ended; it closes its channels (on_close
  // runs).
  FrameEndpoint(runtime::Shard& shard, FrameHandler& handler, FrameOptions options);
  ~FrameEndpoint();
  FrameEndpoint(const FrameEndpoint&) = delete;
  FrameEndpoint& operator=(const FrameEndpoint&) = delete;

  // Before the shard runs, or on it. `address` is an IP address, port 0 picks a free one; returns
  // the bound port. kConflict names the port when it is in use.
  Result<std::uint16_t> listen(const std::string& address, std::uint16_t port);

  // Shard only. Keeps one channel to `address` ("host:port") open until disconnect(): the name is
  // resolved again for every attempt, the pause between attempts grows from redial_min to
  // redial_max. No effect when it is being kept already. kInvalidArgument: no host:port.
  Result<void> connect(const std::string& address);
  void disconnect(const std::string& address, std::string_view reason);
  FrameStats stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gantry::net
