// SPDX-License-Identifier: Apache-2.0
#include "broker/http/node_status.h"

#include <nlohmann/json.hpp>

#include "broker/route/namesrv_registrar.h"

namespace gantry::broker {

std::string node_status_json(BrokerContext& context, std::string_view version) {
  const replog::Log& log = context.storage.log();
  nlohmann::json node;
  node["version"] = version;
  node["brokerName"] = context.config.broker_name;
  node["brokerClusterName"] = context.config.broker_cluster_name;
  const replog::Replica& replica = context.storage.replica();
  const raft::Member* self = replica.core().membership().find(log.member_uuid());
  node["role"] = raft::to_string(replica.core().role());
  node["brokerId"] = replica.leading() ? 0 : self != nullptr ? self->number : -1;
  node["address"] = context.address;
  node["memberUuid"] = log.member_uuid();
  node["term"] = log.term().v;
  node["flushDiskType"] =
      log.flush_mode() == replog::FlushMode::kSync ? "SYNC_FLUSH" : "ASYNC_FLUSH";
  node["log"] = {{"begin", log.begin().v},         {"end", log.end().v},
                 {"written", log.written().v},     {"durable", log.durable().v},
                 {"committed", log.committed().v}, {"fileBytes", log.file_bytes()},
                 {"diskFull", log.disk_full()}};
  node["recovery"]["records"] = context.storage.recovery().records;
  node["recovery"]["damaged"] = nlohmann::json::array();
  for (const auto& d : context.storage.recovery().damaged) {
    node["recovery"]["damaged"].push_back(
        {{"from", d.from.v}, {"to", d.to.v}, {"reason", d.reason}});
  }
  node["topics"] = context.storage.state().topics().size();
  node["groups"] = context.storage.state().groups().size();
  node["stateDigest"] = context.storage.state().digest();
  node["nameServers"] = nlohmann::json::array();
  for (const auto& s : context.registrar->status()) {
    node["nameServers"].push_back({{"address", s.address},
                                   {"registered", s.registered},
                                   {"lastSuccessMs", s.last_success_ms},
                                   {"lastError", s.last_error}});
  }
  return node.dump(1);
}

}  // namespace gantry::broker
