// SPDX-License-Identifier: Apache-2.0
// One member of a broker set at work: drives the consensus core with the log, the transport and a
// clock. Carries out what the core decides, in its order: hard state durable, cut, write, send,
// commit. A group of one is the same code.
//
// Owned by the broker's storage, one per log; log shard only.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "raft/core.h"
#include "replog/catch_up_reader.h"
#include "replog/log.h"
#include "replog/peer_transport.h"
#include "replog/replica_listener.h"
#include "replog/snapshot_inbox.h"
#include "replog/snapshot_sender.h"
#include "runtime/loop.h"

namespace gantry::replog {

struct ReplicaOptions {
  protocol::RecordHost store_host;  // goes into the records of this member's terms
  LogPosition apache_from{-1};      // see Log::begin_term, for the first term only
  // A short tick gives election timeouts many different values, so that two members seldom stand
  // for election at the same moment.
  std::chrono::milliseconds tick{25};
  std::chrono::milliseconds heartbeat{100};
  std::chrono::milliseconds election_timeout{1000};  // 1 to 2 times this
  std::int64_t append_bytes_max = 256 << 10;
  std::int64_t inflight_bytes_max = 16 << 20;
  CatchUpReader::Options catch_up;
  SnapshotOptions snapshot;
  std::uint64_t seed = 1;
};

class Replica final : public LogDriver, public raft::RecordBounds {
 public:
  using Done = std::move_only_function<void(Result<void>)>;

  Replica(runtime::Loop& loop, Log& log, PeerTransport& transport, ReplicaListener& listener,
          Clock& clock, ReplicaOptions options);
  ~Replica() override;

  // A member whose recovered membership is empty belongs to no group yet and waits for a leader. A
  // sole voter leads at once.
  Result<void> start(RecoveredLog recovered);
  // No ticks and messages any more; the log may still be stopped.
  void stop();

  // A message of another member with the bytes that came beside it.
  void receive(raft::Message message, std::string_view bytes);

  // Hands over leadership; empty: to the member that is furthest ahead.
  Result<void> transfer(const raft::MemberId& target);
  // Changes the membership; `done` when it is committed, or why not.
  void change_membership(const raft::Membership& next, Done done);
  // See raft::Core. Durable when it returns; the new group's term begins within.
  Result<void> recover(const std::vector<raft::MemberId>& survivors);
  // See raft::Core. Durable when it returns.
  bool give_up(const raft::Membership& newer);
  // See raft::Core.
  void set_passive(bool passive) { core_->set_passive(passive); }
  // The group of a member that belongs to none (all stores were empty); counts from position 0.
  Result<void> form(const raft::Membership& membership);

  bool formed() const { return !core_->membership().members.empty(); }
  // Leads and may decide.
  bool leading() const { return term_ready_; }
  // ... and is not handing over.
  bool accepting() const { return term_ready_ && core_->accepting(); }
  const raft::Core& core() const { return *core_; }
  // The leader as a member; null: not known.
  const raft::Member* leader() const;
  Log& log() { return log_; }
  // Of what this leader sends to the member; nullopt: it is being sent none.
  std::optional<SnapshotSender::Progress> snapshot_progress(const raft::MemberId& to) const {
    return snapshots_ ? snapshots_->progress(to) : std::nullopt;
  }
  // Of a snapshot that is being received.
  std::size_t snapshot_bytes_held() const { return inbox_.held_bytes(); }

  struct Stats {
    std::uint64_t elections = 0;       // that this member has stood in
    std::uint64_t leader_changes = 0;  // to another leader, as seen here
  };
  const Stats& stats() const { return stats_; }

  // LogDriver
  void on_written(LogPosition written) override;
  void on_durable(LogPosition durable) override;
  void on_applied(LogPosition applied) override;
  void on_trimmed(LogPosition begin) override;

  // raft::RecordBounds
  std::optional<LogPosition> bound(LogPosition from, std::int64_t bytes_max) override;

 private:
  struct PendingChange {
    LogPosition end;
    Done done;
  };

  void make_core(raft::InitialLog initial);
  void process(const LogRange* range = nullptr, std::string_view snapshot = {});
  void carry_out(raft::Output& output, const LogRange* range, std::string_view snapshot);
  void save(const raft::HardState& hard);
  void install(const raft::InstallSnapshot& install, std::string_view snapshot);
  void tell_appended();
  void begin_term();
  void end_term();
  void send(const raft::Message& message);
  void note_role();
  void finish_changes();
  void receive_snapshot(raft::Message message, std::string_view bytes);
  int ticks(std::chrono::milliseconds time) const;
  Result<LogRange> check_append(const raft::Message& message, raft::Append& append,
                                std::string_view bytes);

  runtime::Loop& loop_;
  Log& log_;
  PeerTransport& transport_;
  ReplicaListener& listener_;
  Clock& clock_;
  ReplicaOptions options_;
  std::unique_ptr<raft::Core> core_;
  std::unique_ptr<CatchUpReader> catch_up_;
  std::unique_ptr<SnapshotSender> snapshots_;
  SnapshotInbox inbox_;
  std::unique_ptr<runtime::Timer> tick_timer_;
  std::vector<PendingChange> changes_;
  std::vector<io::Slice> slices_;
  bool processing_ = false, again_ = false, stopped_ = false;
  bool leading_ = false;     // the log takes records of our term
  bool term_ready_ = false;  // ... and the term's first record is applied
  LogPosition term_end_;     // of the term-start record
  bool group_changed_ = false;
  Stats stats_;
  raft::MemberId last_leader_;
};

}  // namespace gantry::replog
