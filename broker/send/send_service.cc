// SPDX-License-Identifier: Apache-2.0
#include "broker/send/send_service.h"

#include <fmt/core.h>
#include <unistd.h>

#include <random>

#include "broker/client/queue_locks.h"
#include "broker/core/groups.h"
#include "broker/core/transaction_records.h"
#include "broker/group/leader_gate.h"
#include "log/log.h"
#include "protocol/batch.h"
#include "protocol/properties.h"
#include "state/name_rules.h"
#include "state/system_topics.h"

namespace gantry::broker {
namespace {

using protocol::RequestCode;
using protocol::ResponseCode;
log::Logger logger("send");
constexpr std::int32_t kVersionMaxReconsume =
    121;  // V3_4_9: the client's limit counts from here on
constexpr std::chrono::milliseconds kSweepPeriod{100};
constexpr std::size_t kOpenTransactionsMax = 1'000'000;  // some hundred bytes of memory each

}  // namespace

SendService::SendService(BrokerContext& context)
    : context_(context),
      topics_(context),
      ids_(context.store_host, static_cast<std::uint32_t>(::getpid()), std::random_device{}()) {
  context_.storage.add_observer(*this);
  timer_ = context_.shard.every(kSweepPeriod, [this] { sweep_timeouts(); });
}

SendService::~SendService() { context_.storage.remove_observer(*this); }

void SendService::register_handlers(Dispatcher& dispatcher) {
  const auto send = [this](net::Connection& c, const protocol::CommandView& r) { on_send(c, r); };
  dispatcher.add(RequestCode::kSendMessage, send);
  dispatcher.add(RequestCode::kSendMessageV2, send);
  dispatcher.add(RequestCode::kSendBatchMessage, send);
  dispatcher.add(
      RequestCode::kConsumerSendMsgBack,
      [this](net::Connection& c, const protocol::CommandView& r) { on_send_back(c, r); });
}

const BrokerProperties& SendService::broker_properties() {
  const config::BrokerConfig& c = context_.config;
  broker_properties_.set(c.region_id, c.trace_on, c.broker_cluster_name);
  return broker_properties_;
}

const protocol::RecordHost& SendService::born_host(const net::Connection& connection,
                                                   const protocol::CommandView& request) {
  // Another member of the set has passed it on: the client is where it says.
  const auto forwarded = request.ext.find(kForwardedBornHost);
  if (forwarded && context_.storage.replica().core().membership().members.size() > 1) {
    born_host_of_ = 0;
    const auto client = net::parse_host_port(*forwarded);
    const auto parsed = client ? protocol::RecordHost::parse(client->host, client->port)
                               : Result<protocol::RecordHost>(protocol::RecordHost{});
    born_host_ = parsed ? *parsed : protocol::RecordHost{};
    return born_host_;
  }
  if (born_host_of_ != connection.id()) {
    const auto parsed = protocol::RecordHost::parse(connection.peer().host, connection.peer().port);
    born_host_ = parsed ? *parsed : protocol::RecordHost{};
    born_host_of_ = connection.id();
  }
  return born_host_;
}

void SendService::refuse(net::Connection& connection, const protocol::CommandView& request,
                         ResponseCode code, std::string remark) {
  respond(connection, request,
          protocol::Command::response(static_cast<std::int32_t>(code), std::move(remark))
              .with("MSG_REGION", context_.config.region_id)
              .with("TRACE_ON", context_.config.trace_on ? "true" : "false"));
}

std::int32_t SendService::choose_queue(const SendRequest& send,
                                       const protocol::TopicConfig& topic) {
  if (send.queue_id >= 0) return send.queue_id;
  return static_cast<std::int32_t>(next_random_queue_++ %
                                   static_cast<std::uint32_t>(std::max(1, topic.write_queue_nums)));
}

void SendService::on_send(net::Connection& connection, const protocol::CommandView& request) {
  const auto send = SendRequest::parse(request);
  if (!send) return refuse(connection, request, ResponseCode::kSystemError, send.error().message);
  const std::int64_t gate = context_.config.start_accept_send_request_time_stamp;
  if (gate > 0 && context_.clock.wall_ms() < gate) {
    return refuse(connection, request, ResponseCode::kSystemError,
                  fmt::format("broker unable to service, until {}", gate));
  }
  if (context_.refuses_messages) {
    return refuse(connection, request, ResponseCode::kServiceNotAvailable,
                  "service not available now: this broker is in maintenance");
  }
  const auto topic = topics_.for_send(send->topic, send->default_topic,
                                      send->default_topic_queue_nums, send->unit_mode);
  if (!topic) return refuse(connection, request, topic.error().code, topic.error().remark);
  const protocol::TopicConfig& config = **topic;
  if (config.order && (context_.config.broker_permission & protocol::kPermWrite) == 0) {
    return refuse(
        connection, request, ResponseCode::kNoPermission,
        fmt::format("the broker[{}] sending message is forbidden", context_.config.broker_ip1));
  }
  if (send->queue_id >= std::max(config.write_queue_nums, config.read_queue_nums)) {
    return refuse(connection, request, ResponseCode::kInvalidParameter,
                  fmt::format("request queueId[{}] is illegal, {} Producer: {}", send->queue_id,
                              config.to_json(), connection.peer().text()));
  }
  if (static_cast<std::int64_t>(request.body.size()) > context_.config.max_message_size) {
    return refuse(connection, request, ResponseCode::kMessageIllegal,
                  fmt::format("the message is illegal, maybe msg body or properties length not "
                              "matched. msg body of {} bytes, limit {}",
                              request.body.size(), context_.config.max_message_size));
  }
  if (send->batch) return send_batch(connection, request, *send, config);
  send_single(connection, request, *send, config);
}

bool SendService::redirect_retry(net::Connection& connection, const protocol::CommandView& request,
                                 const SendRequest& send, Target& target, bool& dead_letter) {
  const std::string_view group = send.topic.substr(state::kRetryTopicPrefix.size());
  const auto* config = find_or_create_group(context_, group);
  if (config == nullptr) {
    refuse(connection, request, ResponseCode::kSubscriptionGroupNotExist,
           fmt::format("subscription group not exist, {}", group));
    return false;
  }
  std::int32_t limit = config->retry_max_times;
  if (request.version >= kVersionMaxReconsume && send.max_reconsume_times) {
    limit = *send.max_reconsume_times;
  }
  if (send.reconsume_times <= limit && !context_.locks->any_held(group, context_.clock.wall_ms())) {
    return true;
  }
  const protocol::TopicConfig* dlq = topics_.dlq_topic(group);
  if (dlq == nullptr) {
    refuse(connection, request, ResponseCode::kSystemError, "dead letter topic cannot be created");
    return false;
  }
  dlq_topic_ = dlq->topic_name;
  target = {dlq_topic_, 0, MessageType::kNormal};
  dead_letter = true;
  return true;
}

void SendService::redirect_delay(std::int32_t level, Target& target) {
  level = context_.storage.delay_levels().clamp(level);
  protocol::append_property(properties_, protocol::property::kRealTopic, target.topic);
  protocol::append_property(properties_, protocol::property::kRealQueueId,
                            std::to_string(target.queue_id));
  target.topic = state::kScheduleTopic;
  target.queue_id = level - 1;
  target.type = MessageType::kDelay;
}

bool SendService::may_store_half(net::Connection& connection,
                                 const protocol::CommandView& request) {
  if (context_.config.reject_transaction_message) {
    refuse(connection, request, ResponseCode::kNoPermission,
           fmt::format("the broker[{}] sending transaction message is forbidden",
                       context_.config.broker_ip1));
    return false;
  }
  const std::int32_t level = context_.storage.proposals().feature_level();
  if (level < state::kTransactionsLevel) {
    refuse(connection, request, ResponseCode::kSystemError,
           fmt::format("transactional messages need feature level {}, the broker set is at level "
                       "{}: a member runs an older release or is not connected",
                       state::kTransactionsLevel, level));
    return false;
  }
  if (context_.storage.state().transactions().all().size() >= kOpenTransactionsMax) {
    refuse(connection, request, ResponseCode::kSystemBusy,
           fmt::format("{} transactions are open, more are not taken", kOpenTransactionsMax));
    return false;
  }
  return true;
}

// Stored apart from its topic until the producer has said what becomes of it. A delay level has no
// effect, as in RocketMQ's clients.
void SendService::redirect_half(bool delayed, Target& target) {
  if (delayed) {
    auto edited = protocol::Properties::parse(properties_);
    edited.erase(protocol::property::kDelay);
    properties_ = edited.text();
  }
  protocol::append_property(properties_, protocol::property::kRealTopic, target.topic);
  protocol::append_property(properties_, protocol::property::kRealQueueId,
                            std::to_string(target.queue_id));
  target = {state::kTransHalfTopic, kTransactionQueue, MessageType::kTransaction};
}

void SendService::send_single(net::Connection& connection, const protocol::CommandView& request,
                              const SendRequest& send, const protocol::TopicConfig& topic) {
  Target target{topic.topic_name, choose_queue(send, topic), MessageType::kNormal};
  const std::int32_t asked_queue_id = target.queue_id;  // what the answer names, also when delayed
  bool dead_letter = false;
  if (state::is_retry_topic(send.topic) &&
      !redirect_retry(connection, request, send, target, dead_letter)) {
    return;
  }
  ClientProperties properties =
      rewrite_properties(send.properties, broker_properties(), ids_,
                         context_.storage.log().store_time_ms(), properties_);
  // Of a transaction: not what a consumer gives back, and not what is dead already.
  const bool half = properties.transaction && !dead_letter &&
                    (send.reconsume_times <= 0 || properties.delay_level <= 0);
  const std::string uniq_key =
      properties.delay_level > 0 || dead_letter || half ? std::string(properties.uniq_key) : "";
  if (half && !may_store_half(connection, request)) return;
  if (properties.timer && properties.delay_level <= 0) {
    return refuse(connection, request, ResponseCode::kSystemError,
                  "accurate timer message is not enabled, timerWheelEnable is false");
  }
  if (properties.sharding) target.type = MessageType::kFifo;
  if (dead_letter) {
    auto edited = protocol::Properties::parse(properties_);
    edited.set(protocol::property::kDelay, "-1");
    properties_ = edited.text();
  } else if (half) {
    redirect_half(properties.delay_level > 0, target);
  } else if (properties.delay_level > 0) {
    redirect_delay(properties.delay_level, target);
  }

  OutgoingMessage message;
  message.topic = target.topic;
  message.queue_id = target.queue_id;
  message.type = target.type;
  message.flag = send.flag;
  message.sys_flag =
      send.sys_flag & protocol::sys_flag::kClientMask & ~protocol::sys_flag::kTransactionMask;
  message.born_timestamp_ms = send.born_timestamp_ms;
  message.born_host = born_host(connection, request);
  message.reconsume_times = send.reconsume_times;
  message.body = request.body;
  message.properties = properties_;
  const auto appended = context_.appender->append(message);
  if (!appended) {
    PutFailure failure = put_failure(appended.error());
    return refuse(connection, request, failure.code, std::move(failure.remark));
  }
  if (dead_letter) {
    ++context_.stats.group_topic(send.topic, send.topic.substr(state::kRetryTopicPrefix.size()))
          .dead_letters;
  }
  if (request.is_oneway()) return;
  message_ids_.clear();
  protocol::append_message_id(message_ids_, context_.store_host, appended->position);
  answer_when_committed(connection, request, *appended, message_ids_,
                        dead_letter ? target.queue_id : asked_queue_id, appended->queue_offset,
                        uniq_key.empty() ? properties.uniq_key : std::string_view(uniq_key),
                        properties.wait);
}

void SendService::send_batch(net::Connection& connection, const protocol::CommandView& request,
                             const SendRequest& send, const protocol::TopicConfig& topic) {
  if (send.topic.size() > protocol::kTopicBytesMaxV1) {
    return refuse(connection, request, ResponseCode::kMessageIllegal,
                  fmt::format("message topic length too long {}", send.topic.size()));
  }
  if (state::is_retry_topic(send.topic)) {
    return refuse(connection, request, ResponseCode::kMessageIllegal,
                  "batch request does not support retry group " + std::string(send.topic));
  }
  const auto items = protocol::decode_batch(request.body);
  if (!items) {
    return refuse(connection, request, ResponseCode::kMessageIllegal, items.error().message);
  }
  const std::int32_t queue_id = choose_queue(send, topic);
  const std::string topic_name = topic.topic_name;
  const std::int64_t now_ms = context_.storage.log().store_time_ms();
  message_ids_.clear();
  std::string uniq_keys;
  Appended last;
  QueueOffset first_offset;
  bool wait = true;
  for (std::size_t i = 0; i < items->size(); ++i) {
    const protocol::BatchItem& item = (*items)[i];
    const ClientProperties properties =
        rewrite_properties(item.properties, broker_properties(), ids_, now_ms, properties_);
    wait = wait && properties.wait;
    OutgoingMessage message;
    message.topic = topic_name;
    message.queue_id = queue_id;
    message.flag = item.flag;
    message.sys_flag =
        send.sys_flag & protocol::sys_flag::kClientMask & ~protocol::sys_flag::kTransactionMask;
    message.born_timestamp_ms = send.born_timestamp_ms;
    message.born_host = born_host(connection, request);
    message.reconsume_times = send.reconsume_times;
    message.body = item.body;
    message.properties = properties_;
    const auto appended = context_.appender->append(message);
    if (!appended) {
      // Items before this one are stored; the sender is told that the batch failed and sends it
      // again: at least once, as for every failed send.
      PutFailure failure = put_failure(appended.error());
      return refuse(connection, request, failure.code, std::move(failure.remark));
    }
    if (i == 0) {
      first_offset = appended->queue_offset;
    } else {
      message_ids_.push_back(',');
      uniq_keys.push_back(',');
    }
    protocol::append_message_id(message_ids_, context_.store_host, appended->position);
    uniq_keys.append(properties.uniq_key);
    last = *appended;
  }
  if (request.is_oneway()) return;
  answer_when_committed(connection, request, last, message_ids_, queue_id, first_offset, {}, wait);
}

void SendService::answer_when_committed(net::Connection& connection,
                                        const protocol::CommandView& request, const Appended& last,
                                        std::string_view message_ids, std::int32_t queue_id,
                                        QueueOffset queue_offset, std::string_view uniq_key,
                                        bool wait) {
  const std::size_t begin = staged_.size();
  answer_writer_.set_broker(context_.config.region_id, context_.config.trace_on);
  answer_writer_.write({request.opaque, message_ids, queue_id, queue_offset, uniq_key}, staged_);
  Answer answer;
  answer.end = last.end;
  answer.connection = connection.id();
  answer.opaque = request.opaque;
  answer.code = request.code;
  answer.staged_bytes = static_cast<std::uint32_t>(staged_.size() - begin);
  answer.since_us = context_.clock.steady_us();
  // WAIT=false (waitStoreMsgOK): the sender waits for the write here, neither for the disk nor for
  // other members.
  if (!wait && (context_.storage.log().flush_mode() == replog::FlushMode::kSync ||
                context_.storage.replica().core().membership().voter_count() > 1)) {
    connection.output().append(staged_, begin);
    connection.touch();
    staged_.resize(begin);
    return;
  }
  answers_.push_back(answer);
}

void SendService::on_committed(LogPosition position) {
  if (answers_.empty() || answers_.front().end > position) return;
  const std::int64_t now_us = context_.clock.steady_us();
  while (!answers_.empty() && answers_.front().end <= position) {
    // Neighbours of one connection go as one piece: a connection's requests come in batches.
    const net::ConnectionId id = answers_.front().connection;
    const bool wanted = !answers_.front().flush_timeout_sent;
    std::size_t bytes = 0;
    do {
      const Answer& answer = answers_.front();
      context_.stats.count_put_latency((now_us - answer.since_us) / 1000);
      context_.stats.rpc.record({answer.code, 0, false, RpcLatency::Result::kSuccess},
                                now_us - answer.since_us);
      bytes += answer.staged_bytes;
      answers_.pop_front();
    } while (!answers_.empty() && answers_.front().end <= position &&
             answers_.front().connection == id && answers_.front().flush_timeout_sent != wanted);
    net::Connection* const connection = wanted ? context_.connections.find(id) : nullptr;
    if (connection != nullptr) {
      connection->output().append(staged_, staged_begin_, bytes);
      connection->touch();
    }
    staged_begin_ += bytes;
  }
  if (staged_begin_ == staged_.size()) {
    staged_.clear();
    staged_begin_ = 0;
  } else if (staged_begin_ > (1U << 20)) {
    staged_.erase(0, staged_begin_);
    staged_begin_ = 0;
  }
}

void SendService::sweep_timeouts() {
  const std::int64_t limit =
      context_.clock.steady_us() - context_.config.sync_flush_timeout_ms * 1000;
  std::size_t at = staged_begin_;
  for (Answer& answer : answers_) {
    if (answer.since_us >= limit) break;
    if (!answer.flush_timeout_sent) {
      answer.flush_timeout_sent = true;
      // The same full header with FLUSH_DISK_TIMEOUT: stored, not known to be on disk.
      std::string frame(staged_, at + 4, answer.staged_bytes - 4);
      protocol::CommandView view;
      net::Connection* connection = context_.connections.find(answer.connection);
      if (connection != nullptr && protocol::decode(frame, view)) {
        protocol::Command late = protocol::to_command(view);
        late.code = static_cast<std::int32_t>(ResponseCode::kFlushDiskTimeout);
        connection->send(late);
      }
    }
    at += answer.staged_bytes;
  }
}

void SendService::refuse_waiting(std::string_view why) {
  while (!answers_.empty()) {
    const Answer& answer = answers_.front();
    net::Connection* connection = context_.connections.find(answer.connection);
    if (connection != nullptr && !answer.flush_timeout_sent) {
      protocol::Command response = protocol::Command::response(
          static_cast<std::int32_t>(ResponseCode::kServiceNotAvailable), std::string(why));
      response.opaque = answer.opaque;
      connection->send(response);
    }
    answers_.pop_front();
  }
  staged_.clear();
  staged_begin_ = 0;
}

}  // namespace gantry::broker
