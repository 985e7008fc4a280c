// SPDX-License-Identifier: Apache-2.0
// Forms a group out of empty stores, from a list of addresses that is the same everywhere
// (raftInitialMembers). Pure: looks at what the transport knows, says once what the group is.
// Log shard only.
//
// Why this is safe. A member forms only
//  - when every address of the list answers at the same moment, so it has seen every uuid that it
//    counts as a voter, and
//  - when each of them belongs to no group and has an empty store, or belongs to a group of exactly
//    these uuids and addresses.
// All lists being equal, two members that form both name the uuids that they saw at the same
// addresses. A uuid changes only with a wiped store, which has voted for nobody and holds nothing.
// A member wiped after the others formed sees them formed without its uuid and never forms: a group
// that may hold data is joined by a change of membership, never formed again.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "peer/tcp_transport.h"
#include "raft/membership.h"

namespace gantry::peer {

// At least one address, an odd number of them, each host:port, none twice.
Result<void> check_initial_members(const std::vector<std::string>& addresses);

class Formation {
 public:
  using Formed = std::function<void(const raft::Membership& membership)>;

  // `initial_members` has passed check_initial_members(). `formed` is called once, inside update().
  Formation(std::vector<std::string> initial_members, raft::MemberId own_uuid, Formed formed);

  // Looks again; call it when the transport's peers have changed, and once in the beginning.
  void update(const TcpTransport& transport);
  void update(std::span<const Peer> peers, const std::set<std::string>& own_addresses,
              const std::map<std::string, std::string>& problems);

  bool done() const { return done_; }
  // What is missing, for a readiness message; empty when done.
  const std::string& waiting_for() const { return waiting_for_; }

 private:
  struct Entry {
    std::string address;
    raft::MemberId uuid;           // empty: has not answered
    const Hello* hello = nullptr;  // null: this member itself
  };

  std::vector<Entry> look(std::span<const Peer> peers,
                          const std::set<std::string>& own_addresses) const;
  std::string obstacle(const std::vector<Entry>& entries,
                       const std::map<std::string, std::string>& problems) const;
  std::string wrong_list(const std::vector<Entry>& entries) const;
  std::string other_group(const Entry& entry, const raft::Membership& wanted) const;

  const std::vector<std::string> list_;
  const raft::MemberId own_uuid_;
  const Formed formed_;
  bool done_ = false;
  std::string waiting_for_;
};

}  // namespace gantry::peer
