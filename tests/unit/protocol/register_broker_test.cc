// SPDX-License-Identifier: Apache-2.0
#include "protocol/register_broker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/crc32.h"
#include "protocol/codes.h"
#include "protocol/zlib_stream.h"
#include "tests/unit/protocol/body_test_util.h"

namespace gantry::protocol {
namespace {

using testing::HasSubstr;

constexpr std::int32_t kRelease4 = 401;

RegisterBrokerHeader sample_header() {
  RegisterBrokerHeader header;
  header.broker_name = "broker-a";
  header.broker_addr = "10.0.0.1:10911";
  header.cluster_name = "c";
  header.ha_server_addr = "10.0.0.1:10912";
  header.broker_id = 1;
  header.heartbeat_timeout_ms = 30000;
  header.enable_acting_master = false;
  header.zone_name = "z";
  return header;
}

RegisterBrokerBody sample_body() {
  RegisterBrokerBody body;
  TopicConfigTable& table = body.topic_configs;
  table.data_version = {.state_version = 1, .timestamp_ms = 9, .counter = 2};
  TopicConfig config;
  config.topic_name = "T";
  config.perm = 2;
  config.topic_filter_type = TopicFilterType::kMultiTag;
  config.attributes = {{"message.type", "FIFO"}, {"note", "with a space"}};
  table.topics.emplace("T", config);
  config.topic_name = "%RETRY%g";
  config.attributes.clear();
  table.topics.emplace("%RETRY%g", config);
  TopicQueueMappingInfo info;
  info.topic = "T";
  info.broker_name = "broker-a";
  info.curr_id_map = {{0, 1}};
  table.mapping_infos.emplace("T", info);
  body.filter_server_list = {"f1"};
  return body;
}

// The header after a trip through a frame.
Result<RegisterBrokerHeader> header_from(const Command& command) {
  std::string bytes;
  encode(command, bytes);
  CommandView view;
  const Result<void> decoded = decode(std::span<char>(bytes.data() + 4, bytes.size() - 4), view);
  if (!decoded) return std::unexpected(decoded.error());
  return RegisterBrokerHeader::from_ext(view.ext);
}

TEST(RegisterBroker, RequestRoundTrip) {
  for (const bool compressed : {false, true}) {
    const Result<Command> command =
        make_register_broker_request(sample_header(), sample_body(), compressed);
    ASSERT_TRUE(command);
    EXPECT_EQ(command->code, to_int(RequestCode::kRegisterBroker));
    const Result<RegisterBrokerHeader> header = header_from(*command);
    ASSERT_TRUE(header) << header.error().message;
    RegisterBrokerHeader expected = sample_header();
    expected.compressed = compressed;
    expected.body_crc32 = crc32_masked(command->body);
    EXPECT_EQ(*header, expected);
    const auto body = decode_register_broker_body(*header, command->version, command->body);
    ASSERT_TRUE(body) << body.error().message;
    EXPECT_EQ(*body, sample_body());
  }
}

TEST(RegisterBroker, OptionalHeaderFieldsStayAbsent) {
  RegisterBrokerHeader header = sample_header();
  header.heartbeat_timeout_ms.reset();
  header.enable_acting_master.reset();
  header.zone_name.reset();
  Command command = Command::request(103);
  header.add_to(command);
  EXPECT_EQ(header_from(command), header);
}

TEST(RegisterBroker, MissingOrWrongFieldsAreNamed) {
  for (const std::string_view name :
       {"brokerName", "brokerAddr", "clusterName", "haServerAddr", "brokerId"}) {
    Command command = Command::request(103);
    sample_header().add_to(command);
    std::erase_if(command.ext, [&](const auto& field) { return field.first == name; });
    const Result<RegisterBrokerHeader> header = header_from(command);
    ASSERT_FALSE(header);
    EXPECT_EQ(header.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(header.error().message, HasSubstr(std::string(name)));
  }
  for (const auto& [name, value] :
       {std::pair("brokerId", "x"), {"heartbeatTimeoutMillis", ""}, {"bodyCrc32", "-1"}}) {
    Command command = Command::request(103);
    sample_header().add_to(command);
    command.with(name, std::string(value));
    EXPECT_FALSE(header_from(command)) << name;
  }
}

TEST(RegisterBroker, CrcIsChecked) {
  RegisterBrokerHeader header;
  const std::string body = sample_body().encode(false, kVersion).value();
  header.body_crc32 = crc32_masked(body) ^ 1U;
  const auto wrong = decode_register_broker_body(header, kVersion, body);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message, "crc32 not match");
  header.body_crc32 = 0;
  EXPECT_TRUE(decode_register_broker_body(header, kVersion, body));
  EXPECT_EQ(decode_register_broker_body(header, kVersion, ""), RegisterBrokerBody{});
}

TEST(RegisterBroker, PlainBodyOfRelease4) {
  const auto body = RegisterBrokerBody::decode(
      R"({"filterServerList":[],"topicConfigSerializeWrapper":{"dataVersion":{"counter":1,)"
      R"("timestamp":5},"topicConfigTable":{"T":{"topicName":"T","perm":6}}}})",
      false, kRelease4);
  ASSERT_TRUE(body) << body.error().message;
  EXPECT_EQ(body->topic_configs.data_version.counter, 1);
  EXPECT_EQ(body->topic_configs.topics.at("T").perm, 6);
}

TEST(RegisterBroker, CompressedLayout) {
  const std::string stream = sample_body().encode(true, kRelease4).value();
  EXPECT_EQ(static_cast<unsigned char>(stream[0]), 0x78);  // zlib, not raw deflate
  const std::string packed = zlib_inflate(stream, 1 << 20).value();
  const std::string version = sample_body().topic_configs.data_version.to_json();
  EXPECT_EQ(load_be<std::uint32_t>(packed.data()), version.size());
  EXPECT_EQ(packed.substr(4, version.size()), version);
  EXPECT_THAT(packed, HasSubstr("T 16 16 2 MULTI_TAG"));
  EXPECT_THAT(packed, testing::Not(HasSubstr("FIFO")));  // RocketMQ 4 has no attributes
  EXPECT_THAT(packed, testing::EndsWith(std::string("\0\0\0\x06[\"f1\"]", 10)));
  const auto back = RegisterBrokerBody::decode(stream, true, kRelease4);
  ASSERT_TRUE(back);
  EXPECT_TRUE(back->topic_configs.mapping_infos.empty());
  EXPECT_EQ(back->topic_configs.topics.size(), 2U);
}

TEST(RegisterBroker, DamagedCompressedBodies) {
  const std::string stream = sample_body().encode(true, kVersion).value();
  for (std::size_t size = 0; size < stream.size(); ++size) {
    EXPECT_FALSE(RegisterBrokerBody::decode(stream.substr(0, size), true, kVersion)) << size;
  }
  const std::string packed = zlib_inflate(stream, 1 << 20).value();
  for (std::size_t size = 0; size < packed.size(); ++size) {
    const std::string cut = zlib_deflate(packed.substr(0, size)).value();
    EXPECT_FALSE(RegisterBrokerBody::decode(cut, true, kVersion)) << size;
  }
}

TEST(RegisterBroker, TopicNameWithASpaceCannotBePacked) {
  RegisterBrokerBody body;
  body.topic_configs.topics.emplace("a b", TopicConfig{});
  EXPECT_FALSE(body.encode(true, kVersion));
  EXPECT_TRUE(body.encode(false, kVersion));
}

TEST(RegisterBroker, ResponseRoundTrip) {
  RegisterBrokerResponse response;
  Command command = Command::response(0);
  response.add_to(command);
  EXPECT_TRUE(command.body.empty());
  EXPECT_EQ(RegisterBrokerResponse::from(command), response);
  response.ha_server_addr = "10.0.0.1:10912";
  response.master_addr = "10.0.0.1:10911";
  response.order_topic_conf = KVTable{{{"T", "broker-a:4"}}};
  response.add_to(command);
  EXPECT_EQ(RegisterBrokerResponse::from(command), response);
  command.body = R"({"table":{}})";
  EXPECT_FALSE(RegisterBrokerResponse::from(command)->order_topic_conf);
}

TEST(Zlib, RoundTripAndLimit) {
  for (const std::size_t size : {0U, 1U, 4095U, 4096U, 4097U, 100000U}) {
    const std::string text(size, 'x');
    const Result<std::string> stream = zlib_deflate(text);
    ASSERT_TRUE(stream);
    EXPECT_EQ(zlib_inflate(*stream, size + 1), text);
    if (size == 0) continue;
    EXPECT_FALSE(zlib_inflate(*stream, size - 1)) << size;
  }
  EXPECT_FALSE(zlib_inflate("not zlib", 100));
  EXPECT_FALSE(zlib_inflate("", 100));
}

}  // namespace
}  // namespace gantry::protocol
