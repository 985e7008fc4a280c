// SPDX-License-Identifier: Apache-2.0
#include "io/two_slot_file.h"

#include <gtest/gtest.h>

#include "tests/support/memory_file_system.h"

namespace gantry::io {
namespace {

TEST(TwoSlotFile, KeepsTheNewestPayload) {
  testing::MemoryFileSystem fs;
  auto file = TwoSlotFile::open(fs, "/d/state");
  ASSERT_TRUE(file);
  EXPECT_FALSE((*file)->payload());
  for (const char* text : {"one", "two", "three"}) ASSERT_TRUE((*file)->write(text));
  auto again = TwoSlotFile::open(fs, "/d/state");
  ASSERT_TRUE(again);
  EXPECT_EQ((*again)->payload(), "three");
}

TEST(TwoSlotFile, ATornWriteLeavesTheOneBefore) {
  testing::MemoryFileSystem fs;
  auto file = TwoSlotFile::open(fs, "/d/state");
  ASSERT_TRUE((*file)->write("old"));
  ASSERT_TRUE((*file)->write("new"));
  // The second write went to the second slot; tear it at every length.
  const std::string whole = *fs.get("/d/state");
  for (std::size_t cut = 0; cut < 24; ++cut) {
    std::string torn = whole;
    for (std::size_t i = TwoSlotFile::kSlotBytes + cut; i < torn.size(); ++i) torn[i] = '\0';
    if (torn == whole) continue;
    fs.put("/d/state", torn);
    auto again = TwoSlotFile::open(fs, "/d/state");
    ASSERT_TRUE(again);
    EXPECT_EQ((*again)->payload(), "old") << "cut at " << cut;
    ASSERT_TRUE((*again)->write("after"));
    auto last = TwoSlotFile::open(fs, "/d/state");
    EXPECT_EQ((*last)->payload(), "after");
  }
}

TEST(TwoSlotFile, NoValidSlotIsAnErrorThatNamesTheFile) {
  testing::MemoryFileSystem fs;
  fs.put("/d/state", std::string(2 * TwoSlotFile::kSlotBytes, '\x01'));
  const auto file = TwoSlotFile::open(fs, "/d/state");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(file.error().message.find("/d/state"), std::string::npos);
}

TEST(TwoSlotFile, RefusesAPayloadThatDoesNotFit) {
  testing::MemoryFileSystem fs;
  auto file = TwoSlotFile::open(fs, "/d/state");
  EXPECT_FALSE((*file)->write(std::string(TwoSlotFile::kPayloadBytesMax + 1, 'x')));
}

}  // namespace
}  // namespace gantry::io
