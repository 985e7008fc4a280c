// SPDX-License-Identifier: Apache-2.0
// The metric families of a RocketMQ 5 broker: name, type, buckets. Which labels a family carries
// besides the common ones (cluster, node_type, node_id) stands beside it. Common label values of
// RocketMQ: node_type="broker", node_id = brokerName, cluster = brokerClusterName.
#pragma once

#include <array>

#include "metrics/metrics.h"

namespace gantry::metrics::rocketmq {

inline constexpr std::array kMessageSizeBuckets{1024.0,    4096.0,    524288.0,
                                                1048576.0, 2097152.0, 4194304.0};
inline constexpr std::array kRpcLatencyBuckets{1.0,   3.0,    5.0,    7.0,   10.0,
                                               100.0, 1000.0, 2000.0, 3000.0};
inline constexpr std::array kDelayLatencyBuckets{60.0, 600.0, 3600.0, 43200.0, 86400.0, 259200.0};
inline constexpr std::array kFinishLatencyBuckets{5.0, 60.0, 600.0, 3600.0, 43200.0, 86400.0};
inline constexpr std::array kPopScanBuckets{1.0, 10.0, 100.0, 1000.0, 2000.0, 3000.0};

using enum MetricType;

// --- Traffic: topic, message_type (normal, fifo, delay, transaction), is_system ---
inline constexpr MetricSpec kMessagesInTotal{
    .name = "rocketmq_messages_in_total", .type = kCounter, .help = "Messages stored"};
inline constexpr MetricSpec kThroughputInTotal{
    .name = "rocketmq_throughput_in_total", .type = kCounter, .help = "Bytes of messages stored"};
inline constexpr MetricSpec kMessageSize{.name = "rocketmq_message_size",
                                         .type = kHistogram,
                                         .help = "Size of incoming messages in bytes",
                                         .buckets = kMessageSizeBuckets};

// --- Traffic: topic, consumer_group, is_system ---
inline constexpr MetricSpec kMessagesOutTotal{.name = "rocketmq_messages_out_total",
                                              .type = kCounter,
                                              .help = "Messages delivered to consumers"};
inline constexpr MetricSpec kThroughputOutTotal{.name = "rocketmq_throughput_out_total",
                                                .type = kCounter,
                                                .help = "Bytes of messages delivered to consumers"};
inline constexpr MetricSpec kSendToDlqMessagesTotal{.name = "rocketmq_send_to_dlq_messages_total",
                                                    .type = kCounter,
                                                    .help = "Messages moved to dead-letter topics"};

// --- Requests: protocol_type="remoting", request_code, response_code, is_long_polling, result ---
inline constexpr MetricSpec kRpcLatency{
    .name = "rocketmq_rpc_latency_milliseconds",
    .type = kHistogram,
    .help = "Time from the arrival of a request to its answer in milliseconds",
    .buckets = kRpcLatencyBuckets};
// processor
inline constexpr MetricSpec kProcessorWatermark{.name = "rocketmq_processor_watermark",
                                                .help = "Requests that wait, by kind"};

// --- Connections: language, version, protocol_type="remoting" ---
inline constexpr MetricSpec kProducerConnections{.name = "rocketmq_producer_connections",
                                                 .help = "Connected producers"};
// and consumer_group, consume_mode (push, pull, pop), is_system
inline constexpr MetricSpec kConsumerConnections{.name = "rocketmq_consumer_connections",
                                                 .help = "Connected consumers"};

// --- Consumer lag: topic, consumer_group, is_retry, is_system ---
inline constexpr MetricSpec kConsumerLagMessages{
    .name = "rocketmq_consumer_lag_messages",
    .help = "Messages not yet acknowledged: ready and in flight"};
inline constexpr MetricSpec kConsumerLagLatency{
    .name = "rocketmq_consumer_lag_latency_milliseconds",
    .help = "Age of the oldest message not yet acknowledged in milliseconds"};
inline constexpr MetricSpec kConsumerInflightMessages{
    .name = "rocketmq_consumer_inflight_messages",
    .help = "Messages delivered and not yet acknowledged"};
inline constexpr MetricSpec kConsumerQueueingLatency{
    .name = "rocketmq_consumer_queueing_latency_milliseconds",
    .help = "Age of the oldest message not yet delivered in milliseconds"};
inline constexpr MetricSpec kConsumerReadyMessages{.name = "rocketmq_consumer_ready_messages",
                                                   .help = "Messages not yet delivered"};

// --- Broker: no further label ---
inline constexpr MetricSpec kBrokerPermission{
    .name = "rocketmq_broker_permission",
    .help = "Permission of the broker: 2 write, 4 read, 6 both"};
inline constexpr MetricSpec kTopicNumber{.name = "rocketmq_topic_number", .help = "Topics"};
inline constexpr MetricSpec kConsumerGroupNumber{.name = "rocketmq_consumer_group_number",
                                                 .help = "Subscription groups"};

// --- Transactions: topic ---
inline constexpr MetricSpec kHalfMessages{.name = "rocketmq_half_messages",
                                          .help = "Transactions without an outcome yet"};
inline constexpr MetricSpec kCommitMessagesTotal{
    .name = "rocketmq_commit_messages_total", .type = kCounter, .help = "Transactions committed"};
inline constexpr MetricSpec kRollbackMessagesTotal{.name = "rocketmq_rollback_messages_total",
                                                   .type = kCounter,
                                                   .help = "Transactions rolled back"};
inline constexpr MetricSpec kFinishMessageLatency{
    .name = "rocketmq_finish_message_latency_milliseconds",
    .type = kHistogram,
    .help = "Time from a half message to its outcome",
    .buckets = kFinishLatencyBuckets};

// --- Store: storage_type="local", storage_medium="disk" ---
inline constexpr MetricSpec kStorageSize{.name = "rocketmq_storage_size_bytes",
                                         .help = "Bytes of all files of the store"};
inline constexpr MetricSpec kStorageFlushBehind{.name = "rocketmq_storage_flush_behind_bytes",
                                                .help = "Bytes written and not yet synced"};
inline constexpr MetricSpec kStorageDispatchBehind{
    .name = "rocketmq_storage_dispatch_behind_bytes",
    .help = "Bytes of the CommitLog not yet in the consume queues"};
inline constexpr MetricSpec kStorageMessageReserveTime{
    .name = "rocketmq_storage_message_reserve_time_milliseconds",
    .help = "Age of the oldest stored message in milliseconds"};

// --- Timers: storage_type, storage_medium ---
inline constexpr MetricSpec kTimerEnqueueLag{.name = "rocketmq_timer_enqueue_lag",
                                             .help = "Timer messages not yet indexed"};
inline constexpr MetricSpec kTimerEnqueueLatency{
    .name = "rocketmq_timer_enqueue_latency_milliseconds",
    .help = "Age of the oldest timer message not yet indexed in milliseconds"};
inline constexpr MetricSpec kTimerDequeueLag{.name = "rocketmq_timer_dequeue_lag",
                                             .help = "Due timer messages not yet delivered"};
inline constexpr MetricSpec kTimerDequeueLatency{
    .name = "rocketmq_timer_dequeue_latency_milliseconds",
    .help = "How late the oldest due timer message is in milliseconds"};
// and topic
inline constexpr MetricSpec kTimingMessages{.name = "rocketmq_timing_messages",
                                            .help = "Timer messages that wait"};
inline constexpr MetricSpec kTimerEnqueueTotal{
    .name = "rocketmq_timer_enqueue_total", .type = kCounter, .help = "Timer messages indexed"};
inline constexpr MetricSpec kTimerDequeueTotal{
    .name = "rocketmq_timer_dequeue_total", .type = kCounter, .help = "Timer messages delivered"};
inline constexpr MetricSpec kDelayMessageLatency{
    .name = "rocketmq_delay_message_latency_seconds",
    .type = kHistogram,
    .help = "Requested delay of timer messages in seconds",
    .buckets = kDelayLatencyBuckets};
// and timer_bound_s
inline constexpr MetricSpec kTimerMessageSnapshot{
    .name = "rocketmq_timer_message_snapshot",
    .help = "Timer messages that wait, by upper bound of their remaining time"};

// --- POP ---
inline constexpr MetricSpec kPopOffsetBufferSize{
    .name = "rocketmq_pop_offset_buffer_size",
    .help = "Queues with POP offsets not yet written to the log"};
inline constexpr MetricSpec kPopCheckpointBufferSize{
    .name = "rocketmq_pop_checkpoint_buffer_size",
    .help = "POP checkpoints not yet written to the log"};
inline constexpr MetricSpec kPopBufferScanTime{
    .name = "rocketmq_pop_buffer_scan_time_consume_milliseconds",
    .type = kHistogram,
    .help = "Duration of one scan of the POP checkpoints in milliseconds",
    .buckets = kPopScanBuckets};
// queue_id
inline constexpr MetricSpec kPopReviveLag{
    .name = "rocketmq_pop_revive_lag_milliseconds",
    .help = "POP checkpoints past their invisible time and not yet revived"};
inline constexpr MetricSpec kPopReviveLatency{
    .name = "rocketmq_pop_revive_latency_milliseconds",
    .help = "How long the oldest such checkpoint waits in milliseconds"};

}  // namespace gantry::metrics::rocketmq
