// SPDX-License-Identifier: Apache-2.0
// Random JSON headers, whole and damaged, through the hand-written decoder and through
// nlohmann-json.
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "protocol/json_escape.h"
#include "tests/unit/protocol/reference_header.h"

namespace gantry::protocol {
namespace {

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_);
  }
  bool chance(std::size_t one_in) { return below(one_in) == 0; }

  std::string header() {
    std::string out = chance(50) ? "\xEF\xBB\xBF" : "";
    out += space() + "{" + space();
    const std::size_t members = below(12);
    for (std::size_t i = 0; i < members; ++i) {
      if (i > 0) out += "," + space();
      out += member();
    }
    return out + space() + "}" + space();
  }

  // One to three bytes replaced, removed or inserted.
  void damage(std::string& text) {
    constexpr std::string_view kBytes =
        "\"\\{}[]:,0189-+.eEtfnu \n\t\x01\x1f\x7f\x80\xC3\xED\xA0\xFF";
    for (std::size_t n = 1 + below(3); n > 0 && !text.empty(); --n) {
      const std::size_t at = below(text.size());
      switch (below(4)) {
        case 0:
          text.erase(at, 1 + below(4));
          break;
        case 1:
          text.insert(at, 1, kBytes[below(kBytes.size())]);
          break;
        case 2:
          text.resize(at);
          break;
        default:
          text[at] = kBytes[below(kBytes.size())];
          break;
      }
    }
  }

 private:
  std::string space() {
    if (!chance(6)) return "";
    std::string out;
    for (std::size_t n = below(4); n > 0; --n) out += " \n\r\t"[below(4)];
    return out;
  }
  std::string pair(const std::string& key, const std::string& value) {
    return key + space() + ":" + space() + value + space();
  }
  std::string member() {
    constexpr std::string_view kNames[] = {"code", "flag", "opaque", "version", "language"};
    switch (below(10)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return pair(name(kNames[below(5)]), chance(8) ? scalar() : integer());
      case 4:
        return pair(name("language"), chance(3) ? scalar() : "\"GO\"");
      case 5:
        return pair(name("remark"), chance(3) ? scalar() : string());
      case 6:
      case 7:
        return pair(name("extFields"), chance(12) ? scalar() : fields());
      case 8:
        return pair(name("serializeTypeCurrentRPC"), "\"JSON\"");
      default:
        return pair(string(), value(0));
    }
  }
  // Mostly as it is, sometimes with one letter as an escape.
  std::string name(std::string_view plain) {
    std::string out(plain);
    if (chance(15))
      out.replace(0, 1, "\\u00" + std::string(1, "67"[plain[0] >= 'p']) + hex(plain[0]));
    return "\"" + out + "\"";
  }
  static std::string hex(char c) { return std::string(1, "0123456789abcdef"[c & 0xF]); }

  std::string fields() {
    std::string out = "{" + space();
    const std::size_t n = chance(40) ? 500 + below(20) : chance(10) ? 20 + below(10) : below(16);
    for (std::size_t i = 0; i < n; ++i) {
      if (i > 0) out += "," + space();
      const std::string key =
          chance(4) ? string()
                    : "\"" + std::string(1 + below(2), static_cast<char>('a' + below(20))) + "\"";
      out += pair(key, chance(3) ? scalar() : string());
    }
    return out + "}";
  }
  std::string integer() {
    if (chance(10)) return std::to_string(static_cast<std::int64_t>(random_()));
    return std::to_string(static_cast<std::int32_t>(random_()) >> below(32));
  }
  std::string scalar() {
    constexpr const char* kTexts[] = {"true",
                                      "false",
                                      "null",
                                      "-0",
                                      "0",
                                      "1.5",
                                      "-2e3",
                                      "1E+5",
                                      "1e400",
                                      "0e999",
                                      "-1e-9999",
                                      "01",
                                      "1.",
                                      ".5",
                                      "\"7\"",
                                      "\"\"",
                                      "123456789012345678901234567890",
                                      "tru",
                                      "nul"};
    return chance(2) ? kTexts[below(std::size(kTexts))] : chance(2) ? integer() : string();
  }
  std::string string() {
    std::string out = "\"";
    for (std::size_t n = below(chance(5) ? 150 : 12); n > 0; --n) out += character();
    return out + "\"";
  }
  std::string character() {
    constexpr const char* kEscapes[] = {"\\\"",
                                        "\\\\",
                                        "\\/",
                                        "\\b",
                                        "\\f",
                                        "\\n",
                                        "\\r",
                                        "\\t",
                                        "\\u0001",
                                        "\\u0002",
                                        "\\u0041",
                                        "\\u00e9",
                                        "\\u20AC",
                                        "\\u0000",
                                        "\\ud83d\\ude00",
                                        "\\uDBFF\\uDFFF",
                                        "\xC3\xA9",
                                        "\xE2\x82\xAC",
                                        "\xF0\x9F\x98\x80",
                                        "\x7f"};
    if (chance(400)) return "\\ud83d";
    if (chance(400)) return "\\udc00";
    if (chance(6)) return kEscapes[below(std::size(kEscapes))];
    return std::string(1, static_cast<char>('a' + below(26)));
  }
  std::string value(int depth) {
    if (depth > 5 || !chance(3)) return scalar();
    const bool object = chance(2);
    std::string out = object ? "{" : "[";
    for (std::size_t i = 0, n = below(4); i < n; ++i) {
      if (i > 0) out += ",";
      out += object ? pair(string(), value(depth + 1)) : value(depth + 1);
    }
    return out + space() + (object ? "}" : "]");
  }

  std::mt19937_64 random_;
};

TEST(HeaderDifferential, AgreesWithNlohmannOnRandomHeaders) {
  constexpr int kRounds = 5000;
  int accepted = 0;
  for (int round = 0; round < kRounds; ++round) {
    Generator generator(static_cast<std::uint64_t>(round));
    std::string header = generator.header();
    if (round % 2 == 1) generator.damage(header);
    const std::string difference = compare_with_reference(header);
    ASSERT_EQ(difference, "") << "seed " << round << ": " << header;
    ReferenceReader reference;
    accepted += nlohmann::json::sax_parse(header, &reference) ? 1 : 0;
  }
  // Both outcomes must be well represented, or the test shows nothing.
  EXPECT_GT(accepted, kRounds / 10);
  EXPECT_LT(accepted, kRounds * 9 / 10);
}

TEST(HeaderDifferential, EveryCutOfAHeader) {
  const std::string header =
      R"({"code":310,"extFields":{"a":"p\u0001q","n":5,"x":null},"flag":0,"language":"GO",)"
      "\"opaque\":7,\"remark\":\"\xC3\xA9\\ud83d\\ude00\",\"version\":-1,\"y\":[{},[1.5e3,true]]}"
      "\n";
  for (std::size_t size = 0; size <= header.size(); ++size) {
    EXPECT_EQ(compare_with_reference(header.substr(0, size)), "") << size;
  }
}

TEST(HeaderDifferential, NestingUpToTheLimit) {
  for (const std::size_t levels : {62U, 63U, 64U, 65U, 1000U}) {
    const std::string header =
        "{\"x\":" + std::string(levels, '[') + std::string(levels, ']') + ",\"code\":1}";
    EXPECT_EQ(compare_with_reference(header), "") << levels;
  }
}

TEST(HeaderDifferential, NumbersAtTheEdgeOfADouble) {
  const std::string zeros(320, '0');
  const std::string cases[] = {"1" + zeros,
                               "1" + zeros + "e-20",
                               "0." + zeros + "1e330",
                               "0." + zeros + "1",
                               "1.7976931348623157e308",
                               "1.7976931348623159e308",
                               "-1e309",
                               "1e-400",
                               "0e99999999999999999999",
                               "1e99999999999999999999",
                               "1e-99999999999999999999",
                               "0." + zeros + "1e9999999999999999999",
                               "1" + zeros + "e-9999999999999999999"};
  for (const std::string& number : cases) {
    EXPECT_EQ(compare_with_reference("{\"x\":" + number + "}"), "") << number;
  }
}

TEST(HeaderDifferential, PairsOfUnitsAroundTheSurrogates) {
  const char* const units[] = {"0000", "007F", "0080", "07FF", "0800", "D7FF", "D800",
                               "DBFF", "DC00", "DFFF", "E000", "FFFF", "00g0", "dbff"};
  for (const std::string first : units) {
    const std::string begin = "{\"remark\":\"\\u" + first;
    EXPECT_EQ(compare_with_reference(begin + "\"}"), "") << first;
    for (const std::string second : units) {
      EXPECT_EQ(compare_with_reference(begin + "\\u" + second + "\"}"), "") << first << second;
    }
  }
}

TEST(HeaderDifferential, EscapedTextComesBack) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (std::size_t n = random() % 100; n > 0; --n) text += static_cast<char>(random() % 256);
    std::string header = "{\"remark\":\"";
    append_json_escaped(header, text);
    header += "\"}";
    ASSERT_TRUE(nlohmann::json::accept(header)) << header;
    ASSERT_EQ(compare_with_reference(header), "");
  }
}

}  // namespace
}  // namespace gantry::protocol
