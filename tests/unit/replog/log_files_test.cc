// SPDX-License-Identifier: Apache-2.0
// The files of the log on a real disk: the shard and its helper make the next one at the same time.
#include "replog/log_files.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <barrier>
#include <filesystem>
#include <thread>

#include "tests/support/memory_file_system.h"

namespace gantry::replog {
namespace {

TEST(LogFiles, TheNextFileIsMadeOnceThoughTwoThreadsMakeIt) {
  constexpr std::int64_t kFileBytes = 4096;
  constexpr int kFiles = 200;
  std::string directory = ::testing::TempDir() + "log_files_XXXXXX";
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  io::FileSystem& fs = io::posix_file_system();
  auto files = LogFiles::open(fs, {directory, kFileBytes});
  ASSERT_TRUE(files) << files.error().message;
  for (int i = 0; i < kFiles; ++i) {
    const LogPosition start = (*files)->end();
    LogFiles::NextFile here = (*files)->next_file();
    LogFiles::NextFile there = (*files)->next_file();
    Result<void> made_there;
    std::barrier together(2);
    std::thread other([&] {
      together.arrive_and_wait();
      made_there = there.make();
    });
    together.arrive_and_wait();
    const auto made_here = here.make();
    if (made_here) {
      (*files)->adopt(std::move(here));
      const io::Slice bytes{"written", 7};
      EXPECT_TRUE((*files)->write(start, std::span<const io::Slice>(&bytes, 1)));
    }
    other.join();
    ASSERT_TRUE(made_here) << made_here.error().message;
    ASSERT_TRUE(made_there) << made_there.error().message;
    (*files)->adopt(std::move(there));
    ASSERT_EQ((*files)->end(), start + kFileBytes);
    // What was written is in the file that a later start finds under the name.
    const auto bytes = io::read_file(fs, directory + "/" + position_file_name(start.v));
    ASSERT_TRUE(bytes) << bytes.error().message;
    ASSERT_EQ(bytes->substr(0, 7), "written");
  }
  std::filesystem::remove_all(directory);
}

// A file that was long in the making: the log has gone on without it, and retention is past it.
TEST(LogFiles, AFileThatIsNotTheNextOneAnyMoreGetsNoName) {
  testing::MemoryFileSystem fs;
  auto files = LogFiles::open(fs, {"/log", 4096});
  ASSERT_TRUE(files) << files.error().message;
  LogFiles::NextFile late = (*files)->next_file();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE((*files)->extend());
  ASSERT_TRUE((*files)->remove_before(LogPosition(2 * 4096)));
  const auto made = late.make();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kConflict);
  (*files)->adopt(std::move(late));
  EXPECT_EQ((*files)->count(), 2U);
  // What a later start finds has no gap, and nothing temporary.
  const auto left = fs.list("/log");
  ASSERT_TRUE(left);
  ASSERT_EQ(left->size(), 2U);
  EXPECT_EQ((*left)[0].name, position_file_name(2 * 4096));
  EXPECT_TRUE(LogFiles::open(fs, {"/log", 4096}));
}

}  // namespace
}  // namespace gantry::replog
