// SPDX-License-Identifier: Apache-2.0
// A broker set as its members describe it over HTTP, and requests to it that are repeated while the
// answer is "in a moment". Main thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/context.h"
#include "cli/failure.h"

namespace gantry::cli {

struct SetMember {
  std::string uuid;
  std::int64_t number = 0;
  bool voter = false, leader = false, connected = false;
  std::string address;  // of its Raft listener
  std::string http_address;
  std::optional<std::int64_t> lag_bytes;  // as the leader knows it
  std::string state;                      // probe, replicate, snapshot; empty: not known
  bool answers = false;
};

struct SetView {
  std::string broker_name;
  std::string leader;  // uuid; empty: none
  std::int64_t term = 0;
  std::vector<SetMember> members;
  struct Candidate {
    std::string uuid, address;
  };
  std::vector<Candidate> candidates;
};

class BrokerSet {
 public:
  // By a brokerName; empty: the only one there is. Asks the NameServer and a member for its HTTP
  // address.
  static std::expected<BrokerSet, Failure> find(Context& context, const std::string& name);
  // Through one member.
  static BrokerSet at(Context& context, std::string http_address) {
    return BrokerSet(context, std::move(http_address));
  }
  // Of every member that the NameServer knows and that answers; at least one.
  static std::expected<std::vector<std::string>, Failure> http_addresses(Context& context,
                                                                         const std::string& name);

  // As the leader sees it, or if there is none, as one member does.
  std::expected<SetView, Failure> view() const;
  // As the member that is asked sees it.
  Result<SetView> view_of_one() const;
  // A request to the leader; repeated until the timeout while it answers 503 or 504.
  std::expected<std::string, Failure> ask(const std::string& method, const std::string& path,
                                          const std::string& body = {}) const;
  // A request to one member.
  Result<std::string> ask_member(const std::string& http_address, const std::string& path) const;

 private:
  BrokerSet(Context& context, std::string http_address)
      : context_(&context), http_address_(std::move(http_address)) {}
  // At most `count` of them.
  static std::expected<std::vector<std::string>, Failure> look_up(Context& context,
                                                                  const std::string& name,
                                                                  std::size_t count);

  Context* context_;
  std::string http_address_;
};

// The member that `text` names: a uuid or its beginning (8 digits or more), a Raft address, or a
// number.
std::expected<SetMember, Failure> find_member(const SetView& set, const std::string& text);

}  // namespace gantry::cli
