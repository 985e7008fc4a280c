// SPDX-License-Identifier: Apache-2.0
// HTTP administration of a broker set; docs/operations/members.md describes it for its users.
//
//   GET    /v1/members                 who belongs to the set, and who would like to
//   PUT    /v1/members                 {"uuid": …, "address": …}: joins as a learner
//   POST   /v1/members/{uuid}/promote  learner to voter
//   DELETE /v1/members/{uuid}
//   GET    /v1/raft                    the consensus state of this member
//   POST   /v1/raft/transfer?target=   hands over leadership and waits until it is done
//   POST   /v1/raft/recover            {"acceptLoss": true, "survivors": […], "givenUp": […]}: this
//                                      member begins again as the only voter
//   GET, PUT, DELETE /v1/maintenance   see Maintenance
//   GET    /v1/probes/pre_restart, /v1/probes/post_restart
//
// Changes are made by the leader; other members answer 307 with its address. Handlers run on HTTP
// threads and reach the broker through its shard.
#pragma once

#include <memory>
#include <optional>

#include "broker/core/context.h"
#include "broker/group/group_members.h"
#include "broker/group/group_peers.h"
#include "broker/group/maintenance.h"
#include "http/http_server.h"
#include "runtime/shard.h"

namespace gantry::broker {

struct GroupSources {
  BrokerContext& context;
  GroupPeers& peers;
  GroupMembers& members;
  Maintenance& maintenance;
};

class GroupHttp {
 public:
  GroupHttp(runtime::Shard& shard, http::HttpServer& server);

  // Shard only: from here on requests see the broker / no longer do.
  void attach(const GroupSources& sources) { sources_.emplace(sources); }
  void detach() { sources_.reset(); }
  const std::optional<GroupSources>& sources() const { return sources_; }

 private:
  using Change = std::function<void(GroupMembers& members, GroupMembers::Done done)>;

  void mount_members(http::HttpServer& server);
  void mount_raft(http::HttpServer& server);
  void mount_maintenance(http::HttpServer& server);
  // Runs on the shard and answers with what it returns.
  http::Response ask(std::function<std::string(GroupSources&)> question);
  // Runs on the leader's shard and waits until the change is committed, or says why not.
  http::Response change(const http::Request& request, Change change);
  http::Response transfer(const http::Request& request);
  http::Response recover(const http::Request& request);

  runtime::Shard& shard_;
  std::optional<GroupSources> sources_;  // shard only
};

}  // namespace gantry::broker
