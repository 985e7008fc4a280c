// SPDX-License-Identifier: Apache-2.0
// Log, queues and state of a broker together over a disk that loses power or refuses: rules 2, 3
// and 4 of docs/architecture.md.
#include "broker/core/storage.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <mutex>
#include <random>
#include <semaphore>

#include "base/bytes.h"
#include "base/crc32.h"
#include "broker/core/memory_shares.h"
#include "runtime/process_limits.h"
#include "runtime/shard.h"
#include "sim/power_cut_file_system.h"
#include "state/snapshot_store.h"

namespace gantry::broker {
namespace {

using testing::DiskOperation;
using testing::PowerCutFileSystem;

constexpr std::int64_t kFileBytes = 64 << 10;

// The lock of a store is taken on the real file system, so its directory is there, too.
class StorageTest : public ::testing::Test {
 protected:
  StorageTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "gantry-store-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    config_.broker_name = "b";
    config_.store_path_root_dir = root_;
    config_.store_path_commit_log = root_ + "/commitlog";
    config_.mapped_file_size_commit_log = kFileBytes;
    config_.mapped_file_size_consume_queue = 20 * 1000;
    config_.max_message_size = 16 << 10;
    config_.flush_interval_commit_log_ms = 3'600'000;  // only checkpoints sync
  }
  ~StorageTest() override { std::filesystem::remove_all(root_); }

  std::string root_;
  config::BrokerConfig config_;
};

struct NoPeers final : replog::PeerTransport {
  void send(const raft::Member&, const raft::Message&, std::span<const io::Slice>) override {}
  std::optional<bool> takes_pieces(const raft::MemberId&) const override { return true; }
};

class Rig final : private RoleObserver {
 public:
  Rig(io::FileSystem& fs, const config::BrokerConfig& config) : shard_("storage-test") {
    shard_.start();
    on_shard([&] { storage = std::make_unique<Storage>(shard_, fs, config, system_clock()); });
  }
  ~Rig() override {
    on_shard([&] { storage.reset(); });
    shard_.stop();
    shard_.join();
  }
  template <class Fn>
  void on_shard(Fn&& fn) {
    std::promise<void> done;
    shard_.post([&] {
      fn();
      shard_.post([&] { done.set_value(); });
    });
    done.get_future().get();
  }
  // Until the group of one leads.
  Result<void> start() {
    Result<void> result;
    on_shard([&] {
      storage->add_role_observer(*this);
      result = open_and_start();
    });
    if (result) leads_.get_future().get();
    return result;
  }
  // On the shard.
  Result<void> open_and_start() {
    GANTRY_TRY(storage->open());
    return storage->start(*protocol::RecordHost::parse("127.0.0.1", 1), no_peers_);
  }
  Result<void> put_topic(const std::string& name) {
    std::promise<Result<void>> done;
    on_shard([&] {
      protocol::TopicConfig topic;
      topic.topic_name = name;
      storage->proposals().put_topics({topic},
                                      [&](Result<void> r) { done.set_value(std::move(r)); });
    });
    return done.get_future().get();
  }
  bool has_topic(const std::string& name) {
    bool found = false;
    on_shard([&] { found = storage->state().topics().find(name) != nullptr; });
    return found;
  }
  replog::SnapshotImagePtr provide_snapshot(LogPosition at_least) {
    std::promise<Result<replog::SnapshotImagePtr>> done;
    on_shard([&] {
      storage->provide_snapshot(at_least, [&](Result<replog::SnapshotImagePtr> image) {
        done.set_value(std::move(image));
      });
    });
    return done.get_future().get().value();
  }
  void put_messages(const std::string& topic, int count, std::size_t bytes) {
    on_shard([&] {
      for (int i = 0; i < count; ++i) {
        protocol::RecordFields f;
        const std::string body(bytes, 'm');
        store::ConsumeQueue& queue = storage->queues().get(topic, i % 2);
        f.topic = topic;
        f.queue_id = i % 2;
        f.queue_offset = queue.next();
        f.body = body;
        f.store_host = f.born_host = storage->log().store_host();
        const auto place = storage->log().reserve(protocol::encoded_size(f));
        ASSERT_TRUE(place) << place.error().message;
        f.position = place->position;
        f.store_timestamp_ms = storage->log().store_time_ms();
        protocol::encode_record(f, place->data);
        storage->log().publish(*place);
        queue.take_next();
      }
    });
  }
  // Every entry of every queue leads to the record of that topic, queue and offset.
  void expect_queues_match_log() {
    on_shard([&] {
      storage->queues().for_each(
          [&](std::string_view topic, std::int32_t id, store::ConsumeQueue& queue) {
            for (QueueOffset at = queue.min(); at < queue.max(); ++at) {
              const auto entry = queue.at(at);
              ASSERT_TRUE(entry) << entry.error().message;
              if (entry->blank()) continue;
              const auto bytes = storage->log().read_record_blocking(entry->position);
              ASSERT_TRUE(bytes) << topic << "/" << id << " offset " << at.v << " position "
                                 << entry->position.v << ": " << bytes.error().message;
              const auto record = protocol::decode_record(*bytes);
              ASSERT_TRUE(record);
              EXPECT_EQ(record->topic, topic);
              EXPECT_EQ(record->queue_id, id);
              EXPECT_EQ(record->queue_offset, at);
            }
          });
    });
  }

  std::unique_ptr<Storage> storage;

 private:
  void on_leading(Term) override { leads_.set_value(); }

  NoPeers no_peers_;
  std::promise<void> leads_;
  runtime::Shard shard_;
};

// Position of the newest snapshot on this disk; -1: there is none.
LogPosition newest_snapshot(io::FileSystem& disk, const std::string& directory) {
  state::SnapshotStore store(disk, directory);
  const auto loaded = store.load();
  return loaded && loaded->newest ? loaded->newest->position : LogPosition(-1);
}

// With ASYNC_FLUSH a power cut takes committed records. The state, its snapshot and the queues must
// not be ahead of the log then, or what comes next would be taken for what is known already.
TEST_F(StorageTest, AfterAPowerCutNewCommandsAndMessagesCount) {
  std::size_t shorter = 0;
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    PowerCutFileSystem disk;
    std::unique_ptr<PowerCutFileSystem> next;
    LogPosition end;
    {
      Rig rig(disk, config_);
      ASSERT_TRUE(rig.start());
      ASSERT_TRUE(rig.put_topic("T"));
      for (int turn = 0; turn < 6; ++turn) {
        ASSERT_TRUE(rig.put_topic("before-" + std::to_string(turn)));
        rig.put_messages("T", static_cast<int>(random() % 100), random() % 2000);
        rig.on_shard([&] {
          if (random() % 2 == 0) rig.storage->checkpoint();
        });
      }
      rig.on_shard([&] {
        end = rig.storage->log().end();
        next = disk.after_power_cut(seed);
      });
    }
    std::unique_ptr<PowerCutFileSystem> last;
    {
      Rig rig(*next, config_);
      const LogPosition snapshot = newest_snapshot(*next, root_ + "/raft");
      const auto started = rig.start();
      ASSERT_TRUE(started) << started.error().message;
      EXPECT_LE(snapshot, rig.storage->recovery().end) << "a snapshot ran ahead of its log";
      rig.expect_queues_match_log();
      shorter += rig.storage->recovery().end < end ? 1 : 0;
      ASSERT_TRUE(rig.put_topic("after"));
      ASSERT_TRUE(rig.has_topic("after"));
      rig.put_messages("T", 20, 100);
      rig.on_shard([&] { ASSERT_TRUE(rig.storage->stop()); });
      last = next->after_power_cut(seed);
    }
    Rig rig(*last, config_);
    ASSERT_TRUE(rig.start());
    ASSERT_TRUE(rig.has_topic("after"));
    rig.expect_queues_match_log();
  }
  EXPECT_GT(shorter, 5U) << "the cuts took nothing: the test shows nothing";
}

// A store with a topic, a checkpoint, messages behind it and a second checkpoint; its disk as a
// power cut leaves it, in the middle of writing the second checkpoint or after a clean stop.
// Everything from the messages on is then taken out of the log: a disk that did not keep what it
// had synced.
std::unique_ptr<PowerCutFileSystem> store_that_lost_synced_messages(
    const config::BrokerConfig& config, bool clean) {
  PowerCutFileSystem disk;
  std::unique_ptr<PowerCutFileSystem> next;
  LogPosition keep;
  {
    std::atomic<int> checkpoints = 0;
    std::promise<void> first;
    std::promise<void> second;
    Rig rig(disk, config);
    disk.before = [&](DiskOperation operation, const std::string& path) -> Result<void> {
      if (operation != DiskOperation::kWrite || !path.ends_with("raft/checkpoint")) return {};
      const int n = ++checkpoints;
      if (n == 1) first.set_value();
      if (n == 2) {
        next = disk.after_power_cut(1);
        second.set_value();
      }
      return {};
    };
    EXPECT_TRUE(rig.start());
    EXPECT_TRUE(rig.put_topic("T"));
    EXPECT_TRUE(rig.put_topic("before"));
    rig.on_shard([&] {
      keep = rig.storage->log().end();
      rig.storage->checkpoint();
    });
    first.get_future().get();
    rig.put_messages("T", 30, 500);
    if (clean) {
      rig.on_shard([&] { EXPECT_TRUE(rig.storage->stop()); });
      next = disk.after_power_cut(1);
    } else {
      rig.on_shard([&] { rig.storage->checkpoint(); });
      second.get_future().get();
    }
  }
  next->overwrite(config.store_path_commit_log + "/00000000000000000000",
                  static_cast<std::size_t>(keep.v),
                  std::string(static_cast<std::size_t>(kFileBytes - keep.v), '\0'));
  return next;
}

void expect_going_on(io::FileSystem& disk, const config::BrokerConfig& config) {
  for (int boot = 0; boot < 2; ++boot) {
    Rig rig(disk, config);
    const auto started = rig.start();
    ASSERT_TRUE(started) << started.error().message;
    EXPECT_TRUE(rig.has_topic("before"));
    rig.expect_queues_match_log();
    const std::string name = "after-" + std::to_string(boot);
    ASSERT_TRUE(rig.put_topic(name));
    rig.put_messages("T", 3, 100);
    EXPECT_TRUE(rig.has_topic(name));
    EXPECT_TRUE(rig.has_topic("after-0"));
    rig.expect_queues_match_log();
    rig.on_shard([&] { ASSERT_TRUE(rig.storage->stop()); });
  }
}

TEST_F(StorageTest, TheStateFollowsALogThatEndsBeforeItsSnapshot) {
  const auto disk = store_that_lost_synced_messages(config_, false);
  expect_going_on(*disk, config_);
}

// The newest snapshot is damaged, too, so the log is read from further back and the loss is seen.
TEST_F(StorageTest, QueuesFollowALogThatEndsBeforeThem) {
  const auto disk = store_that_lost_synced_messages(config_, true);
  std::string newest;
  for (const std::string& name : disk->names(root_ + "/raft")) {
    if (name.starts_with("state-")) newest = name;
  }
  disk->overwrite(root_ + "/raft/" + newest, 3, "?");
  expect_going_on(*disk, config_);
}

// Rule 3.
TEST_F(StorageTest, NoLogFileGoesBeforeASnapshotAtOrAboveTheTrimIsDurable) {
  PowerCutFileSystem disk;
  const std::string raft = root_ + "/raft";
  std::atomic<bool> refuse_snapshots = false;
  std::atomic<int> refused = 0;
  std::mutex mutex;
  std::vector<std::string> removed;
  std::vector<LogPosition> left;
  std::promise<void> first_saved;
  std::atomic<int> saved = 0;
  std::promise<void> first_removed;
  std::promise<void> first_refused;
  Rig rig(disk, config_);
  disk.before = [&](DiskOperation operation, const std::string& path) -> Result<void> {
    if (operation == DiskOperation::kWrite && path.starts_with(raft + "/state-") &&
        refuse_snapshots) {
      if (refused++ == 0) first_refused.set_value();
      return make_error(ErrorCode::kDiskFull, path + ": no space");
    }
    if (operation == DiskOperation::kWrite && path == raft + "/checkpoint" && saved++ == 0) {
      first_saved.set_value();
    }
    if (operation == DiskOperation::kRemove && path.starts_with(config_.store_path_commit_log)) {
      const std::lock_guard lock(mutex);
      for (std::uint32_t seed = 1; seed <= 10; ++seed) {
        left.push_back(newest_snapshot(*disk.after_power_cut(seed), raft));
      }
      removed.push_back(path);
      if (removed.size() == 1) first_removed.set_value();
    }
    return {};
  };
  ASSERT_TRUE(rig.start());
  rig.on_shard([&] { rig.storage->checkpoint(); });
  first_saved.get_future().get();  // a snapshot is durable, but of the log's first bytes
  refuse_snapshots = true;
  rig.put_messages("T", 60, 5000);  // about five files
  LogPosition trim;
  std::promise<Result<void>> proposed;
  rig.on_shard([&] {
    trim = LogPosition(3 * kFileBytes);
    ASSERT_GT(rig.storage->log().end(), trim);
    rig.storage->propose_trim(trim, [&](Result<void> r) { proposed.set_value(std::move(r)); });
  });
  ASSERT_TRUE(proposed.get_future().get());
  first_refused.get_future().get();  // the checkpoint that the trim asked for
  rig.on_shard([&] { rig.storage->checkpoint(); });
  rig.on_shard([&] { EXPECT_EQ(rig.storage->log().begin(), LogPosition(0)); });
  {
    const std::lock_guard lock(mutex);
    EXPECT_TRUE(removed.empty()) << removed.front();
  }
  refuse_snapshots = false;
  rig.on_shard([&] { rig.storage->checkpoint(); });
  first_removed.get_future().get();
  rig.on_shard([&] { EXPECT_EQ(rig.storage->log().begin(), trim); });
  const std::lock_guard lock(mutex);
  EXPECT_EQ(removed.size(), 3U);
  for (const LogPosition position : left) EXPECT_GE(position, trim);
}

// What is sent to other members is the snapshot on the disk: encoding takes the shard's time.
TEST_F(StorageTest, ASnapshotForOthersComesFromTheDiskOrElseFromTheState) {
  PowerCutFileSystem disk;
  std::counting_semaphore<> checkpoints{0};
  std::atomic<bool> no_more = false;
  Rig rig(disk, config_);
  disk.before = [&](DiskOperation operation, const std::string& path) -> Result<void> {
    if (operation != DiskOperation::kWrite) return {};
    if (path == root_ + "/raft/checkpoint") checkpoints.release();
    if (no_more && path.starts_with(root_ + "/raft/state-")) {
      return make_error(ErrorCode::kDiskFull, path + ": no space");
    }
    return {};
  };
  ASSERT_TRUE(rig.start());
  ASSERT_TRUE(rig.put_topic("before"));
  LogPosition end;
  rig.on_shard([&] { end = rig.storage->log().committed(); });
  do {
    rig.on_shard([&] { rig.storage->checkpoint(); });
    checkpoints.acquire();  // the snapshot is written before
  } while (newest_snapshot(disk, root_ + "/raft") < end);
  no_more = true;
  ASSERT_TRUE(rig.put_topic("behind"));
  const LogPosition on_disk = newest_snapshot(disk, root_ + "/raft");
  const auto expect = [&](LogPosition at_least, bool from_disk) {
    const replog::SnapshotImagePtr image = rig.provide_snapshot(at_least);
    EXPECT_EQ(image->id.size, static_cast<std::int64_t>(image->bytes.size()));
    EXPECT_EQ(image->id.checksum, crc32(image->bytes));
    state::StateMachine machine;
    ASSERT_TRUE(machine.load_snapshot(image->bytes));
    EXPECT_EQ(machine.applied(), image->id.position);
    EXPECT_GE(image->id.position, at_least);
    EXPECT_EQ(image->id.position == on_disk, from_disk);
    EXPECT_NE(machine.topics().find("before"), nullptr);
    EXPECT_EQ(machine.topics().find("behind") == nullptr, from_disk);
  };
  expect(LogPosition(0), true);
  expect(on_disk, true);
  expect(on_disk + 1, false);
  const std::string path = root_ + "/raft/" + state::SnapshotStore::file_name(on_disk);
  const std::size_t last = disk.bytes(path)->size() - 1;
  const char flipped = static_cast<char>((*disk.bytes(path))[last] ^ 1);
  disk.overwrite(path, last, std::string_view(&flipped, 1));
  expect(on_disk, false);
}

// As when a port is in use: opened, never started, and the next start takes it as it was.
// A checkpoint that followed would rely on entries that are not on the disk.
TEST_F(StorageTest, AFailedSyncOfTheQueuesEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto run = [this] {
    PowerCutFileSystem disk;
    std::atomic<bool> failing = false;
    Rig rig(disk, config_);
    disk.before = [&](DiskOperation operation, const std::string& path) -> Result<void> {
      if (failing && operation == DiskOperation::kSync && path.contains("/consumequeue/")) {
        return make_error(ErrorCode::kIo, path + ": the disk fails");
      }
      return {};
    };
    ASSERT_TRUE(rig.start());
    rig.put_messages("T", 10, 100);
    failing = true;
    rig.on_shard([&] { rig.storage->checkpoint(); });
  };
  EXPECT_EXIT(run(), ::testing::ExitedWithCode(70), "");
}

TEST_F(StorageTest, TheTailCacheHasItsShareOfTheMemory) {
  const auto chosen = [this] {
    runtime::Shard shard("tune");
    PowerCutFileSystem disk;
    std::size_t bytes = 0;
    Storage storage(shard, disk, config_, system_clock(),
                    [&](replog::LogOptions& options) { bytes = options.tail_cache_bytes; });
    const auto opened = storage.open();
    EXPECT_TRUE(opened) << opened.error().message;
    return bytes;
  };
  EXPECT_EQ(chosen(), tail_cache_bytes(config_, runtime::process_limits().memory_bytes));
  config_.tail_cache_bytes = 3 << 20;
  EXPECT_EQ(chosen(), 3U << 20);
}

TEST_F(StorageTest, AStoreThatWasOnlyOpenedIsLeftAsItWas) {
  PowerCutFileSystem disk;
  {
    Rig rig(disk, config_);
    ASSERT_TRUE(rig.start());
    ASSERT_TRUE(rig.put_topic("T"));
    rig.put_messages("T", 50, 1000);
  }
  {
    Rig rig(disk, config_);
    rig.on_shard([&] {
      ASSERT_TRUE(rig.storage->open());
      EXPECT_TRUE(rig.storage->stop());
    });
  }
  Rig rig(disk, config_);
  ASSERT_TRUE(rig.start());
  rig.on_shard([&] {
    EXPECT_FALSE(rig.storage->recovered_from_apache());
    for (const state::Epoch& epoch : rig.storage->state().epochs().all()) {
      EXPECT_EQ(epoch.flags & state::kEpochApache, 0U) << "term " << epoch.term.v;
    }
  });
  EXPECT_TRUE(rig.has_topic("T"));
}

// A new member got the beginning of the leader's log, not yet the membership in it, and its process
// ended: it waits for the leader again. As a group of one it would write on in that log.
TEST_F(StorageTest, AMemberThatHasBegunToJoinIsNoGroupOfItsOwn) {
  PowerCutFileSystem disk;
  std::string term_start;
  {
    Rig leader(disk, config_);
    ASSERT_TRUE(leader.start());
    const auto file = disk.bytes(config_.store_path_commit_log + "/00000000000000000000");
    ASSERT_TRUE(file);
    term_start = file->substr(0, load_be<std::uint32_t>(file->data()));
  }
  config_.raft_initial_members = {"127.0.0.1:10912"};
  PowerCutFileSystem new_disk;
  const LogPosition end(static_cast<std::int64_t>(term_start.size()));
  {
    Rig joining(new_disk, config_);
    joining.on_shard([&] { ASSERT_TRUE(joining.open_and_start()); });
    joining.on_shard([&] {
      raft::Append append;
      append.to = append.leader_end = end;
      append.epochs = {{Term(1), LogPosition(0), false}};
      const raft::MemberId leader(32, 'a');
      joining.storage->replica().receive(
          {leader, joining.storage->log().member_uuid(), Term(1), 1, 0, append}, term_start);
    });
  }
  Rig again(new_disk, config_);
  again.on_shard([&] {
    ASSERT_TRUE(again.open_and_start());
    EXPECT_EQ(again.storage->log().end(), end);
    EXPECT_FALSE(again.storage->replica().formed());
    EXPECT_EQ(again.storage->replica().core().role(), raft::Role::kFollower);
  });
}

}  // namespace
}  // namespace gantry::broker
