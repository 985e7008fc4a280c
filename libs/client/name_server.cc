// SPDX-License-Identifier: Apache-2.0
#include "client/name_server.h"

#include <fmt/core.h>

#include "client/answer.h"
#include "client/connections.h"
#include "net/connection.h"
#include "protocol/codes.h"
#include "protocol/command.h"
#include "protocol/topic_list.h"

namespace gantry::client {

using protocol::Command;
using protocol::RequestCode;

Result<std::vector<std::string>> parse_addresses(std::string_view text) {
  std::vector<std::string> addresses;
  while (!text.empty()) {
    const std::size_t end = text.find(';');
    std::string_view one = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (one.empty()) continue;
    if (auto parsed = net::parse_host_port(one); !parsed) {
      return std::unexpected(std::move(parsed).error());
    }
    addresses.emplace_back(one);
  }
  if (addresses.empty()) {
    return make_error(ErrorCode::kInvalidArgument, "no address given, expected host:port");
  }
  return addresses;
}

struct NameServer::Answered {
  Command answer;
  std::string who;
};

NameServer::NameServer(Connections& connections, std::vector<std::string> addresses)
    : connections_(connections), addresses_(std::move(addresses)) {}

Result<NameServer::Answered> NameServer::ask(const Command& request) {
  Error last;
  for (std::size_t tried = 0; tried < addresses_.size(); ++tried) {
    const std::string& address = addresses_[current_];
    auto answer = connections_.call(address, request);
    if (answer) return Answered{std::move(*answer), fmt::format("NameServer {}", address)};
    last = std::move(answer).error();
    last.message = fmt::format("NameServer {}", last.message);
    current_ = (current_ + 1) % addresses_.size();
  }
  return std::unexpected(std::move(last));
}

Result<protocol::TopicRouteData> NameServer::route(std::string_view topic) {
  auto answered = ask(Command::request(protocol::to_int(RequestCode::kGetRouteInfoByTopic))
                          .with("topic", std::string(topic))
                          .with("acceptStandardJsonOnly", "true"));
  if (!answered) return std::unexpected(std::move(answered).error());
  if (has_code(answered->answer, protocol::ResponseCode::kTopicNotExist)) {
    return make_error(ErrorCode::kNotFound, fmt::format("topic {} does not exist", topic));
  }
  GANTRY_TRY(require_success(answered->answer, answered->who));
  return protocol::TopicRouteData::from_json(answered->answer.body);
}

Result<protocol::ClusterInfo> NameServer::cluster_info() {
  auto answered = ask(Command::request(protocol::to_int(RequestCode::kGetBrokerClusterInfo)));
  if (!answered) return std::unexpected(std::move(answered).error());
  GANTRY_TRY(require_success(answered->answer, answered->who));
  return protocol::ClusterInfo::from_json(answered->answer.body);
}

Result<std::vector<std::string>> NameServer::topic_list(const Command& request) {
  auto answered = ask(request);
  if (!answered) return std::unexpected(std::move(answered).error());
  GANTRY_TRY(require_success(answered->answer, answered->who));
  auto list = protocol::TopicList::from_json(answered->answer.body);
  if (!list) return std::unexpected(std::move(list).error());
  return std::move(list->topics);
}

Result<std::vector<std::string>> NameServer::topics() {
  return topic_list(
      Command::request(protocol::to_int(RequestCode::kGetAllTopicListFromNameServer)));
}

Result<std::vector<std::string>> NameServer::topics_of_cluster(std::string_view cluster) {
  return topic_list(Command::request(protocol::to_int(RequestCode::kGetTopicsByCluster))
                        .with("cluster", std::string(cluster)));
}

Result<void> NameServer::delete_topic(std::string_view topic, std::string_view cluster) {
  auto request = Command::request(protocol::to_int(RequestCode::kDeleteTopicInNamesrv))
                     .with("topic", std::string(topic));
  if (!cluster.empty()) request.with("clusterName", std::string(cluster));
  for (const std::string& address : addresses_) {
    auto answer = connections_.call(address, request);
    if (!answer) return std::unexpected(std::move(answer).error());
    GANTRY_TRY(require_success(*answer, fmt::format("NameServer {}", address)));
  }
  return {};
}

}  // namespace gantry::client
