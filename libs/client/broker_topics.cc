// SPDX-License-Identifier: Apache-2.0
#include "client/broker.h"
#include "client/broker_calls.h"
#include "protocol/topic_list.h"

namespace gantry::client {
namespace {

using protocol::Command;
using protocol::RequestCode;
using protocol::TopicConfigTable;

std::size_t merge_topics(TopicConfigTable& into, TopicConfigTable&& page) {
  const std::size_t count = page.topics.size();
  into.topics.merge(page.topics);
  return count;
}

Command topic_request(RequestCode code, std::string_view topic) {
  return Command::request(protocol::to_int(code)).with("topic", std::string(topic));
}

}  // namespace

Result<void> Broker::update_topic(const protocol::TopicConfig& config,
                                  std::string_view attributes) {
  auto request = topic_request(RequestCode::kUpdateAndCreateTopic, config.topic_name)
                     .with("defaultTopic", "TBW102")
                     .with("readQueueNums", std::int64_t{config.read_queue_nums})
                     .with("writeQueueNums", std::int64_t{config.write_queue_nums})
                     .with("perm", std::int64_t{config.perm})
                     .with("topicFilterType",
                           std::string(protocol::topic_filter_type_name(config.topic_filter_type)))
                     .with("topicSysFlag", std::int64_t{config.topic_sys_flag})
                     .with("order", config.order ? "true" : "false");
  if (!attributes.empty()) request.with("attributes", std::string(attributes));
  auto answer = ask(std::move(request));
  if (!answer) return std::unexpected(std::move(answer).error());
  return {};
}

Result<void> Broker::delete_topic(std::string_view topic) {
  auto answer = ask(topic_request(RequestCode::kDeleteTopicInBroker, topic));
  if (!answer) return std::unexpected(std::move(answer).error());
  return {};
}

Result<protocol::TopicConfig> Broker::topic_config(std::string_view topic) {
  return ask_body<protocol::TopicConfig>(topic_request(RequestCode::kGetTopicConfig, topic));
}

Result<std::map<std::string, protocol::TopicConfig, std::less<>>> Broker::topic_configs() {
  auto table = ask_pages<TopicConfigTable>(RequestCode::kGetAllTopicConfig, "topicSeq",
                                           "maxTopicNum", "totalTopicNum", merge_topics);
  if (!table) return std::unexpected(std::move(table).error());
  return std::move(table->topics);
}

Result<protocol::TopicStatsTable> Broker::topic_stats(std::string_view topic) {
  return ask_body<protocol::TopicStatsTable>(topic_request(RequestCode::kGetTopicStatsInfo, topic));
}

Result<std::vector<std::string>> Broker::system_topics() {
  auto list = ask_body<protocol::TopicList>(
      Command::request(protocol::to_int(RequestCode::kGetSystemTopicListFromBroker)));
  if (!list) return std::unexpected(std::move(list).error());
  return std::move(list->topics);
}

Result<std::vector<std::string>> Broker::groups_of_topic(std::string_view topic) {
  auto list =
      ask_body<protocol::GroupList>(topic_request(RequestCode::kQueryTopicConsumeByWho, topic));
  if (!list) return std::unexpected(std::move(list).error());
  return std::move(list->groups);
}

}  // namespace gantry::client
