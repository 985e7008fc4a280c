// SPDX-License-Identifier: Apache-2.0
#include "peer/tcp_transport.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "log/log.h"

namespace gantry::peer {
namespace {
constexpr Logger kLog("peer");
// More than connecting takes; store times and the expiry of queue locks suffer from it.
constexpr std::int64_t kClocksApartMs = 5000;
}  // namespace

TcpTransport::TcpTransport(runtime::Shard& shard, Callbacks callbacks, net::FrameOptions options,
                           Clock& clock)
    : callbacks_(std::move(callbacks)),
      clock_(clock),
      news_(clock),
      endpoint_(std::make_unique<net::FrameEndpoint>(shard, static_cast<net::FrameHandler&>(*this),
                                                     options)) {}

TcpTransport::~TcpTransport() {
  closing_ = true;
  endpoint_.reset();
}

Result<std::uint16_t> TcpTransport::listen(const std::string& address, std::uint16_t port) {
  return endpoint_->listen(address, port);
}

void TcpTransport::start(Hello self) {
  self_ = std::move(self);
  started_ = true;
  own_addresses_.insert(self_.address);
  update_dials();
}

void TcpTransport::set_members(const raft::Membership& membership, bool given_up) {
  const bool formed = !membership.members.empty();
  if (self_.formed == formed && self_.membership == membership && self_.given_up == given_up) {
    return;
  }
  self_.formed = formed;
  self_.given_up = given_up;
  self_.membership = membership;
  if (!started_) return;
  const std::string hello = own_hello();
  // Also where the other's hello has not come yet: ours has left with what was true before.
  for (const auto& [id, link] : links_) link.channel->send(hello, {});
  refuse_strangers();
  update_dials();
}

// Who spoke to the group of before.
void TcpTransport::refuse_strangers() {
  std::vector<std::pair<net::FrameChannel*, std::string>> refused;
  for (const auto& [id, link] : links_) {
    if (!link.hello || link.refused) continue;
    if (const auto fits = check_hello(self_, *link.hello); !fits) {
      refused.emplace_back(link.channel, fits.error().message);
    }
  }
  for (const auto& [channel, reason] : refused) {
    refuse(*channel, Hello(*links_[channel->id()].hello), reason);
  }
}

void TcpTransport::set_seeds(std::vector<std::string> seeds) {
  seeds_ = std::move(seeds);
  if (started_) update_dials();
}

void TcpTransport::update_dials() {
  std::set<std::string> wanted(seeds_.begin(), seeds_.end());
  for (const raft::Member& member : self_.membership.members) {
    if (member.id != self_.member_uuid) wanted.insert(member.address);
  }
  for (const std::string& own : own_addresses_) wanted.erase(own);
  for (const std::string& address : dialled_) {
    if (wanted.contains(address)) continue;
    problems_.erase(address);
    endpoint_->disconnect(address, "the address is not dialled any more");
  }
  std::erase_if(dialled_, [&](const std::string& address) { return !wanted.contains(address); });
  for (const std::string& address : wanted) {
    if (!dialled_.insert(address).second) continue;
    if (const auto done = endpoint_->connect(address); !done) {
      kLog.error("a member cannot be dialled: {}", done.error().message);
      problems_[address] = done.error().message;
    }
  }
}

void TcpTransport::changed() {
  if (!closing_ && callbacks_.peers_changed) callbacks_.peers_changed();
}

// --- sending ----------------------------------------------------------------------------------

const TcpTransport::Link* TcpTransport::link_to(const raft::MemberId& to) const {
  const auto link = std::ranges::find_if(links_.rbegin(), links_.rend(), [&](const auto& entry) {
    const Link& candidate = entry.second;
    return candidate.hello && candidate.hello->member_uuid == to && candidate.channel->open();
  });
  return link == links_.rend() ? nullptr : &link->second;
}

std::optional<bool> TcpTransport::takes_pieces(const raft::MemberId& to) const {
  const Link* link = link_to(to);
  return link == nullptr ? std::nullopt : std::optional(link->hello->snapshot_pieces);
}

void TcpTransport::send(const raft::Member& to, const raft::Message& message,
                        std::span<const io::Slice> bytes) {
  const Link* link = link_to(to.id);
  if (link == nullptr) {
    ++dropped_;
    return;
  }
  pieces_.clear();
  for (const io::Slice& slice : bytes)
    pieces_.emplace_back(static_cast<const char*>(slice.data), slice.size);
  if (!link->channel->send(encode(message), pieces_)) ++dropped_;
}

// --- receiving --------------------------------------------------------------------------------

void TcpTransport::on_open(net::FrameChannel& channel) {
  if (!started_) return channel.close("this member has not started yet");
  links_[channel.id()] = {&channel, std::nullopt};
  if (!channel.dialled().empty() && !dialled_before_.insert(channel.dialled()).second) {
    ++reconnects_;
  }
  channel.send(own_hello(), {});
}

std::string TcpTransport::own_hello() const {
  Hello hello = self_;
  hello.clock_ms = clock_.wall_ms();
  return encode(hello);
}

void TcpTransport::on_close(net::FrameChannel& channel) {
  const auto it = links_.find(channel.id());
  if (it == links_.end()) return;
  const std::optional<Hello> hello = std::move(it->second.hello);
  const bool refused = it->second.refused;
  links_.erase(it);
  if (!hello) return;
  // A refusal may follow a hello that was accepted here; without one, all was well.
  if (!refused) news_.settled(subject_of(channel, &*hello));
  kLog.info("a connection to member {} is gone address={} dialled=\"{}\"", hello->member_uuid,
            hello->address, channel.dialled());
  changed();
}

void TcpTransport::on_frame(net::FrameChannel& channel, std::string_view header,
                            std::string_view body) {
  auto decoded = decode(header, body.size());
  if (!decoded) return channel.reject(decoded.error().message);
  if (auto* hello = std::get_if<Hello>(&*decoded)) return on_hello(channel, std::move(*hello));
  if (const auto* refusal = std::get_if<Refusal>(&*decoded)) return on_refusal(channel, *refusal);
  on_message(channel, std::get<raft::Message>(std::move(*decoded)), body);
}

void TcpTransport::on_hello(net::FrameChannel& channel, Hello hello) {
  if (const auto fits = check_hello(self_, hello); !fits) {
    if (gives_up(hello, self_) && callbacks_.given_up) callbacks_.given_up(hello.membership);
    return refuse(channel, hello, fits.error().message);
  }
  if (hello.member_uuid == self_.member_uuid) return on_own_uuid(channel, hello);
  Link& link = links_[channel.id()];
  if (link.hello && link.hello->member_uuid != hello.member_uuid) {
    return channel.reject(
        fmt::format("member {} calls itself {} now", link.hello->member_uuid, hello.member_uuid));
  }
  if (!settle_copies(channel, hello)) return;
  if (!link.hello) {
    kLog.info("connected to member {} address={} dialled=\"{}\" start={} formed={}",
              hello.member_uuid, hello.address, channel.dialled(), hello.start, hello.formed);
    note_clock(link, hello);
  }
  problems_.erase(channel.dialled());
  link.hello = std::move(hello);
  channel.accept_peer();
  changed();
}

bool TcpTransport::at_member_address(const net::FrameChannel& channel, const Hello& hello) const {
  if (channel.dialled().empty()) return false;
  const raft::Member* member = self_.membership.find(hello.member_uuid);
  return member == nullptr || member->address == channel.dialled();
}

bool TcpTransport::settle_copies(net::FrameChannel& channel, const Hello& hello) {
  std::vector<net::FrameChannel*> copies;
  for (const auto& [id, link] : links_) {
    if (link.channel == &channel || !link.hello || !link.channel->open()) continue;
    if (link.hello->member_uuid != hello.member_uuid || link.hello->process == hello.process)
      continue;
    if (!at_member_address(channel, hello) || at_member_address(*link.channel, *link.hello)) {
      refuse(channel, hello,
             fmt::format("{} has the uuid {} of the member that is connected from {}: one of the "
                         "two stores is a copy of the other",
                         hello.address, hello.member_uuid, link.hello->address));
      return false;
    }
    copies.push_back(link.channel);
  }
  for (net::FrameChannel* copy : copies) {
    refuse(*copy, *links_[copy->id()].hello,
           fmt::format("the member {} is at {}: the store here is a copy of it", hello.member_uuid,
                       channel.dialled()));
  }
  return true;
}

void TcpTransport::note_clock(Link& link, const Hello& hello) const {
  if (hello.clock_ms == 0) return;  // not said
  link.clock_ahead_ms = hello.clock_ms - clock_.wall_ms();
  if (std::abs(link.clock_ahead_ms) < kClocksApartMs) return;
  kLog.warn("the clock of member {} at {} is {} ms {} this one's: messages get the leader's time",
            hello.member_uuid, hello.address, std::abs(link.clock_ahead_ms),
            link.clock_ahead_ms > 0 ? "ahead of" : "behind");
}

// Either this member has dialled itself under another name, or somebody copied its store.
void TcpTransport::on_own_uuid(net::FrameChannel& channel, const Hello& hello) {
  if (hello.address != self_.address) {
    return refuse(channel, hello,
                  fmt::format("{} has the uuid {} of the member at {}: one of the two stores is a "
                              "copy of the other",
                              hello.address, hello.member_uuid, self_.address));
  }
  const std::string dialled = channel.dialled();
  channel.close("this member itself");
  if (dialled.empty() || !own_addresses_.insert(dialled).second) return;
  update_dials();
  changed();
}

void TcpTransport::on_refusal(net::FrameChannel& channel, const Refusal& refusal) {
  Link& link = links_[channel.id()];
  link.refused = true;
  note_problem(channel, link.hello ? &*link.hello : nullptr,
               "refused by the peer: " + refusal.reason);
  channel.close("refused by the peer");
}

void TcpTransport::on_message(net::FrameChannel& channel, raft::Message message,
                              std::string_view body) {
  const Link& link = links_[channel.id()];
  if (link.refused) return;
  if (!link.hello) return channel.reject("a message before the hello");
  if (message.from != link.hello->member_uuid || message.to != self_.member_uuid) {
    return channel.reject(fmt::format("a message from {} to {} between {} and {}", message.from,
                                      message.to, link.hello->member_uuid, self_.member_uuid));
  }
  if (callbacks_.receive) callbacks_.receive(std::move(message), body);
}

void TcpTransport::refuse(net::FrameChannel& channel, const Hello& hello,
                          const std::string& reason) {
  ++refused_;
  links_[channel.id()].refused = true;
  channel.send(encode(Refusal{reason}), {});
  note_problem(channel, &hello, reason);
  channel.close("refused");
}

// Whom a line in the log is about. Who dials in has another port each time, and its host may be
// that of a gateway: what it says of itself is better.
std::string TcpTransport::subject_of(const net::FrameChannel& channel, const Hello* hello) {
  if (!channel.dialled().empty()) return "dialled " + channel.dialled();
  return hello != nullptr ? fmt::format("member {} {}", hello->member_uuid, hello->address)
                          : "host " + channel.peer().host;
}

// A refused peer comes back every few seconds: only what is new is said aloud.
void TcpTransport::note_problem(const net::FrameChannel& channel, const Hello* hello,
                                const std::string& reason) {
  const std::string& dialled = channel.dialled();
  const bool news = news_.is_new(subject_of(channel, hello), reason);
  if (dialled.empty()) {
    if (!news) return;
    kLog.warn(
        "a peer that dialled this member is no peer peer={} member={} address={} reason=\"{}\"",
        channel.peer().text(), hello != nullptr ? hello->member_uuid : "unknown",
        hello != nullptr ? hello->address : "unknown", reason);
    return;
  }
  if (news) {
    kLog.warn("an address is no peer of this member address={} peer={} reason=\"{}\"", dialled,
              channel.peer().text(), reason);
  }
  std::string& known = problems_[dialled];
  if (known == reason) return;
  known = reason;
  changed();
}

// --- asking -----------------------------------------------------------------------------------

std::vector<Peer> TcpTransport::peers() const {
  std::vector<Peer> result;
  for (auto it = links_.rbegin(); it != links_.rend(); ++it) {
    const Link& link = it->second;
    if (link.hello && link.channel->open())
      result.push_back({*link.hello, link.channel->dialled(), link.clock_ahead_ms});
  }
  return result;
}

TransportStats TcpTransport::stats() const {
  const net::FrameStats frames = endpoint_->stats();
  std::set<std::string_view> members;
  for (const auto& [id, link] : links_) {
    if (link.hello) members.insert(link.hello->member_uuid);
  }
  TransportStats stats;
  stats.connected_peers = members.size();
  stats.bytes_in = frames.bytes_in;
  stats.bytes_out = frames.bytes_out;
  stats.dropped_messages = dropped_;
  stats.reconnects = reconnects_;
  stats.refused = refused_;
  stats.protocol_errors = frames.protocol_errors;
  return stats;
}

}  // namespace gantry::peer
