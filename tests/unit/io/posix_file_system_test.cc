// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "io/directory_lock.h"
#include "io/file_system.h"

namespace gantry::io {
namespace {

class PosixFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/gantry-io-XXXXXX";
    dir_ = mkdtemp(pattern);
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  std::string dir_;
  FileSystem& fs_ = posix_file_system();
};

TEST_F(PosixFiles, WritesSlicesInOrderAndReadsThemBack) {
  auto file = fs_.open(dir_ + "/f", OpenMode::kCreate);
  ASSERT_TRUE(file);
  const Slice slices[] = {{"ab", 2}, {"", 0}, {"cde", 3}};
  ASSERT_TRUE((*file)->write_at(1, slices));
  std::string out(10, '?');
  const auto n = (*file)->read_at(0, out);
  ASSERT_TRUE(n);
  EXPECT_EQ(out.substr(0, *n), std::string("\0abcde", 6));
  ASSERT_TRUE((*file)->zero(2, 2));
  ASSERT_TRUE((*file)->read_at(0, out));
  EXPECT_EQ(out.substr(0, 6), std::string("\0a\0\0de", 6));
}

TEST_F(PosixFiles, AllocationReadsAsZeros) {
  auto file = fs_.open(dir_ + "/f", OpenMode::kCreate);
  ASSERT_TRUE((*file)->allocate(8192));
  EXPECT_EQ(*(*file)->size(), 8192);
  std::string out(8192, 'x');
  EXPECT_EQ(*(*file)->read_at(0, out), 8192U);
  EXPECT_EQ(out, std::string(8192, '\0'));
}

TEST_F(PosixFiles, AtomicWriteReplacesTheContent) {
  const std::string path = dir_ + "/value";
  ASSERT_TRUE(write_file_atomically(fs_, path, "one"));
  ASSERT_TRUE(write_file_atomically(fs_, path, "2"));
  EXPECT_EQ(*read_file(fs_, path), "2");
  EXPECT_EQ(fs_.list(dir_)->size(), 1U);
}

TEST_F(PosixFiles, ErrorsNameThePath) {
  const auto file = fs_.open(dir_ + "/absent", OpenMode::kRead);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, ErrorCode::kNotFound);
  EXPECT_NE(file.error().message.find("absent"), std::string::npos);
}

TEST_F(PosixFiles, OneOwnerAtATime) {
  auto first = DirectoryLock::acquire(dir_);
  ASSERT_TRUE(first);
  const auto second = DirectoryLock::acquire(dir_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
  first->reset();
  EXPECT_TRUE(DirectoryLock::acquire(dir_));
}

}  // namespace
}  // namespace gantry::io
