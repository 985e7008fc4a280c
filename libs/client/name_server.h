// SPDX-License-Identifier: Apache-2.0
// Requests to the NameServers. Reads go to one of them and move on to the next when it cannot be
// reached; writes go to all. Borrows its connections; owned by one thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "protocol/cluster_info.h"
#include "protocol/route_data.h"

namespace gantry::protocol {
struct Command;
}

namespace gantry::client {

class Connections;

// "host:9876;host:9876": checks each address.
Result<std::vector<std::string>> parse_addresses(std::string_view text);

class NameServer {
 public:
  // `connections` must outlive this. `addresses` must not be empty.
  NameServer(Connections& connections, std::vector<std::string> addresses);

  // kNotFound: no broker has the topic.
  Result<protocol::TopicRouteData> route(std::string_view topic);
  Result<protocol::ClusterInfo> cluster_info();
  Result<std::vector<std::string>> topics();
  Result<std::vector<std::string>> topics_of_cluster(std::string_view cluster);
  // At every NameServer; `cluster` empty: of all clusters. Also succeeds when there is none.
  Result<void> delete_topic(std::string_view topic, std::string_view cluster);

  const std::vector<std::string>& addresses() const { return addresses_; }

 private:
  struct Answered;
  Result<Answered> ask(const protocol::Command& request);
  Result<std::vector<std::string>> topic_list(const protocol::Command& request);

  Connections& connections_;
  const std::vector<std::string> addresses_;
  std::size_t current_ = 0;  // the one that answered last
};

}  // namespace gantry::client
