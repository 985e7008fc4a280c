// SPDX-License-Identifier: Apache-2.0
#include "protocol/cluster_info.h"

#include "protocol/body_fields.h"

namespace gantry::protocol {
namespace {

struct BrokerMemberGroupWire {
  BrokerMemberGroup group;
};

template <class F, Is<BrokerMemberGroupWire> T>
void describe(F& f, T& t) {
  f("brokerMemberGroup", t.group);
}

}  // namespace

template <class F, Is<ClusterInfo> T>
void describe(F& f, T& t) {
  f("brokerAddrTable", t.broker_addr_table);
  f("clusterAddrTable", t.cluster_addr_table);
}

template <class F, Is<BrokerMemberGroup> T>
void describe(F& f, T& t) {
  f("brokerAddrs", t.broker_addrs);
  f("brokerName", t.broker_name);
  f("cluster", t.cluster);
}

std::string ClusterInfo::to_json() const { return encode_body(*this); }

Result<ClusterInfo> ClusterInfo::from_json(std::string_view body) {
  return decode_body<ClusterInfo>("ClusterInfo", body);
}

std::string BrokerMemberGroup::to_json() const { return encode_body(BrokerMemberGroupWire{*this}); }

Result<BrokerMemberGroup> BrokerMemberGroup::from_json(std::string_view body) {
  auto wire = decode_body<BrokerMemberGroupWire>("BrokerMemberGroup", body);
  if (!wire) return std::unexpected(std::move(wire).error());
  return std::move(wire->group);
}

}  // namespace gantry::protocol
