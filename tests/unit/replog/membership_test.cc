// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/replog/log_test_util.h"

namespace gantry::replog {
namespace {

const raft::Member kOther{std::string(32, 'b'), "other:10912", 2, true};

// What the other member says when it has everything.
void has_all(LogRig& rig) {
  raft::AppendAnswer answer;
  answer.matched = answer.written = answer.durable = rig.log->end();
  rig.replica->receive({kOther.id, rig.log->member_uuid(), rig.log->term(), 1, 0, answer}, {});
}

// Its lead ends with the commit of its own removal, which is not a failure of the removal.
TEST(Membership, ALeaderThatRemovesItselfSaysThatItIsDone) {
  testing::MemoryFileSystem fs;
  LogRig rig(fs, small_log(FlushMode::kSync));
  ASSERT_TRUE(rig.start());
  std::promise<Result<void>> added;
  rig.on_shard([&] {
    raft::Membership two = rig.replica->core().membership();
    two.put(kOther);
    rig.replica->change_membership(two, [&](Result<void> done) { added.set_value(done); });
    has_all(rig);
  });
  const Result<void> was_added = added.get_future().get();
  ASSERT_TRUE(was_added) << was_added.error().message;

  std::promise<Result<void>> removed;
  rig.on_shard([&] {
    raft::Membership other;
    other.put(kOther);
    rig.replica->change_membership(other, [&](Result<void> done) { removed.set_value(done); });
    has_all(rig);
    EXPECT_FALSE(rig.replica->core().leading());
  });
  const Result<void> was_removed = removed.get_future().get();
  EXPECT_TRUE(was_removed) << was_removed.error().message;
}

}  // namespace
}  // namespace gantry::replog
