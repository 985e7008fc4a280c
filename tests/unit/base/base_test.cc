// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/result.h"
#include "base/string_hash.h"
#include "base/types.h"

namespace gantry {
namespace {

TEST(Bytes, BigEndianBothWays) {
  char buffer[8];
  store_be<std::int64_t>(buffer, 0x0102030405060708LL);
  EXPECT_EQ(buffer[0], 1);
  EXPECT_EQ(buffer[7], 8);
  EXPECT_EQ(load_be<std::int64_t>(buffer), 0x0102030405060708LL);
  store_be<std::int16_t>(buffer, -2);
  EXPECT_EQ(load_be<std::int16_t>(buffer), -2);
}

TEST(Crc32, IsTheOneOfZlib) {
  EXPECT_EQ(crc32("123456789"), 0xCBF43926U);
  EXPECT_EQ(crc32("56789", crc32("1234")), 0xCBF43926U);
  EXPECT_EQ(crc32_masked("123456789"), 0x4BF43926U);
  EXPECT_EQ(crc32(""), 0U);
}

TEST(StrongInt, KeepsPositionsAndOffsetsApart) {
  const LogPosition p(100);
  EXPECT_EQ((p + 5).v, 105);
  EXPECT_EQ((p + 5) - p, 5);
  EXPECT_LT(p, p + 1);
  static_assert(!std::is_convertible_v<LogPosition, QueueOffset>);
  static_assert(!std::is_convertible_v<std::int64_t, LogPosition>);
}

Result<void> fails() { return make_error(ErrorCode::kIo, "disk gone"); }
Result<int> passes_on() {
  GANTRY_TRY(fails());
  return 1;
}

TEST(Result, TryPassesTheErrorOn) {
  const auto r = passes_on();
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, ErrorCode::kIo);
  EXPECT_EQ(r.error().message, "disk gone");
}

TEST(StringMap, FindsByView) {
  StringMap<int> map;
  map["abc"] = 1;
  EXPECT_NE(map.find(std::string_view("abcd").substr(0, 3)), map.end());
}

TEST(LastFound, KnowsOneEntryUntilItIsToldToForget) {
  StringMap<int> map{{"a", 1}, {"b", 2}};
  LastFound<int> last;
  EXPECT_EQ(last.get(""), nullptr);
  EXPECT_EQ(last.remember(*map.find("a")), &map["a"]);
  for (int i = 0; i < 1000; ++i) map.emplace("more" + std::to_string(i), i);  // rehashes
  EXPECT_EQ(last.get("a"), &map["a"]);
  EXPECT_EQ(last.get("b"), nullptr);
  EXPECT_EQ(last.get("aa"), nullptr);
  last.remember(*map.find("b"));
  EXPECT_EQ(last.get("a"), nullptr);
  EXPECT_EQ(*last.get("b"), 2);
  const LastFound<int> copy(last);
  EXPECT_EQ(copy.get("b"), nullptr);
  last.forget();
  EXPECT_EQ(last.get("b"), nullptr);
}

}  // namespace
}  // namespace gantry
