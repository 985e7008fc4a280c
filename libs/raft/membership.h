// SPDX-License-Identifier: Apache-2.0
// Who belongs to the group. A membership is the body of a record in the log and counts from the
// moment that record is appended, committed or not (Ongaro's thesis, chapter 4: one member at a
// time). A member is its uuid, never an address or an ordinal; its number becomes the brokerId it
// has as a follower.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/types.h"

namespace gantry::raft {

// 32 hex digits, made when a store is created; a wiped disk is another member.
using MemberId = std::string;

struct Member {
  MemberId id;
  std::string address;      // host:port of the Raft listener; resolved again on every reconnect
  std::int32_t number = 0;  // >= 1, kept while it is a member
  bool voter = false;       // else a learner: gets the log, is not counted
  bool operator==(const Member&) const = default;
};

// The group has begun again without these, since a majority was lost for good (Core::recover()).
struct Recovery {
  std::string id;
  std::vector<MemberId> given_up;
  bool operator==(const Recovery&) const = default;
};

struct Membership {
  std::vector<Member> members{};  // by number
  // Which group of this name it is; the oldest first. Every later membership keeps them.
  std::vector<Recovery> recoveries{};

  const Member* find(std::string_view id) const;
  bool is_voter(std::string_view id) const;
  std::size_t voter_count() const;
  std::size_t quorum() const { return voter_count() / 2 + 1; }
  std::int32_t free_number() const;
  void put(Member member);
  void remove(std::string_view id);
  bool gave_up(std::string_view id) const;  // in one of its recoveries
  bool operator==(const Membership&) const = default;

  // Lines `member=<id> <number> voter|learner <address>`, then `recovery=<id> <id of a member that
  // was given up>…`.
  std::string encode() const;
  static Result<Membership> decode(std::string_view body);
};

// What a group with the membership `theirs` is to the one with `ours`.
enum class Kinship : std::uint8_t {
  kSame,
  kOlder,   // ours has begun again without it
  kNewer,   // theirs has begun again
  kParted,  // both have, each by itself
};
Kinship kinship(const Membership& ours, const Membership& theirs);
// Nobody of the older one of two groups may speak to the newer one, or it could lead it, vote in it
// or be counted: its log is another one. Except a newcomer that has not got as far in the log as to
// know which group it is in. Both sides come to the same answer.
bool may_talk(const Membership& ours, const MemberId& self, const Membership& theirs,
              const MemberId& other);

// Whether `next` may follow `current`: at least one voter stays, and the set of voters differs by
// at most one, so that any two majorities share a member.
Result<void> check_change(const Membership& current, const Membership& next);

// The memberships of a log: the newest committed one and whatever was appended behind it.
class MembershipLog {
 public:
  struct Entry {
    LogPosition start;  // of the record; entries at or beyond a cut go with it
    LogPosition end;
    Membership membership;
    bool operator==(const Entry&) const = default;
  };

  // `base` counts until a record says otherwise.
  void reset(Entry base);
  // An entry behind the newest one; others are known already.
  void add(Entry entry);
  // A committed entry whose record has not arrived yet counts instead of everything older; what
  // was appended behind its place contradicts it, unless the record is among the entries.
  void adopt(const Entry& committed);
  void cut(LogPosition end);
  // `recovered` counts over every membership of a group from before its recovery.
  void begin_again(const Membership& recovered);
  // Entries before the newest one that ends at or below `committed` are forgotten.
  void commit(LogPosition committed);
  const Membership& current() const { return entries_.back().membership; }
  // The newest membership may still be cut off.
  bool pending(LogPosition committed) const { return entries_.back().end > committed; }
  std::vector<Entry> starting_in(LogPosition from, LogPosition to) const;
  const std::vector<Entry>& all() const { return entries_; }

 private:
  std::vector<Entry> entries_{Entry{}};
};

}  // namespace gantry::raft
