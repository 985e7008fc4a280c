// SPDX-License-Identifier: Apache-2.0
#include "store/key_index_hash.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "key_index_test_util.h"

namespace gantry::store::test {
namespace {

std::uint32_t hash_of(std::string_view text) {
  JavaHash hash;
  hash.update(text);
  return hash.value();
}

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

// A text as code points, so that its UTF-8 form and its UTF-16 hash come from different code.
struct Text {
  std::string utf8;
  std::uint32_t hash = 0;

  void add(std::uint32_t c) {
    if (c < 0x80) {
      put(c);
    } else if (c < 0x800) {
      put(0xC0 | (c >> 6)), put(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
      put(0xE0 | (c >> 12)), put(0x80 | ((c >> 6) & 0x3F)), put(0x80 | (c & 0x3F));
    } else {
      put(0xF0 | (c >> 18)), put(0x80 | ((c >> 12) & 0x3F)), put(0x80 | ((c >> 6) & 0x3F));
      put(0x80 | (c & 0x3F));
    }
    if (c < 0x10000) {
      unit(c);
    } else {
      unit(0xD800 + ((c - 0x10000) >> 10)), unit(0xDC00 + ((c - 0x10000) & 0x3FF));
    }
  }

 private:
  void put(std::uint32_t byte) { utf8 += static_cast<char>(byte); }
  void unit(std::uint32_t u) { hash = 31 * hash + u; }
};

TEST(KeyIndexHash, AsciiOfEveryLength) {
  Random random(1);
  for (std::size_t length = 0; length < 100; ++length) {
    Text text;
    for (std::size_t i = 0; i < length; ++i) text.add(random() % 0x80);
    EXPECT_EQ(hash_of(text.utf8), text.hash) << length;
  }
}

TEST(KeyIndexHash, TextsBeyondAscii) {
  Random random(2);
  const std::vector<std::uint32_t> limits{0x80, 0x800, 0xD800, 0x10000, 0x110000};
  for (int round = 0; round < 5000; ++round) {
    Text text;
    for (std::size_t i = random() % 40; i > 0; --i) {
      std::uint32_t c = random() % limits[random() % limits.size()];
      if (c >= 0xD800 && c < 0xE000) c = 'x';  // surrogates are no characters
      text.add(c);
    }
    EXPECT_EQ(hash_of(text.utf8), text.hash);
  }
}

// new String(bytes, UTF_8).hashCode() of a JDK 17, for bytes that are not UTF-8.
TEST(KeyIndexHash, MalformedTextsAsTheJdkDecodesThem) {
  const std::vector<std::pair<std::string_view, std::int32_t>> cases{
      {"f31077f673076ff8447f17", 1670281633},
      {"bd6f7b", 62980777},
      {"bfed7fa0f1f7ed", -280296289},
      {"7af8e090c1e18f9feddf", 2105350853},
      {"171894b9619cd040", 968086112},
      {"388bdcf5e600c1e0a7", -1255870168},
      {"e0edf78f7fbff4c2e0f4ef", -787354401},
      {"dfdff59ff080c0f5", -186675584},
      {"e0f79fe0bff77f80", -8051493},
      {"a09f8ff4dfff", 1662371552},
      {"4d3f26b2d92fbb4aba77bf", -432209477},
      {"ed90eff7a0f8f09080", 1662371552},
      {"60119afa7a559690b7e965e9", -2130959260},
      {"4ca9ff4a98d360b2fc3aaf", 1860803781},
  };
  for (const auto& [hex, hash] : cases) {
    EXPECT_EQ(static_cast<std::int32_t>(hash_of(from_hex(hex))), hash) << hex;
  }
}

TEST(KeyIndexHash, PositiveIsMathAbsWithZeroForTheSmallestInteger) {
  const auto positive = [](std::string_view text) {
    JavaHash hash;
    hash.update(text);
    return hash.positive();
  };
  EXPECT_EQ(hash_of("polygenelubricants"), 0x80000000U);
  EXPECT_EQ(positive("polygenelubricants"), 0U);
  EXPECT_EQ(static_cast<std::int32_t>(hash_of("Orders#order-1234")), -1103691873);
  EXPECT_EQ(positive("Orders#order-1234"), 1103691873U);
  EXPECT_EQ(positive(""), 0U);
}

TEST(KeyIndexHash, KeysAndTagsAreHashedWithTheirTopic) {
  EXPECT_EQ(key_hash("Orders", "order-1234"), 1103691873U);
  EXPECT_EQ(tag_hash("Orders", "TagA"), key_hash("Orders", "T#TagA"));
  EXPECT_EQ(key_hash("T", "Aa"), key_hash("T", "BB"));  // RocketMQ cannot tell these apart either
  EXPECT_NE(key_hash("T", "Aa"), key_hash("U", "Aa"));
}

}  // namespace
}  // namespace gantry::store::test
