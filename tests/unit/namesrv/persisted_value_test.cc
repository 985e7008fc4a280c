// SPDX-License-Identifier: Apache-2.0
#include "namesrv/persist/persisted_value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes.h"

namespace gantry::namesrv {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Text = PersistedValue<std::string>;

class PersistedValueTest : public ::testing::Test {
 protected:
  Text::Change append(std::string text) {
    return [text = std::move(text)](std::string& v) -> Result<void> {
      v += text;
      return {};
    };
  }
  Text::Done note(std::string name) {
    return [this, name = std::move(name)](const Result<void>& result) {
      answers.push_back(name + (result ? " ok" : " " + result.error().message));
    };
  }

  test::ManualFileWriter writer;
  Text value{"", "/kv", [](const std::string& s) { return "<" + s + ">"; }, writer};
  std::vector<std::string> answers;
};

TEST_F(PersistedValueTest, ChangeIsSeenAndAnsweredOnlyWhenWritten) {
  value.change(append("a"), note("a"));
  EXPECT_EQ(value.get(), "");
  EXPECT_THAT(answers, IsEmpty());
  ASSERT_EQ(writer.pending.size(), 1U);
  EXPECT_EQ(writer.pending[0].path, "/kv");
  EXPECT_EQ(writer.finish(), "<a>");
  EXPECT_EQ(value.get(), "a");
  EXPECT_THAT(answers, ElementsAre("a ok"));
}

TEST_F(PersistedValueTest, ChangesThatWaitShareOneWriteInOrder) {
  value.change(append("a"), note("a"));
  value.change(append("b"), note("b"));
  value.change(append("c"), note("c"));
  EXPECT_EQ(writer.pending.size(), 1U);
  EXPECT_EQ(writer.finish(), "<a>");
  EXPECT_THAT(answers, ElementsAre("a ok"));
  ASSERT_EQ(writer.pending.size(), 1U);
  EXPECT_EQ(writer.finish(), "<abc>");
  EXPECT_EQ(value.get(), "abc");
  EXPECT_THAT(answers, ElementsAre("a ok", "b ok", "c ok"));
}

TEST_F(PersistedValueTest, FailedWriteLeavesTheValueAndLaterChangesDoNotContainIt) {
  value.change(append("a"), note("a"));
  value.change(append("b"), note("b"));
  writer.finish(make_error(ErrorCode::kDiskFull, "disk full"));
  EXPECT_EQ(value.get(), "");
  EXPECT_EQ(writer.finish(), "<b>");
  EXPECT_EQ(value.get(), "b");
  EXPECT_THAT(answers, ElementsAre("a disk full", "b ok"));
}

TEST_F(PersistedValueTest, RefusedChangeLeavesNoTrace) {
  value.change(append("a"), note("a"));
  value.change(
      [](std::string& v) -> Result<void> {
        v += "half";
        return make_error(ErrorCode::kInvalidArgument, "refused");
      },
      note("bad"));
  value.change(append("b"), note("b"));
  writer.finish();
  EXPECT_EQ(writer.finish(), "<ab>");
  EXPECT_THAT(answers, ElementsAre("a ok", "bad refused", "b ok"));
}

TEST_F(PersistedValueTest, OnlyRefusedChangesWriteNothing) {
  value.change(
      [](std::string&) -> Result<void> {
        return make_error(ErrorCode::kInvalidArgument, "refused");
      },
      note("bad"));
  EXPECT_THAT(writer.pending, IsEmpty());
  EXPECT_THAT(answers, ElementsAre("bad refused"));
  value.change(append("a"), note("a"));
  EXPECT_EQ(writer.finish(), "<a>");
}

TEST_F(PersistedValueTest, ChangeAskedForByAnAnswerComesAfterIt) {
  value.change(append("a"), [&](const Result<void>&) {
    EXPECT_EQ(value.get(), "a");
    value.change(append("b"), note("b"));
  });
  writer.finish();
  EXPECT_EQ(writer.finish(), "<ab>");
  EXPECT_EQ(value.get(), "ab");
  EXPECT_THAT(writer.pending, IsEmpty());
}

TEST_F(PersistedValueTest, TooManyWaitingChangesAreRefused) {
  value.change(append("x"), [](const Result<void>&) {});
  for (std::size_t i = 0; i < Text::kWaitingMax; ++i) {
    value.change(append("."), [](const Result<void>& r) { EXPECT_TRUE(r); });
  }
  std::optional<ErrorCode> code;
  value.change(append("!"), [&](const Result<void>& r) { code = r.error().code; });
  EXPECT_EQ(code, ErrorCode::kBusy);
  writer.finish();
  writer.finish();
  EXPECT_EQ(value.get(), "x" + std::string(Text::kWaitingMax, '.'));
}

TEST_F(PersistedValueTest, ObserverSeesEachDurableValue) {
  std::vector<std::string> seen;
  value.on_change([&](const std::string& v) { seen.push_back(v); });
  value.change(append("a"), note("a"));
  writer.finish(make_error(ErrorCode::kIo, "no"));
  value.change(append("b"), note("b"));
  writer.finish();
  EXPECT_THAT(seen, ElementsAre("b"));
}

}  // namespace
}  // namespace gantry::namesrv
