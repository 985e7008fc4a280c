// SPDX-License-Identifier: Apache-2.0
#include "state/snapshot_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "base/bytes.h"
#include "sim/power_cut_file_system.h"

namespace gantry::state {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SnapshotStoreTest : public ::testing::Test {
 protected:
  SnapshotStoreTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "gantry-state-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
  }
  ~SnapshotStoreTest() override { std::filesystem::remove_all(root_); }

  std::string directory() const { return (root_ / "raft").string(); }
  std::filesystem::path path(std::int64_t position) const {
    return root_ / "raft" / SnapshotStore::file_name(LogPosition(position));
  }
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(root_ / "raft")) {
      out.push_back(entry.path().filename().string());
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  static void flip(const std::filesystem::path& file, std::int64_t offset) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(offset);
    const char byte = static_cast<char>(stream.get() ^ 1);
    stream.seekp(offset);
    stream.put(byte);
  }

  std::filesystem::path root_;
};

TEST_F(SnapshotStoreTest, AMissingDirectoryHoldsNothing) {
  SnapshotStore store(io::posix_file_system(), directory());
  const auto loaded = store.load();
  ASSERT_TRUE(loaded);
  EXPECT_FALSE(loaded->newest);
  EXPECT_THAT(loaded->damaged, IsEmpty());
  EXPECT_FALSE(store.durable_position());
}

TEST_F(SnapshotStoreTest, KeepsTheTwoNewest) {
  SnapshotStore store(io::posix_file_system(), directory());
  for (const std::int64_t position : {100, 2000, 30000}) {
    ASSERT_TRUE(store.save(LogPosition(position), "body-" + std::to_string(position)));
  }
  EXPECT_THAT(names(), ElementsAre("state-00000000000000002000", "state-00000000000000030000"));
  EXPECT_EQ(store.durable_position(), LogPosition(30000));
  SnapshotStore again(io::posix_file_system(), directory());
  const auto loaded = again.load();
  ASSERT_TRUE(loaded);
  ASSERT_TRUE(loaded->newest);
  EXPECT_EQ(loaded->newest->position, LogPosition(30000));
  EXPECT_EQ(loaded->newest->body, "body-30000");
  EXPECT_EQ(again.durable_position(), LogPosition(30000));
}

TEST_F(SnapshotStoreTest, ADamagedSnapshotIsNamedAndTheOneBeforeIsUsed) {
  SnapshotStore store(io::posix_file_system(), directory());
  ASSERT_TRUE(store.save(LogPosition(100), "first"));
  ASSERT_TRUE(store.save(LogPosition(200), "second"));
  flip(path(200), 33);
  SnapshotStore again(io::posix_file_system(), directory());
  const auto loaded = again.load();
  ASSERT_TRUE(loaded);
  ASSERT_TRUE(loaded->newest);
  EXPECT_EQ(loaded->newest->body, "first");
  ASSERT_EQ(loaded->damaged.size(), 1U);
  EXPECT_EQ(loaded->damaged[0].path, path(200).string());
  EXPECT_THAT(loaded->damaged[0].reason, HasSubstr("checksum"));
  EXPECT_EQ(again.durable_position(), LogPosition(100));
}

TEST_F(SnapshotStoreTest, DamagedFilesDoNotCountAsKept) {
  SnapshotStore store(io::posix_file_system(), directory());
  ASSERT_TRUE(store.save(LogPosition(100), "first"));
  ASSERT_TRUE(store.save(LogPosition(200), "second"));
  flip(path(200), 3);
  ASSERT_TRUE(store.save(LogPosition(300), "third"));
  EXPECT_TRUE(std::filesystem::exists(path(100))) << "only two valid ones: 100 and 300";
  ASSERT_TRUE(store.save(LogPosition(400), "fourth"));
  EXPECT_THAT(names(), ElementsAre(SnapshotStore::file_name(LogPosition(300)),
                                   SnapshotStore::file_name(LogPosition(400))));
}

TEST_F(SnapshotStoreTest, EveryFlippedByteAndEveryTruncationIsFound) {
  const std::string file = SnapshotStore::encode(LogPosition(123), "some body");
  ASSERT_TRUE(SnapshotStore::decode(file));
  for (std::size_t i = 0; i < file.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = file;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      EXPECT_FALSE(SnapshotStore::decode(damaged)) << "byte " << i << " bit " << bit;
    }
    EXPECT_FALSE(SnapshotStore::decode(std::string_view(file).substr(0, i)));
  }
  EXPECT_FALSE(SnapshotStore::decode(file + "x"));
}

TEST_F(SnapshotStoreTest, GoldenHeader) {
  const std::string file = SnapshotStore::encode(LogPosition(0x0102030405060708), "abc");
  ASSERT_EQ(file.size(), 35U);
  EXPECT_EQ(file.substr(0, 8), "GANTRYSS");
  EXPECT_EQ(load_be<std::uint32_t>(file.data() + 8), 1U);
  EXPECT_EQ(load_be<std::int64_t>(file.data() + 12), 0x0102030405060708);
  EXPECT_EQ(load_be<std::int64_t>(file.data() + 20), 3);
  EXPECT_EQ(file.substr(32), "abc");
}

TEST_F(SnapshotStoreTest, ARenamedSnapshotIsNotTrusted) {
  SnapshotStore store(io::posix_file_system(), directory());
  ASSERT_TRUE(store.save(LogPosition(100), "first"));
  std::filesystem::rename(path(100), path(900));
  const auto loaded = store.load();
  ASSERT_TRUE(loaded);
  EXPECT_FALSE(loaded->newest);
  ASSERT_EQ(loaded->damaged.size(), 1U);
  EXPECT_THAT(loaded->damaged[0].reason, HasSubstr("position 100"));
}

TEST_F(SnapshotStoreTest, LeftOversOfACrashAreRemovedAndOtherFilesStay) {
  SnapshotStore store(io::posix_file_system(), directory());
  ASSERT_TRUE(store.save(LogPosition(100), "first"));
  std::ofstream(path(200).string() + ".tmp") << "half";
  std::ofstream(root_ / "raft" / "vote") << "other";
  std::ofstream(root_ / "raft" / "state-12") << "other";
  ASSERT_TRUE(store.load());
  EXPECT_THAT(names(), ElementsAre(SnapshotStore::file_name(LogPosition(100)), "state-12", "vote"));
}

TEST_F(SnapshotStoreTest, AFailedSaveKeepsTheOldOnes) {
  SnapshotStore store(io::posix_file_system(), directory());
  ASSERT_TRUE(store.save(LogPosition(100), "first"));
  // A directory where the temporary file would go.
  std::filesystem::create_directory(path(200).string() + ".tmp");
  const auto saved = store.save(LogPosition(200), "second");
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().code, ErrorCode::kIo);
  EXPECT_THAT(saved.error().message, HasSubstr(path(200).string()));
  EXPECT_EQ(store.durable_position(), LogPosition(100));
  EXPECT_EQ(store.load()->newest->body, "first");
}

TEST_F(SnapshotStoreTest, RestartingLowerForgetsWhatLiesAbove) {
  SnapshotStore store(io::posix_file_system(), directory());
  for (const std::int64_t position : {100, 2000, 30000}) {
    ASSERT_TRUE(store.save(LogPosition(position), "old"));
  }
  ASSERT_TRUE(store.restart_at(LogPosition(500), "new"));
  EXPECT_EQ(store.durable_position(), LogPosition(500));
  EXPECT_THAT(names(), ElementsAre(SnapshotStore::file_name(LogPosition(500))));
  EXPECT_EQ(store.load()->newest->body, "new");
}

// Whatever a power cut leaves, the newest snapshot that save() reported is there and valid.
TEST(SnapshotPowerCut, ASavedSnapshotSurvivesAndTheOneBeforeToo) {
  for (std::uint32_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    testing::PowerCutFileSystem disk;
    std::unique_ptr<testing::PowerCutFileSystem> next;
    std::optional<LogPosition> saved;
    std::size_t left = 1 + random() % 40;
    disk.before = [&](testing::DiskOperation, const std::string&) -> Result<void> {
      if (left > 0 && --left == 0) next = disk.after_power_cut(seed);
      return {};
    };
    SnapshotStore store(disk, "/store/raft");
    for (std::int64_t position = 1000; !next; position += 1000) {
      if (!store.save(LogPosition(position), std::string(9000, 'x'))) break;
      if (!next) saved = LogPosition(position);
    }
    SnapshotStore again(*next, "/store/raft");
    const auto loaded = again.load();
    ASSERT_TRUE(loaded) << loaded.error().message;
    EXPECT_THAT(loaded->damaged, IsEmpty());
    if (saved) {
      ASSERT_TRUE(loaded->newest);
      EXPECT_GE(loaded->newest->position, *saved);
    }
  }
}

TEST(SnapshotPowerCut, AFullOrBrokenDiskLeavesTheOldOnesAndNoHalfFile) {
  using testing::DiskOperation;
  for (const DiskOperation broken : {DiskOperation::kWrite, DiskOperation::kSync,
                                     DiskOperation::kCreate, DiskOperation::kRename}) {
    testing::PowerCutFileSystem disk;
    SnapshotStore store(disk, "/store/raft");
    ASSERT_TRUE(store.save(LogPosition(100), "first"));
    disk.before = [&](DiskOperation operation, const std::string& path) -> Result<void> {
      if (operation != broken) return {};
      return make_error(ErrorCode::kDiskFull, path + ": no space");
    };
    const auto refused = store.save(LogPosition(200), "second");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kDiskFull);
    EXPECT_EQ(store.durable_position(), LogPosition(100));
    disk.before = nullptr;
    EXPECT_EQ(store.load()->newest->body, "first");
    EXPECT_THAT(disk.names("/store/raft"), ElementsAre(SnapshotStore::file_name(LogPosition(100))));
  }
}

}  // namespace
}  // namespace gantry::state
