// SPDX-License-Identifier: Apache-2.0
#include "net/frame_set.h"

#include <utility>

#include "net/tcp_frame_channel.h"

namespace gantry::net {
namespace {

constexpr Logger kLog("net");
constexpr std::size_t kReadBufferBytes = 512U << 10;

}  // namespace

FrameSet::FrameSet(runtime::Shard& shard, FrameHandler& handler, FrameOptions options)
    : TurnHook(Phase::kNet), shard_(shard), handler_(handler), options_(options) {}

FrameSet::~FrameSet() { shut_down("the endpoint closes"); }

std::shared_ptr<TcpFrameChannel> FrameSet::adopt(TcpSocket socket, std::string dialled, Gone gone) {
  if (shut_) return nullptr;
  if (channels_.size() >= options_.channels_max) {
    kLog.warn(warn_rate_, "connection refused, the limit is reached channels_max={}",
              options_.channels_max);
    return nullptr;
  }
  auto names = prepare_socket(socket);
  if (!names) {
    kLog.debug("new connection dropped: {}", names.error().message);
    return nullptr;
  }
  if (const auto kept = keep_alive(socket, options_.silence_max); !kept) {
    kLog.warn(warn_rate_, "keepalive cannot be set peer={} error=\"{}\"", names->peer.text(),
              kept.error().message);
  }
  ++(dialled.empty() ? stats_.accepted : stats_.dialled);
  auto channel = std::make_shared<TcpFrameChannel>(*this, ++last_id_, std::move(socket),
                                                   std::move(names->peer), std::move(dialled),
                                                   std::move(gone));
  channels_[channel->id()] = channel;
  stats_.channels = channels_.size();
  channel->start();
  return channel;
}

void FrameSet::shut_down(std::string_view reason) {
  if (std::exchange(shut_, true)) return;
  const auto channels = std::exchange(channels_, {});
  for (const auto& [id, channel] : channels) {
    channel->close(reason);
    channel->finish_close();
  }
  shard_.unschedule(*this);
  dirty_.clear();
}

std::span<char> FrameSet::read_buffer() {
  if (read_buffer_ == nullptr) {
    read_buffer_ = std::make_unique_for_overwrite<char[]>(kReadBufferBytes);
  }
  return {read_buffer_.get(), kReadBufferBytes};
}

void FrameSet::mark_dirty(std::shared_ptr<TcpFrameChannel> channel) {
  if (shut_) return;
  dirty_.push_back(std::move(channel));
  shard_.schedule(*this);
}

void FrameSet::remove(std::uint64_t id) {
  channels_.erase(id);
  stats_.channels = channels_.size();
}

void FrameSet::on_turn_end() {
  flushing_.swap(dirty_);
  for (const auto& channel : flushing_) channel->end_turn();
  flushing_.clear();
}

}  // namespace gantry::net
