// SPDX-License-Identifier: Apache-2.0
// The storage of a broker and what request handlers work with, on a shard of its own, for parts
// that act on the role of this member: the test decides who leads, the other members are messages.
// Its clock is moved by the test; its timers are real.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>

#include "broker/admin/config_file.h"
#include "broker/core/context.h"
#include "broker/core/stats.h"
#include "broker/core/storage.h"
#include "runtime/shard.h"

namespace gantry::broker::test {

class SteppedClock final : public Clock {
 public:
  std::int64_t wall_ms() const override { return system_clock().wall_ms(); }
  std::int64_t steady_us() const override { return steady_us_; }
  void advance(std::chrono::microseconds by) { steady_us_ += by.count(); }

 private:
  std::atomic<std::int64_t> steady_us_{1'000'000'000};
};

class GroupRig : private RoleObserver, private replog::PeerTransport {
 public:
  GroupRig() : shard("group-test"), config_file_(io::posix_file_system(), shard, "") {
    std::string text = (std::filesystem::path(::testing::TempDir()) / "group_rig_XXXXXX").string();
    if (::mkdtemp(text.data()) == nullptr) throw std::runtime_error("mkdtemp " + text);
    directory_ = text;
    config.broker_name = "broker-a";
    config.store_path_root_dir = text;
    config.store_path_commit_log = text + "/commitlog";
    config.mapped_file_size_commit_log = 64 << 10;
    config.mapped_file_size_consume_queue = 20 * 1000;
    config.max_message_size = 16 << 10;
    shard.start();
  }
  ~GroupRig() override {
    run([this] {
      context_.reset();
      storage_.reset();
    });
    shard.stop();
    shard.join();
    std::filesystem::remove_all(directory_);
  }

  config::BrokerConfig config;  // before start_…()
  SteppedClock clock;
  runtime::Shard shard;

  // Runs on the shard and waits for it.
  void run(std::function<void()> function) {
    ASSERT_TRUE(shard.call(std::move(function), std::chrono::minutes(1)));
  }
  // Shard only, after start_…().
  BrokerContext& context() { return *context_; }
  Storage& storage() { return *storage_; }
  // Runs on the shard when the role, the leader or the term is another one; set it there.
  std::function<void()> group_changed;

  // The only voter of its set: it leads when this returns.
  void start_alone() {
    start();
    ASSERT_EQ(leads_.get_future().wait_for(std::chrono::minutes(1)), std::future_status::ready);
  }
  // One of three, the others are 'b' and 'c'; it stands for no election.
  void start_as_one_of_three() {
    config.raft_initial_members = {"a.test:1", "b.test:1", "c.test:1"};
    start();
    run([this] {
      raft::Membership three;
      three.put({storage_->log().member_uuid(), "a.test:1", 1, true});
      three.put({member('b'), "b.test:1", 2, true});
      three.put({member('c'), "c.test:1", 3, true});
      const auto formed = storage_->replica().form(three);
      ASSERT_TRUE(formed) << formed.error().message;
    });
  }
  static raft::MemberId member(char digit) { return raft::MemberId(32, digit); }

  // `leader` leads `term` / nobody leads it yet, as another member knows.
  void hear_leader(char leader, std::int64_t term) {
    hear(leader, term, raft::Append{});
    run([&] { EXPECT_EQ(storage_->replica().core().leader(), member(leader)); });
  }
  void hear_term_without_leader(std::int64_t term) {
    hear('b', term, raft::StaleTerm{});
    run([&] { EXPECT_EQ(storage_->replica().core().leader(), ""); });
  }

 private:
  void start() {
    run([this] {
      storage_ = std::make_unique<Storage>(shard, io::posix_file_system(), config, clock, nullptr,
                                           [](replog::ReplicaOptions& options) {
                                             options.election_timeout = std::chrono::hours(1);
                                           });
      const auto opened = storage_->open();
      ASSERT_TRUE(opened) << opened.error().message;
      storage_->add_role_observer(*this);
      const auto host = *protocol::RecordHost::parse("127.0.0.1", 1);
      context_.reset(new BrokerContext{config, config_file_, clock, io::posix_file_system(), shard,
                                       *storage_, connections_, stats_, host, "127.0.0.1:1",
                                       "127.0.0.1:2"});
      const auto started = storage_->start(host, *this);
      ASSERT_TRUE(started) << started.error().message;
    });
  }
  template <class Body>
  void hear(char from, std::int64_t term, Body body) {
    run([&] {
      raft::Message message;
      message.from = member(from);
      message.to = storage_->log().member_uuid();
      message.term = Term(term);
      message.start = 1;
      message.body = std::move(body);
      storage_->replica().receive(std::move(message), {});
    });
  }

  void on_leading(Term) override { leads_.set_value(); }
  void on_group_changed() override {
    if (group_changed) group_changed();
  }
  void send(const raft::Member&, const raft::Message&, std::span<const io::Slice>) override {}
  std::optional<bool> takes_pieces(const raft::MemberId&) const override { return true; }

  std::filesystem::path directory_;
  ConfigFile config_file_;
  ConnectionDirectory connections_;
  BrokerStats stats_;
  std::unique_ptr<Storage> storage_;
  std::unique_ptr<BrokerContext> context_;
  std::promise<void> leads_;
};

}  // namespace gantry::broker::test
