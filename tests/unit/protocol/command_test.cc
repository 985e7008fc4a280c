// SPDX-License-Identifier: Apache-2.0
#include "protocol/command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/bytes.h"
#include "protocol/send_answer.h"

namespace gantry::protocol {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string frame_of(std::string_view header, std::string_view body = {}, char type = 0) {
  std::string frame(4, '\0');
  store_be(frame.data(), static_cast<std::uint32_t>(header.size()));
  frame[0] = type;
  return frame.append(header).append(body);
}

Result<void> decode_text(std::string& frame, CommandView& view) {
  return decode(std::span<char>(frame.data(), frame.size()), view);
}

std::string error_of(std::string frame) {
  CommandView view;
  const Result<void> decoded = decode_text(frame, view);
  if (decoded) return "";
  EXPECT_EQ(decoded.error().code, ErrorCode::kCorrupt);
  return decoded.error().message;
}

std::vector<std::string> texts(const ExtFields& ext) {
  std::vector<std::string> out;
  for (const ExtField& f : ext.all())
    out.push_back(std::string(f.key) + "=" + std::string(f.value));
  return out;
}

TEST(CommandDecode, HeaderOfAJavaClient) {
  std::string frame =
      frame_of(R"({"code":105,"extFields":{"topic":"T"},"flag":0,"language":"JAVA","opaque":12,)"
               R"("serializeTypeCurrentRPC":"JSON","version":401})",
               "body");
  CommandView view;
  ASSERT_TRUE(decode_text(frame, view));
  EXPECT_EQ(view.code, 105);
  EXPECT_EQ(view.opaque, 12);
  EXPECT_EQ(view.version, 401);
  EXPECT_EQ(view.flag, 0);
  EXPECT_EQ(view.language, Language::kJava);
  EXPECT_EQ(view.serialize_type, SerializeType::kJson);
  EXPECT_FALSE(view.remark);
  EXPECT_EQ(view.ext.get("topic"), "T");
  EXPECT_EQ(view.body, "body");
}

TEST(CommandDecode, HeaderOfACppClientWithNumbersAndNewline) {
  std::string frame = frame_of(
      "{\"code\":11,\"extFields\":{\"queueId\":3,\"queueOffset\":-1,\"ok\":true,\"none\":null,"
      "\"ratio\":0.50,\"topic\":\"T\"},\"flag\":0,\"language\":1,\"opaque\":5,\"version\":333}\n");
  CommandView view;
  ASSERT_TRUE(decode_text(frame, view));
  EXPECT_EQ(view.language, Language::kCpp);
  EXPECT_THAT(texts(view.ext),
              ElementsAre("queueId=3", "queueOffset=-1", "ok=true", "ratio=0.50", "topic=T"));
  EXPECT_EQ(view.ext.get_int32("queueId"), 3);
  EXPECT_EQ(view.ext.get_int64("queueOffset"), -1);
  EXPECT_TRUE(view.ext.get_bool("ok", false));
  EXPECT_FALSE(view.ext.find("none"));
}

TEST(CommandDecode, MissingMembersHaveDefaults) {
  std::string frame = frame_of("{}");
  CommandView view;
  view.code = 9;
  view.remark = "old";
  view.ext.add("old", "1");
  ASSERT_TRUE(decode_text(frame, view));
  EXPECT_EQ(view.code, 0);
  EXPECT_FALSE(view.remark);
  EXPECT_FALSE(view.ext.present());
  EXPECT_TRUE(view.ext.all().empty());
  EXPECT_TRUE(view.body.empty());
}

TEST(CommandDecode, UnescapesInPlace) {
  std::string frame = frame_of(R"({"extFields":{"i":"K\u0001v\u0002W\u0001true\u0002",)"
                               R"("q":"a\"b\\c\/d\n\t\u00e9\ud83d\ude00"},)"
                               R"("c\u006fde":7,"remark":"x\u0041y"})");
  CommandView view;
  ASSERT_TRUE(decode_text(frame, view));
  EXPECT_EQ(view.code, 7);
  EXPECT_EQ(view.ext.get("i"), std::string_view("K\x01v\x02W\x01true\x02"));
  EXPECT_EQ(view.ext.get("q"), "a\"b\\c/d\n\t\xC3\xA9\xF0\x9F\x98\x80");
  EXPECT_EQ(view.remark, "xAy");
  EXPECT_GE(view.ext.get("i").data(), frame.data());
  EXPECT_LT(view.ext.get("i").data(), frame.data() + frame.size());
}

TEST(CommandDecode, DuplicatesLastWinsAndNullRemoves) {
  std::string frame =
      frame_of(R"({"code":1,"extFields":{"a":"1","b":"2","a":"3","b":null,"c":"4"},"code":2})");
  CommandView view;
  ASSERT_TRUE(decode_text(frame, view));
  EXPECT_EQ(view.code, 2);
  EXPECT_THAT(texts(view.ext), ElementsAre("a=3", "c=4"));
}

TEST(CommandDecode, UnknownMembersAreSkipped) {
  std::string frame = frame_of(R"({"x":{"y":[1,{"z":"\""},null],"":{}},"code":4,"w":[]})");
  CommandView view;
  ASSERT_TRUE(decode_text(frame, view));
  EXPECT_EQ(view.code, 4);
}

TEST(CommandDecode, ManyFieldsSpillAndStayFindable) {
  std::string header = R"({"extFields":{)";
  for (std::size_t i = 0; i < kExtFieldsMax; ++i) {
    if (i > 0) header += ',';
    header += "\"key" + std::to_string(i) + "\":\"" + std::to_string(i) + "\"";
  }
  std::string frame = frame_of(header + "}}");
  CommandView view;
  ASSERT_TRUE(decode_text(frame, view));
  ASSERT_EQ(view.ext.all().size(), kExtFieldsMax);
  for (std::size_t i = 0; i < kExtFieldsMax; ++i) {
    EXPECT_EQ(view.ext.get("key" + std::to_string(i)), std::to_string(i));
  }
  EXPECT_THAT(error_of(frame_of(header + ",\"one\":\"more\"}}")), HasSubstr("more than 512"));
  std::string small = frame_of(R"({"extFields":{"a":"1"}})");
  ASSERT_TRUE(decode_text(small, view));
  EXPECT_THAT(texts(view.ext), ElementsAre("a=1"));
}

TEST(CommandDecode, ErrorsSayWhatAndWhere) {
  EXPECT_EQ(error_of(""), "frame of 0 bytes, shorter than its header length field");
  EXPECT_EQ(error_of(std::string("\0\0\0\x09{}", 6)),
            "header length 9 exceeds the frame of 6 bytes");
  EXPECT_EQ(error_of(frame_of("{}", "", 2)), "unknown serialize type 2 at byte 0");
  EXPECT_EQ(error_of(frame_of("")), "JSON header: expected an object at byte 4");
  EXPECT_EQ(error_of(frame_of("[]")), "JSON header: expected an object at byte 4");
  EXPECT_EQ(error_of(frame_of("{\"code\":x}")), "JSON header: expected a digit at byte 12");
  EXPECT_EQ(error_of(frame_of("{\"code\":1.0}")),
            "JSON header: expected a whole number of 32 bits at byte 12");
  EXPECT_EQ(error_of(frame_of("{\"code\":2147483648}")),
            "JSON header: expected a whole number of 32 bits at byte 12");
  EXPECT_EQ(error_of(frame_of("{\"code\":1}x")),
            "JSON header: text after the header object at byte 14");
  EXPECT_EQ(error_of(frame_of("{\"code\":1,}")), "JSON header: expected a string at byte 14");
  EXPECT_EQ(error_of(frame_of("{\"remark\":\"a")), "JSON header: string without end at byte 16");
  EXPECT_EQ(error_of(frame_of("{\"remark\":\"\xFF\"}")),
            "JSON header: bytes that are not UTF-8 in a string at byte 15");
  EXPECT_EQ(error_of(frame_of("{\"extFields\":{\"a\":[]}}")),
            "JSON header: expected a string, number, boolean or null at byte 22");
}

TEST(CommandDecode, IntegersOfTheWholeRangeAndAsText) {
  std::string frame =
      frame_of(R"({"code":-2147483648,"flag":2147483647 ,"opaque":"-12","version":null})");
  CommandView view;
  ASSERT_TRUE(decode_text(frame, view));
  EXPECT_EQ(view.code, INT32_MIN);
  EXPECT_EQ(view.flag, INT32_MAX);
  EXPECT_EQ(view.opaque, -12);
  EXPECT_EQ(view.version, 0);
}

TEST(ExtFields, NumbersAndBooleans) {
  ExtFields ext;
  ext.add("n", "12");
  ext.add("plus", "+7");
  ext.add("bad", "12x");
  ext.add("sign", "+-1");
  ext.add("big", "2147483648");
  ext.add("yes", "TRUE");
  ext.add("no", "1");
  ext.add("", "empty key");
  EXPECT_EQ(ext.get_int32("n"), 12);
  EXPECT_EQ(ext.get_int32("plus"), 7);
  EXPECT_FALSE(ext.get_int32("bad"));
  EXPECT_FALSE(ext.get_int32("sign"));
  EXPECT_FALSE(ext.get_int32("big"));
  EXPECT_EQ(ext.get_int64("big"), 2147483648);
  EXPECT_FALSE(ext.get_int64("absent"));
  EXPECT_TRUE(ext.get_bool("yes", false));
  EXPECT_FALSE(ext.get_bool("no", true));
  EXPECT_TRUE(ext.get_bool("absent", true));
  EXPECT_EQ(ext.get(""), "empty key");
  EXPECT_EQ(ext.get("absent"), "");
}

TEST(ExtFields, EraseInlineAndSpilled) {
  for (const int n : {3, 24, 25, 40}) {
    ExtFields ext;
    std::vector<std::string> keys;
    for (int i = 0; i < n; ++i) keys.push_back("k" + std::to_string(i));
    for (const std::string& key : keys) ext.add(key, key);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      ext.erase(keys[i]);
      EXPECT_FALSE(ext.find(keys[i]));
      EXPECT_EQ(ext.all().size(), keys.size() - i - 1);
      EXPECT_EQ(ext.find(keys.back()).has_value(), i + 1 < keys.size());
    }
    ext.add("again", "1");
    EXPECT_THAT(texts(ext), ElementsAre("again=1"));
  }
}

// The exact answer of section "Exact bytes" of the wire reference.
TEST(CommandEncode, MinimalAnswerByteForByte) {
  const std::string expected = std::string("\0\0\0\x71\0\0\0\x6D", 8) +
                               R"({"code":0,"extFields":{},"flag":1,"language":"CPP","opaque":7,)"
                               R"("serializeTypeCurrentRPC":"JSON","version":479})";
  Command command = Command::response(0);
  command.opaque = 7;
  std::string encoded;
  encode(command, encoded);
  EXPECT_EQ(encoded, expected);
  std::string written;
  ResponseWriter writer(written, 0, 7);
  writer.finish(0);
  EXPECT_EQ(written, expected);
}

TEST(CommandEncode, EmptyHeaderFrameDecodes) {
  const std::string bytes("\0\0\0\x06\0\0\0\x02{}", 10);
  std::string frame = bytes.substr(4);
  EXPECT_EQ(load_be<std::uint32_t>(bytes.data()), frame.size());
  CommandView view;
  EXPECT_TRUE(decode_text(frame, view));
}

TEST(CommandEncode, RoundTripsThroughBothForms) {
  Command command = Command::request(310)
                        .with("a", "group \"quoted\" \\ \x01\x02\n")
                        .with("n", std::int64_t{-5})
                        .with("empty", "")
                        .with("utf8", "\xE2\x82\xAC");
  command.flag = kFlagOneway;
  command.opaque = INT32_MIN;
  command.language = Language::kGo;
  command.remark = "why\t\x1f";
  command.body = std::string("\0body", 5);
  for (const bool binary : {false, true}) {
    std::string bytes;
    binary ? encode_rocketmq(command, bytes) : encode(command, bytes);
    ASSERT_EQ(load_be<std::uint32_t>(bytes.data()), bytes.size() - 4);
    std::string frame = bytes.substr(4);
    CommandView view;
    ASSERT_TRUE(decode_text(frame, view));
    EXPECT_EQ(view.serialize_type, binary ? SerializeType::kRocketmq : SerializeType::kJson);
    EXPECT_TRUE(view.is_oneway());
    EXPECT_FALSE(view.is_response());
    const Command back = to_command(view);
    EXPECT_EQ(back.code, command.code);
    EXPECT_EQ(back.language, command.language);
    EXPECT_EQ(back.version, command.version);
    EXPECT_EQ(back.opaque, command.opaque);
    EXPECT_EQ(back.flag, command.flag);
    EXPECT_EQ(back.remark, command.remark);
    EXPECT_EQ(back.ext, command.ext);
    EXPECT_EQ(back.body, command.body);
  }
}

TEST(CommandEncode, BytesThatAreNotUtf8BecomeReplacementCharacters) {
  Command command = Command::response(1, "a\xFFz\xC3");
  std::string bytes;
  encode(command, bytes);
  EXPECT_THAT(bytes, HasSubstr("\"remark\":\"a\xEF\xBF\xBDz\xEF\xBF\xBD\""));
}

TEST(CommandEncode, LongRemarkIsCutBetweenCharacters) {
  Command command = Command::response(1, std::string(kRemarkBytesMax - 1, 'r') + "\xC3\xA9tail");
  std::string bytes;
  encode(command, bytes);
  std::string frame = bytes.substr(4);
  CommandView view;
  ASSERT_TRUE(decode_text(frame, view));
  EXPECT_EQ(view.remark, std::string(kRemarkBytesMax - 1, 'r'));
}

TEST(ResponseWriter, SameBytesAsEncode) {
  const std::string long_value(300, 'x');
  Command command = Command::response(21, "tab\there")
                        .with("msgId", "7F00\"01")
                        .with("queueId", std::int64_t{3})
                        .with("min", INT64_MIN)
                        .with("long", long_value);
  command.opaque = -4;
  command.body = "payload";
  std::string expected = "before";
  encode(command, expected);

  std::string out = "before";
  ResponseWriter writer(out, 21, -4);
  writer.ext("msgId", "7F00\"01");
  writer.ext("queueId", std::int64_t{3});
  writer.ext("min", INT64_MIN);
  writer.ext("long", long_value);
  writer.remark("tab\there");
  writer.finish(command.body.size());
  out += command.body;
  EXPECT_EQ(out, expected);
}

TEST(RocketmqHeader, KnownBytes) {
  Command command = Command::request(105).with("topic", "T");
  command.opaque = 3;
  command.remark = "r";
  std::string bytes;
  encode_rocketmq(command, bytes);
  const std::string expected(
      "\0\0\0\x26\x01\0\0\x22\0\x69\x01\x01\xDF\0\0\0\x03\0\0\0\0"
      "\0\0\0\x01r\0\0\0\x0C\0\x05topic\0\0\0\x01T",
      42);
  EXPECT_EQ(bytes, expected);
}

TEST(RocketmqHeader, EveryCutIsAnErrorNotARead) {
  std::string bytes;
  Command command = Command::request(10).with("key", "value").with("k2", "");
  command.remark = "remark";
  encode_rocketmq(command, bytes);
  const std::string header = bytes.substr(8);
  for (std::size_t size = 0; size < header.size(); ++size) {
    EXPECT_THAT(error_of(frame_of(header.substr(0, size), "", 1)), HasSubstr("binary header: "));
  }
  EXPECT_EQ(error_of(frame_of(header, "", 1)), "");
}

TEST(RocketmqHeader, LengthsOutOfRange) {
  const std::string fixed("\0\x0A\0\0\0\0\0\0\0\0\0\0\0", 13);
  const auto with = [&](std::string_view rest) {
    return error_of(frame_of(fixed + std::string(rest), "", 1));
  };
  EXPECT_EQ(with(std::string_view("\0\0\0\0\0\0\0\0", 8)), "");
  EXPECT_THAT(with(std::string_view("\xFF\xFF\xFF\xFF\0\0\0\0", 8)), HasSubstr("negative remark"));
  EXPECT_THAT(with(std::string_view("\x7F\xFF\xFF\xFF\0\0\0\0", 8)), HasSubstr("remark longer"));
  EXPECT_THAT(with(std::string_view("\0\0\0\0\xFF\xFF\xFF\xFF", 8)), HasSubstr("ext block"));
  EXPECT_THAT(with(std::string_view("\0\0\0\0\0\0\0\x07\xFF\xFFxxxxx", 15)), HasSubstr("ext key"));
  EXPECT_THAT(with(std::string_view("\0\0\0\0\0\0\0\x07\0\x01x\x7F\0\0\0", 15)),
              HasSubstr("ext value"));
}

TEST(Language, NamesAndCodes) {
  for (int code = 0; code < 14; ++code) {
    const Language language = language_from_code(code);
    EXPECT_EQ(static_cast<int>(language), code);
    EXPECT_EQ(language_from_name(language_name(language)), language);
  }
  EXPECT_EQ(language_name(Language::kGo), "GO");
  EXPECT_EQ(language_from_name("KLINGON"), Language::kUnknown);
  EXPECT_EQ(language_from_code(14), Language::kUnknown);
  EXPECT_EQ(language_from_code(-1), Language::kUnknown);
}

TEST(SendAnswerWriter, SameBytesAsResponseWriter) {
  const std::string many_ids(100 * 33, 'A');
  for (const std::string_view region : {"DefaultRegion", "", "quoted \"r\""}) {
    for (const SendAnswer& answer :
         {SendAnswer{7, "7F00000100002A9F0000000000000000", 3, QueueOffset(12), "KEY1"},
          SendAnswer{INT32_MIN, "7F", INT32_MIN, QueueOffset(INT64_MIN), {}},
          SendAnswer{-1, many_ids, 0, QueueOffset(INT64_MAX), "needs \"escapes\"\n"},
          SendAnswer{0, {}, 65535, QueueOffset(0), "\xE2\x82\xAC"}}) {
      std::string expected = "before";
      ResponseWriter pieces(expected, 0, answer.opaque);
      pieces.ext("MSG_REGION", region);
      pieces.ext("TRACE_ON", std::string_view(region.empty() ? "false" : "true"));
      pieces.ext("msgId", answer.message_ids);
      pieces.ext("queueId", static_cast<std::int64_t>(answer.queue_id));
      pieces.ext("queueOffset", answer.queue_offset.v);
      if (!answer.uniq_key.empty()) pieces.ext("transactionId", answer.uniq_key);
      pieces.finish(0);

      SendAnswerWriter writer;
      writer.set_broker("another", region.empty());
      writer.set_broker(region, !region.empty());
      std::string out = "before";
      writer.write(answer, out);
      EXPECT_EQ(out, expected);
    }
  }
}

TEST(Command, FindTakesTheLast) {
  Command command = Command::response(0).with("a", "1").with("a", "2");
  EXPECT_TRUE(command.is_response());
  EXPECT_EQ(command.find("a"), "2");
  EXPECT_FALSE(command.find("b"));
  EXPECT_FALSE(command.remark);
}

}  // namespace
}  // namespace gantry::protocol
