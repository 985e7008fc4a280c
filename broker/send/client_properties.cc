// SPDX-License-Identifier: Apache-2.0
#include "broker/send/client_properties.h"

#include <charconv>

#include "protocol/properties.h"
#include "protocol/record.h"

namespace gantry::broker {
namespace {

namespace property = protocol::property;
constexpr std::string_view kReservedPrefix = "__GANTRY";
constexpr std::string_view kShardingKey = "__SHARDINGKEY";

// What a client may not say, or what the broker says itself.
bool dropped(std::string_view name) {
  switch (name.size()) {
    case 6:
      return name == property::kPopCk;
    case 7:
      return name == property::kCluster;
    case 8:
      return name == protocol::kCrcPropertyName || name == property::kTraceOn ||
             name.starts_with(kReservedPrefix);
    case 10:
      return name == property::kMsgRegion;
    default:
      return name.starts_with(kReservedPrefix);
  }
}

struct Seen {
  ClientProperties result;
  std::size_t uniq_key_at = 0, uniq_key_size = 0;
  bool has_uniq_key = false;
};

void note(Seen& seen, std::string_view name, std::string_view value, std::size_t value_at) {
  switch (name.size()) {
    case 4:
      if (name == property::kWait) seen.result.wait = value != "false";
      break;
    case 5:
      if (name == property::kDelay) {
        std::from_chars(value.data(), value.data() + value.size(), seen.result.delay_level);
      }
      break;
    case 8:
      if (name == property::kUniqKey) {
        seen.has_uniq_key = true;
        seen.uniq_key_at = value_at;
        seen.uniq_key_size = value.size();
      } else if (name == property::kTranMsg) {
        seen.result.transaction = value == "true";
      }
      break;
    case 13:
      if (name == kShardingKey) seen.result.sharding = true;
      break;
    default:
      if (name == property::kTimerDelaySec || name == property::kTimerDelayMs ||
          name == property::kTimerDeliverMs) {
        seen.result.timer = true;
      }
      break;
  }
}

Seen copy_allowed(std::string_view text, std::string& out) {
  Seen seen;
  protocol::for_each_property(text, [&](std::string_view name, std::string_view value) {
    // RocketMQ drops entries with an empty value when it writes the text anew.
    if (name.empty() || value.empty() || dropped(name)) return;
    out.append(name);
    out.push_back('\x01');
    note(seen, name, value, out.size());
    out.append(value);
    out.push_back('\x02');
  });
  return seen;
}

}  // namespace

void BrokerProperties::set(std::string_view region, bool trace_on, std::string_view cluster) {
  if (!text_.empty() && region == region_ && trace_on == trace_on_ && cluster == cluster_) return;
  region_ = region;
  trace_on_ = trace_on;
  cluster_ = cluster;
  text_.clear();
  protocol::append_property(text_, property::kMsgRegion, region_);
  protocol::append_property(text_, property::kCluster, cluster_);
  protocol::append_property(text_, property::kTraceOn, trace_on_ ? "true" : "false");
}

ClientProperties rewrite_properties(std::string_view text, const BrokerProperties& broker,
                                    protocol::UniqueIdGenerator& ids, std::int64_t now_ms,
                                    std::string& out) {
  out.clear();
  Seen seen = copy_allowed(text, out);
  if (!seen.has_uniq_key) {
    out.append(property::kUniqKey);
    out.push_back('\x01');
    seen.uniq_key_at = out.size();
    const std::string_view id = ids.next(now_ms);
    seen.uniq_key_size = id.size();
    out.append(id);
    out.push_back('\x02');
  }
  out.append(broker.text());
  seen.result.uniq_key = std::string_view(out).substr(seen.uniq_key_at, seen.uniq_key_size);
  return seen.result;
}

}  // namespace gantry::broker
