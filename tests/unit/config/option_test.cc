// SPDX-License-Identifier: Apache-2.0
#include "config/option.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace gantry::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr OptionSpec kBool{.key = "b", .type = OptionType::kBool};
constexpr OptionSpec kPort{.key = "p", .type = OptionType::kInt, .min = 0, .max = 65535};
constexpr OptionSpec kInt{.key = "i", .type = OptionType::kInt};
constexpr OptionSpec kLong{.key = "l", .type = OptionType::kLong, .min = -5};
constexpr OptionSpec kDouble{.key = "d", .type = OptionType::kDouble, .min = 0, .max = 1};
constexpr OptionSpec kSize{.key = "s", .type = OptionType::kSize, .min = 1};
constexpr OptionSpec kMillis{
    .key = "t", .type = OptionType::kDuration, .unit = TimeUnit::kMillis, .min = 0};
constexpr OptionSpec kHours{
    .key = "h", .type = OptionType::kDuration, .unit = TimeUnit::kHours, .min = 0};
constexpr std::array<std::string_view, 2> kNames{"ASYNC_FLUSH", "SYNC_FLUSH"};
constexpr OptionSpec kEnum{.key = "e", .type = OptionType::kEnum, .enum_values = kNames};

template <class T>
T value(const OptionSpec& spec, std::string_view text) {
  const auto parsed = parse_option(spec, text);
  EXPECT_TRUE(parsed) << text << ": " << (parsed ? "" : parsed.error().message);
  return parsed ? std::get<T>(*parsed) : T{};
}

std::string refusal(const OptionSpec& spec, std::string_view text) {
  const auto parsed = parse_option(spec, text);
  return parsed ? "accepted" : parsed.error().message;
}

TEST(Option, booleans) {
  EXPECT_TRUE(value<bool>(kBool, "true"));
  EXPECT_TRUE(value<bool>(kBool, " True "));
  EXPECT_FALSE(value<bool>(kBool, "FALSE"));
  for (const char* bad : {"", "yes", "1", "tru"}) {
    EXPECT_EQ(refusal(kBool, bad), "expected true or false");
  }
}

TEST(Option, whole_numbers_and_ranges) {
  EXPECT_EQ(value<std::int64_t>(kPort, "10911"), 10911);
  EXPECT_EQ(value<std::int64_t>(kPort, "+1"), 1);
  EXPECT_EQ(value<std::int64_t>(kInt, "-2147483648"), -2147483648LL);
  EXPECT_EQ(value<std::int64_t>(kLong, "9223372036854775807"), 9223372036854775807LL);
  for (const char* bad :
       {"", "x", "1x", "1.5", "0x10", "-1", "65536", "+-1", "99999999999999999999"}) {
    EXPECT_EQ(refusal(kPort, bad), "expected a whole number from 0 to 65535") << bad;
  }
  EXPECT_EQ(refusal(kInt, "2147483648"), "expected a whole number");
  EXPECT_EQ(refusal(kLong, "-6"), "expected a whole number of at least -5");
}

TEST(Option, fractions) {
  EXPECT_DOUBLE_EQ(value<double>(kDouble, "0.75"), 0.75);
  for (const char* bad : {"1.01", "-0.1", "nan", "x", ""}) {
    EXPECT_EQ(refusal(kDouble, bad), "expected a number from 0 to 1") << bad;
  }
}

TEST(Option, sizes) {
  EXPECT_EQ(value<std::int64_t>(kSize, "1073741824"), 1LL << 30);
  EXPECT_EQ(value<std::int64_t>(kSize, "4MiB"), 4LL << 20);
  EXPECT_EQ(value<std::int64_t>(kSize, "4 m"), 4LL << 20);
  EXPECT_EQ(value<std::int64_t>(kSize, "1g"), 1LL << 30);
  EXPECT_EQ(value<std::int64_t>(kSize, "16KB"), 16LL << 10);
  for (const char* bad : {"", "m", "1x", "1.5m", "0", "-1k", "9007199254740992t"}) {
    EXPECT_EQ(refusal(kSize, bad), "expected a size in bytes, e.g. 1048576 or 1MiB, of at least 1")
        << bad;
  }
}

TEST(Option, times_in_the_unit_of_the_key) {
  EXPECT_EQ(value<std::int64_t>(kMillis, "500"), 500);
  EXPECT_EQ(value<std::int64_t>(kMillis, "5s"), 5000);
  EXPECT_EQ(value<std::int64_t>(kMillis, "2 M"), 120'000);
  EXPECT_EQ(value<std::int64_t>(kMillis, "250ms"), 250);
  EXPECT_EQ(value<std::int64_t>(kHours, "72"), 72);
  EXPECT_EQ(value<std::int64_t>(kHours, "3d"), 72);
  EXPECT_EQ(value<std::int64_t>(kHours, "120m"), 2);
  EXPECT_EQ(refusal(kHours, "90m"), "expected a time in hours, e.g. 72 or 3d, of at least 0");
  EXPECT_EQ(refusal(kMillis, "5w"),
            "expected a time in milliseconds, e.g. 5000 or 5s, of at least 0");
  EXPECT_NE(refusal(kMillis, "9223372036854775807d"), "accepted");
}

TEST(Option, names) {
  EXPECT_EQ(value<std::int64_t>(kEnum, "SYNC_FLUSH"), 1);
  EXPECT_EQ(refusal(kEnum, "sync_flush"), "expected one of ASYNC_FLUSH, SYNC_FLUSH");
}

TEST(Option, lists) {
  EXPECT_THAT(split_list(" a ; b;;c;"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(split_list(""), IsEmpty());
  EXPECT_THAT(split_list(";"), IsEmpty());
  EXPECT_THAT(split_list("1s  5s", ' '), ElementsAre("1s", "5s"));
}

TEST(Option, nearest_key_finds_typing_mistakes_only) {
  constexpr std::array<std::string_view, 4> keys{"brokerName", "brokerId", "listenPort",
                                                 "flushDiskType"};
  EXPECT_EQ(nearest_key("brokerNmae", keys), "brokerName");  // swapped
  EXPECT_EQ(nearest_key("BROKERID", keys), "brokerId");      // case
  EXPECT_EQ(nearest_key("listnPort", keys), "listenPort");   // left out
  EXPECT_EQ(nearest_key("flushDiscType", keys), "flushDiskType");
  EXPECT_EQ(nearest_key("zzz", keys), "");
  EXPECT_EQ(nearest_key(std::string(5000, 'x'), keys), "");
}

}  // namespace
}  // namespace gantry::config
