// SPDX-License-Identifier: Apache-2.0
#include "net/frame_endpoint.h"

#include <map>
#include <utility>
#include <vector>

#include "net/frame_link.h"
#include "net/frame_set.h"
#include "net/listener.h"
#include "net/tcp_frame_channel.h"

namespace gantry::net {

struct FrameEndpoint::Impl {
  Impl(runtime::Shard& s, FrameHandler& handler, const FrameOptions& options)
      : shard(s), set(std::make_shared<FrameSet>(s, handler, options)) {}

  runtime::Shard& shard;
  std::shared_ptr<FrameSet> set;
  std::vector<std::shared_ptr<Listener>> listeners;
  std::map<std::string, std::shared_ptr<FrameLink>> links;
};

FrameEndpoint::FrameEndpoint(runtime::Shard& shard, FrameHandler& handler, FrameOptions options)
    : impl_(std::make_unique<Impl>(shard, handler, options)) {}

FrameEndpoint::~FrameEndpoint() {
  for (const auto& listener : impl_->listeners) listener->close();
  for (const auto& [address, link] : impl_->links) link->close("the endpoint closes");
  impl_->set->shut_down("the endpoint closes");
}

Result<std::uint16_t> FrameEndpoint::listen(const std::string& address, std::uint16_t port) {
  const std::weak_ptr<FrameSet> weak = impl_->set;
  auto listener = std::make_shared<Listener>(impl_->shard, [weak](TcpSocket socket) {
    if (const auto set = weak.lock()) set->adopt(std::move(socket), {}, nullptr);
  });
  auto bound = listener->open(address, port);
  if (!bound) return bound;
  listener->accept();
  impl_->listeners.push_back(std::move(listener));
  return bound;
}

Result<void> FrameEndpoint::connect(const std::string& address) {
  if (impl_->links.contains(address)) return {};
  auto target = parse_host_port(address);
  if (!target) return std::unexpected(target.error());
  auto link = std::make_shared<FrameLink>(*impl_->set, address, std::move(*target));
  impl_->links[address] = link;
  link->dial();
  return {};
}

void FrameEndpoint::disconnect(const std::string& address, std::string_view reason) {
  const auto it = impl_->links.find(address);
  if (it == impl_->links.end()) return;
  const auto link = std::move(it->second);
  impl_->links.erase(it);
  link->close(reason);
}

FrameStats FrameEndpoint::stats() const { return impl_->set->stats(); }

}  // namespace gantry::net
