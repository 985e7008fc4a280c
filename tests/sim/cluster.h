// SPDX-License-Identifier: Apache-2.0
// A broker set in a simulated world: each node is a machine with a disk and a clock, on which a
// process runs the storage of a broker (log, Raft, state, queues) as in production. Knows what has
// been committed anywhere and checks it against every node.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/core/storage.h"
#include "config/broker_config.h"
#include "replog/peer_transport.h"
#include "sim/network.h"
#include "sim/power_cut_file_system.h"
#include "sim/sim_loop.h"
#include "sim/world.h"

namespace gantry::simtest {

// Thrown when a guarantee is broken; ends the run of the seed.
struct Violation {
  std::string what;
};

struct ClusterOptions {
  int nodes = 3;
  bool sync_flush = true;
  // The topic of the messages is made before there are any, as brokers do. Queues of others are
  // removed at a start, and so cannot be compared.
  bool known_topic = true;
  bool subscriptions = false;             // changes of the state are of consumer groups as well
  std::int64_t append_bytes_max = 0;      // of a message to a follower; 0: as in production
  std::int64_t snapshot_piece_bytes = 0;  // 0: as in production
  std::int64_t file_bytes = 64 << 10;
  std::int64_t tail_cache_bytes = 256 << 10;
};

class Cluster;

// One machine. Its process may be down.
class Node final : private broker::CommitObserver,
                   private broker::RoleObserver,
                   private replog::PeerTransport {
 public:
  Node(Cluster& cluster, int number);

  int number() const { return number_; }
  std::string address() const { return "node-" + std::to_string(number_) + ":10912"; }
  // Of the store on the disk; empty before its first start.
  const std::string& uuid() const { return uuid_; }

  bool up() const { return process_ != nullptr && process_->loop.alive() && serving_; }
  bool leading() const { return up() && process_->storage->leading(); }
  broker::Storage& storage() { return *process_->storage; }
  raft::Role role() { return storage().replica().core().role(); }
  bool recovering() const { return up() && process_->storage->replica().core().recovering(); }

  void start();
  void kill();  // the page cache stays
  void cut_power();
  void pause(std::int64_t for_us) { process_->loop.pause(for_us); }
  void wipe();       // another, empty disk; the next start makes another member of it
  void take_away();  // for good: process, machine and disk
  bool gone() const { return gone_; }
  void stop_cleanly();
  // Flips a byte that the next start reads. False: there is none.
  bool rot();
  void fail_syncs(bool fail) { fail_syncs_ = fail; }
  void refuse_space(bool refuse) { refuse_space_ = refuse; }
  sim::SimLoop& loop() { return process_->loop; }

  void receive(const raft::Message& message, const std::string& bytes);

  sim::SimClock clock;
  LogPosition checked;  // its committed bytes have been compared up to here

 private:
  struct Process {
    Process(sim::World& world, std::function<void(const std::string&)> ended)
        : loop(world, std::move(ended)) {}
    sim::SimLoop loop;
    std::unique_ptr<broker::Storage> storage;
  };

  void ended(const std::string& last_words);
  void drop();
  void send(const raft::Member& to, const raft::Message& message,
            std::span<const io::Slice> bytes) override;
  std::optional<bool> takes_pieces(const raft::MemberId&) const override { return true; }
  void on_committed(LogPosition position) override;
  void on_leading(Term term) override;
  void on_following() override;
  void on_group_changed() override;

  Cluster& cluster_;
  const int number_;
  std::string uuid_;
  int stores_ = 0;
  config::BrokerConfig config_;
  std::shared_ptr<testing::PowerCutFileSystem> disk_;
  std::unique_ptr<Process> process_;
  std::vector<std::unique_ptr<Process>> dead_;  // destroyed outside of their own code
  bool serving_ = false, gone_ = false;
  bool fail_syncs_ = false, refuse_space_ = false;
  Term elected_;              // the newest term in which it had the votes
  LogPosition checkpointed_;  // when the process was last killed
  friend class Cluster;
};

class Cluster {
 public:
  Cluster(std::uint64_t seed, ClusterOptions options);
  ~Cluster();

  sim::World world;
  sim::Network network;
  const ClusterOptions options;
  const std::uint64_t seed;

  std::vector<std::unique_ptr<Node>>& nodes() { return nodes_; }
  Node& node(int number) { return *nodes_[static_cast<std::size_t>(number)]; }
  Node* leader();                          // the one with the highest term; null: none
  Node* by_uuid(const std::string& uuid);  // null: nobody has that store (any more)
  Node& add_node();

  // Every membership that may count: the newest committed one, as far as those know that are up,
  // and what its voters have appended behind it.
  std::vector<raft::Membership> memberships();
  // All that may vote, but `except`, are up and have forgotten nothing.
  bool voters_whole(const Node* except);
  // Somebody who may vote has lost its store for good.
  bool voter_lost();

  // Forms the group once every node has a store.
  void form();
  // Appends a message through the leader, if there is one; it counts when it is committed there.
  void produce();
  // Changes the replicated tables through the leader.
  void change_state();
  void change_groups(broker::Storage& storage);

  // Compares what every node has committed with what anybody has. Throws Violation.
  void check();
  // After healing: everybody converges, and new messages are taken.
  void check_converged();
  std::uint64_t acknowledged() const { return acknowledged_; }
  std::uint64_t committed_bytes() const { return canonical_.size(); }
  // Of everything that was committed, and when: equal for equal seeds.
  std::uint64_t trace_hash() const { return trace_; }
  void note(std::uint64_t value) { trace_ = (trace_ ^ value) * 1099511628211ULL; }
  std::function<void(Node&)> on_process_ended;
  std::function<void(Node&)> on_elected;  // it has the votes
  std::function<void(Node&)> on_leader;   // ... and all before its term is applied: it decides

 private:
  friend class Node;
  struct Pending {
    LogPosition position, end;
    std::string bytes;
  };
  struct Acknowledged {
    LogPosition position;
    std::string bytes;
  };

  void compare(Node& node, LogPosition from, LogPosition to);
  void compare_queues(Node& one, Node& other);
  void compare_committed(Node& node);
  void committed_at(Node& node, LogPosition position);
  void leads(Node& node, Term term);

  std::vector<std::unique_ptr<Node>> nodes_;
  std::string canonical_;  // every byte of the log that was committed anywhere
  std::map<std::int64_t, std::string> leader_of_term_;
  std::map<int, std::deque<Pending>> pending_;  // by node
  std::vector<Acknowledged> acknowledged_messages_;
  std::map<std::int64_t, std::uint64_t> digests_;  // of the state, by applied position
  std::uint64_t acknowledged_ = 0, next_message_ = 0, trace_ = 1469598103934665603ULL;
};

}  // namespace gantry::simtest
