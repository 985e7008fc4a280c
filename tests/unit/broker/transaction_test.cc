// SPDX-License-Identifier: Apache-2.0
// Transactions as far as no log is needed: what records say, when producers are asked, and how.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/core/delay_levels.h"
#include "broker/core/transaction_records.h"
#include "broker/transaction/check_message.h"
#include "broker/transaction/check_rule.h"
#include "protocol/codes.h"
#include "protocol/message_id.h"
#include "protocol/properties.h"
#include "state/system_topics.h"

namespace gantry::broker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string properties(
    std::initializer_list<std::pair<std::string_view, std::string_view>> entries) {
  std::string text;
  for (const auto& [name, value] : entries) protocol::append_property(text, name, value);
  return text;
}

std::string encode(const protocol::RecordFields& fields) {
  std::string bytes(protocol::encoded_size(fields), '\0');
  protocol::encode_record(fields, bytes.data());
  return bytes;
}

struct Half {
  std::string properties = broker::properties({{"UNIQ_KEY", "U1"},
                                               {"PGROUP", "G"},
                                               {"TRAN_MSG", "true"},
                                               {"REAL_TOPIC", "Orders"},
                                               {"REAL_QID", "3"}});
  protocol::RecordFields fields;
  std::string bytes;

  protocol::RecordView record() {
    fields.topic = state::kTransHalfTopic;
    fields.position = LogPosition(4096);
    fields.queue_offset = QueueOffset(12);
    fields.born_timestamp_ms = 1000;
    fields.body = "body";
    fields.properties = properties;
    bytes = encode(fields);
    return *protocol::decode_record(bytes);
  }
};

TEST(TransactionStep, TravelsInOneFieldAndIsNoDelayStep) {
  for (const std::int64_t position : {std::int64_t{0}, std::int64_t{1} << 50}) {
    const std::int64_t field = TransactionStep{LogPosition(position)}.encode();
    ASSERT_TRUE(TransactionStep::decode(field));
    EXPECT_EQ(TransactionStep::decode(field)->half.v, position);
    EXPECT_FALSE(DelayStep::decode(field));
  }
  EXPECT_FALSE(TransactionStep::decode(4096)) << "Apache RocketMQ's position of a half message";
  EXPECT_FALSE(TransactionStep::decode(0));
  EXPECT_FALSE(TransactionStep::decode(-1));
  EXPECT_FALSE(TransactionStep::decode(DelayStep{18, QueueOffset(5)}.encode()));
}

TEST(TransactionStep, ClientsSeeThePositionInCommittedMessagesOnly) {
  const auto served = [](std::int32_t sys_flag, std::int64_t field) {
    protocol::RecordFields f;
    f.topic = "T";
    f.body = "b";
    f.sys_flag = sys_flag;
    f.prepared_transaction_offset = field;
    std::string out;
    append_served(out, std::string_view(encode(f)));
    return protocol::decode_record(out)->prepared_transaction_offset;
  };
  const std::int64_t step = TransactionStep{LogPosition(77)}.encode();
  EXPECT_EQ(served(protocol::sys_flag::kTransactionCommit, step), 77);
  EXPECT_EQ(served(protocol::sys_flag::kTransactionCommit, 55), 55);
  EXPECT_EQ(served(0, step), 0);
}

TEST(TransactionRecords, AHalfMessageOpensATransaction) {
  Half half;
  const auto open = opened_by(half.record());
  ASSERT_TRUE(open);
  EXPECT_EQ(*open,
            (state::OpenTransaction{LogPosition(4096), QueueOffset(12), 1000, "Orders", -1, 0}));
  protocol::append_property(half.properties, "CHECK_IMMUNITY_TIME_IN_SECONDS", "90");
  protocol::append_property(half.properties, "TRANSACTION_CHECK_TIMES", "7");
  const auto checked = opened_by(half.record());
  EXPECT_EQ(checked->immunity_ms, 90'000);
  EXPECT_EQ(checked->checks, 7) << "of a store of Apache RocketMQ";
}

TEST(TransactionRecords, WhatNamesNoTargetOrIsElsewhereOpensNone) {
  Half half;
  half.properties = properties({{"REAL_TOPIC", "Orders"}});
  EXPECT_FALSE(opened_by(half.record()));
  half.properties = properties({{"REAL_TOPIC", "Orders"}, {"REAL_QID", "x"}});
  EXPECT_FALSE(opened_by(half.record()));
  half = Half();
  half.fields.queue_id = 1;
  EXPECT_FALSE(opened_by(half.record()));
  half = Half();
  protocol::RecordView other = half.record();
  other.topic = "Orders";
  EXPECT_FALSE(opened_by(other));
}

TEST(TransactionRecords, ImmunityIsANumberOfSeconds) {
  EXPECT_EQ(immunity_ms(properties({{"CHECK_IMMUNITY_TIME_IN_SECONDS", "0"}})), 0);
  EXPECT_EQ(immunity_ms(properties({{"CHECK_IMMUNITY_TIME_IN_SECONDS", "-1"}})), -1);
  EXPECT_EQ(immunity_ms(properties({{"CHECK_IMMUNITY_TIME_IN_SECONDS", "soon"}})), -1);
  EXPECT_EQ(immunity_ms(properties({{"CHECK_IMMUNITY_TIME_IN_SECONDS", "9223372036854775807"}})),
            INT64_MAX);
  EXPECT_EQ(immunity_ms(""), -1);
}

TEST(TransactionRecords, OpRecordsNameQueueOffsets) {
  protocol::RecordFields f;
  f.topic = state::kTransOpHalfTopic;
  const std::string tagged = properties({{"TAGS", "d"}});
  f.properties = tagged;
  const auto ended = [&](std::string_view body) {
    f.body = body;
    const std::string bytes = encode(f);
    return ended_by(*protocol::decode_record(bytes));
  };
  EXPECT_THAT(ended("5"), ElementsAre(QueueOffset(5)));
  EXPECT_THAT(ended("1,22,333,"), ElementsAre(QueueOffset(1), QueueOffset(22), QueueOffset(333)));
  EXPECT_THAT(ended("1,x,3"), ElementsAre(QueueOffset(1), QueueOffset(3)));
  EXPECT_THAT(ended(op_body({QueueOffset(8), QueueOffset(9)})),
              ElementsAre(QueueOffset(8), QueueOffset(9)));
  const std::string other = properties({{"TAGS", "x"}});
  f.properties = other;
  EXPECT_THAT(ended("5"), IsEmpty());
  f.properties = tagged;
  f.topic = "T";
  EXPECT_THAT(ended("5"), IsEmpty());
}

TEST(CheckRule, AsksOncePerRoundFromTheTimeoutOnUntilTheMaximum) {
  const CheckLimits limits{.timeout_ms = 6000, .checks_max = 15, .reserved_ms = 72 * 3600 * 1000};
  state::OpenTransaction open;
  open.born_ms = 1'000'000;
  const auto after = [&](std::int64_t ms) {
    return check_verdict(open, open.born_ms + ms, limits);
  };
  EXPECT_EQ(after(0), CheckVerdict::kLeave);
  EXPECT_EQ(after(6000), CheckVerdict::kLeave);
  EXPECT_EQ(after(6001), CheckVerdict::kAsk);
  EXPECT_EQ(after(-1), CheckVerdict::kAsk) << "the producer's clock is ahead";
  EXPECT_EQ(after(limits.reserved_ms), CheckVerdict::kAsk);
  EXPECT_EQ(after(limits.reserved_ms + 1), CheckVerdict::kGiveUp);
  open.checks = 14;
  EXPECT_EQ(after(6001), CheckVerdict::kAsk);
  open.checks = 15;
  EXPECT_EQ(after(6001), CheckVerdict::kGiveUp);
  EXPECT_EQ(after(0), CheckVerdict::kGiveUp);
}

TEST(CheckRule, AMessageMayHaveATimeOfItsOwn) {
  const CheckLimits limits{.timeout_ms = 6000, .checks_max = 15, .reserved_ms = 72 * 3600 * 1000};
  state::OpenTransaction open;
  open.born_ms = 1'000'000;
  open.immunity_ms = 60'000;
  EXPECT_EQ(check_verdict(open, open.born_ms + 60'000, limits), CheckVerdict::kLeave);
  EXPECT_EQ(check_verdict(open, open.born_ms + 60'001, limits), CheckVerdict::kAsk);
  EXPECT_EQ(check_verdict(open, open.born_ms - 5, limits), CheckVerdict::kLeave);
  open.immunity_ms = 0;
  EXPECT_EQ(check_verdict(open, open.born_ms + 1, limits), CheckVerdict::kAsk);
}

TEST(CheckMessage, HoldsTheMessageAsItWillBeDeliveredInTheHalfMessagesPlace) {
  Half half;
  const protocol::RecordView record = half.record();
  const protocol::Command command = check_message(record, 3, "broker-a");
  EXPECT_EQ(command.code, static_cast<std::int32_t>(protocol::RequestCode::kCheckTransactionState));
  EXPECT_EQ(command.find("tranStateTableOffset"), "12");
  EXPECT_EQ(command.find("commitLogOffset"), "4096");
  EXPECT_EQ(command.find("msgId"), "U1");
  EXPECT_EQ(command.find("transactionId"), "U1");
  EXPECT_EQ(command.find("offsetMsgId"),
            protocol::message_id(record.store_host, LogPosition(4096)));
  EXPECT_EQ(command.find("bname"), "broker-a");
  const auto asked = protocol::decode_record(command.body);
  ASSERT_TRUE(asked) << asked.error().message;
  EXPECT_EQ(asked->topic, "Orders");
  EXPECT_EQ(asked->queue_id, 3);
  EXPECT_EQ(asked->body, "body");
  EXPECT_EQ(asked->position, LogPosition(4096));
  EXPECT_EQ(asked->queue_offset, QueueOffset(12));
  EXPECT_EQ(protocol::find_property(asked->properties, "TRANSACTION_CHECK_TIMES"), "3");
  EXPECT_EQ(protocol::find_property(asked->properties, "PGROUP"), "G");
}

TEST(CheckMessage, PropertiesThatLeaveNoRoomStayAsTheyAre) {
  Half half;
  const std::size_t room =
      protocol::kPropertiesBytesMax - protocol::kCrcPropertyBytes - half.properties.size();
  protocol::append_property(half.properties, "pad", std::string(room - 10, 'x'));
  EXPECT_EQ(properties_with_checks(half.record(), 3), half.properties);
}

}  // namespace
}  // namespace gantry::broker
