// SPDX-License-Identifier: Apache-2.0
// Typed bodies: the first byte chooses the type, the rest is the body. What decodes must encode to
// something that decodes to the same value.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "protocol/client_connection.h"
#include "protocol/cluster_info.h"
#include "protocol/consume_stats.h"
#include "protocol/heartbeat.h"
#include "protocol/lock_batch.h"
#include "protocol/query_assignment.h"
#include "protocol/query_consume_queue.h"
#include "protocol/register_broker.h"
#include "protocol/reset_offset.h"
#include "protocol/route_data.h"
#include "protocol/subscription_group_config.h"
#include "protocol/topic_config.h"
#include "protocol/topic_stats_table.h"

namespace {

using namespace gantry::protocol;  // NOLINT: every type below is from there

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::abort();
}

template <class T>
void check(std::string_view text) {
  const gantry::Result<T> first = T::from_json(text);
  if (!first) return;
  const std::string json = first->to_json();
  const gantry::Result<T> second = T::from_json(json);
  if (!second) fail("our own body does not decode: " + second.error().message);
  if (*first != *second) fail("the body changes on the way: " + json);
}

void check_registration(std::string_view bytes, bool compressed) {
  const auto first = RegisterBrokerBody::decode(bytes, compressed, kVersion);
  if (!first) return;
  const auto plain = first->encode(false, kVersion);
  if (!plain || RegisterBrokerBody::decode(*plain, false, kVersion) != *first) {
    fail("the registration changes on the way");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 14) {
    case 0:
      check<HeartbeatData>(text);
      break;
    case 1:
      check<TopicRouteData>(text);
      break;
    case 2:
      check<ClusterInfo>(text);
      break;
    case 3:
      check<TopicConfigTable>(text);
      break;
    case 4:
      check<SubscriptionGroupTable>(text);
      break;
    case 5:
      check<ConsumeStats>(text);
      break;
    case 6:
      check<TopicStatsTable>(text);
      break;
    case 7:
      check<ResetOffsetBody>(text);
      break;
    case 8:
      check<LockBatchRequest>(text);
      break;
    case 9:
      check<ConsumerConnection>(text);
      break;
    case 10:
      check<QueryAssignmentResponse>(text);
      break;
    case 11:
      check<QueryConsumeQueueResponse>(text);
      break;
    case 12:
      check_registration(text, false);
      break;
    default:
      check_registration(text, true);
      break;
  }
  return 0;
}
