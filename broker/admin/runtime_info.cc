// SPDX-License-Identifier: Apache-2.0
#include "broker/admin/runtime_info.h"

#include <fmt/core.h>

#include "broker/core/stats.h"
#include "broker/pull/pull_service.h"
#include "broker/retention/retention.h"
#include "broker/schedule/delay_delivery.h"
#include "io/file_system.h"

namespace gantry::broker {
namespace {

using Table = std::map<std::string, std::string, std::less<>>;
constexpr std::int64_t kDay = 86400, kHour = 3600, kMinute = 60;

std::string rates(const StatsItem& item) {
  return fmt::format("{:.2f} {:.2f} {:.2f}", item.rate(10), item.rate(60), item.rate(600));
}

// "252.0 GiB": the exporter splits on single spaces and reads the unit.
std::string human_bytes(std::int64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

void add_puts(const BrokerStats& s, Table& t) {
  t["msgPutTotalYesterdayMorning"] = std::to_string(s.day().put_yesterday_morning);
  t["msgPutTotalTodayMorning"] = std::to_string(s.day().put_today_morning);
  t["msgPutTotalTodayNow"] = std::to_string(s.put_messages);
  t["msgGetTotalYesterdayMorning"] = std::to_string(s.day().get_yesterday_morning);
  t["msgGetTotalTodayMorning"] = std::to_string(s.day().get_today_morning);
  t["msgGetTotalTodayNow"] = std::to_string(s.get_messages);
  t["putMessageTimesTotal"] = std::to_string(s.put_messages);
  t["putMessageSizeTotal"] = std::to_string(s.put_bytes);
  t["putMessageAverageSize"] = fmt::format(
      "{}", s.put_messages == 0
                ? 0.0
                : static_cast<double>(s.put_bytes) / static_cast<double>(s.put_messages));
  t["putMessageFailedTimes"] = std::to_string(s.put_failed);
  t["putMessageEntireTimeMax"] = std::to_string(s.put_entire_time_max_ms);
  t["getMessageEntireTimeMax"] = std::to_string(s.get_entire_time_max_ms);
  static constexpr const char* kLabels[] = {
      "[<=0ms]", "[0~10ms]", "[10~50ms]", "[50~100ms]", "[100~200ms]", "[200~500ms]", "[500ms~1s]",
      "[1~2s]",  "[2~3s]",   "[3~4s]",    "[4~5s]",     "[5~10s]",     "[10s~]"};
  std::string distribution;
  std::uint64_t seen = 0, total = 0;
  for (std::size_t i = 0; i < s.put_latency.size(); ++i) {
    distribution += fmt::format("{}:{} ", kLabels[i], s.put_latency[i]);
    total += s.put_latency[i];
  }
  t["putMessageDistributeTime"] = distribution;
  double p99 = 0, p999 = 0;
  for (std::size_t i = 0; i < s.put_latency.size() && total > 0; ++i) {
    seen += s.put_latency[i];
    const double bound = static_cast<double>(
        BrokerStats::kPutBounds[std::min(i, BrokerStats::kPutBounds.size() - 1)]);
    if (static_cast<double>(seen) < 0.99 * static_cast<double>(total)) p99 = bound;
    if (static_cast<double>(seen) < 0.999 * static_cast<double>(total)) p999 = bound;
  }
  t["putLatency99"] = fmt::format("{:.2f}", p99);
  t["putLatency999"] = fmt::format("{:.2f}", p999);
  t["putTps"] = rates(s.puts());
  t["getFoundTps"] = rates(s.found());
  t["getMissTps"] = rates(s.missed());
  t["getTransferredTps"] = rates(s.transferred());
  t["getTotalTps"] = fmt::format("{:.2f} {:.2f} {:.2f}", s.found().rate(10) + s.missed().rate(10),
                                 s.found().rate(60) + s.missed().rate(60),
                                 s.found().rate(600) + s.missed().rate(600));
}

void add_log(BrokerContext& context, LogLookup& lookup, const Retention& retention, Table& t) {
  const replog::Log& log = context.storage.log();
  t["commitLogMinOffset"] = std::to_string(log.begin().v);
  t["commitLogMaxOffset"] = std::to_string(log.committed().v);
  t["dispatchBehindBytes"] = "0";  // queues are filled in the commit itself
  t["dispatchMaxBuffer"] = "0";
  t["remainHowManyDataToFlush"] = human_bytes(log.written() - log.durable());
  t["remainTransientStoreBufferNumbs"] = std::to_string(INT32_MAX);
  t["pageCacheLockTimeMills"] = "0";
  const auto earliest = lookup.store_time_ms(log.begin());
  t["earliestMessageTimeStamp"] = std::to_string(earliest.value_or(-1));
  const std::string ratio = fmt::format("{:.2f}", retention.disk_ratio());
  t["commitLogDiskRatio"] = ratio;
  t["commitLogDiskRatio_" + context.config.store_path_commit_log] = ratio;
  t["consumeQueueDiskRatio"] = ratio;
  if (const auto space = context.files.space(context.config.store_path_commit_log)) {
    t["commitLogDirCapacity"] =
        fmt::format("Total : {}, Free : {}.", human_bytes(space->total_bytes),
                    human_bytes(space->available_bytes));
  } else {
    t["commitLogDirCapacity"] = "Total : 0 B, Free : 0 B.";
  }
}

// RocketMQ's thread pools. Here requests are handled as they arrive: what can wait is a held pull
// or a send before its commit.
void add_queues(const BrokerContext& context, Table& t) {
  const auto pool = [&](const std::string& name, std::size_t size, std::size_t capacity) {
    t[name + "ThreadPoolQueueSize"] = std::to_string(size);
    t[name + "ThreadPoolQueueCapacity"] = std::to_string(capacity);
    t[name + "ThreadPoolQueueHeadWaitTimeMills"] = "0";
  };
  pool("send", 0, 10000);
  pool("pull", 0, 100000);
  pool("litePull", 0, 100000);
  pool("query", 0, 20000);
  pool("ack", 0, 100000);
  t["EndTransactionQueueSize"] = "0";
  t["EndTransactionThreadPoolQueueCapacity"] = "100000";
  t["timerReadBehind"] = t["timerOffsetBehind"] = t["timerCongestNum"] = "0";
  t["timerEnqueueTps"] = t["timerDequeueTps"] = "0.0";
  t["heldPulls"] = std::to_string(context.pulls->held());
}

}  // namespace

protocol::KVTable runtime_info(BrokerContext& context, LogLookup& lookup,
                               const DelayDelivery& delays, const Retention& retention,
                               std::int64_t boot_ms) {
  protocol::KVTable table;
  Table& t = table.table;
  const std::int64_t up_s = (context.clock.wall_ms() - boot_ms) / 1000;
  t["brokerVersion"] = std::to_string(protocol::kVersion);
  t["brokerVersionDesc"] = "V5_3_3";
  t["brokerActive"] = "true";
  t["gantryHttpAddress"] = context.http_address;  // for tools that administer the broker set
  t["bootTimestamp"] = std::to_string(boot_ms);
  t["runtime"] = fmt::format("[ {} days, {} hours, {} minutes, {} seconds ]", up_s / kDay,
                             up_s % kDay / kHour, up_s % kHour / kMinute, up_s % kMinute);
  t["startAcceptSendRequestTimeStamp"] =
      std::to_string(context.config.start_accept_send_request_time_stamp);
  add_puts(context.stats, t);
  add_log(context, lookup, retention, t);
  add_queues(context, t);
  for (const DelayDelivery::LevelStatus& level : delays.status()) {
    t[fmt::format("scheduleMessageOffset_{}", level.level)] =
        fmt::format("{},{}", level.next.v, level.max.v);
  }
  return table;
}

}  // namespace gantry::broker
