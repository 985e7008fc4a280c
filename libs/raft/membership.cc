// SPDX-License-Identifier: Apache-2.0
#include "raft/membership.h"

#include <algorithm>
#include <charconv>
#include <set>

namespace gantry::raft {
namespace {

constexpr std::string_view kPrefix = "member=";
constexpr std::string_view kRecoveryPrefix = "recovery=";

std::string_view next_word(std::string_view& line) {
  const std::size_t space = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, space);
  line.remove_prefix(std::min(line.size(), space + 1));
  return word;
}

Result<Member> decode_member(std::string_view line) {
  const std::string whole(line);
  Member member;
  member.id = next_word(line);
  const std::string_view number = next_word(line);
  const std::string_view role = next_word(line);
  member.address = line;
  const auto [end, error] =
      std::from_chars(number.data(), number.data() + number.size(), member.number);
  if (member.id.empty() || error != std::errc{} || end != number.data() + number.size() ||
      member.number < 1 || (role != "voter" && role != "learner")) {
    return make_error(
        ErrorCode::kCorrupt,
        "membership: expected 'member=<id> <number> voter|learner <address>', got '" + whole + "'");
  }
  member.voter = role == "voter";
  return member;
}

Result<Recovery> decode_recovery(std::string_view line) {
  const std::string whole(line);
  Recovery recovery;
  recovery.id = next_word(line);
  while (!line.empty()) recovery.given_up.emplace_back(next_word(line));
  if (recovery.id.empty() || std::ranges::find(recovery.given_up, "") != recovery.given_up.end()) {
    return make_error(ErrorCode::kCorrupt,
                      "membership: expected 'recovery=<id> <member>…', got '" + whole + "'");
  }
  return recovery;
}

}  // namespace

const Member* Membership::find(std::string_view id) const {
  const auto it = std::ranges::find(members, id, &Member::id);
  return it == members.end() ? nullptr : &*it;
}

bool Membership::is_voter(std::string_view id) const {
  const Member* member = find(id);
  return member != nullptr && member->voter;
}

std::size_t Membership::voter_count() const {
  return static_cast<std::size_t>(std::ranges::count_if(members, &Member::voter));
}

std::int32_t Membership::free_number() const {
  std::int32_t number = 1;
  while (std::ranges::find(members, number, &Member::number) != members.end()) ++number;
  return number;
}

void Membership::put(Member member) {
  remove(member.id);
  members.push_back(std::move(member));
  std::ranges::sort(members, {}, &Member::number);
}

void Membership::remove(std::string_view id) {
  std::erase_if(members, [&](const Member& m) { return m.id == id; });
}

bool Membership::gave_up(std::string_view id) const {
  return std::ranges::any_of(recoveries, [&](const Recovery& recovery) {
    return std::ranges::find(recovery.given_up, id) != recovery.given_up.end();
  });
}

std::string Membership::encode() const {
  std::string text;
  for (const Member& m : members) {
    text += std::string(kPrefix) + m.id + " " + std::to_string(m.number) +
            (m.voter ? " voter " : " learner ") + m.address + "\n";
  }
  for (const Recovery& recovery : recoveries) {
    text += std::string(kRecoveryPrefix) + recovery.id;
    for (const MemberId& id : recovery.given_up) text += " " + id;
    text += "\n";
  }
  return text;
}

Result<Membership> Membership::decode(std::string_view body) {
  Membership result;
  while (!body.empty()) {
    const std::string_view line = body.substr(0, body.find('\n'));
    body.remove_prefix(std::min(body.size(), line.size() + 1));
    if (line.starts_with(kRecoveryPrefix)) {
      auto recovery = decode_recovery(line.substr(kRecoveryPrefix.size()));
      if (!recovery) return std::unexpected(recovery.error());
      result.recoveries.push_back(std::move(*recovery));
      continue;
    }
    if (!line.starts_with(kPrefix)) continue;  // written by a newer Gantry
    auto member = decode_member(line.substr(kPrefix.size()));
    if (!member) return std::unexpected(member.error());
    if (result.find(member->id) != nullptr) {
      return make_error(ErrorCode::kCorrupt, "membership: member " + member->id + " twice");
    }
    result.members.push_back(std::move(*member));
  }
  if (result.voter_count() == 0) {
    return make_error(ErrorCode::kCorrupt, "membership: no voter");
  }
  return result;
}

Kinship kinship(const Membership& ours, const Membership& theirs) {
  const auto [own, other] =
      std::ranges::mismatch(ours.recoveries, theirs.recoveries, {}, &Recovery::id, &Recovery::id);
  const bool own_ends = own == ours.recoveries.end();
  const bool other_ends = other == theirs.recoveries.end();
  if (own_ends) return other_ends ? Kinship::kSame : Kinship::kNewer;
  return other_ends ? Kinship::kOlder : Kinship::kParted;
}

bool may_talk(const Membership& ours, const MemberId& self, const Membership& theirs,
              const MemberId& other) {
  switch (kinship(ours, theirs)) {
    case Kinship::kSame:
      return true;
    case Kinship::kOlder:
      return ours.find(other) != nullptr;
    case Kinship::kNewer:
      return theirs.find(self) != nullptr;
    case Kinship::kParted:
      return false;
  }
  return false;
}

Result<void> check_change(const Membership& current, const Membership& next) {
  std::set<std::string> before;
  std::set<std::string> after;
  for (const Member& m : current.members) {
    if (m.voter) before.insert(m.id);
  }
  for (const Member& m : next.members) {
    if (m.voter) after.insert(m.id);
  }
  if (after.empty()) {
    return make_error(ErrorCode::kInvalidArgument, "a group without voters cannot decide anything");
  }
  std::vector<std::string> difference;
  std::ranges::set_symmetric_difference(before, after, std::back_inserter(difference));
  if (difference.size() > 1) {
    return make_error(ErrorCode::kInvalidArgument,
                      "the voters may change by one member at a time, this change concerns " +
                          std::to_string(difference.size()));
  }
  return {};
}

void MembershipLog::reset(Entry base) {
  entries_.clear();
  entries_.push_back(std::move(base));
}

void MembershipLog::add(Entry entry) {
  if (entry.start > entries_.back().start) entries_.push_back(std::move(entry));
}

void MembershipLog::adopt(const Entry& committed) {
  if (committed.start <= entries_.front().start) return;
  if (std::ranges::find(entries_, committed) == entries_.end()) reset(committed);
}

void MembershipLog::cut(LogPosition end) {
  while (entries_.size() > 1 && entries_.back().start >= end) entries_.pop_back();
}

void MembershipLog::begin_again(const Membership& recovered) {
  std::erase_if(entries_, [&](const Entry& entry) {
    const Kinship of_entry = kinship(recovered, entry.membership);
    return of_entry != Kinship::kSame && of_entry != Kinship::kNewer;
  });
  entries_.insert(entries_.begin(), Entry{LogPosition(0), LogPosition(0), recovered});
}

void MembershipLog::commit(LogPosition committed) {
  while (entries_.size() > 1 && entries_[1].end <= committed) entries_.erase(entries_.begin());
}

std::vector<MembershipLog::Entry> MembershipLog::starting_in(LogPosition from,
                                                             LogPosition to) const {
  std::vector<Entry> result;
  for (const Entry& entry : entries_) {
    if (entry.end.v > 0 && entry.start >= from && entry.start < to) result.push_back(entry);
  }
  return result;
}

}  // namespace gantry::raft
