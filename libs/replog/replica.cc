// SPDX-License-Identifier: Apache-2.0
#include "replog/replica.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "log/log.h"

namespace gantry::replog {
namespace {

log::Logger logger("raft");

// Election timeouts without a piece after which what came of a snapshot is forgotten.
constexpr int kSnapshotPatience = 10;

Error not_leading() {
  return {ErrorCode::kUnavailable, "this member is not the leader of its broker set any more"};
}

}  // namespace

Replica::Replica(runtime::Loop& loop, Log& log, PeerTransport& transport, ReplicaListener& listener,
                 Clock& clock, ReplicaOptions options)
    : loop_(loop),
      log_(log),
      transport_(transport),
      listener_(listener),
      clock_(clock),
      options_(options),
      inbox_(kSnapshotPatience * ticks(options.election_timeout)) {}

Replica::~Replica() { stop(); }

Result<void> Replica::start(RecoveredLog recovered) {
  HardState hard = log_.hard_state().state();
  ++hard.starts;
  const bool others = recovered.memberships.current().voter_count() > 1 ||
                      !recovered.memberships.current().is_voter(hard.member_uuid);
  if (!recovered.loss.empty()) {
    if (others) {
      logger.warn(
          "this member may have forgotten what it acknowledged and catches up before it "
          "votes: {}",
          recovered.loss);
      hard.recovering = true;
    } else {
      logger.warn("the only member goes on with what it has: {}", recovered.loss);
    }
  }
  GANTRY_TRY(log_.hard_state().save(hard));
  GANTRY_TRY(log_.start(*this));
  catch_up_ = std::make_unique<CatchUpReader>(loop_, log_.files(), clock_, options_.catch_up);
  raft::InitialLog initial;
  initial.hard = log_.hard_state().of_core();
  // A term of a store that was given back to Apache RocketMQ and came again lies between.
  if (options_.apache_from.v >= 0) {
    initial.hard.term = Term(std::max(hard.term.v, log_.epochs().last_term().v) + 1);
    initial.hard.voted_for.clear();
  }
  initial.hard.term = std::max(initial.hard.term, log_.epochs().last_term());
  initial.begin = log_.begin();
  initial.end = log_.end();
  initial.durable = log_.durable();
  initial.committed = recovered.committed;
  initial.epochs = log_.epochs();
  initial.memberships = std::move(recovered.memberships);
  make_core(std::move(initial));
  tick_timer_ = loop_.every(options_.tick, [this] {
    core_->set_flush_ticks(
        static_cast<int>(std::chrono::microseconds(log_.sync_running_us()) / options_.tick));
    tell_appended();
    core_->tick();
    process();
    snapshots_->tick();
    inbox_.tick();
  });
  // Nobody to wait for.
  if (core_->membership().voter_count() == 1) core_->campaign();
  process();
  return {};
}

void Replica::make_core(raft::InitialLog initial) {
  raft::Options options;
  options.self = log_.member_uuid();
  options.start = static_cast<std::uint64_t>(log_.hard_state().state().starts);
  options.heartbeat_ticks = ticks(options_.heartbeat);
  options.election_ticks = ticks(options_.election_timeout);
  options.resend_ticks = options.election_ticks;
  options.append_bytes_max = options_.append_bytes_max;
  options.inflight_bytes_max = options_.inflight_bytes_max;
  options.seed = options_.seed;
  snapshots_.reset();
  core_ = std::make_unique<raft::Core>(options, std::move(initial), *this);
  snapshots_ = std::make_unique<SnapshotSender>(*core_, transport_, listener_, options_.snapshot,
                                                options.resend_ticks);
}

int Replica::ticks(std::chrono::milliseconds time) const {
  return std::max(1, static_cast<int>(time / options_.tick));
}

void Replica::stop() {
  if (stopped_) return;
  stopped_ = true;
  tick_timer_.reset();
  catch_up_.reset();
  snapshots_.reset();
  inbox_.clear();
  for (PendingChange& change : std::exchange(changes_, {})) {
    change.done(std::unexpected(not_leading()));
  }
}

Result<void> Replica::form(const raft::Membership& membership) {
  if (formed()) return make_error(ErrorCode::kConflict, "this member belongs to a group already");
  HardState hard = log_.hard_state().state();
  hard.formed = membership;
  GANTRY_TRY(log_.hard_state().save(hard));
  raft::InitialLog initial;
  initial.hard = log_.hard_state().of_core();
  initial.begin = log_.begin();
  initial.end = log_.end();
  initial.durable = log_.durable();
  initial.committed = log_.committed();
  initial.epochs = log_.epochs();
  initial.memberships.reset({LogPosition(0), LogPosition(0), membership});
  make_core(std::move(initial));
  logger.info("the broker set is formed of {} members", membership.members.size());
  group_changed_ = true;
  note_role();
  return {};
}

const raft::Member* Replica::leader() const {
  return core_->leader().empty() ? nullptr : core_->membership().find(core_->leader());
}

// --- events -----------------------------------------------------------------------------------

void Replica::on_written(LogPosition written) {
  if (!core_) return;
  tell_appended();
  // A leader that waits for disks gains nothing by hearing of the page cache.
  core_->on_written(written, !log_.sync_follows());
  process();
}

// The core must know every byte of the log before it decides anything about it: what was appended
// in this turn as well.
void Replica::tell_appended() {
  if (core_->leading() && leading_ && log_.end() > core_->end()) core_->on_appended(log_.end());
}

void Replica::on_durable(LogPosition durable) {
  if (!core_) return;
  tell_appended();
  core_->on_durable(durable);
  process();
}

void Replica::on_applied(LogPosition applied) {
  if (!leading_ || term_ready_ || applied < term_end_) return;
  term_ready_ = true;
  log_.set_accepting(core_->accepting());
  logger.info("this member leads term {}", core_->term().v);
  listener_.on_leading(core_->term());
}

void Replica::on_trimmed(LogPosition begin) {
  if (core_) core_->on_trimmed(begin);
}

std::optional<LogPosition> Replica::bound(LogPosition from, std::int64_t bytes_max) {
  if (const auto in_memory = log_.bound_in_memory(from, bytes_max)) return in_memory;
  if (const auto loaded = catch_up_->bound(from)) return loaded;
  if (from >= log_.written()) return std::nullopt;  // the end of this turn brings it
  catch_up_->fetch(from, log_.written(), log_.epochs(), [this] {
    core_->retry();
    process();
  });
  return std::nullopt;
}

Result<LogRange> Replica::check_append(const raft::Message& message, raft::Append& append,
                                       std::string_view bytes) {
  const bool apache_before = append.term_before.v == 0 || log_.epochs().apache_at(append.from - 1);
  auto range =
      verify_range(bytes, append.from, append.to, log_.file_bytes(), append.epochs, apache_before);
  if (!range) return range;
  // What is in the bytes counts as they say; what stands behind them is the newest committed one.
  std::erase_if(append.memberships,
                [&](const raft::MembershipLog::Entry& entry) { return entry.start < append.to; });
  append.memberships.insert(append.memberships.begin(), range->memberships.begin(),
                            range->memberships.end());
  if (message.term < core_->term()) return range;  // will be refused; no room is needed
  GANTRY_TRY(log_.make_room(append.to));
  return range;
}

void Replica::receive(raft::Message message, std::string_view bytes) {
  if (stopped_ || !core_) return;
  LogRange range;
  if (auto* append = std::get_if<raft::Append>(&message.body);
      append && append->to > append->from) {
    auto checked = check_append(message, *append, bytes);
    if (!checked) {
      static log::RateLimit limit(10000);
      if (limit.admit()) {
        logger.warn("an append of member {} is not taken from={} to={} reason={}", message.from,
                    append->from.v, append->to.v, checked.error().message);
      }
      return;
    }
    range = std::move(*checked);
  }
  tell_appended();
  if (const auto* install = std::get_if<raft::InstallSnapshot>(&message.body);
      std::holds_alternative<raft::SnapshotPiece>(message.body) || (install && install->pieces)) {
    return receive_snapshot(std::move(message), bytes);
  }
  core_->step(message);
  process(&range, bytes);
  if (const auto* answer = std::get_if<raft::SnapshotAnswer>(&message.body); answer && snapshots_) {
    snapshots_->on_answer(message, *answer);
  }
}

// Pieces, and the offers around them. What is not needed is for the core to say, and so is what is
// here whole; anything else tells it no more than that its leader is alive.
void Replica::receive_snapshot(raft::Message message, std::string_view bytes) {
  std::optional<raft::SnapshotId> offered;
  if (const auto* install = std::get_if<raft::InstallSnapshot>(&message.body)) {
    const bool over = message.term < core_->term();
    const bool whole = !over && inbox_.complete(message, *install->pieces);
    if (over || whole || !core_->needs(*install)) {
      const std::string snapshot = whole ? inbox_.take() : std::string();
      core_->step(message);
      return process(nullptr, snapshot);
    }
    offered = *install->pieces;
    message.body = raft::SnapshotPiece{*offered, 0};
  }
  core_->step(message);
  process();
  if (core_->leader() != message.from || core_->term() != message.term) return;
  const auto& piece = std::get<raft::SnapshotPiece>(message.body);
  send(core_->compose(message.from, offered ? inbox_.on_offer(message, *offered)
                                            : inbox_.on_piece(message, piece, bytes)));
}

Result<void> Replica::transfer(const raft::MemberId& target) {
  tell_appended();
  auto done = core_->transfer(target);
  process();
  return done;
}

Result<void> Replica::recover(const std::vector<raft::MemberId>& survivors) {
  tell_appended();
  GANTRY_TRY(core_->recover(survivors, make_member_uuid()));
  group_changed_ = true;
  process();
  return {};
}

bool Replica::give_up(const raft::Membership& newer) {
  if (!core_->give_up(newer)) return false;
  group_changed_ = true;
  process();
  return true;
}

void Replica::change_membership(const raft::Membership& next, Done done) {
  if (auto may = core_->may_change(next); !may) return done(std::move(may));
  auto entry = log_.append_membership(next);
  if (!entry) return done(std::unexpected(entry.error()));
  changes_.push_back({entry->end, std::move(done)});
  core_->on_membership_appended(*entry);
  group_changed_ = true;
  process();
}

// --- carrying out -----------------------------------------------------------------------------

void Replica::process(const LogRange* range, std::string_view snapshot) {
  if (processing_) {
    again_ = true;
    return;
  }
  processing_ = true;
  do {
    again_ = false;
    raft::Output output = core_->take_output();
    carry_out(output, range, snapshot);
    range = nullptr;
  } while (again_);
  processing_ = false;
  if (snapshots_) snapshots_->settle();
  finish_changes();
  note_role();
}

void Replica::carry_out(raft::Output& output, const LogRange* range, std::string_view snapshot) {
  if (output.fault)
    log_.die("the group's log is not consistent", {ErrorCode::kCorrupt, *output.fault});
  if (output.save) save(*output.save);
  if (output.role_changed) group_changed_ = true;
  if (leading_ && !core_->leading()) end_term();
  if (output.cut) {
    if (const auto cut = log_.cut(*output.cut); !cut)
      log_.die("cutting the log failed", cut.error());
    catch_up_->forget();
    group_changed_ = true;
  }
  if (output.install) install(*output.install, snapshot);
  if (output.accept) {
    // A cut has deleted the files behind it.
    if (const auto room = log_.make_room(output.accept->to); output.cut && !room) {
      log_.die("no room for the leader's log behind a cut", room.error());
    }
    log_.accept(output.accept->from, output.accept->to, *range);
    if (!range->memberships.empty()) group_changed_ = true;
  }
  if (output.start_term) begin_term();
  for (const raft::Message& message : output.messages) send(message);
  if (leading_ && term_ready_) log_.set_accepting(core_->accepting());
  if (output.commit_advanced) log_.commit_to(core_->committed());
  if (output.recovered) logger.info("this member has caught up and votes again");
}

void Replica::save(const raft::HardState& hard) {
  HardState state = log_.hard_state().state();
  if (hard.term > state.term && hard.voted_for == core_->self()) ++stats_.elections;
  state.term = hard.term;
  state.voted_for = hard.voted_for;
  state.recovering = hard.recovering;
  state.recovered = hard.recovered;
  state.given_up = hard.given_up;
  // A member that cannot remember its vote must not give one.
  if (const auto saved = log_.hard_state().save(state); !saved) {
    log_.die("writing term and vote failed", saved.error());
  }
}

void Replica::begin_term() {
  const auto begun = log_.begin_term(core_->term(), options_.store_host,
                                     std::exchange(options_.apache_from, LogPosition(-1)));
  if (!begun) log_.die("a term cannot be begun", begun.error());
  leading_ = true;
  term_ready_ = false;
  term_end_ = begun->end;
  for (const raft::Epoch& epoch : log_.epochs().all()) {
    if (epoch.apache && epoch.term == core_->term() - 1) core_->note_epoch(epoch);
  }
  core_->on_term_started(begun->start, begun->end,
                         log_.flush_mode() == FlushMode::kSync ? raft::CommitMode::kDurable
                                                               : raft::CommitMode::kWritten);
  again_ = true;
}

void Replica::end_term() {
  leading_ = false;
  const bool was_ready = std::exchange(term_ready_, false);
  logger.info("this member does not lead any more");
  finish_changes();  // a leader that is removed leaves with the commit of that
  log_.end_term(not_leading());
  for (PendingChange& change : std::exchange(changes_, {})) {
    change.done(std::unexpected(not_leading()));
  }
  if (was_ready) listener_.on_following();
}

void Replica::install(const raft::InstallSnapshot& install, std::string_view snapshot) {
  logger.info("beginning again with a snapshot of the leader begin={} bytes={}", install.begin.v,
              snapshot.size());
  catch_up_->forget();
  if (const auto done = log_.restart_at(install.begin, raft::EpochTable(install.epochs)); !done) {
    log_.die("emptying the log failed", done.error());
  }
  if (const auto done = listener_.install_snapshot(install.begin, snapshot); !done) {
    log_.die("installing a snapshot of the leader failed", done.error());
  }
  core_->on_installed();
  again_ = true;
}

void Replica::send(const raft::Message& message) {
  if (std::holds_alternative<raft::InstallSnapshot>(message.body)) {
    if (snapshots_) snapshots_->begin(message.to);
    return;
  }
  const raft::Member* to = core_->membership().find(message.to);
  raft::Member unknown;
  if (to == nullptr) {
    // Who asks need not be in our membership (yet): the transport knows where the question came
    // from.
    unknown.id = message.to;
    to = &unknown;
  }
  slices_.clear();
  if (const auto* append = std::get_if<raft::Append>(&message.body);
      append && append->to > append->from) {
    if (!catch_up_->collect(append->from, append->to, slices_)) {
      log_.collect(append->from, append->to, slices_);
    }
  }
  transport_.send(*to, message, slices_);
}

void Replica::finish_changes() {
  std::vector<PendingChange> done;
  std::erase_if(changes_, [&](PendingChange& change) {
    if (change.end > core_->committed()) return false;
    done.push_back(std::move(change));
    return true;
  });
  for (PendingChange& change : done) {
    group_changed_ = true;
    change.done({});
  }
}

void Replica::note_role() {
  if (!std::exchange(group_changed_, false)) return;
  if (!core_->leader().empty() && core_->leader() != last_leader_) {
    last_leader_ = core_->leader();
    ++stats_.leader_changes;
  }
  logger.info("role={} term={} leader={}", raft::to_string(core_->role()), core_->term().v,
              core_->leader().empty() ? "none" : core_->leader());
  listener_.on_group_changed();
}

}  // namespace gantry::replog
