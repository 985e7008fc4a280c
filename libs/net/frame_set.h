// SPDX-License-Identifier: Apache-2.0
// Private to libs/net: the channels of one endpoint and what they share: the read buffer, the
// counters and the hook that writes at the end of a turn. Lives on one shard.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "log/log.h"
#include "net/frame_channel.h"
#include "net/socket.h"
#include "runtime/shard.h"

namespace gantry::net {

class TcpFrameChannel;

class FrameSet final : public runtime::TurnHook, public std::enable_shared_from_this<FrameSet> {
 public:
  // Told when the channel has gone; whether the handler had accepted its peer.
  using Gone = std::function<void(bool peer_accepted)>;

  FrameSet(runtime::Shard& shard, FrameHandler& handler, FrameOptions options);
  ~FrameSet() override;

  // Takes over a connected socket. Null (and the socket closed) when the set is full or shut down
  // or the peer has gone already.
  std::shared_ptr<TcpFrameChannel> adopt(TcpSocket socket, std::string dialled, Gone gone);
  // Closes all at once, within this call, and makes the set inert. The owner's last call.
  void shut_down(std::string_view reason);

  // For its channels and links.
  runtime::Shard& shard() const { return shard_; }
  FrameHandler& handler() const { return handler_; }
  const FrameOptions& options() const { return options_; }
  FrameStats& stats() { return stats_; }
  RateLimit& warn_rate() { return warn_rate_; }  // for lines that a peer can cause at will
  std::span<char> read_buffer();
  void mark_dirty(std::shared_ptr<TcpFrameChannel> channel);
  void remove(std::uint64_t id);

  void on_turn_end() override;

 private:
  runtime::Shard& shard_;
  FrameHandler& handler_;
  const FrameOptions options_;
  FrameStats stats_;
  RateLimit warn_rate_{1000};
  bool shut_ = false;
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, std::shared_ptr<TcpFrameChannel>> channels_;
  std::vector<std::shared_ptr<TcpFrameChannel>> dirty_, flushing_;
  std::unique_ptr<char[]> read_buffer_;
};

}  // namespace gantry::net
