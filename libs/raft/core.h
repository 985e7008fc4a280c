// SPDX-License-Identifier: Apache-2.0
// The consensus core of one member of a broker set: Raft (Ongaro and Ousterhout 2014; Ongaro's
// thesis) with the byte position of the CommitLog as index. Pure: messages, ticks and reports of
// the own disk go in; what to store, send and commit comes out as Output. No I/O, clock, thread or
// randomness of its own: equal inputs give equal outputs.
//
// Owned by whoever drives the log (replog), used on the log shard only. After every call the driver
// takes the Output and carries it out in the order of its fields.
//
// What is not textbook:
//  - a follower's match is reported as three positions: in memory, written, durable; the group's
//    flush mode says which one counts for commits, for the leader like for anybody else;
//  - a member that may have lost acknowledged bytes is `recovering`: until it has reached the end
//    that a leader reported, its vote counts only when every voter grants, and its positions not at
//    all;
//  - a change of the membership is committed by durable positions in every flush mode: members that
//    lose it together with their power would count the votes of a group that is no more; what lies
//    before it is committed by the voters before it;
//  - a log that begins behind 0 (retention) is installed with a state snapshot, then filled. In how
//    many pieces the snapshot goes is the driver's business; their messages pass through here as
//    signs of life of leader and member;
//  - a group that has lost its majority for good begins again as another group of one voter when an
//    operator says so (recover(); docs/adr/0009-recovery-without-a-majority.md).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "raft/epoch_table.h"
#include "raft/membership.h"
#include "raft/message.h"
#include "raft/progress.h"
#include "raft/quorum.h"

namespace gantry::raft {

enum class Role : std::uint8_t { kFollower, kPreCandidate, kCandidate, kLeader };
enum class CommitMode : std::uint8_t { kWritten, kDurable };  // ASYNC_FLUSH, SYNC_FLUSH

const char* to_string(Role role);

// What a member must not forget; durable before the messages of the same Output leave.
struct HardState {
  Term term;
  MemberId voted_for;  // empty: no vote in `term`
  // Acknowledged bytes may be missing from the log.
  bool recovering = false;
  // Counts over every membership of the log that knows less recoveries; empty: there was none.
  Membership recovered{};
  // `recovered` has begun again without this member: what its log holds is of another history.
  bool given_up = false;
  bool operator==(const HardState&) const = default;
};

struct Options {
  MemberId self;
  std::uint64_t start = 1;  // how often this member has started; grows with every start
  int election_ticks = 10;  // an election timeout is 1 to 2 times this
  int heartbeat_ticks = 1;
  int resend_ticks = 10;  // silence after which unanswered appends are sent again
  std::size_t inflight_max = 256;
  std::int64_t inflight_bytes_max = 16 << 20;
  std::int64_t append_bytes_max = 256 << 10;
  std::uint64_t seed = 1;  // of the election timeouts
};

// What another voter has said of its log while nobody leads.
struct Heard {
  LogEnd log, committed;
  bool recovering = false;
  int ticks = 0;  // since then
};

// Where the records of the own log end. Implemented by the log.
class RecordBounds {
 public:
  virtual ~RecordBounds() = default;
  // The largest end of a record in (from, from + bytes_max], or the end of the first record behind
  // `from`. `from` is the start of a record and below the log's end. A record at the head of a file
  // and the blank before it are one. nullopt: not in memory yet; Core::retry() when it is.
  virtual std::optional<LogPosition> bound(LogPosition from, std::int64_t bytes_max) = 0;
};

// The log as found at start.
struct InitialLog {
  HardState hard;
  LogPosition begin, end, durable;
  LogPosition committed;  // known to be committed, at most `end`
  EpochTable epochs;
  MembershipLog memberships;
};

struct Output {
  std::optional<HardState> save;  // durable before anything below happens
  // The log from here on is void: cut, zeroed, synced before anything else is written.
  std::optional<LogPosition> cut;
  // Forget the log and begin again at `begin` with the snapshot that came with the message.
  std::optional<InstallSnapshot> install;
  // Take [from, to) of the append just stepped into the log.
  struct Accept {
    LogPosition from, to;
  };
  std::optional<Accept> accept;
  // This member leads now: append the term-start record, then call on_term_started().
  bool start_term = false;
  bool role_changed = false;     // role(), leader() or term()
  bool commit_advanced = false;  // committed()
  bool recovered = false;        // caught up with the leader's end, durably
  // Appends name their range; the driver puts the bytes beside them. An InstallSnapshot asks it to
  // bring the member a state snapshot.
  std::vector<Message> messages;
  // A state that a correct group cannot reach: end the process, the log must not be touched.
  std::optional<std::string> fault;
};

class Core {
 public:
  Core(Options options, InitialLog log, RecordBounds& bounds);

  void tick();
  void step(const Message& message);
  // Begins an election now if this member may; for a group of one at start, and for operators.
  void campaign();

  // Reports of the own log. Leader: `end` after appending, once a turn.
  void on_appended(LogPosition end);
  // An epoch before the own term that is known only now (a range written by Apache RocketMQ).
  void note_epoch(const Epoch& epoch) { epochs_.add(epoch); }
  void on_term_started(LogPosition start, LogPosition end, CommitMode mode);
  void on_membership_appended(const MembershipLog::Entry& entry);
  // Positions only grow, except by a cut, which the core itself asked for.
  // `answer`: a follower tells its leader at once; false: on_durable() for it follows soon.
  void on_written(LogPosition position, bool answer = true);
  void on_durable(LogPosition position);
  // A record bound that was missing is known now.
  void retry();
  // The snapshot of an Output::install is in place.
  void on_installed();
  // A leader's flush has not come back for this long, in ticks; 0: none is running.
  void set_flush_ticks(int ticks) { flush_ticks_ = ticks; }
  // A passive member votes but does not ask for votes (maintenance); leadership that it has stays
  // until it is handed over.
  void set_passive(bool passive) { passive_ = passive; }
  // Retention removed the log below `begin`.
  void on_trimmed(LogPosition begin);

  // The member was heard of within an election timeout.
  bool answers(const Progress& progress) const {
    return progress.silent_ticks < options_.election_ticks;
  }

  // Whether `next` may be appended as the membership now (kConflict, kUnavailable,
  // kInvalidArgument).
  Result<void> may_change(const Membership& next) const;
  // Hands leadership to `target`, or to the reachable voter that is furthest ahead when empty, as
  // soon as that has the whole log and all of it is committed. Until it is done or given up (one
  // election timeout), accepting() is false. kUnavailable: not the leader, or nobody to take over.
  Result<void> transfer(const MemberId& target);

  // The way out when the majority of the voters is lost for good, or when members that may have
  // forgotten something wait for a voter that is: a new group, named `id`, with this member's log
  // and with this member as its only voter, durable with the next Output. `survivors`: the voters
  // that are left; all others are given up. kConflict: it is not the way out, or not from this
  // member. kInvalidArgument: a survivor is no voter. kUnavailable: a survivor has not said yet how
  // far its log goes, or one that is given up was heard of a moment ago.
  Result<void> may_recover(const std::vector<MemberId>& survivors) const;
  Result<void> recover(const std::vector<MemberId>& survivors, const std::string& id);
  // `newer` has recovered without this member, which decides nothing from now on and takes nothing.
  // False: it is known, or not so.
  bool give_up(const Membership& newer);

  Output take_output();

  // A message of this member as it is now, for what the driver says on its own.
  Message compose(const MemberId& to, decltype(Message::body) body) const;
  // What a member is told that needs a snapshot of this leader.
  InstallSnapshot describe_install() const;
  // Whether this member would have to be replaced by what is offered.
  bool needs(const InstallSnapshot& install) const;

  Role role() const { return role_; }
  Term term() const { return hard_.term; }
  const MemberId& self() const { return options_.self; }
  const MemberId& leader() const { return leader_; }  // empty: not known
  bool leading() const { return role_ == Role::kLeader; }
  // Leads, has begun its term and is not handing it over: appends are welcome.
  bool accepting() const { return leading() && !term_pending_ && transfer_to_.empty(); }
  bool recovering() const { return hard_.recovering; }
  LogPosition committed() const { return commit_; }
  LogPosition begin() const { return begin_; }
  LogPosition end() const { return end_; }
  // The leader's end when it was last heard of; the own end on the leader.
  LogPosition leader_end() const { return leading() ? end_ : std::max(leader_end_, end_); }
  bool passive() const { return passive_; }
  const EpochTable& epochs() const { return epochs_; }
  const Membership& membership() const { return memberships_.current(); }
  const MembershipLog& membership_log() const { return memberships_; }
  const HardState& hard_state() const { return hard_; }
  const std::map<MemberId, Progress>& progress() const { return progress_; }
  // Voters that have answered in the election that is going on; for a message that says who is
  // missing.
  const std::map<MemberId, Ballot>& ballots() const { return ballots_; }
  const MemberId& transfer_target() const { return transfer_to_; }
  // While nobody leads: the voters that have spoken lately.
  const std::map<MemberId, Heard>& heard() const { return heard_; }
  bool given_up() const { return hard_.given_up; }
  LogEnd log_end() const { return {epochs_.term_before(end_), end_}; }

 private:
  // election.cc
  void begin_pre_vote();
  void begin_election(bool transfer);
  void count();
  void become_follower(Term term, const MemberId& leader);
  void become_leader();
  void on_vote_request(const Message& message, const VoteRequest& request);
  void on_vote_answer(const Message& message, const VoteAnswer& answer);
  void on_timeout_now(const Message& message);
  bool may_campaign() const;
  bool follows_live_leader() const;
  void reset_election_timer();
  void check_quorum();
  void drive_transfer();
  bool reachable(const Progress& progress) const;
  MemberId best_target() const;

  // recovery.cc
  void note_heard(const MemberId& from, const LogEnd& log, const LogEnd& committed);
  void tick_heard();
  bool holds(const LogEnd& committed) const;
  Result<void> check_survivor(const Member& member, bool survives) const;

  // leading.cc
  void on_append_answer(const Message& message, const AppendAnswer& answer);
  void on_append_refusal(const Message& message, const AppendRefusal& refusal);
  void on_install_answer(const Message& message, const InstallAnswer& answer);
  void on_snapshot_answer(const Message& message);
  Progress* progress_of(const Message& message);
  void tick_leader();
  LogPosition quorum_reached(CommitMode mode, const Membership& membership) const;
  LogPosition committable() const;
  void advance_commit();
  void send_appends(const MemberId& to, Progress& progress);
  void send_append(const MemberId& to, Progress& progress, LogPosition from, LogPosition end);
  void broadcast();
  void heartbeat(const MemberId& to, Progress& progress);
  void follow_membership();

  // following.cc
  void on_append(const Message& message, const Append& append);
  void on_install(const Message& message, const InstallSnapshot& install);
  bool follow(const Message& message);
  std::optional<LogPosition> first_difference(const Append& append, LogPosition from) const;
  bool cut_conflict(LogPosition at, LogPosition from);
  void refuse(const Message& message, const Append& append);
  void answer_append();
  void advance_commit_to(LogPosition commit);
  void note_leader_end(const Message& message, LogPosition leader_end);
  void note_recovered();

  void send(const MemberId& to, decltype(Message::body) body);
  void send_with_term(const MemberId& to, Term term, decltype(Message::body) body);
  Message compose_with_term(const MemberId& to, Term term, decltype(Message::body) body) const;
  void save_hard_state();
  void fault(std::string what);
  LogEnd committed_end() const { return {epochs_.term_before(commit_), commit_}; }
  int random_timeout();

  const Options options_;
  RecordBounds& bounds_;
  HardState hard_;
  Role role_ = Role::kFollower;
  MemberId leader_;

  LogPosition begin_, end_, written_, durable_, commit_;
  EpochTable epochs_;
  MembershipLog memberships_;

  // Follower: the log is known to equal the leader's up to here, in this term.
  LogPosition matched_;
  LogPosition leader_end_;
  bool answer_due_ = false;
  std::optional<LogPosition> recover_to_;  // see note_leader_end()
  bool installing_ = false;
  bool passive_ = false;

  // Candidate.
  std::map<MemberId, Ballot> ballots_;
  std::map<MemberId, Heard> heard_;
  int election_elapsed_ = 0;
  int election_timeout_ = 0;

  // Leader.
  std::map<MemberId, Progress> progress_;
  bool term_pending_ = false;
  LogPosition term_start_;
  CommitMode mode_ = CommitMode::kWritten;
  int heartbeat_elapsed_ = 0;
  int quorum_elapsed_ = 0;
  MemberId transfer_to_;
  int transfer_elapsed_ = 0;
  bool transfer_sent_ = false;
  int flush_ticks_ = 0;

  std::uint64_t random_;
  Output output_;
};

}  // namespace gantry::raft
