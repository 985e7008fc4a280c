// SPDX-License-Identifier: Apache-2.0
// Three members, each with a log, a replica and a transport on a shard of its own, over loopback.
#include <gtest/gtest.h>

#include <array>
#include <optional>

#include "peer/formation.h"
#include "peer_test_util.h"
#include "protocol/record.h"
#include "replog/log.h"
#include "replog/replica.h"
#include "tests/support/memory_file_system.h"

namespace gantry::peer {
namespace {

constexpr std::int64_t kFileBytes = 8192;

struct Applied {
  LogPosition position;
  std::string topic, body, bytes;
  bool operator==(const Applied&) const = default;
};

// The replica outlives its transport: what it sends meanwhile is lost.
class Cable final : public replog::PeerTransport {
 public:
  void send(const raft::Member& to, const raft::Message& message,
            std::span<const io::Slice> bytes) override {
    if (plugged_in != nullptr) plugged_in->send(to, message, bytes);
  }
  std::optional<bool> takes_pieces(const raft::MemberId& to) const override {
    return plugged_in == nullptr ? std::nullopt : plugged_in->takes_pieces(to);
  }
  TcpTransport* plugged_in = nullptr;
};

class GroupMember final : public replog::LogListener, public replog::ReplicaListener {
 public:
  GroupMember(Board& board, replog::FlushMode mode) : shard("member"), board_(board), mode_(mode) {
    shard.start();
    run([this] { open_store(); });
    run([this] { open_transport(0); });
    address = local(port_);
  }
  ~GroupMember() override {
    run([this] {
      transport.reset();
      cable_.plugged_in = nullptr;
      close_store();
    });
  }
  GroupMember(const GroupMember&) = delete;
  GroupMember& operator=(const GroupMember&) = delete;

  void run(std::function<void()> function) {
    EXPECT_TRUE(shard.call(std::move(function), kPatience));
  }

  // Begins to look for the others.
  void form(const std::vector<std::string>& list) {
    run([&] {
      formation = std::make_unique<Formation>(
          list, log->member_uuid(), [this](const raft::Membership& membership) {
            const auto done = replica->form(membership);
            EXPECT_TRUE(done.has_value()) << done.error().message;
            transport->set_members(membership);
            transport->set_seeds({});
          });
      transport->start(hello());
      transport->set_seeds(list);
      formation->update(*transport);
    });
  }

  void unplug() {
    cable_.plugged_in = nullptr;
    transport.reset();
  }
  void plug_in() {
    open_transport(port_);
    transport->start(hello());
  }

  // The process ends without a word, and starts again with the same files.
  void restart() {
    run([this] {
      unplug();
      close_store();
      board_.change([this] {
        applied.clear();
        leads = false;
      });
      open_store();
      plug_in();
    });
  }

  // Shard only.
  bool append(const std::string& body) {
    protocol::RecordFields fields;
    fields.topic = "T";
    fields.body = body;
    fields.store_host = fields.born_host = log->store_host();
    const auto place = log->reserve(protocol::encoded_size(fields));
    if (!place) return false;
    fields.position = place->position;
    fields.store_timestamp_ms = log->store_time_ms();
    protocol::encode_record(fields, place->data);
    log->publish(*place);
    return true;
  }

  Result<void> apply(const protocol::RecordView& record) override {
    board_.change([&] {
      applied.push_back({record.position, std::string(record.topic), std::string(record.body),
                         std::string(record.bytes)});
    });
    return {};
  }
  void on_committed(LogPosition) override {}
  void on_leading(Term term) override {
    board_.change([&] {
      leads = true;
      led_term = term;
    });
  }
  void on_following() override {
    board_.change([&] { leads = false; });
  }
  void on_group_changed() override {}
  void provide_snapshot(LogPosition, SnapshotDone) override {}
  Result<void> install_snapshot(LogPosition, std::string_view) override { return {}; }

  std::string address;
  runtime::Shard shard;
  // Shard only.
  std::unique_ptr<replog::Log> log;
  std::unique_ptr<replog::Replica> replica;
  std::unique_ptr<TcpTransport> transport;
  std::unique_ptr<Formation> formation;
  // Of the board.
  std::vector<Applied> applied;
  bool leads = false;
  Term led_term;

 private:
  void open_store() {
    replog::LogOptions options;
    options.commit_log_directory = "/store/commitlog";
    options.raft_directory = "/store/raft";
    options.file_bytes = kFileBytes;
    options.flush_mode = mode_;
    options.flush_interval = std::chrono::milliseconds(20);
    options.record_bytes_max = 4096;
    options.tail_cache_bytes = 4 << 20;
    options.block_cache_bytes = 1 << 20;
    options.fatal = [](const std::string& words) {
      ADD_FAILURE() << words;
      std::abort();
    };
    log = std::make_unique<replog::Log>(shard, files_, options, system_clock());
    const auto opened = log->open();
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    const raft::Membership formed = log->hard_state().state().formed;
    auto recovered = log->recover(LogPosition(0), {}, {LogPosition(0), LogPosition(0), formed},
                                  LogPosition(0), *this);
    ASSERT_TRUE(recovered.has_value()) << recovered.error().message;
    replog::ReplicaOptions replica_options;
    replica_options.store_host = *protocol::RecordHost::parse("127.0.0.1", 1);
    replica_options.tick = std::chrono::milliseconds(10);
    replica_options.heartbeat = std::chrono::milliseconds(10);
    replica_options.election_timeout = std::chrono::milliseconds(300);
    replica_options.append_bytes_max = 3000;
    replica_options.seed = std::hash<std::string>{}(log->member_uuid());
    replica = std::make_unique<replog::Replica>(shard, *log, cable_, *this, system_clock(),
                                                replica_options);
    const auto started = replica->start(std::move(*recovered));
    ASSERT_TRUE(started.has_value()) << started.error().message;
  }

  void close_store() {
    replica->stop();
    log.reset();
    replica.reset();
  }

  void open_transport(std::uint16_t port) {
    TcpTransport::Callbacks callbacks;
    callbacks.receive = [this](raft::Message message, std::string_view body) {
      replica->receive(std::move(message), body);
    };
    callbacks.peers_changed = [this] {
      if (formation) formation->update(*transport);
    };
    transport = std::make_unique<TcpTransport>(shard, std::move(callbacks), quick_frames());
    const auto bound = transport->listen("127.0.0.1", port);
    ASSERT_TRUE(bound.has_value()) << bound.error().message;
    port_ = *bound;
    cable_.plugged_in = transport.get();
  }

  Hello hello() const {
    Hello hello;
    hello.cluster = "C";
    hello.broker_name = "b";
    hello.member_uuid = log->member_uuid();
    hello.address = address;
    hello.file_bytes = kFileBytes;
    hello.start = static_cast<std::uint64_t>(log->hard_state().state().starts);
    hello.membership = replica->core().membership();
    hello.formed = !hello.membership.members.empty();
    return hello;
  }

  Board& board_;
  const replog::FlushMode mode_;
  std::uint16_t port_ = 0;
  testing::MemoryFileSystem files_;
  Cable cable_;
};

class GroupTest : public ::testing::TestWithParam<replog::FlushMode> {
 protected:
  GroupTest() {
    for (auto& member : members) member = std::make_unique<GroupMember>(board, GetParam());
    std::vector<std::string> list;
    for (const auto& member : members) list.push_back(member->address);
    for (const auto& member : members) member->form(list);
  }

  // A leader that leads in a term above `above`; null: none came.
  GroupMember* leader(Term above = Term(0)) {
    GroupMember* found = nullptr;
    board.wait([&] {
      for (const auto& member : members) {
        if (member->leads && member->led_term > above) found = member.get();
      }
      return found != nullptr;
    });
    return found;
  }

  // Appends through whoever leads until everything is in the log of one leader.
  void append(const std::string& prefix, int count) {
    GroupMember* at = leader();
    ASSERT_NE(at, nullptr);
    at->run([&] {
      for (int i = 0; i < count; ++i) {
        ASSERT_TRUE(at->append(prefix + std::to_string(i) + std::string(500, '.')));
      }
    });
  }

  static std::vector<std::string> bodies(const GroupMember& member) {
    std::vector<std::string> result;
    for (const Applied& record : member.applied) {
      if (record.topic == "T") result.push_back(record.body.substr(0, record.body.find('.')));
    }
    return result;
  }
  static std::vector<std::string> names(const std::string& prefix, int count) {
    std::vector<std::string> result;
    for (int i = 0; i < count; ++i) result.push_back(prefix + std::to_string(i));
    return result;
  }
  // Whether the members (all but `except`) have applied exactly this and the same bytes.
  bool wait_for(const std::vector<std::string>& expected, const GroupMember* except = nullptr) {
    return board.wait([&] {
      const GroupMember* first = nullptr;
      for (const auto& member : members) {
        if (member.get() == except) continue;
        if (bodies(*member) != expected) return false;
        if (first == nullptr) first = member.get();
        if (!(member->applied == first->applied)) return false;
      }
      return true;
    });
  }
  // For the message of a failed wait.
  std::string state() {
    std::string text;
    for (const auto& member : members) {
      member->run([&] {
        const raft::Core& core = member->replica->core();
        text += member->address + ": " + raft::to_string(core.role()) + " term " +
                std::to_string(core.term().v) + " end " + std::to_string(core.end().v) +
                " committed " + std::to_string(core.committed().v) + " applied " +
                std::to_string(member->log->committed().v) + " records " +
                std::to_string(member->applied.size()) +
                (core.recovering() ? " recovering\n" : "\n");
      });
    }
    return text;
  }

  Board board;
  std::array<std::unique_ptr<GroupMember>, 3> members;
};

std::vector<std::string> operator+(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST_P(GroupTest, FormsElectsAndAppliesTheSameEverywhere) {
  append("a", 60);
  EXPECT_TRUE(wait_for(names("a", 60))) << state();
  raft::Membership first;
  for (const auto& member : members) {
    member->run([&] {
      EXPECT_TRUE(member->formation->done());
      const raft::Membership& group = member->replica->core().membership();
      EXPECT_EQ(group.voter_count(), 3U);
      if (first.members.empty()) first = group;
      EXPECT_TRUE(group == first);
      EXPECT_EQ(member->transport->stats().connected_peers, 2U);
      EXPECT_TRUE(std::ranges::equal(member->log->epochs().all(), members[0]->log->epochs().all()))
          << "the log's epochs";
    });
  }
}

TEST_P(GroupTest, GoesOnWithoutTheOldLeaderAndTakesItBack) {
  append("a", 10);
  ASSERT_TRUE(wait_for(names("a", 10))) << state();
  GroupMember* const old = leader();
  ASSERT_NE(old, nullptr);
  Term term;
  old->run([&] {
    term = old->replica->core().term();
    old->unplug();
    // Over two files' worth that nobody else will ever see.
    for (int i = 0; i < 40; ++i) {
      ASSERT_TRUE(old->append("lost" + std::to_string(i) + std::string(500, '.')));
    }
  });
  GroupMember* const next = leader(term);
  ASSERT_NE(next, nullptr) << state();
  ASSERT_NE(next, old);
  next->run([&] {
    for (int i = 0; i < 30; ++i) {
      ASSERT_TRUE(next->append("b" + std::to_string(i) + std::string(500, '.')));
    }
  });
  const auto expected = names("a", 10) + names("b", 30);
  ASSERT_TRUE(wait_for(expected, old)) << state();
  ASSERT_TRUE(board.wait([&] { return !old->leads; })) << "it notices that nobody answers";
  old->run([&] { old->plug_in(); });
  EXPECT_TRUE(wait_for(expected)) << state();
}

TEST_P(GroupTest, MembersThatRestartAreThereAgain) {
  append("a", 20);
  ASSERT_TRUE(wait_for(names("a", 20))) << state();
  GroupMember* const old = leader();
  ASSERT_NE(old, nullptr);
  Term term;
  old->run([&] { term = old->replica->core().term(); });
  old->restart();
  GroupMember* const next = leader(term);
  ASSERT_NE(next, nullptr) << state();
  next->run([&] {
    for (int i = 0; i < 20; ++i) {
      ASSERT_TRUE(next->append("b" + std::to_string(i) + std::string(500, '.')));
    }
  });
  EXPECT_TRUE(wait_for(names("a", 20) + names("b", 20))) << state();
}

INSTANTIATE_TEST_SUITE_P(FlushModes, GroupTest,
                         ::testing::Values(replog::FlushMode::kAsync, replog::FlushMode::kSync),
                         [](const auto& param) {
                           return param.param == replog::FlushMode::kAsync ? "Async" : "Sync";
                         });

}  // namespace
}  // namespace gantry::peer
