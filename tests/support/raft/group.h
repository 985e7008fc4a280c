// SPDX-License-Identifier: Apache-2.0
// A group of raft::Core in one process: model logs instead of disks, queues instead of a network.
// Nothing happens by itself: the owner says what is delivered, lost, written, synced and when a
// clock ticks, so that a run can be repeated exactly. Used by the scripts and by the random test.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "raft/core.h"
#include "tests/support/raft/model_log.h"

namespace gantry::raft::model {

struct Packet {
  Message message;
  std::vector<Record> records;  // of an append
  Membership group;             // of the sender when it was sent: what its hello says
  bool given_up = false;        // ... likewise
};

// Mistakes that a driver of the core could make, planted to see that the checks find them.
struct Mistakes {
  bool forgets_vote = false;       // the vote is not on the disk when it is given
  bool reports_unwritten = false;  // what was taken into memory is reported as written
  bool cut_undone = false;         // what was cut off is there again after a crash
  bool late_sync = false;          // a sync that began before a cut is reported as it is
  bool never_recovering = false;   // a member that has lost bytes starts as if it had not
};

struct Member {
  MemberId id;
  std::uint64_t start = 0;
  HardState disk;
  ModelLog log;
  LogPosition remembered_commit;  // what its next start knows to be committed
  std::unique_ptr<Core> core;     // null while it is down
  bool installing = false;
  std::optional<std::string> fault;
  bool up() const { return core != nullptr; }
  bool leading() const { return up() && core->leading(); }
};

class Group {
 public:
  struct Settings {
    Options core;  // self, start and seed are set for each member
    CommitMode mode = CommitMode::kWritten;
    bool auto_write = true;
    bool auto_sync = true;
    bool auto_install = true;
    std::int64_t term_record_size = 10;
    std::int64_t membership_record_size = 20;
    Mistakes mistakes;
  };
  using Link = std::pair<MemberId, MemberId>;  // from, to

  explicit Group(Settings initial) : settings(std::move(initial)) {}

  // `output` has been carried out, but its start_term; `packet` is what was delivered, or null.
  std::function<void(Member&, const Output&, const Packet*)> on_output;
  // A member's written or durable position may have moved.
  std::function<void(Member&)> on_progress;

  // A member with an empty disk that knows `membership`, not started.
  Member& add(const MemberId& id, Membership membership);
  Member& member(const MemberId& id);
  std::map<MemberId, Member>& members() { return members_; }

  void start(Member& member);
  // Ends it at once; the records up to `keep` are found by its next start.
  void crash(Member& member, LogPosition keep);

  void tick(Member& member);
  void campaign(Member& member);
  // False when the member takes no appends.
  bool propose(Member& member, std::int64_t size, int count);
  Result<void> change(Member& member, const Membership& next);
  Result<void> transfer(Member& member, const MemberId& target);
  Result<void> recover(Member& member, const std::vector<MemberId>& survivors);
  void trim(Member& member, LogPosition begin);
  void flush_ticks(Member& member, int ticks);

  void write_one(Member& member);
  void write_all(Member& member);
  void begin_sync(Member& member);
  void end_sync(Member& member);
  void installed(Member& member);

  std::map<Link, std::deque<Packet>>& links() { return links_; }
  // Whether the receiver takes what the sender says, judged as by their hellos.
  bool takes(const Packet& packet);
  // Steps one message; a member that is down loses it, and who must not talk to the other one does
  // not.
  void deliver(const Packet& packet);
  // Messages between members of different sides are lost when they are sent.
  void partition(std::vector<std::set<MemberId>> sides) { sides_ = std::move(sides); }
  bool connected(const MemberId& a, const MemberId& b) const;

  Settings settings;

 private:
  // Their hellos: one of them may hear that it was given up.
  void meet(Member& one, Member& other);
  void drain(Member& member, const Packet* packet = nullptr);
  bool carry_out(Member& member, const Packet* packet);
  void send(const Member& member, Message message);
  // Returns the record, with its place and identity filled in.
  const Record& append(Member& member, std::int64_t size, Record record = {});

  std::map<MemberId, Member> members_;
  std::map<Link, std::deque<Packet>> links_;
  std::vector<std::set<MemberId>> sides_;
  std::uint64_t next_id_ = 1;
  std::uint64_t recoveries_ = 0;
};

}  // namespace gantry::raft::model
