// SPDX-License-Identifier: Apache-2.0
#include "protocol/broker_stats_data.h"

#include "protocol/body_fields.h"

namespace gantry::protocol {

template <class F, Is<BrokerStatsItem> T>
void describe(F& f, T& t) {
  f("avgpt", t.avgpt);
  f("sum", t.sum);
  f("tps", t.tps);
}

template <class F, Is<BrokerStatsData> T>
void describe(F& f, T& t) {
  f("statsDay", t.stats_day);
  f("statsHour", t.stats_hour);
  f("statsMinute", t.stats_minute);
}

std::string BrokerStatsData::to_json() const { return encode_body(*this); }

Result<BrokerStatsData> BrokerStatsData::from_json(std::string_view body) {
  return decode_body<BrokerStatsData>("BrokerStatsData", body);
}

}  // namespace gantry::protocol
