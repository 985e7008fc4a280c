// SPDX-License-Identifier: Apache-2.0
#include "net/frame_link.h"

#include <algorithm>
#include <utility>

#include "log/log.h"
#include "net/tcp_frame_channel.h"

namespace gantry::net {
namespace {
constexpr Logger kLog("net");
}

FrameLink::FrameLink(FrameSet& set, std::string address, HostPort target)
    : set_(set),
      address_(std::move(address)),
      target_(std::move(target)),
      pause_(set.options().redial_min) {}

void FrameLink::dial() {
  timer_.reset();
  dialer_ = Dialer::dial(set_.shard(), target_, set_.options().connect_timeout,
                         [this](Result<TcpSocket> socket) { on_dialled(std::move(socket)); });
}

void FrameLink::on_dialled(Result<TcpSocket> socket) {
  dialer_.reset();
  if (!socket) {
    ++set_.stats().dial_failures;
    if (!std::exchange(told_, true)) {
      kLog.info("a peer cannot be reached, trying on address={} reason=\"{}\"", address_,
                socket.error().message);
    }
    return retry_later();
  }
  told_ = false;
  const auto channel =
      set_.adopt(std::move(*socket), address_, [weak = weak_from_this()](bool peer_accepted) {
        const auto self = weak.lock();
        if (self == nullptr || self->closed_) return;
        if (peer_accepted) self->pause_ = self->set_.options().redial_min;
        self->retry_later();
      });
  if (channel == nullptr) return retry_later();
  channel_ = channel;
}

void FrameLink::retry_later() {
  if (closed_) return;
  const auto pause = pause_;
  pause_ = std::min(pause_ * 2, set_.options().redial_max);
  timer_ = set_.shard().after(pause, [this] { dial(); });
}

void FrameLink::close(std::string_view reason) {
  closed_ = true;
  timer_.reset();
  if (dialer_ != nullptr) dialer_->cancel();
  dialer_.reset();
  if (const auto channel = channel_.lock()) channel->close(reason);
}

}  // namespace gantry::net
