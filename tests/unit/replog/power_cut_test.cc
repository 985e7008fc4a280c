// SPDX-License-Identifier: Apache-2.0
// What a start makes of a log whose machine lost its power: rules 1 and 2 of docs/architecture.md.
// Each seed is one store through several power cuts, each at some operation of the disk.
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <random>
#include <set>

#include "sim/power_cut_file_system.h"
#include "tests/unit/replog/log_test_util.h"

namespace gantry::replog {
namespace {

using testing::DiskOperation;
using testing::PowerCutFileSystem;

constexpr std::int64_t kFileBytes = 256 << 10;  // so that a lost stretch can exceed 64 KiB
constexpr int kBoots = 4;

LogOptions options_of(FlushMode mode) {
  LogOptions o = small_log(mode);
  o.file_bytes = kFileBytes;
  o.record_bytes_max = 64 << 10;
  o.flush_interval = std::chrono::milliseconds(1);
  return o;
}

// What one boot did until its power was cut.
struct Boot {
  std::unique_ptr<PowerCutFileSystem> next;  // the disk afterwards; null: the cut never came
  std::vector<Seen> found;                   // at the start
  std::vector<Seen> committed;               // at the cut, with `found`
  LogPosition durable_at_cut;                // what the log had reported as synced
  std::vector<std::string> appended;
  ScanResult scan;
  Result<void> started;
};

std::vector<std::string> bodies(const std::vector<Seen>& seen) {
  std::vector<std::string> result;
  for (const Seen& s : seen) {
    if (s.topic == "T") result.push_back(s.body);
  }
  return result;
}

class Machine {
 public:
  Machine(std::uint32_t seed, FlushMode mode) : random_(seed), mode_(mode) {}

  Boot run(PowerCutFileSystem& disk) {
    Boot boot;
    const std::size_t operations = 1 + random_() % (random_() % 2 == 0 ? 40 : 400);
    const std::uint32_t cut_seed = static_cast<std::uint32_t>(random_());
    LogRig rig(disk, options_of(mode_));
    std::mutex mutex;
    std::size_t seen_operations = 0;
    std::size_t committed = 0;
    const auto cut = [&] {  // with the mutex
      committed = rig.seen.count;
      boot.durable_at_cut = LogPosition(reported_durable_);
      boot.next = disk.after_power_cut(cut_seed);
    };
    disk.before = [&](DiskOperation, const std::string&) -> Result<void> {
      const std::lock_guard lock(mutex);
      if (!boot.next && ++seen_operations == operations) cut();
      return {};
    };
    reported_durable_ = 0;
    boot.started = rig.start();
    if (boot.started) {
      rig.on_shard([&] {
        boot.found = rig.seen.records;
        boot.scan = rig.scan;
        if (mode_ == FlushMode::kSync) {
          EXPECT_LE(rig.log->committed(), rig.log->durable());
        }
      });
      work(rig, boot, mutex);
    }
    {
      const std::lock_guard lock(mutex);
      if (!boot.next) cut();
    }
    rig.on_shard([&] {
      boot.committed.assign(rig.seen.records.begin(),
                            rig.seen.records.begin() + static_cast<std::ptrdiff_t>(committed));
      rig.close_on_shard();
    });
    disk.before = nullptr;
    return boot;
  }

 private:
  void work(LogRig& rig, Boot& boot, std::mutex& mutex) {
    const auto cut = [&] {
      const std::lock_guard lock(mutex);
      return boot.next != nullptr;
    };
    const std::size_t turns = 1 + random_() % 30;
    for (std::size_t turn = 0; turn < turns && !cut(); ++turn) {
      rig.on_shard([&] {
        for (std::size_t i = 0; i < 1 + random_() % 8; ++i) {
          const std::size_t size = random_() % (random_() % 4 == 0 ? 40000 : 600);
          boot.appended.push_back(std::to_string(next_++) + ":" + std::string(size, 'b'));
          EXPECT_TRUE(rig.append(boot.appended.back()));
        }
        reported_durable_ = rig.log->durable().v;
      });
    }
  }

  std::mt19937 random_;
  const FlushMode mode_;
  std::atomic<std::int64_t> reported_durable_ = 0;
  int next_ = 0;
};

// `part` is `all` with elements left out.
bool is_subsequence(const std::vector<std::string>& part, const std::vector<std::string>& all) {
  std::size_t at = 0;
  for (const std::string& s : all) {
    if (at < part.size() && part[at] == s) ++at;
  }
  return at == part.size();
}

TEST(PowerCut, WithSyncFlushNothingAcknowledgedIsEverLost) {
  std::size_t acknowledged = 0;
  std::size_t lost_unacknowledged = 0;
  for (std::uint32_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Machine machine(seed, FlushMode::kSync);
    auto disk = std::make_unique<PowerCutFileSystem>();
    std::vector<std::string> must_be_there;
    std::vector<std::string> may_be_there;
    for (int n = 0; n < kBoots; ++n) {
      Boot boot = machine.run(*disk);
      ASSERT_TRUE(boot.started) << boot.started.error().message;
      const auto found = bodies(boot.found);
      ASSERT_TRUE(is_subsequence(must_be_there, found)) << "boot " << n;
      ASSERT_TRUE(is_subsequence(found, may_be_there)) << "boot " << n << ": not of this history";
      lost_unacknowledged += may_be_there.size() - found.size();
      // Found at a start means served: from then on it counts as acknowledged.
      must_be_there = bodies(boot.committed);
      may_be_there = found;
      may_be_there.insert(may_be_there.end(), boot.appended.begin(), boot.appended.end());
      acknowledged += must_be_there.size();
      disk = std::move(boot.next);
    }
  }
  EXPECT_GT(acknowledged, 1000U);
  EXPECT_GT(lost_unacknowledged, 100U) << "the cuts took nothing: the test shows nothing";
}

TEST(PowerCut, WithAsyncFlushTheLogIsCutNamedAndGoesOn) {
  std::size_t lost = 0;
  std::size_t damaged = 0;
  std::size_t cut_tails = 0;
  for (std::uint32_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Machine machine(seed, FlushMode::kAsync);
    auto disk = std::make_unique<PowerCutFileSystem>();
    std::vector<std::string> history;
    LogPosition durable;
    std::vector<Seen> before;
    for (int n = 0; n < kBoots; ++n) {
      Boot boot = machine.run(*disk);
      ASSERT_TRUE(boot.started) << boot.started.error().message;
      const auto found = bodies(boot.found);
      ASSERT_TRUE(is_subsequence(found, history)) << "boot " << n << ": not of this history";
      // Whatever the log had called durable is still there.
      std::set<LogPosition> positions;
      for (const Seen& s : boot.found) positions.insert(s.position);
      for (std::size_t i = 0; i + 1 < before.size(); ++i) {
        if (before[i + 1].position <= durable) {
          ASSERT_TRUE(positions.contains(before[i].position))
              << "boot " << n << ": durable, but gone: " << before[i].position.v;
        }
      }
      lost += history.size() - found.size();
      damaged += boot.scan.damaged.size();
      cut_tails += boot.scan.garbage_behind_end ? 1 : 0;
      for (const DamagedRange& range : boot.scan.damaged) EXPECT_LT(range.from, range.to);
      history = found;
      history.insert(history.end(), boot.appended.begin(), boot.appended.end());
      before = boot.committed;
      durable = boot.durable_at_cut;
      disk = std::move(boot.next);
    }
  }
  EXPECT_GT(lost, 100U);
  EXPECT_GT(damaged, 0U);
  EXPECT_GT(cut_tails, 0U);
}

// Rule 1, with the power failing again while the start itself cuts: behind the end of the log there
// are only zeros, on the disk and not only in the cache, before anything is appended.
TEST(PowerCut, BehindACutOnlyZerosRemainOnTheDisk) {
  std::size_t cuts = 0;
  for (std::uint32_t seed = 1; seed <= 180; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    Machine machine(seed, FlushMode::kAsync);
    PowerCutFileSystem first;
    Boot boot = machine.run(first);
    auto disk = std::move(boot.next);
    for (int n = 0; n < 3; ++n) {
      std::unique_ptr<PowerCutFileSystem> interrupted;
      std::size_t left = 1 + random() % 12;
      const auto cut_seed = static_cast<std::uint32_t>(random());
      disk->before = [&](DiskOperation, const std::string&) -> Result<void> {
        if (left > 0 && --left == 0) interrupted = disk->after_power_cut(cut_seed);
        return {};
      };
      LogRig rig(*disk, options_of(FlushMode::kAsync));
      std::unique_ptr<PowerCutFileSystem> recovered;
      LogPosition end;
      rig.on_shard([&] {
        ASSERT_TRUE(rig.log->open());
        raft::MembershipLog::Entry alone;
        alone.membership.put({rig.log->member_uuid(), "", 1, true});
        const auto found =
            rig.log->recover(LogPosition(0), {}, std::move(alone), LogPosition(0), rig.seen);
        ASSERT_TRUE(found) << found.error().message;
        cuts += found->scan.garbage_behind_end ? 1 : 0;
        end = found->scan.end;
        recovered = disk->after_power_cut(cut_seed + 1);
      });
      ASSERT_TRUE(recovered);
      for (const std::string& name : recovered->names("/store/commitlog")) {
        const auto start = parse_position_file_name(name);
        if (!start || *start + kFileBytes <= end.v) continue;
        const auto bytes = recovered->bytes("/store/commitlog/" + name);
        const auto from = static_cast<std::size_t>(std::max<std::int64_t>(end.v - *start, 0));
        ASSERT_EQ(bytes->find_first_not_of('\0', from), std::string::npos)
            << "behind the end " << end.v << " in " << name;
      }
      rig.close();
      disk->before = nullptr;
      if (!interrupted) break;
      disk = std::move(interrupted);
    }
  }
  EXPECT_GT(cuts, 20U);
}

}  // namespace
}  // namespace gantry::replog
