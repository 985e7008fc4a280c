// SPDX-License-Identifier: Apache-2.0
// fixtures/ holds configuration files written by Apache RocketMQ 5.5.0 (timestamps changed).
#include "state/apache_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "fakes.h"
#include "protocol/json_lenient.h"

namespace gantry::state {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::filesystem::path kFixtures = GANTRY_STATE_FIXTURES;

std::string slurp(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::stringstream out;
  out << stream.rdbuf();
  return out.str();
}

void spit(const std::filesystem::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

void import_into(StateMachine& machine, const ImportedState& state) {
  LogPosition end = machine.applied();
  for (const EncodedCommand& command : import_state_commands({1700000001000, Term(1)}, state)) {
    end += 1000;
    const auto applied = machine.apply(end, command.body);
    ASSERT_TRUE(applied) << applied.error().message;
  }
}

class ApacheConfigTest : public ::testing::Test {
 protected:
  ApacheConfigTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "gantry-conf-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
  }
  ~ApacheConfigTest() override { std::filesystem::remove_all(root_); }
  void copy_fixtures() {
    for (const auto& entry : std::filesystem::directory_iterator(kFixtures)) {
      std::filesystem::copy_file(entry.path(), root_ / entry.path().filename());
    }
  }
  std::filesystem::path root_;
};

TEST_F(ApacheConfigTest, ReadsWhatApacheWrote) {
  const auto config = read_apache_config(io::posix_file_system(), kFixtures.string());
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_THAT(config->notes, IsEmpty());
  StateMachine machine;
  import_into(machine, config->state);

  EXPECT_EQ(machine.topics().size(), 17U);
  const protocol::TopicConfig* orders = machine.topics().find("Orders");
  ASSERT_NE(orders, nullptr);
  EXPECT_EQ(orders->read_queue_nums, 8);
  EXPECT_EQ(orders->write_queue_nums, 4);
  EXPECT_TRUE(orders->order);
  EXPECT_EQ(orders->attributes.at("message.type"), "FIFO");
  EXPECT_EQ(machine.topics().find("TBW102")->perm, 7);
  EXPECT_EQ(machine.topics().find("BenchmarkTest")->write_queue_nums, 1024);
  EXPECT_EQ(machine.topics().data_version().counter, 3 + 1);

  EXPECT_EQ(machine.groups().size(), 10U);
  const protocol::SubscriptionGroupConfig* billing = machine.groups().find("billing");
  ASSERT_NE(billing, nullptr);
  EXPECT_FALSE(billing->consume_from_min_enable);
  EXPECT_TRUE(billing->consume_message_orderly);
  EXPECT_EQ(billing->retry_queue_nums, 2);
  EXPECT_EQ(billing->retry_max_times, 5);
  EXPECT_EQ(billing->group_retry_policy.type, protocol::GroupRetryPolicyType::kExponential);
  EXPECT_EQ(billing->group_retry_policy.exponential->max_ms, 60000);
  EXPECT_THAT(machine.groups().find("audit")->group_retry_policy.customized->next_ms,
              ElementsAre(500, 1000, 7000));
  EXPECT_EQ(machine.groups().forbidden("audit", "Orders"), 4);

  EXPECT_EQ(machine.offsets().committed("billing", "Orders", 0), QueueOffset(2));
  EXPECT_EQ(machine.offsets().committed("billing", "Orders", 1), QueueOffset(0));
  EXPECT_EQ(machine.offsets().committed("billing", "Orders", 3), QueueOffset(1));
  EXPECT_FALSE(machine.offsets().committed("billing", "Orders", 2));
  EXPECT_EQ(machine.offsets().committed("billing", "%RETRY%billing", 0), QueueOffset(0));
  EXPECT_EQ(machine.offsets().committed("audit", "Payments", 0), QueueOffset(1));
  EXPECT_EQ(machine.delays().next(1), QueueOffset(2));
  EXPECT_EQ(machine.delays().next(3), QueueOffset(1));
}

TEST_F(ApacheConfigTest, WhatIsWrittenReadsBackAsTheSame) {
  StateMachine first;
  import_into(first, read_apache_config(io::posix_file_system(), kFixtures.string())->state);
  ASSERT_TRUE(
      write_apache_config(io::posix_file_system(), render_apache_config(first), root_.string()));
  const auto again = read_apache_config(io::posix_file_system(), root_.string());
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_THAT(again->notes, IsEmpty());
  EXPECT_EQ(again->state.topics_version, first.topics().data_version());
  EXPECT_EQ(again->state.offsets_version, first.offsets().data_version());
  StateMachine second;
  import_into(second, again->state);
  // The import counts as a change of each table; all else is equal.
  EXPECT_EQ(second.topics().data_version().counter, first.topics().data_version().counter + 1);
  StateMachine third;
  import_into(third, read_apache_config(io::posix_file_system(), root_.string())->state);
  EXPECT_EQ(second.digest(), third.digest());
  ASSERT_EQ(second.topics().size(), first.topics().size());
  for (const auto* config : first.topics().all()) {
    EXPECT_EQ(*second.topics().find(config->topic_name), *config);
  }
  for (const auto* config : first.groups().all()) {
    EXPECT_EQ(*second.groups().find(config->group_name), *config);
  }
  EXPECT_EQ(second.groups().all_forbidden(), first.groups().all_forbidden());
  EXPECT_EQ(second.delays().all(), first.delays().all());
  EXPECT_EQ(second.offsets().topics_of("billing"), first.offsets().topics_of("billing"));
}

TEST_F(ApacheConfigTest, WritingKeepsThePreviousVersionAndLeavesOtherFilesAlone) {
  copy_fixtures();
  spit(root_ / "consumerFilter.json", "mine");
  StateMachine machine;
  import_into(machine, read_apache_config(io::posix_file_system(), kFixtures.string())->state);
  ASSERT_TRUE(
      write_apache_config(io::posix_file_system(), render_apache_config(machine), root_.string()));
  for (const char* name :
       {"topics.json", "subscriptionGroup.json", "consumerOffset.json", "delayOffset.json"}) {
    EXPECT_EQ(slurp(root_ / (std::string(name) + ".bak")), slurp(kFixtures / name)) << name;
    EXPECT_NE(slurp(root_ / name), slurp(kFixtures / name)) << name;
    EXPECT_TRUE(protocol::JsonDocument::parse(slurp(root_ / name))) << name;
  }
  EXPECT_EQ(slurp(root_ / "consumerFilter.json"), "mine");
  for (const auto& entry : std::filesystem::directory_iterator(root_)) {
    EXPECT_NE(entry.path().extension(), ".tmp");
  }
}

TEST_F(ApacheConfigTest, ADamagedFileFallsBackToItsBackup) {
  copy_fixtures();
  std::filesystem::copy_file(root_ / "topics.json", root_ / "topics.json.bak");
  spit(root_ / "topics.json", slurp(kFixtures / "topics.json").substr(0, 500));
  const auto config = read_apache_config(io::posix_file_system(), root_.string());
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->state.topics.size(), 17U);
  ASSERT_EQ(config->notes.size(), 1U);
  EXPECT_THAT(config->notes[0], HasSubstr("topics.json is damaged"));
  EXPECT_THAT(config->notes[0], HasSubstr("topics.json.bak was used"));
}

TEST_F(ApacheConfigTest, ADamagedFileWithoutAUsableBackupIsAnError) {
  copy_fixtures();
  spit(root_ / "consumerOffset.json", R"({"offsetTable":{"T@g":{0:"x"}}})");
  auto config = read_apache_config(io::posix_file_system(), root_.string());
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(config.error().message, HasSubstr("consumerOffset.json"));
  EXPECT_THAT(config.error().message, HasSubstr("whole number"));
  spit(root_ / "consumerOffset.json.bak", "{");
  config = read_apache_config(io::posix_file_system(), root_.string());
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().message, HasSubstr("consumerOffset.json.bak"));
}

TEST_F(ApacheConfigTest, MissingAndEmptyFilesAreEmptyTablesWithANote) {
  spit(root_ / "delayOffset.json", "");
  spit(root_ / "topics.json.bak", slurp(kFixtures / "topics.json"));
  const auto config = read_apache_config(io::posix_file_system(), root_.string());
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->state.topics.size(), 17U);
  EXPECT_THAT(config->state.groups, IsEmpty());
  EXPECT_THAT(config->state.delay_offsets, IsEmpty());
  EXPECT_EQ(config->notes.size(), 4U);
}

TEST_F(ApacheConfigTest, OffsetsWithBareAndQuotedQueueIdsOfOlderReleases) {
  ImportedState state;
  ASSERT_TRUE(
      parse_consumer_offset_json(R"({"offsetTable":{"%RETRY%g@g":{0:5,"1":-1},"T@g":{}}})", state));
  EXPECT_THAT(state.offsets, ElementsAre(OffsetEntry{"g", "%RETRY%g", 0, QueueOffset(5)},
                                         OffsetEntry{"g", "%RETRY%g", 1, QueueOffset(-1)}));
  ImportedState delays;
  ASSERT_TRUE(parse_delay_offset_json(R"({"offsetTable":{3:2,"4":9}})", delays));
  EXPECT_THAT(delays.delay_offsets, ElementsAre(DelayOffsetEntry{3, QueueOffset(2)},
                                                DelayOffsetEntry{4, QueueOffset(9)}));
  ImportedState bad;
  for (const char* text :
       {"[]", R"({"offsetTable":[]})", R"({"offsetTable":{"T":{0:1}}})",
        R"({"offsetTable":{"@g":{0:1}}})", R"({"offsetTable":{"T@g":1}})",
        R"({"offsetTable":{"T@g":{0:1.5}}})", R"({"offsetTable":{"T@g":{0:99999999999999999999}}})",
        R"({"dataVersion":{"counter":"x"},"offsetTable":{}})"}) {
    EXPECT_FALSE(parse_consumer_offset_json(text, bad)) << text;
  }
}

TEST_F(ApacheConfigTest, RenderedOffsets) {
  StateMachine machine;
  ASSERT_TRUE(
      machine.apply(LogPosition(10),
                    commit_offsets_command({1700000000000, Term(2)},
                                           std::vector<OffsetEntry>{{"g", "T", 0, QueueOffset(2)},
                                                                    {"g", "T", 10, QueueOffset(3)},
                                                                    {"g", "A", 0, QueueOffset(1)}})
                        .body));
  machine.apply_delay_step(LogPosition(20), 3, QueueOffset(7));
  EXPECT_EQ(consumer_offset_json(machine),
            R"({"dataVersion":{"counter":1,"stateVersion":2,"timestamp":1700000000000},)"
            R"("groupTopicMap":{"g":["A","T"]},)"
            R"("offsetTable":{"A@g":{"0":1},"T@g":{"0":2,"10":3}}})");
  EXPECT_EQ(delay_offset_json(machine),
            R"({"dataVersion":{"counter":1,"stateVersion":0,"timestamp":0},)"
            R"("offsetTable":{"3":7}})");
}

}  // namespace
}  // namespace gantry::state
