// SPDX-License-Identifier: Apache-2.0
#include "peer/formation.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "log/log.h"
#include "net/connection.h"

namespace gantry::peer {
namespace {

constexpr Logger kLog("peer");

std::set<std::pair<std::string, std::string>> pairs_of(const raft::Membership& membership) {
  std::set<std::pair<std::string, std::string>> pairs;
  for (const raft::Member& member : membership.members) pairs.emplace(member.id, member.address);
  return pairs;
}

}  // namespace

Result<void> check_initial_members(const std::vector<std::string>& addresses) {
  const auto bad = [](std::string what) {
    return make_error(ErrorCode::kInvalidArgument, "raftInitialMembers: " + std::move(what));
  };
  if (addresses.empty()) return bad("no address");
  std::set<std::string> seen;
  for (const std::string& address : addresses) {
    if (const auto parsed = net::parse_host_port(address); !parsed) {
      return bad(parsed.error().message);
    }
    if (address.find_first_of(" \t\r\n;") != std::string::npos) {
      return bad(fmt::format("address '{}' holds a space or a semicolon", address));
    }
    if (!seen.insert(address).second) return bad(fmt::format("{} stands there twice", address));
  }
  if (addresses.size() % 2 == 0) {
    return bad(
        fmt::format("{} addresses; an even number bears no more failures than one less, "
                    "give {} or {}",
                    addresses.size(), addresses.size() - 1, addresses.size() + 1));
  }
  return {};
}

Formation::Formation(std::vector<std::string> initial_members, raft::MemberId own_uuid,
                     Formed formed)
    : list_(std::move(initial_members)),
      own_uuid_(std::move(own_uuid)),
      formed_(std::move(formed)),
      waiting_for_(fmt::format("waiting for {}", fmt::join(list_, ", "))) {}

void Formation::update(const TcpTransport& transport) {
  const std::vector<Peer> peers = transport.peers();
  update(peers, transport.own_addresses(), transport.problems());
}

void Formation::update(std::span<const Peer> peers, const std::set<std::string>& own_addresses,
                       const std::map<std::string, std::string>& problems) {
  if (done_) return;
  const std::vector<Entry> entries = look(peers, own_addresses);
  std::string obstacle_now = obstacle(entries, problems);
  if (!obstacle_now.empty()) {
    if (obstacle_now != waiting_for_) kLog.info("the group is not formed yet: {}", obstacle_now);
    waiting_for_ = std::move(obstacle_now);
    return;
  }
  raft::Membership membership;
  for (const Entry& entry : entries) {
    membership.put({entry.uuid, entry.address, membership.free_number(), true});
  }
  done_ = true;
  waiting_for_.clear();
  formed_(membership);
}

// Who answers at each address: best known from having dialled it, else from what the peer says.
std::vector<Formation::Entry> Formation::look(std::span<const Peer> peers,
                                              const std::set<std::string>& own_addresses) const {
  std::vector<Entry> entries;
  for (const std::string& address : list_) {
    Entry entry{address, {}, nullptr};
    if (own_addresses.contains(address)) {
      entry.uuid = own_uuid_;
    } else {
      auto peer = std::ranges::find(peers, address, &Peer::dialled);
      if (peer == peers.end()) {
        peer = std::ranges::find(peers, address, [](const Peer& p) { return p.hello.address; });
      }
      if (peer != peers.end()) {
        entry.uuid = peer->hello.member_uuid;
        entry.hello = &peer->hello;
      }
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

// What stands in the way; empty: nothing.
std::string Formation::obstacle(const std::vector<Entry>& entries,
                                const std::map<std::string, std::string>& problems) const {
  for (const Entry& entry : entries) {
    if (entry.hello == nullptr || !entry.hello->formed) continue;
    if (entry.hello->membership.find(own_uuid_) != nullptr) continue;
    return fmt::format(
        "{} belongs to a group without this member: join it with a change of its membership that "
        "adds member {}",
        entry.address, own_uuid_);
  }
  for (const Entry& entry : entries) {
    if (entry.hello == nullptr || entry.hello->formed || entry.hello->log_end == 0) continue;
    return fmt::format(
        "the store at {} is not empty and waits for the leader of its group: only empty stores "
        "form one",
        entry.address);
  }
  std::vector<std::string> missing;
  for (const Entry& entry : entries) {
    if (!entry.uuid.empty()) continue;
    const auto problem = problems.find(entry.address);
    missing.push_back(problem == problems.end()
                          ? entry.address
                          : fmt::format("{} ({})", entry.address, problem->second));
  }
  if (!missing.empty()) return fmt::format("waiting for {}", fmt::join(missing, ", "));
  if (std::string wrong = wrong_list(entries); !wrong.empty()) return wrong;
  raft::Membership wanted;
  for (const Entry& entry : entries) {
    wanted.put({entry.uuid, entry.address, wanted.free_number(), true});
  }
  for (const Entry& entry : entries) {
    if (std::string other = other_group(entry, wanted); !other.empty()) return other;
  }
  return {};
}

// Everybody has answered: the list must name this member once and no other twice.
std::string Formation::wrong_list(const std::vector<Entry>& entries) const {
  std::map<raft::MemberId, std::string> seen;
  for (const Entry& entry : entries) {
    const auto [other, fresh] = seen.emplace(entry.uuid, entry.address);
    if (fresh) continue;
    return fmt::format("raftInitialMembers: {} and {} are the same member", other->second,
                       entry.address);
  }
  if (seen.contains(own_uuid_)) return {};
  return fmt::format("raftInitialMembers: none of {} is this member", fmt::join(list_, ", "));
}

std::string Formation::other_group(const Entry& entry, const raft::Membership& wanted) const {
  if (entry.hello == nullptr || !entry.hello->formed) return {};
  const raft::Membership& theirs = entry.hello->membership;
  if (theirs == wanted) return {};
  if (pairs_of(theirs) == pairs_of(wanted)) {
    return fmt::format(
        "{} formed the group with the same members in another order or role: raftInitialMembers "
        "must be equal everywhere",
        entry.address);
  }
  return fmt::format("{} belongs to a group of other members or addresses than raftInitialMembers",
                     entry.address);
}

}  // namespace gantry::peer
