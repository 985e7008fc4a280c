// SPDX-License-Identifier: Apache-2.0
#include "protocol/record.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "protocol/batch.h"
#include "protocol/message_id.h"
#include "protocol/properties.h"
#include "protocol/tags.h"

namespace gantry::protocol {
namespace {

constexpr std::string_view kProperties =
    "MSG_REGION\x01"
    "DefaultRegion\x02UNIQ_KEY\x01"
    "AAA2\x02"
    "CLUSTER\x01"
    "C1\x02TRACE_ON\x01true\x02";

RecordFields sample() {
  RecordFields f;
  f.queue_id = 3;
  f.flag = 7;
  f.queue_offset = QueueOffset(42);
  f.position = LogPosition(162);
  f.born_timestamp_ms = 1000;
  f.born_host = *RecordHost::parse("10.1.2.3", 5555);
  f.store_timestamp_ms = 2000;
  f.store_host = *RecordHost::parse("127.0.0.1", 40911);
  f.reconsume_times = 2;
  f.body = "hello";
  f.topic = "TT";
  f.properties = kProperties;
  return f;
}

std::string encoded(const RecordFields& f) {
  std::string bytes(encoded_size(f), '\0');
  encode_record(f, bytes.data());
  return bytes;
}

TEST(Record, LayoutIsRocketMqs) {
  const std::string bytes = encoded(sample());
  EXPECT_EQ(bytes.size(), 162U + kCrcPropertyBytes);  // 162: the reference record without checksum
  EXPECT_EQ(load_be<std::uint32_t>(bytes.data() + 4), kRecordMagicV1);
  EXPECT_EQ(load_be<std::uint32_t>(bytes.data() + 8), 0x3610A686U);
  EXPECT_EQ(load_be<std::int64_t>(bytes.data() + kQueueOffsetAt), 42);
  EXPECT_EQ(load_be<std::int64_t>(bytes.data() + kPhysicalOffsetAt), 162);
  EXPECT_EQ(load_be<std::int32_t>(bytes.data() + 84), 5);
  EXPECT_EQ(bytes.substr(88, 5), "hello");
}

TEST(Record, DecodesWhatItEncodes) {
  const std::string bytes = encoded(sample());
  const std::string longer = bytes + "trailing";
  const auto r = decode_record(longer);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->total_size, bytes.size());
  EXPECT_EQ(r->queue_offset, QueueOffset(42));
  EXPECT_EQ(r->topic, "TT");
  EXPECT_EQ(r->body, "hello");
  EXPECT_EQ(r->born_host.text(), "10.1.2.3:5555");
  EXPECT_EQ(r->reconsume_times, 2);
  EXPECT_TRUE(verify_checksum(*r, ChecksumPolicy::kRecordChecksum));
  EXPECT_TRUE(verify_checksum(*r, ChecksumPolicy::kBodyCrc));
  EXPECT_EQ(encoded(fields_of(*r)), bytes);
}

TEST(Record, LongTopicsAndIpv6Hosts) {
  RecordFields f = sample();
  const std::string topic(200, 't');
  f.topic = topic;
  f.born_host = *RecordHost::parse("2001:db8::1", 1);
  f.store_host = *RecordHost::parse("::ffff:9.8.7.6", 2);  // v4-mapped is IPv4
  const std::string bytes = encoded(f);
  const auto r = decode_record(bytes);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->magic, kRecordMagicV2);
  EXPECT_EQ(r->topic, topic);
  EXPECT_EQ(r->born_host.text(), "[2001:db8::1]:1");
  EXPECT_EQ(r->store_host.text(), "9.8.7.6:2");
  EXPECT_NE(r->sys_flag & sys_flag::kBornHostV6, 0);
  EXPECT_EQ(r->sys_flag & sys_flag::kStoreHostV6, 0);
}

TEST(Record, EveryFlippedByteIsFound) {
  const std::string bytes = encoded(sample());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string bad = bytes;
    bad[i] = static_cast<char>(bad[i] ^ 0x20);
    const auto r = decode_record(bad);
    EXPECT_FALSE(r && r->total_size == bytes.size() &&
                 verify_checksum(*r, ChecksumPolicy::kRecordChecksum))
        << "byte " << i;
  }
}

TEST(Record, EveryTruncationIsRefused) {
  const std::string bytes = encoded(sample());
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    EXPECT_FALSE(decode_record(std::string_view(bytes).substr(0, n))) << n;
  }
}

TEST(Record, RecordOfApacheIsCheckedByItsBody) {
  std::string bytes = encoded(sample());
  // Without the checksum property, as Apache writes it.
  bytes.resize(162);
  store_be<std::uint32_t>(bytes.data(), 162);
  store_be<std::int16_t>(bytes.data() + 96, 64);
  const auto r = decode_record(bytes);
  ASSERT_TRUE(r);
  EXPECT_TRUE(verify_checksum(*r, ChecksumPolicy::kBodyCrc));
  EXPECT_FALSE(verify_checksum(*r, ChecksumPolicy::kRecordChecksum));
  EXPECT_EQ(fields_of(*r).properties, kProperties);
}

TEST(Properties, FindEditAndWrite) {
  EXPECT_EQ(find_property(kProperties, "CLUSTER"), "C1");
  EXPECT_FALSE(find_property(kProperties, "TAGS"));
  EXPECT_EQ(find_property("a\x01"
                          "1\x02"
                          "a\x01"
                          "2",
                          "a"),
            "2");  // the last wins, the final 0x02 may be missing
  EXPECT_FALSE(find_property("noseparator\x02", "noseparator"));
  Properties p = Properties::parse(
      "a\x01"
      "1\x02"
      "b\x01\x02");
  p.set("c", "3");
  p.set("a", "4");
  p.erase("b");
  EXPECT_EQ(p.text(),
            "a\x01"
            "4\x02"
            "c\x01"
            "3\x02");
}

TEST(MessageId, IsHexOfHostAndPosition) {
  const auto host = *RecordHost::parse("127.0.0.1", 40911);
  EXPECT_EQ(message_id(host, LogPosition(162)), "7F00000100009FCF00000000000000A2");
  const auto decoded = decode_message_id("7f00000100009fcf00000000000000a2");
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->position, LogPosition(162));
  EXPECT_EQ(decoded->host, host);
  EXPECT_FALSE(decode_message_id("7F"));
  EXPECT_FALSE(decode_message_id("ZZ00000100009FCF00000000000000A2"));
}

TEST(UniqueId, EachIsNewAndOfClientLength) {
  UniqueIdGenerator ids(*RecordHost::parse("10.0.0.1", 1), 77, 5);
  const std::string first(ids.next(1'000'000));
  EXPECT_EQ(first.size(), 32U);
  EXPECT_NE(first, ids.next(1'000'000));
  EXPECT_NE(first, ids.next(2'000'000));
}

TEST(Tags, HashIsJavas) {
  EXPECT_EQ(tags_code("TagA"), 2598919);
  EXPECT_EQ(tags_code(""), 0);
  EXPECT_EQ(java_hash("b", java_hash("a")), java_hash("ab"));
  EXPECT_EQ(java_hash("\xE4\xB8\xAD"), 0x4E2D);                    // one unit
  EXPECT_EQ(java_hash("\xF0\x9F\x98\x80"), 0xD83D * 31 + 0xDE00);  // a surrogate pair
  EXPECT_LT(tags_code("polygenelubricants"), 0);                   // sign-extended
}

std::string item(std::string_view body, std::string_view properties) {
  std::string out(22 + body.size() + properties.size(), '\0');
  store_be<std::uint32_t>(out.data(), static_cast<std::uint32_t>(out.size()));
  store_be<std::int32_t>(out.data() + 12, 9);
  store_be<std::uint32_t>(out.data() + 16, static_cast<std::uint32_t>(body.size()));
  out.replace(20, body.size(), body);
  store_be<std::int16_t>(out.data() + 20 + body.size(),
                         static_cast<std::int16_t>(properties.size()));
  out.replace(22 + body.size(), properties.size(), properties);
  return out;
}

TEST(Batch, SplitsIntoItems) {
  const std::string body = item("one", "k\x01v\x02") + item("", "");
  const auto items = decode_batch(body);
  ASSERT_TRUE(items);
  ASSERT_EQ(items->size(), 2U);
  EXPECT_EQ((*items)[0].body, "one");
  EXPECT_EQ((*items)[0].flag, 9);
  EXPECT_EQ((*items)[0].properties, "k\x01v\x02");
  EXPECT_FALSE(decode_batch(""));
  for (std::size_t n = 1; n < body.size(); ++n) {
    const auto cut = decode_batch(std::string_view(body).substr(0, n));
    EXPECT_TRUE(!cut || cut->size() == 1) << n;
  }
}

}  // namespace
}  // namespace gantry::protocol
