// SPDX-License-Identifier: Apache-2.0
// A member that begins again without the others, whose power fails at any operation of its disk: it
// has begun again, or it has not, and nothing of its log is lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "sim/power_cut_file_system.h"
#include "tests/unit/replog/log_test_util.h"

namespace gantry::replog {
namespace {

using testing::DiskOperation;
using ::testing::ElementsAre;
using testing::PowerCutFileSystem;

raft::Membership two_others() {
  raft::Membership others;
  others.put({std::string(32, 'b'), "b:10912", 2, true});
  others.put({std::string(32, 'c'), "c:10912", 3, true});
  return others;
}

// The disk of a member of three that has two synced messages, after a kill.
std::unique_ptr<PowerCutFileSystem> disk_of_a_member(std::uint32_t seed) {
  PowerCutFileSystem disk;
  LogRig rig(disk, small_log(FlushMode::kSync));
  EXPECT_TRUE(rig.start());
  rig.on_shard([&] {
    EXPECT_TRUE(rig.append("one"));
    EXPECT_TRUE(rig.append("two"));
  });
  while (rig.seen.count < 3) rig.on_shard([] {});  // the term and both
  rig.close();
  return disk.after_power_cut(seed);
}

struct Cut {
  std::unique_ptr<PowerCutFileSystem> after;
  bool answered = false;  // before the cut
  raft::Membership group;
};

// Recovers; the power goes at the n-th operation from then on.
Cut recover_until(PowerCutFileSystem& disk, std::size_t operations, std::uint32_t seed) {
  Cut cut;
  LogRig rig(disk, small_log(FlushMode::kSync));
  rig.others = two_others();
  EXPECT_TRUE(rig.start());
  std::mutex mutex;
  std::size_t seen = 0;
  rig.on_shard([&] {
    EXPECT_FALSE(rig.replica->core().leading());
    disk.before = [&](DiskOperation, const std::string&) -> Result<void> {
      const std::lock_guard lock(mutex);
      if (!cut.after && ++seen == operations) cut.after = disk.after_power_cut(seed);
      return {};
    };
    const auto done = rig.replica->recover({});
    EXPECT_TRUE(done) << done.error().message;
    cut.group = rig.replica->core().membership();
    const std::lock_guard lock(mutex);
    cut.answered = !cut.after;
  });
  rig.leads.get_future().get();
  rig.close();
  disk.before = nullptr;
  if (!cut.after) cut.after = disk.after_power_cut(seed);
  return cut;
}

void expect_leads_alone(PowerCutFileSystem& disk, const raft::Membership& group) {
  LogRig rig(disk, small_log(FlushMode::kSync));
  ASSERT_TRUE(rig.start());  // returns when it leads
  rig.on_shard([&] {
    EXPECT_EQ(rig.replica->core().membership(), group);
    EXPECT_GT(rig.replica->core().term(), Term(1000));
    EXPECT_THAT(rig.seen.messages(), ElementsAre("one", "two"));
  });
}

TEST(GroupRecovery, IsDoneOrNotDoneWhenThePowerFails) {
  int answered = 0;
  int done = 0;
  int not_done = 0;
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const auto disk = disk_of_a_member(seed);
    Cut cut = recover_until(*disk, 1 + seed % 6, seed);
    answered += cut.answered ? 1 : 0;
    raft::Membership saved;
    {
      LogRig rig(*cut.after, small_log(FlushMode::kSync));
      rig.on_shard([&] {
        ASSERT_TRUE(rig.log->open());
        saved = rig.log->hard_state().state().recovered;
      });
    }
    if (saved.members.empty()) {
      EXPECT_FALSE(cut.answered) << "answered, and forgotten";
      ++not_done;
      cut = recover_until(*cut.after, 1000, seed);
    } else {
      ++done;
    }
    expect_leads_alone(*cut.after, cut.group);
  }
  EXPECT_GT(answered, 10);
  EXPECT_GT(done, 10);
  EXPECT_GT(not_done, 5) << "the cuts came too late: the test shows nothing";
}

TEST(GroupRecovery, WhoIsGivenUpRemembersIt) {
  testing::MemoryFileSystem fs;
  raft::Membership newer;
  newer.put({std::string(32, 'b'), "b:10912", 2, true});
  {
    LogRig rig(fs, small_log(FlushMode::kSync));
    rig.others = two_others();
    ASSERT_TRUE(rig.start());
    rig.on_shard([&] {
      newer.recoveries.push_back({"r", {std::string(32, 'c')}});
      EXPECT_FALSE(rig.replica->give_up(newer)) << "of others";
      newer.recoveries[0].given_up.push_back(rig.log->member_uuid());
      EXPECT_TRUE(rig.replica->give_up(newer));
    });
  }
  LogRig rig(fs, small_log(FlushMode::kSync));
  rig.others = two_others();
  ASSERT_TRUE(rig.start());
  rig.on_shard([&] {
    EXPECT_TRUE(rig.replica->core().given_up());
    EXPECT_EQ(rig.replica->core().membership(), newer);
    EXPECT_FALSE(rig.replica->recover({}));
  });
}

}  // namespace
}  // namespace gantry::replog
