// SPDX-License-Identifier: Apache-2.0
#include "runtime/process_limits.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace gantry::runtime {
namespace {

constexpr std::int64_t kGiB = std::int64_t{1} << 30;
constexpr ProcessLimits kMachine{.cpus = 16, .memory_bytes = 64 * kGiB};

class CgroupTest : public ::testing::Test {
 protected:
  CgroupTest() {
    std::string text = ::testing::TempDir() + "/cgroup_XXXXXX";
    if (::mkdtemp(text.data()) == nullptr) throw std::runtime_error("mkdtemp " + text);
    root_ = text;
  }
  ~CgroupTest() override { std::filesystem::remove_all(root_); }

  void put(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text << "\n";
  }
  ProcessLimits limits() const { return within_cgroup(kMachine, root_.string()); }

  std::filesystem::path root_;
};

TEST_F(CgroupTest, WithoutOneTheMachineIsTheLimit) { EXPECT_EQ(limits(), kMachine); }

TEST_F(CgroupTest, Version2Limits) {
  put("cpu.max", "400000 100000");
  put("memory.max", std::to_string(2 * kGiB));
  EXPECT_EQ(limits(), (ProcessLimits{.cpus = 4, .memory_bytes = 2 * kGiB}));
}

TEST_F(CgroupTest, Version2WithoutLimits) {
  put("cpu.max", "max 100000");
  put("memory.max", "max");
  EXPECT_EQ(limits(), kMachine);
}

TEST_F(CgroupTest, Version2HasTheWord) {
  put("cpu.max", "max 100000");
  put("memory.max", "max");
  put("cpu/cpu.cfs_quota_us", "200000");
  put("cpu/cpu.cfs_period_us", "100000");
  put("memory/memory.limit_in_bytes", std::to_string(kGiB));
  EXPECT_EQ(limits(), kMachine);
}

TEST_F(CgroupTest, Version1Limits) {
  put("cpu/cpu.cfs_quota_us", "300000");
  put("cpu/cpu.cfs_period_us", "100000");
  put("memory/memory.limit_in_bytes", std::to_string(kGiB));
  EXPECT_EQ(limits(), (ProcessLimits{.cpus = 3, .memory_bytes = kGiB}));
}

TEST_F(CgroupTest, Version1WithoutLimits) {
  put("cpu/cpu.cfs_quota_us", "-1");
  put("cpu/cpu.cfs_period_us", "100000");
  put("memory/memory.limit_in_bytes", "9223372036854771712");
  EXPECT_EQ(limits(), kMachine);
}

TEST_F(CgroupTest, APartOfACpuIsOne) {
  put("cpu.max", "10000 100000");
  EXPECT_EQ(limits().cpus, 1);
  put("cpu.max", "150000 100000");
  EXPECT_EQ(limits().cpus, 2);
}

TEST_F(CgroupTest, NobodyGetsMoreThanTheMachineHas) {
  put("cpu.max", "99999999999 1000");
  put("memory.max", std::to_string(1024 * kGiB));
  EXPECT_EQ(limits(), kMachine);
}

TEST_F(CgroupTest, WhatCannotBeReadLimitsNothing) {
  for (const char* text :
       {"", "x", "100000", "100000 0", "0 0", "-5 -5", "9999999999999999999999999999999 x"}) {
    put("cpu.max", text);
    EXPECT_EQ(limits().cpus, kMachine.cpus) << text;
  }
  for (const char* text : {"", "x", "0", "-1", "99999999999999999999999999"}) {
    put("memory.max", text);
    EXPECT_EQ(limits().memory_bytes, kMachine.memory_bytes) << text;
  }
}

TEST(ProcessLimits, ThisProcessHasSome) {
  const ProcessLimits limits = process_limits();
  EXPECT_GE(limits.cpus, 1);
  EXPECT_GT(limits.memory_bytes, 0);
}

}  // namespace
}  // namespace gantry::runtime
