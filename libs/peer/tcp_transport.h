// SPDX-License-Identifier: Apache-2.0
// The messages of one member to the others over TCP. Every member listens and dials the others, so
// between two of them there are usually two connections; the newest one whose hello named the
// receiver carries what is sent. What cannot be sent at once is dropped and counted: Raft repeats
// itself.
//
// Owned by whoever owns the replica; everything runs on the log shard. Must not be destroyed from
// inside a callback.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "log/news.h"
#include "net/frame_endpoint.h"
#include "peer/codec.h"
#include "peer/hello.h"
#include "raft/message.h"
#include "replog/peer_transport.h"

namespace gantry::runtime {
class Shard;
}

namespace gantry::peer {

// A connection whose hello was accepted.
struct Peer {
  Hello hello;
  std::string dialled;  // the address that was dialled for it; empty: it dialled us
  // How far its clock was ahead of ours when its hello came; the way here is part of it.
  std::int64_t clock_ahead_ms = 0;
};

struct TransportStats {
  std::size_t connected_peers = 0;  // members, not connections
  std::uint64_t bytes_in = 0, bytes_out = 0;
  std::uint64_t dropped_messages = 0;  // no connection to the member, or its queue was full
  std::uint64_t reconnects = 0;        // dialled connections that replaced an earlier one
  std::uint64_t refused = 0;           // hellos that did not fit
  std::uint64_t protocol_errors = 0;
};

class TcpTransport final : public replog::PeerTransport, private net::FrameHandler {
 public:
  struct Callbacks {
    // A message of a member to this one with the bytes beside it, valid during the call.
    std::function<void(raft::Message message, std::string_view body)> receive;
    // peers(), own_addresses() or problems() are not what they were.
    std::function<void()> peers_changed;
    // `newer` is the membership of a group that has recovered without this member.
    std::function<void(const raft::Membership& newer)> given_up{};
  };

  TcpTransport(runtime::Shard& shard, Callbacks callbacks, net::FrameOptions options = {},
               Clock& clock = system_clock());
  ~TcpTransport() override;

  // First: the listener. `address` is an IP address; port 0 picks a free one. Returns the bound
  // port.
  Result<std::uint16_t> listen(const std::string& address, std::uint16_t port);
  // Then: what this member says of itself. Connections before it are closed.
  void start(Hello self);

  // The group this member belongs to, empty: none yet. Its addresses are dialled, and the others
  // hear of it; who must not be talked to any more is refused. `given_up`: it has recovered without
  // this member.
  void set_members(const raft::Membership& membership, bool given_up = false);
  // Addresses to dial besides (raftInitialMembers while the group is not formed).
  void set_seeds(std::vector<std::string> seeds);

  void send(const raft::Member& to, const raft::Message& message,
            std::span<const io::Slice> bytes) override;
  std::optional<bool> takes_pieces(const raft::MemberId& to) const override;

  const Hello& self() const { return self_; }
  std::vector<Peer> peers() const;  // newest first
  // Addresses that are this member itself: its own, and those that answered with its uuid.
  const std::set<std::string>& own_addresses() const { return own_addresses_; }
  // Why a dialled address is not a peer, as far as the two have said.
  const std::map<std::string, std::string>& problems() const { return problems_; }
  TransportStats stats() const;

 private:
  struct Link {
    net::FrameChannel* channel = nullptr;
    std::optional<Hello> hello;
    std::int64_t clock_ahead_ms = 0;
    bool refused = false;  // by either side
  };

  void on_open(net::FrameChannel& channel) override;
  void on_frame(net::FrameChannel& channel, std::string_view header,
                std::string_view body) override;
  void on_close(net::FrameChannel& channel) override;

  // The one that carries what is sent; null: none.
  const Link* link_to(const raft::MemberId& to) const;
  std::string own_hello() const;
  // Two processes with one uuid: one store is a copy of the other's. The one at the member's
  // address stays, else the one that was first. False: the newcomer on `channel` was refused.
  bool settle_copies(net::FrameChannel& channel, const Hello& hello);
  bool at_member_address(const net::FrameChannel& channel, const Hello& hello) const;
  void note_clock(Link& link, const Hello& hello) const;
  void on_hello(net::FrameChannel& channel, Hello hello);
  void on_own_uuid(net::FrameChannel& channel, const Hello& hello);
  void on_refusal(net::FrameChannel& channel, const Refusal& refusal);
  void on_message(net::FrameChannel& channel, raft::Message message, std::string_view body);
  void refuse(net::FrameChannel& channel, const Hello& hello, const std::string& reason);
  void refuse_strangers();
  // `hello`: the peer's, null if it has not come.
  static std::string subject_of(const net::FrameChannel& channel, const Hello* hello);
  void note_problem(const net::FrameChannel& channel, const Hello* hello,
                    const std::string& reason);
  void update_dials();
  void changed();

  Callbacks callbacks_;
  Clock& clock_;
  Hello self_;
  bool started_ = false, closing_ = false;
  std::vector<std::string> seeds_;
  std::set<std::string> dialled_;         // addresses that are being kept connected
  std::set<std::string> dialled_before_;  // ... and have been at least once
  std::set<std::string> own_addresses_;
  std::map<std::string, std::string> problems_;
  log::News news_;                       // of what is wrong with peers
  std::map<std::uint64_t, Link> links_;  // by channel id
  std::vector<std::string_view> pieces_;
  std::uint64_t dropped_ = 0, reconnects_ = 0, refused_ = 0;
  std::unique_ptr<net::FrameEndpoint> endpoint_;
};

}  // namespace gantry::peer
