// SPDX-License-Identifier: Apache-2.0
#include "cli/context.h"

#include <fmt/core.h>

#include <chrono>
#include <ostream>

#include "cli/text.h"

namespace gantry::cli {

bool BrokerNode::master() const { return id == protocol::kMasterBrokerId; }

Context::Context(Environment& environment) : env(environment) {}
Context::~Context() = default;

client::Connections& Context::connections() {
  if (connections_ == nullptr) {
    const std::chrono::milliseconds timeout(options.timeout_ms);
    connections_ = std::make_unique<client::Connections>(
        client::Connections::Options{.connect_timeout = timeout, .call_timeout = timeout});
  }
  return *connections_;
}

Result<client::NameServer*> Context::name_server() {
  if (name_server_ == nullptr) {
    auto addresses = client::parse_addresses(options.namesrv);
    if (!addresses) {
      addresses.error().message = fmt::format("--namesrv: {}", addresses.error().message);
      return std::unexpected(std::move(addresses).error());
    }
    name_server_ = std::make_unique<client::NameServer>(connections(), std::move(*addresses));
  }
  return name_server_.get();
}

client::Broker Context::broker(const std::string& address) {
  return client::Broker(connections(), address);
}

std::expected<std::vector<BrokerNode>, Failure> Context::brokers() {
  const auto names = name_server();
  if (!names) return fail(ExitCode::kUsage, names.error().message);
  const auto info = (*names)->cluster_info();
  if (!info) return fail(info.error());
  std::vector<BrokerNode> nodes;
  for (const auto& [cluster, members] : info->cluster_addr_table) {
    for (const std::string& name : members) {
      const auto data = info->broker_addr_table.find(name);
      if (data == info->broker_addr_table.end()) continue;
      for (const auto& [id, address] : data->second.broker_addrs) {
        nodes.push_back({cluster, name, id, address});
      }
    }
  }
  return nodes;
}

std::expected<std::vector<BrokerNode>, Failure> Context::masters(const BrokerFilter& filter) {
  auto nodes = brokers();
  if (!nodes) return nodes;
  std::erase_if(*nodes, [&](const BrokerNode& node) {
    return !node.master() || (!filter.cluster.empty() && node.cluster != filter.cluster) ||
           (!filter.broker.empty() && node.name != filter.broker);
  });
  if (!nodes->empty()) return nodes;
  if (!filter.cluster.empty() || !filter.broker.empty()) {
    return fail(
        ExitCode::kNotFound,
        fmt::format("no broker with a master{}{}{}{}", filter.cluster.empty() ? "" : " in cluster ",
                    filter.cluster, filter.broker.empty() ? "" : " is named ", filter.broker),
        "See what there is with: gantry cluster");
  }
  return fail(ExitCode::kUnreachable,
              fmt::format("the NameServer {} knows no broker with a master", options.namesrv),
              "Start a broker that registers there, or wait for its first registration.");
}

std::expected<protocol::TopicRouteData, Failure> Context::route(std::string_view topic) {
  const auto names = name_server();
  if (!names) return fail(ExitCode::kUsage, names.error().message);
  auto route = (*names)->route(topic);
  if (route) return std::move(*route);
  if (route.error().code == ErrorCode::kNotFound) return topic_not_found(topic);
  return fail(route.error());
}

void Context::warn(std::string_view text) {
  env.err << "gantry: " << printable(text) << '\n' << std::flush;
}

}  // namespace gantry::cli
