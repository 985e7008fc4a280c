// SPDX-License-Identifier: Apache-2.0
// Private to libs/net: keeps one dialled channel to an address open. Every attempt resolves the
// name anew: the address of a restarted peer is not the one it had. Lives on one shard.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "net/connection.h"
#include "net/dialer.h"
#include "net/frame_set.h"

namespace gantry::net {

class FrameLink : public std::enable_shared_from_this<FrameLink> {
 public:
  FrameLink(FrameSet& set, std::string address, HostPort target);

  void dial();
  // No attempts any more; an open channel is closed.
  void close(std::string_view reason);

 private:
  void on_dialled(Result<TcpSocket> socket);
  void retry_later();

  FrameSet& set_;
  const std::string address_;
  const HostPort target_;
  std::chrono::milliseconds pause_;
  bool closed_ = false;
  bool told_ = false;  // the log knows that the peer cannot be reached
  std::shared_ptr<Dialer> dialer_;
  std::weak_ptr<TcpFrameChannel> channel_;
  std::unique_ptr<runtime::Timer> timer_;
};

}  // namespace gantry::net
