// SPDX-License-Identifier: Apache-2.0
// Bodies about brokers of a cluster: 106 (ClusterInfo) and 901 (BrokerMemberGroup). Plain values.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "protocol/route_data.h"

namespace gantry::protocol {

struct ClusterInfo {
  std::map<std::string, BrokerData, std::less<>> broker_addr_table;  // by broker name
  std::map<std::string, std::set<std::string, std::less<>>, std::less<>> cluster_addr_table;

  bool operator==(const ClusterInfo&) const = default;

  std::string to_json() const;
  static Result<ClusterInfo> from_json(std::string_view body);
};

struct BrokerMemberGroup {
  std::string cluster;
  std::string broker_name;
  std::map<std::int64_t, std::string> broker_addrs;

  bool operator==(const BrokerMemberGroup&) const = default;

  // The response body of 901: the group inside {"brokerMemberGroup":...}.
  std::string to_json() const;
  static Result<BrokerMemberGroup> from_json(std::string_view body);
};

}  // namespace gantry::protocol
