// SPDX-License-Identifier: Apache-2.0
#include "cli/text.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace gantry::cli {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// Times without a zone are local: the tests fix one that is not UTC.
class TimeTest : public testing::Test {
 protected:
  TimeTest() {
    ::setenv("TZ", "XXX-02", 1);  // two hours ahead of UTC
    ::tzset();
  }
  ~TimeTest() override {
    ::unsetenv("TZ");
    ::tzset();
  }
};

TEST(Printable, EscapesWhatATerminalWouldActOn) {
  EXPECT_EQ(printable("plain ünïcode"), "plain ünïcode");
  EXPECT_EQ(printable("a\x1b[31mb"), "a\\x1B[31mb");
  EXPECT_EQ(printable("tab\tline\n"), "tab\\x09line\\x0A");
  EXPECT_EQ(printable("\xff"), "\\xFF");
  EXPECT_EQ(printable("\xc2\x9b"), "\\xC2\\x9B");  // C1 control "CSI"
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
}

TEST(DisplayWidth, CountsCharacters) {
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("µs ü"), 4U);
}

TEST(IsUtf8, TellsTextFromBytes) {
  EXPECT_TRUE(is_utf8("grün"));
  EXPECT_FALSE(is_utf8("gr\xfcn"));
  EXPECT_FALSE(is_utf8("cut \xc3"));
}

TEST(Base64, KnownAnswers) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xff\xfe"), "//4=");
}

TEST(Format, Numbers) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(1536), "1.5 KiB");
  EXPECT_EQ(format_bytes(3.0 * (1 << 30)), "3.0 GiB");
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1'234'567), "1,234,567");
  EXPECT_EQ(format_count(-1'234), "-1,234");
  EXPECT_EQ(format_count(-123), "-123");
}

TEST(Format, Durations) {
  EXPECT_EQ(format_latency(microseconds(870)), "870 µs");
  EXPECT_EQ(format_latency(microseconds(12'340)), "12.34 ms");
  EXPECT_EQ(format_latency(microseconds(2'500'000)), "2.50 s");
  EXPECT_EQ(format_age(350), "350 ms");
  EXPECT_EQ(format_age(12'000), "12 s");
  EXPECT_EQ(format_age(184'000), "3 min 4 s");
  EXPECT_EQ(format_age(7'500'000), "2 h 5 min");
  EXPECT_EQ(format_age(273'600'000), "3 d 4 h");
}

TEST(Format, Permissions) {
  EXPECT_EQ(format_permission(6), "RW");
  EXPECT_EQ(format_permission(4), "R");
  EXPECT_EQ(format_permission(7), "RWX");
  EXPECT_EQ(format_permission(0), "-");
}

TEST(Parse, Permissions) {
  EXPECT_EQ(parse_permission("rw").value(), 6);
  EXPECT_EQ(parse_permission("RW").value(), 6);
  EXPECT_EQ(parse_permission("r").value(), 4);
  EXPECT_EQ(parse_permission("2").value(), 2);
  EXPECT_FALSE(parse_permission("x"));
}

TEST(Parse, Durations) {
  EXPECT_EQ(parse_duration("250ms").value(), milliseconds(250));
  EXPECT_EQ(parse_duration("10").value(), milliseconds(10'000));
  EXPECT_EQ(parse_duration("5 m").value(), milliseconds(300'000));
  EXPECT_EQ(parse_duration("2H").value(), milliseconds(7'200'000));
  for (const auto* bad : {"", "ms", "5 weeks", "-5s", "1.5s", "99999999999999999d"}) {
    EXPECT_FALSE(parse_duration(bad)) << bad;
  }
}

TEST(Parse, Bytes) {
  EXPECT_EQ(parse_bytes("512").value(), 512);
  EXPECT_EQ(parse_bytes("4k").value(), 4096);
  EXPECT_EQ(parse_bytes("1MiB").value(), 1 << 20);
  EXPECT_EQ(parse_bytes("2 GB").value(), 2LL << 30);
  EXPECT_FALSE(parse_bytes("4x"));
  EXPECT_FALSE(parse_bytes("9999999999999999g"));
}

TEST_F(TimeTest, LocalTimeWithoutZone) {
  EXPECT_EQ(parse_time("1970-01-01 02:00:00", 0).value(), 0);
  EXPECT_EQ(parse_time("1970-01-01 02:00:01.250", 0).value(), 1250);
  EXPECT_EQ(parse_time("1970-01-01T02:01", 0).value(), 60'000);
  EXPECT_EQ(parse_time("1970-01-02", 0).value(), 22 * 3'600'000);
}

TEST_F(TimeTest, ZMeansUtc) {
  EXPECT_EQ(parse_time("1970-01-01T00:00:01Z", 0).value(), 1000);
  EXPECT_EQ(parse_time("2024-02-29T12:00:00Z", 0).value(), 1'709'208'000'000);
}

TEST_F(TimeTest, RelativeAndAbsolute) {
  EXPECT_EQ(parse_time("now", 5000).value(), 5000);
  EXPECT_EQ(parse_time("2s ago", 5000).value(), 3000);
  EXPECT_EQ(parse_time("1700000000000", 5000).value(), 1'700'000'000'000);
}

TEST_F(TimeTest, WhatIsNoTime) {
  for (const auto* bad : {"", "yesterday", "2024-13-01", "2024-02-30", "2024-02-29 25:00",
                          "2024-02-29 10:00:00 extra", "2024-2-1", "12", "10:00", "long ago"}) {
    EXPECT_FALSE(parse_time(bad, 0)) << bad;
  }
}

TEST_F(TimeTest, WhatIsFormattedParsesBack) {
  EXPECT_EQ(format_time(1'700'000'000'123), "2023-11-15 00:13:20.123");
  EXPECT_EQ(parse_time(format_time(1'700'000'000'123), 0).value(), 1'700'000'000'123);
  EXPECT_EQ(format_time(0), "-");
  EXPECT_EQ(format_time(-1), "-");
}

}  // namespace
}  // namespace gantry::cli
