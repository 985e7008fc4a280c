// SPDX-License-Identifier: Apache-2.0
#include "log/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace gantry::log {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

class FakeClock final : public Clock {
 public:
  std::int64_t wall_ms() const override { return 0; }
  std::int64_t steady_us() const override { return now_us; }
  std::int64_t now_us = 1'000'000;
};

class LogTest : public testing::Test {
 protected:
  void SetUp() override { init(Level::kInfo); }
  void TearDown() override { init_logging({}); }

  void init(Level level, Format format = Format::kText) {
    init_logging({.level = level, .format = format, .sink = [this](std::string_view line) {
                    lines.emplace_back(line);
                  }});
  }

  std::vector<std::string> lines;
  const Logger log{"part"};
};

struct Costly {
  int* formatted;
};

}  // namespace
}  // namespace gantry::log

template <>
struct fmt::formatter<gantry::log::Costly> {
  constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }
  template <class Context>
  auto format(const gantry::log::Costly& value, Context& context) const {
    ++*value.formatted;
    return context.out();
  }
};

namespace gantry::log {
namespace {

TEST_F(LogTest, writes_levels_from_the_threshold_up) {
  log.trace("a");
  log.debug("b");
  log.info("c={}", 1);
  log.warn("d={}", "x");
  log.error("e");
  EXPECT_THAT(lines, ElementsAre(EndsWith("info  part: c=1"), EndsWith("warn  part: d=x"),
                                 EndsWith("error part: e")));
}

TEST_F(LogTest, set_level_takes_effect_at_once) {
  set_level(Level::kError);
  log.warn("no");
  set_level(Level::kTrace);
  log.trace("yes");
  set_level(Level::kOff);
  log.error("no");
  EXPECT_THAT(lines, ElementsAre(EndsWith("trace part: yes")));
}

TEST_F(LogTest, a_disabled_line_formats_nothing) {
  int formatted = 0;
  log.debug("{}", Costly{&formatted});
  EXPECT_EQ(formatted, 0);
  log.info("{}", Costly{&formatted});
  EXPECT_EQ(formatted, 1);
}

TEST_F(LogTest, json_format) {
  init(Level::kInfo, Format::kJson);
  log.info("started port={}", 10911);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines[0], HasSubstr(R"("level":"info","module":"part","thread":)"));
  EXPECT_THAT(lines[0], EndsWith(R"("msg":"started port=10911"})"));
}

TEST_F(LogTest, counts_errors) {
  const std::int64_t before = error_count();
  log.warn("w");
  log.error("e");
  EXPECT_EQ(error_count(), before + 1);
}

TEST_F(LogTest, rate_limit_writes_one_line_per_interval_and_says_how_many_it_held_back) {
  FakeClock clock;
  RateLimit limit(1000, clock);
  for (int i = 0; i < 5; ++i) log.warn(limit, "disk slow ms={}", i);
  clock.now_us += 999'999;
  log.warn(limit, "disk slow ms={}", 5);
  EXPECT_THAT(lines, ElementsAre(EndsWith("disk slow ms=0")));
  clock.now_us += 1;
  log.warn(limit, "disk slow ms={}", 6);
  EXPECT_THAT(lines, ElementsAre(EndsWith("disk slow ms=0"), EndsWith("ms=6 suppressed=5")));
  clock.now_us += 1'000'000;
  log.warn(limit, "disk slow ms={}", 7);
  EXPECT_THAT(lines.back(), EndsWith("ms=7"));
}

TEST_F(LogTest, rate_limit_ignores_disabled_lines) {
  FakeClock clock;
  RateLimit limit(1000, clock);
  set_level(Level::kError);
  log.warn(limit, "no");
  set_level(Level::kInfo);
  log.warn(limit, "yes");
  EXPECT_THAT(lines, ElementsAre(EndsWith("warn  part: yes")));
}

TEST_F(LogTest, many_threads_write_whole_lines_and_lose_none) {
  constexpr int kThreads = 4;
  constexpr int kEach = 200;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([this, t] {
        for (int i = 0; i < kEach; ++i) log.info("thread={} i={} end", t, i);
      });
    }
  }
  ASSERT_EQ(lines.size(), static_cast<std::size_t>(kThreads * kEach));
  for (const auto& line : lines) EXPECT_THAT(line, EndsWith(" end"));
}

TEST_F(LogTest, one_of_many_threads_passes_a_rate_limit) {
  FakeClock clock;
  RateLimit limit(1000, clock);
  std::atomic<int> passed{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 1000; ++i) {
          if (limit.admit()) ++passed;
        }
      });
    }
  }
  EXPECT_EQ(passed, 1);
  clock.now_us += 1'000'000;
  EXPECT_EQ(limit.admit(), 3999);
}

TEST(LogParse, levels_and_formats) {
  EXPECT_EQ(parse_level("warn"), Level::kWarn);
  EXPECT_EQ(parse_level("off"), Level::kOff);
  ASSERT_FALSE(parse_level("WARN"));
  EXPECT_THAT(parse_level("loud").error().message, HasSubstr("\"loud\" is not one of trace"));
  EXPECT_EQ(parse_format("json"), Format::kJson);
  EXPECT_EQ(parse_format("text"), Format::kText);
  EXPECT_THAT(parse_format("xml").error().message, HasSubstr("\"xml\" is neither"));
}

TEST(LogStderr, text_goes_to_stderr_with_a_newline) {
  init_logging({});
  testing::internal::CaptureStderr();
  constexpr Logger kLog("main");
  kLog.info("hello");
  EXPECT_THAT(testing::internal::GetCapturedStderr(), EndsWith("info  main: hello\n"));
}

}  // namespace
}  // namespace gantry::log
