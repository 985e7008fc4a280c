// SPDX-License-Identifier: Apache-2.0
#include "namesrv/min_broker_id_notifier.h"

#include "log/log.h"
#include "protocol/codes.h"

namespace gantry::namesrv {
namespace {
constexpr Logger kLog("namesrv");
}

protocol::Command min_broker_id_request(const MinBrokerIdChange& change) {
  auto request =
      protocol::Command::request(protocol::to_int(protocol::RequestCode::kNotifyMinBrokerIdChange));
  request.with("minBrokerId", change.min_broker_id)
      .with("brokerName", change.broker_name)
      .with("minBrokerAddr", change.min_broker_addr);
  if (change.offline_broker_addr) request.with("offlineBrokerAddr", *change.offline_broker_addr);
  if (change.ha_broker_addr) request.with("haBrokerAddr", *change.ha_broker_addr);
  return request;
}

void MinBrokerIdNotifier::tell(const MinBrokerIdChange& change) {
  kLog.info("smallest broker id changed broker={} id={} addr={} told={}", change.broker_name,
            change.min_broker_id, change.min_broker_addr, change.notify.size());
  for (const auto& addr : change.notify) client_.send_oneway(addr, min_broker_id_request(change));
}

}  // namespace gantry::namesrv
