// SPDX-License-Identifier: Apache-2.0
#include "broker/http/broker_metrics.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "broker/client/client_manager.h"
#include "broker/core/stats.h"
#include "broker/http/group_metrics.h"
#include "broker/offset/offset_handlers.h"
#include "broker/pull/pull_service.h"
#include "broker/transaction/transaction_ender.h"
#include "metrics/rocketmq_metrics.h"
#include "net/remoting_server.h"
#include "protocol/codes.h"
#include "protocol/version.h"
#include "state/name_rules.h"
#include "state/system_topics.h"

namespace gantry::broker {
namespace {

namespace m = metrics::rocketmq;
using metrics::Labels;
using metrics::MetricSpec;
using metrics::MetricType;
using metrics::Sink;

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string flag(bool value) { return value ? "true" : "false"; }

class Collection {
 public:
  Collection(const MetricSources& sources, LogLookup& lookup, Sink& sink)
      : s_(sources),
        context_(sources.context),
        lookup_(lookup),
        sink_(sink),
        now_ms_(sources.context.clock.wall_ms()) {}

  void run() {
    broker();
    traffic();
    requests();
    connections();
    lag();
    transactions();
    storage();
    own();
  }

 private:
  bool is_system_topic(std::string_view topic) const {
    return context_.storage.system_topics().is_system_topic(topic);
  }

  void broker() {
    sink_.sample(m::kBrokerPermission, {}, context_.config.broker_permission);
    sink_.sample(m::kTopicNumber, {},
                 static_cast<double>(context_.storage.state().topics().size()));
    sink_.sample(m::kConsumerGroupNumber, {},
                 static_cast<double>(context_.storage.state().groups().size()));
    sink_.sample(m::kProcessorWatermark, {{"processor", "pull_held"}},
                 static_cast<double>(s_.pulls.held()));
  }

  void traffic() {
    static constexpr const char* kTypes[] = {"normal", "delay", "transaction", "fifo"};
    for (const auto& [topic, t] : context_.stats.topics()) {
      for (std::size_t type = 0; type < t.put_by_type.size(); ++type) {
        if (t.put_by_type[type] == 0) continue;
        const Labels labels = {{"topic", topic},
                               {"message_type", kTypes[type]},
                               {"is_system", flag(is_system_topic(topic))}};
        sink_.sample(m::kMessagesInTotal, labels, static_cast<double>(t.put_by_type[type]));
        sink_.sample(m::kThroughputInTotal, labels, static_cast<double>(t.size_sum[type]));
        metrics::HistogramSnapshot sizes;
        sizes.counts.assign(t.size_buckets[type].begin(), t.size_buckets[type].end());
        sizes.sum = static_cast<double>(t.size_sum[type]);
        sink_.histogram(m::kMessageSize, labels, std::move(sizes));
      }
    }
    for (const auto& [key, g] : context_.stats.groups()) {
      const std::size_t at = key.rfind('@');
      const std::string topic = key.substr(0, at);
      const std::string group = key.substr(at + 1);
      const Labels labels = {
          {"topic", topic},
          {"consumer_group", group},
          {"is_system", flag(is_system_topic(topic) || state::is_system_group(group))}};
      if (g.get_rpcs > 0) {
        sink_.sample(m::kMessagesOutTotal, labels, static_cast<double>(g.get_messages));
        sink_.sample(m::kThroughputOutTotal, labels, static_cast<double>(g.get_bytes));
      }
      if (g.dead_letters > 0)
        sink_.sample(m::kSendToDlqMessagesTotal, labels, static_cast<double>(g.dead_letters));
    }
  }

  void requests() {
    for (const auto& [key, cell] : context_.stats.rpc.cells()) {
      metrics::HistogramSnapshot snapshot;
      snapshot.counts.assign(cell.counts.begin(), cell.counts.end());
      snapshot.sum = cell.sum_ms;
      sink_.histogram(
          m::kRpcLatency,
          {{"protocol_type", "remoting"},
           {"request_code", lower(protocol::request_code_name(key.request_code))},
           {"response_code", lower(protocol::response_code_name(key.response_code))},
           {"is_long_polling", flag(key.long_polling)},
           {"result", key.result == RpcLatency::Result::kOneway ? "oneway" : "success"}},
          std::move(snapshot));
    }
  }

  void connections() {
    std::map<Labels, double> producers, consumers;
    for (const auto& [name, group] : s_.clients.all_producers()) {
      for (const auto& [id, c] : group.channels) {
        producers[{{"language", lower(protocol::language_name(c.language))},
                   {"version", lower(protocol::version_name(c.version))},
                   {"protocol_type", "remoting"}}] += 1;
      }
    }
    for (const auto& [name, group] : s_.clients.all_consumers()) {
      const char* mode = group.consume_type == protocol::ConsumeType::kPassively ? "push"
                         : group.consume_type == protocol::ConsumeType::kPop     ? "pop"
                                                                                 : "pull";
      for (const auto& [id, c] : group.channels) {
        consumers[{{"consumer_group", name},
                   {"language", lower(protocol::language_name(c.language))},
                   {"version", lower(protocol::version_name(c.version))},
                   {"consume_mode", mode},
                   {"protocol_type", "remoting"},
                   {"is_system", flag(state::is_system_group(name))}}] += 1;
      }
    }
    for (const auto& [labels, count] : producers)
      sink_.sample(m::kProducerConnections, labels, count);
    for (const auto& [labels, count] : consumers)
      sink_.sample(m::kConsumerConnections, labels, count);
  }

  void lag() {
    for (const auto* group : context_.storage.state().groups().all()) {
      std::vector<std::string> topics = context_.storage.offsets().topics_of(group->group_name);
      if (const ConsumerGroup* online = s_.clients.consumers(group->group_name)) {
        for (const auto& [topic, subscription] : online->subscriptions) {
          if (std::ranges::find(topics, topic) == topics.end()) topics.push_back(topic);
        }
      }
      for (const std::string& topic : topics) lag_of(group->group_name, topic);
    }
  }

  void lag_of(const std::string& group, const std::string& topic) {
    const auto* config = context_.storage.state().topics().find(topic);
    if (config == nullptr) return;
    const state::OffsetManager& offsets = context_.storage.offsets();
    std::int64_t behind = 0, inflight = 0, ready = 0;
    std::int64_t oldest_unacked = 0, oldest_undelivered = 0;
    for (std::int32_t id = 0; id < config->read_queue_nums; ++id) {
      const auto* queue = context_.storage.queues().find(topic, id);
      if (queue == nullptr) continue;
      // A queue nobody committed for yet: the group starts at its begin.
      const QueueOffset committed =
          std::max(queue->min(), offsets.query(group, topic, id).value_or(queue->min()));
      const QueueOffset pulled =
          std::max(committed, offsets.query_pull_offset(group, topic, id).value_or(committed));
      behind += std::max<std::int64_t>(0, queue->max() - committed);
      inflight += std::max<std::int64_t>(0, std::min(pulled, queue->max()) - committed);
      ready += std::max<std::int64_t>(0, queue->max() - pulled);
      oldest_unacked = std::max(oldest_unacked, age_ms(topic, id, committed));
      oldest_undelivered = std::max(oldest_undelivered, age_ms(topic, id, pulled));
    }
    const bool retry = state::is_retry_topic(topic);
    const Labels labels = {
        {"topic", topic},
        {"consumer_group", group},
        {"is_retry", flag(retry)},
        {"is_system", flag(is_system_topic(topic) || state::is_system_group(group))}};
    sink_.sample(m::kConsumerLagMessages, labels, static_cast<double>(behind));
    sink_.sample(m::kConsumerInflightMessages, labels, static_cast<double>(inflight));
    sink_.sample(m::kConsumerReadyMessages, labels, static_cast<double>(ready));
    sink_.sample(m::kConsumerLagLatency, labels, static_cast<double>(oldest_unacked));
    sink_.sample(m::kConsumerQueueingLatency, labels, static_cast<double>(oldest_undelivered));
  }

  std::int64_t age_ms(const std::string& topic, std::int32_t queue_id, QueueOffset offset) {
    const auto time_ms = store_time_at(context_, lookup_, topic, queue_id, offset);
    return time_ms ? std::max<std::int64_t>(0, now_ms_ - *time_ms) : 0;
  }

  void transactions() {
    for (const auto& [topic, open] : context_.storage.state().transactions().by_topic()) {
      sink_.sample(m::kHalfMessages, {{"topic", topic}}, static_cast<double>(open));
    }
    for (const auto& [topic, counts] : s_.transactions.counts()) {
      const Labels labels = {{"topic", topic}};
      sink_.sample(m::kCommitMessagesTotal, labels, static_cast<double>(counts.committed));
      sink_.sample(m::kRollbackMessagesTotal, labels, static_cast<double>(counts.rolled_back));
      sink_.histogram(m::kFinishMessageLatency, labels, metrics::HistogramSnapshot(counts.latency));
    }
  }

  void storage() {
    const replog::Log& log = context_.storage.log();
    const Labels labels = {{"storage_type", "local"}, {"storage_medium", "disk"}};
    sink_.sample(m::kStorageSize, labels, static_cast<double>(log.committed() - log.begin()));
    sink_.sample(m::kStorageFlushBehind, labels,
                 static_cast<double>(log.written() - log.durable()));
    sink_.sample(m::kStorageDispatchBehind, labels, 0);
    const auto earliest = lookup_.store_time_ms(log.begin());
    sink_.sample(
        m::kStorageMessageReserveTime, labels,
        static_cast<double>(earliest ? std::max<std::int64_t>(0, now_ms_ - *earliest) : 0));
  }

  // What has no counterpart in RocketMQ.
  void own() {
    static constexpr MetricSpec kConnections{.name = "gantry_connections",
                                             .help = "Open remoting connections"};
    static constexpr MetricSpec kProtocolErrors{
        .name = "gantry_protocol_errors_total",
        .type = MetricType::kCounter,
        .help = "Connections closed because of bytes that are not the protocol"};
    static constexpr MetricSpec kRotten{.name = "gantry_log_damaged_reads_total",
                                        .type = MetricType::kCounter,
                                        .help = "Stored records found damaged and not served"};
    static constexpr MetricSpec kDamaged{.name = "gantry_log_damaged_ranges",
                                         .help = "Damaged ranges of the log found at start"};
    static constexpr MetricSpec kTail{.name = "gantry_tail_cache_bytes",
                                      .help = "Memory of the tail cache"};
    static constexpr MetricSpec kQueues{.name = "gantry_consume_queues", .help = "Consume queues"};
    static constexpr MetricSpec kDiskFull{
        .name = "gantry_disk_full", .help = "1 while messages are refused because of the disk"};
    const replog::Log& log = context_.storage.log();
    const auto stats = log.stats();
    const auto server = s_.server.stats();
    sink_.sample(kConnections, {}, static_cast<double>(server.connections));
    sink_.sample(kProtocolErrors, {}, static_cast<double>(server.protocol_errors));
    sink_.sample(kRotten, {}, static_cast<double>(stats.rotten_reads));
    sink_.sample(kDamaged, {}, static_cast<double>(context_.storage.recovery().damaged.size()));
    sink_.sample(kTail, {}, static_cast<double>(log.tail_cache().bytes()));
    sink_.sample(kQueues, {}, static_cast<double>(context_.storage.queues().queue_count()));
    sink_.sample(kDiskFull, {}, log.disk_full() ? 1 : 0);
  }

  const MetricSources& s_;
  BrokerContext& context_;
  LogLookup& lookup_;
  Sink& sink_;
  const std::int64_t now_ms_;
};

}  // namespace

void collect_metrics(const MetricSources& sources, LogLookup& lookup, Sink& sink) {
  Collection(sources, lookup, sink).run();
  collect_group_metrics(sources, sink);
}

}  // namespace gantry::broker
