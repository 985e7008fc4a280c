// SPDX-License-Identifier: Apache-2.0
#include "broker/group/group_members.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "broker/group/group_peers.h"
#include "log/log.h"

namespace gantry::broker {
namespace {

log::Logger logger("group");

// A learner becomes a voter when it lags by no more than what may be on its way to it anyway: a
// voter that lags further would hold up commits.
constexpr std::int64_t kPromoteLagMax = 16 << 20;
// A store time further ahead is not believed either (replog::Log).
constexpr std::int64_t kClocksTooFarApartMs = 60000;
constexpr std::chrono::seconds kHandOverMax{3};

std::unexpected<Error> not_leader() {
  return make_error(ErrorCode::kUnavailable, "this member does not lead its broker set");
}

std::unexpected<Error> no_member(const raft::MemberId& uuid) {
  return make_error(ErrorCode::kNotFound,
                    fmt::format("member {} does not belong to this broker set", uuid));
}

}  // namespace

GroupMembers::GroupMembers(BrokerContext& context, GroupPeers& peers)
    : context_(context), storage_(context.storage), peers_(peers), news_(context.clock) {
  storage_.add_role_observer(*this);
}

GroupMembers::~GroupMembers() {
  *alive_ = false;
  end_hand_over(make_error(ErrorCode::kUnavailable, "the broker is stopping"));
  storage_.remove_role_observer(*this);
}

Result<peer::Hello> GroupMembers::candidate(const raft::MemberId& uuid,
                                            const std::string& address) {
  if (uuid.empty() && address.empty()) {
    return make_error(ErrorCode::kInvalidArgument, "a uuid or an address is needed");
  }
  auto hello = uuid.empty() ? peers_.hello_at(address) : peers_.hello_of(uuid);
  if (hello) return std::move(*hello);
  const std::string who = uuid.empty() ? address : "member " + uuid;
  if (address.empty()) {
    return make_error(ErrorCode::kUnavailable,
                      fmt::format("{} is not connected to this broker set; give its address "
                                  "(host:raftListenPort)",
                                  who));
  }
  if (const auto valid = net::parse_host_port(address); !valid) {
    return make_error(ErrorCode::kInvalidArgument, "address: " + valid.error().message);
  }
  peers_.invite(address);
  const std::string problem = peers_.problem_at(address);
  if (!problem.empty()) return make_error(ErrorCode::kConflict, problem);
  return make_error(ErrorCode::kUnavailable,
                    fmt::format("{} is being connected; ask again in a moment", who));
}

// Whether the history of its store is part of ours, or empty.
Result<void> GroupMembers::check_candidate(const peer::Hello& hello) const {
  const raft::Membership& ours = core().membership();
  const std::uint32_t level = static_cast<std::uint32_t>(storage_.state().feature_level());
  if (hello.feature_level < level) {
    return make_error(ErrorCode::kConflict,
                      fmt::format("{} supports feature level {}, this broker set uses {}",
                                  hello.address, hello.feature_level, level));
  }
  const std::int64_t ahead_ms = peers_.clock_ahead_ms(hello.member_uuid);
  if (std::abs(ahead_ms) >= kClocksTooFarApartMs) {
    return make_error(
        ErrorCode::kConflict,
        fmt::format("the clock of {} is {} ms {} the leader's: set the clocks right, "
                    "start that member again and repeat",
                    hello.address, std::abs(ahead_ms), ahead_ms > 0 ? "ahead of" : "behind"));
  }
  if (!hello.formed || ours.find(hello.member_uuid) != nullptr) return {};
  for (const raft::Member& member : hello.membership.members) {
    if (member.id != hello.member_uuid && ours.find(member.id) != nullptr) return {};
  }
  return make_error(
      ErrorCode::kConflict,
      fmt::format("{} belongs to another broker set of {} members; only an empty store, started "
                  "with raftInitialMembers naming a member of this set, can join",
                  hello.address, hello.membership.members.size()));
}

Result<GroupMembers::Plan> GroupMembers::plan_join(const raft::MemberId& uuid,
                                                   const std::string& address) {
  const auto hello = candidate(uuid, address);
  if (!hello) return std::unexpected(hello.error());
  GANTRY_TRY(check_candidate(*hello));
  if (!address.empty() && address != hello->address) {
    const auto there = peers_.hello_at(address);
    if (!there || there->member_uuid != hello->member_uuid) {
      return make_error(ErrorCode::kConflict,
                        fmt::format("member {} says that it is at {}, not at {}",
                                    hello->member_uuid, hello->address, address));
    }
  }
  raft::Member member{hello->member_uuid, address.empty() ? hello->address : address, 0, false};
  raft::Membership next = core().membership();
  if (const raft::Member* known = next.find(member.id)) {
    if (known->address == member.address) return Plan{};
    member.number = known->number;
    member.voter = known->voter;
  } else {
    member.number = next.free_number();
  }
  for (const raft::Member& other : next.members) {
    if (other.id == member.id || other.address != member.address) continue;
    return make_error(
        ErrorCode::kConflict,
        fmt::format("member {} has the address {} already; remove it first if it is gone", other.id,
                    other.address));
  }
  // A broker set of one has not said yet where others reach it.
  raft::Member self = *next.find(core().self());
  if (self.address.empty()) {
    self.address = peers_.self().address;
    next.put(self);
  }
  next.put(member);
  return Plan{std::move(next),
              fmt::format("member {} at {} is a {} with number {}", member.id, member.address,
                          member.voter ? "voter" : "learner", member.number)};
}

Result<GroupMembers::Plan> GroupMembers::plan_promotion(const raft::MemberId& uuid) const {
  raft::Membership next = core().membership();
  const raft::Member* known = next.find(uuid);
  if (known == nullptr) return no_member(uuid);
  if (known->voter) return Plan{};
  const auto progress = core().progress().find(uuid);
  const bool heard = progress != core().progress().end() &&
                     progress->second.state() == raft::Progress::State::kReplicate &&
                     core().answers(progress->second);
  if (!heard) {
    return make_error(ErrorCode::kUnavailable,
                      fmt::format("learner {} does not follow the log yet", uuid));
  }
  const std::int64_t lag = core().end() - progress->second.written();
  if (lag > kPromoteLagMax || progress->second.recovering) {
    return make_error(
        ErrorCode::kUnavailable,
        fmt::format("learner {} lags by {} bytes, at most {} are allowed; ask again later", uuid,
                    lag, kPromoteLagMax));
  }
  raft::Member member = *known;
  member.voter = true;
  next.put(member);
  return Plan{std::move(next), fmt::format("member {} is a voter", uuid)};
}

// The voters that stay must have a majority that answers, or nothing could be decided any more.
Result<void> GroupMembers::check_removal(const raft::Membership& next) const {
  if (next.voter_count() == 0) {
    return make_error(ErrorCode::kConflict, "the last voter of a broker set cannot be removed");
  }
  std::size_t answering = 0;
  for (const raft::Member& member : next.members) {
    if (!member.voter) continue;
    const auto progress = core().progress().find(member.id);
    answering += member.id == core().self() ||
                 (progress != core().progress().end() && !progress->second.recovering &&
                  core().answers(progress->second));
  }
  if (answering >= next.quorum()) return {};
  return make_error(ErrorCode::kConflict,
                    fmt::format("of the {} voters that would stay only {} answer, {} are needed",
                                next.voter_count(), answering, next.quorum()));
}

Result<GroupMembers::Plan> GroupMembers::plan_removal(const raft::MemberId& uuid) {
  raft::Membership next = core().membership();
  const raft::Member* known = next.find(uuid);
  if (known == nullptr) return no_member(uuid);
  const bool voter = known->voter;
  next.remove(uuid);
  if (voter) GANTRY_TRY(check_removal(next));
  if (uuid == core().self()) {
    GANTRY_TRY(transfer({}));
    return make_error(ErrorCode::kUnavailable,
                      "the leader hands over before it is removed; ask again in a moment");
  }
  return Plan{std::move(next), fmt::format("member {} is removed", uuid)};
}

void GroupMembers::join(const raft::MemberId& uuid, const std::string& address, Done done) {
  if (!storage_.leading()) return done(not_leader());
  carry_out(fmt::format("join uuid=\"{}\" address=\"{}\"", uuid, address), plan_join(uuid, address),
            std::move(done));
}

void GroupMembers::promote(const raft::MemberId& uuid, Done done) {
  if (!storage_.leading()) return done(not_leader());
  carry_out(fmt::format("promote uuid=\"{}\"", uuid), plan_promotion(uuid), std::move(done));
}

void GroupMembers::remove(const raft::MemberId& uuid, Done done) {
  if (!storage_.leading()) return done(not_leader());
  carry_out(fmt::format("remove uuid=\"{}\"", uuid), plan_removal(uuid), std::move(done));
}

void GroupMembers::carry_out(const std::string& request, Result<Plan> plan, Done done) {
  if (!plan) {
    refused(request, plan.error());
    return done(std::unexpected(plan.error()));
  }
  if (!plan->what.empty()) {
    if (const auto may = core().may_change(plan->next); !may) {
      refused(request, may.error());
      return done(may);
    }
  }
  news_.settled(request);
  if (plan->what.empty()) return done({});
  storage_.replica().change_membership(
      plan->next,
      [what = std::move(plan->what), done = std::move(done)](Result<void> result) mutable {
        if (result) {
          logger.info("membership: {}", what);
        } else {
          logger.warn("membership not changed so that {}: {}", what, result.error().message);
        }
        done(std::move(result));
      });
}

void GroupMembers::refused(const std::string& request, const Error& why) {
  // Who asks again in a moment is not refused.
  if (why.code == ErrorCode::kUnavailable || !news_.is_new(request, why.message)) return;
  logger.warn("a change of the membership is refused request={} reason=\"{}\"", request,
              why.message);
}

// By the same request: there is a new group, which has given up all of them.
bool GroupMembers::recovered_already(const Recovery& recovery) const {
  const raft::Membership& group = core().membership();
  return !core().given_up() && !recovery.given_up.empty() && group.is_voter(core().self()) &&
         std::ranges::all_of(recovery.given_up,
                             [&](const raft::MemberId& id) { return group.gave_up(id); });
}

Result<void> GroupMembers::check_recovery(const Recovery& recovery) const {
  const auto in = [](const std::vector<raft::MemberId>& list, const raft::MemberId& id) {
    return std::ranges::find(list, id) != list.end();
  };
  const raft::Membership& group = core().membership();
  for (const raft::MemberId& id : recovery.given_up) {
    if (id == core().self() || !group.is_voter(id)) {
      return make_error(ErrorCode::kInvalidArgument,
                        fmt::format("{} is no other voter of this broker set", id));
    }
  }
  for (const raft::Member& member : group.members) {
    if (!member.voter || member.id == core().self()) continue;
    if (in(recovery.survivors, member.id) == in(recovery.given_up, member.id)) {
      return make_error(ErrorCode::kInvalidArgument,
                        fmt::format("voter {} at {} must be one of the survivors or of those that "
                                    "are given up",
                                    member.id, member.address));
    }
  }
  for (const raft::MemberId& id : recovery.given_up) {
    const auto hello = peers_.hello_of(id);
    if (!hello) continue;
    return make_error(
        ErrorCode::kConflict,
        fmt::format("member {} at {} answers: it cannot be given up", id, hello->address));
  }
  if (storage_.state().applied() < storage_.log().begin()) {
    return make_error(ErrorCode::kConflict,
                      "this member has not got the state of its leader completely");
  }
  return storage_.replica().core().may_recover(recovery.survivors);
}

Result<void> GroupMembers::recover(const Recovery& recovery) {
  const std::string request =
      fmt::format("recover survivors=\"{}\" givenUp=\"{}\"", fmt::join(recovery.survivors, ","),
                  fmt::join(recovery.given_up, ","));
  if (recovered_already(recovery)) return {};
  const LogPosition committed = core().committed();
  const raft::LogEnd end = core().log_end();
  const raft::Membership before = core().membership();
  auto done = check_recovery(recovery);
  if (done) done = storage_.replica().recover(recovery.survivors);
  if (!done) {
    refused(request, done.error());
    return done;
  }
  news_.settled(request);
  std::vector<std::string> gone;
  for (const raft::Member& member : before.members) {
    if (member.id == core().self()) continue;
    gone.push_back(
        fmt::format("{} {} at {}", member.voter ? "voter" : "learner", member.id, member.address));
  }
  logger.warn(
      "the broker set begins again with this member alone, the others are given up with all that "
      "is not in its log recovery={} term={} lastTerm={} end={} committed={} givenUp=\"{}\"",
      core().membership().recoveries.back().id, core().term().v, end.last_term.v, end.end.v,
      committed.v, fmt::join(gone, ", "));
  return {};
}

Result<void> GroupMembers::transfer(const raft::MemberId& target) {
  if (!storage_.leading()) return not_leader();
  // What the next leader would not know of otherwise.
  storage_.offsets().flush([](const Result<void>&) {});
  return storage_.replica().transfer(target);
}

void GroupMembers::hand_over(const raft::MemberId& target, HandedOver done) {
  if (const auto begun = transfer(target); !begun) return done(std::unexpected(begun.error()));
  handing_over_.push_back(std::move(done));
  hand_over_timer_ = context_.shard.after(kHandOverMax, [this] {
    end_hand_over(make_error(ErrorCode::kTimeout, "no leader is known after the hand-over"));
  });
  settle_hand_over();
}

// Not from inside the replica, which is telling of the change right now.
void GroupMembers::on_group_changed() {
  if (handing_over_.empty()) return;
  context_.shard.post([this, alive = alive_] {
    if (*alive) settle_hand_over();
  });
}

void GroupMembers::settle_hand_over() {
  const raft::Core& now = core();
  if (now.leading() && !now.transfer_target().empty()) return;  // under way
  if (!now.leading() && now.leader().empty()) return;           // elected soon
  end_hand_over(now.leader());
}

void GroupMembers::end_hand_over(const Result<raft::MemberId>& leader) {
  hand_over_timer_.reset();
  for (HandedOver& done : std::exchange(handing_over_, {})) done(leader);
}

}  // namespace gantry::broker
