// SPDX-License-Identifier: Apache-2.0
#include "client/message.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "tests/unit/client/test_records.h"

namespace gantry::client {
namespace {

using test::record;
using test::TestMessage;

TEST(Message, CarriesWhatTheRecordSays) {
  TestMessage in;
  in.queue_id = 3;
  in.offset = 17;
  in.position = 162;
  in.tag = "paid";
  in.keys = "a b";
  in.unique_id = "UNIQ";
  const auto messages = decode_messages(record(in));
  ASSERT_TRUE(messages) << messages.error().message;
  ASSERT_EQ(messages->size(), 1U);
  const Message& message = messages->front();
  EXPECT_EQ(message.topic, "orders");
  EXPECT_EQ(message.queue_id, 3);
  EXPECT_EQ(message.queue_offset, 17);
  EXPECT_EQ(message.position, 162);
  EXPECT_EQ(message.body, "hello");
  EXPECT_EQ(message.tag(), "paid");
  EXPECT_EQ(message.id(), "UNIQ");
  EXPECT_EQ(message.offset_message_id, "7F00000100002A9F00000000000000A2");
  EXPECT_EQ(message.born_host, "127.0.0.1:4711");
  EXPECT_TRUE(message.body_crc_valid);
}

TEST(Message, WithoutUniqueIdTheOffsetIdCounts) {
  const auto messages = decode_messages(record({}));
  EXPECT_EQ(messages->front().id(), messages->front().offset_message_id);
}

TEST(Message, KeysAreWholeWords) {
  TestMessage in;
  in.keys = "order-1 order-22";
  const auto messages = decode_messages(record(in));
  EXPECT_TRUE(messages->front().has_key("order-1"));
  EXPECT_TRUE(messages->front().has_key("order-22"));
  EXPECT_FALSE(messages->front().has_key("order-2"));
  EXPECT_FALSE(messages->front().has_key("order-1 order-22"));
}

TEST(Message, SeveralRecordsFollowEachOther) {
  std::string bytes;
  for (int i = 0; i < 5; ++i) {
    TestMessage in;
    in.offset = i;
    in.body = std::string(static_cast<std::size_t>(i), 'x');
    bytes += record(in);
  }
  const auto messages = decode_messages(bytes);
  ASSERT_EQ(messages->size(), 5U);
  EXPECT_EQ(messages->back().body, "xxxx");
  EXPECT_EQ(for_each_record(bytes, [](const auto&) {}).value(), 5);
}

TEST(Message, ACutRecordIsNamed) {
  std::string bytes = record({}) + record({});
  bytes.resize(bytes.size() - 1);
  const auto messages = decode_messages(bytes);
  ASSERT_FALSE(messages);
  EXPECT_TRUE(messages.error().message.starts_with("record 1 of the answer"))
      << messages.error().message;
}

TEST(Message, CompressedBodiesAreUnpacked) {
  const std::string plain(10'000, 'z');
  uLongf size = compressBound(plain.size());
  TestMessage in;
  in.body.resize(size);
  ASSERT_EQ(compress(reinterpret_cast<Bytef*>(in.body.data()), &size,
                     reinterpret_cast<const Bytef*>(plain.data()), plain.size()),
            Z_OK);
  in.body.resize(size);
  in.sys_flag = protocol::sys_flag::kCompressed;
  EXPECT_EQ(decode_messages(record(in))->front().body, plain);
}

TEST(Message, ABodyThatDoesNotUnpackIsShownAsItIs) {
  TestMessage in;
  in.body = "not compressed";
  in.sys_flag = protocol::sys_flag::kCompressed;
  const Message message = decode_messages(record(in))->front();
  EXPECT_EQ(message.body, "not compressed");
  EXPECT_FALSE(message.body_error.empty());
}

}  // namespace
}  // namespace gantry::client
