// SPDX-License-Identifier: Apache-2.0
#include "log/news.h"

#include <gtest/gtest.h>

#include <string>

namespace gantry::log {
namespace {

class FakeClock final : public Clock {
 public:
  std::int64_t wall_ms() const override { return 0; }
  std::int64_t steady_us() const override { return now_us; }
  std::int64_t now_us = 1'000'000;
};

class NewsTest : public ::testing::Test {
 protected:
  FakeClock clock_;
  News news_{clock_};
};

TEST_F(NewsTest, WhatLastsIsSaidOnce) {
  EXPECT_TRUE(news_.is_new("a", "away"));
  for (int i = 0; i < 1000; ++i) {
    clock_.now_us += News::kForgottenAfterUs - 1;
    EXPECT_FALSE(news_.is_new("a", "away"));
  }
}

TEST_F(NewsTest, OneSubjectDoesNotHideAnother) {
  EXPECT_TRUE(news_.is_new("a", "away"));
  EXPECT_TRUE(news_.is_new("b", "away"));
  EXPECT_FALSE(news_.is_new("a", "away"));
  EXPECT_FALSE(news_.is_new("b", "away"));
}

TEST_F(NewsTest, AnotherReasonIsNew) {
  EXPECT_TRUE(news_.is_new("a", "away"));
  EXPECT_TRUE(news_.is_new("a", "broken"));
  EXPECT_FALSE(news_.is_new("a", "broken"));
  EXPECT_TRUE(news_.is_new("a", "away"));
}

TEST_F(NewsTest, WhatWasSettledIsNew) {
  EXPECT_TRUE(news_.is_new("a", "away"));
  EXPECT_TRUE(news_.is_new("b", "away"));
  news_.settled("a");
  EXPECT_TRUE(news_.is_new("a", "away"));
  EXPECT_FALSE(news_.is_new("b", "away"));
}

TEST_F(NewsTest, WhatWasNotHeardOfForLongIsNew) {
  EXPECT_TRUE(news_.is_new("a", "away"));
  clock_.now_us += News::kForgottenAfterUs;
  EXPECT_TRUE(news_.is_new("a", "away"));
}

TEST_F(NewsTest, AFloodIsThinnedAndLeavesNothingBehind) {
  int lines = 0;
  for (int i = 0; i < 10000; ++i) lines += news_.is_new(std::to_string(i), "away") ? 1 : 0;
  EXPECT_EQ(lines, News::kLinesMax);
  clock_.now_us += News::kLineEveryUs - 1;
  EXPECT_FALSE(news_.is_new("held back", "away"));
  clock_.now_us += 1;
  EXPECT_TRUE(news_.is_new("held back", "away")) << "it was not said before";
  EXPECT_FALSE(news_.is_new("one more", "away"));
  for (int i = 0; i < 10000; ++i) {
    clock_.now_us += News::kLineEveryUs;
    EXPECT_TRUE(news_.is_new("late " + std::to_string(i), "away"));
  }
  EXPECT_EQ(news_.subjects(), News::kSubjectsMax);
  EXPECT_FALSE(news_.is_new("late 9999", "away")) << "the newest ones are remembered";
}

TEST_F(NewsTest, ChangingReasonsAreAFloodToo) {
  int lines = 0;
  for (int i = 0; i < 10000; ++i) lines += news_.is_new("a", std::to_string(i)) ? 1 : 0;
  EXPECT_EQ(lines, News::kLinesMax);
}

TEST_F(NewsTest, ASubjectOfAnyLengthIsOneSubject) {
  const std::string subject(1 << 20, 'x');
  EXPECT_TRUE(news_.is_new(subject, "away"));
  EXPECT_FALSE(news_.is_new(subject, "away"));
  news_.settled(subject);
  EXPECT_EQ(news_.subjects(), 0U);
}

}  // namespace
}  // namespace gantry::log
