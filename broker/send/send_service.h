// SPDX-License-Identifier: Apache-2.0
// Sends (codes 10, 310, 320) and send-backs of consumers (36): checks, topic creation, delay and
// dead-letter redirection, append, answer after commit. The hot path of a broker. Log shard only.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "broker/core/context.h"
#include "broker/send/client_properties.h"
#include "broker/send/message_appender.h"
#include "broker/send/send_request.h"
#include "broker/send/topic_resolver.h"
#include "protocol/message_id.h"
#include "protocol/send_answer.h"

namespace gantry::broker {

class SendService final : private CommitObserver {
 public:
  explicit SendService(BrokerContext& context);
  ~SendService() override;

  void register_handlers(Dispatcher& dispatcher);
  // Answers still waiting for commit get SERVICE_NOT_AVAILABLE.
  void refuse_waiting(std::string_view why);
  std::size_t waiting() const { return answers_.size(); }

 private:
  // Where a message really goes.
  struct Target {
    std::string_view topic;
    std::int32_t queue_id = 0;
    MessageType type = MessageType::kNormal;
  };
  // An answer that waits for commit. The success frame is encoded already, in staged_.
  struct Answer {
    LogPosition end;
    std::int64_t since_us = 0;
    net::ConnectionId connection = 0;
    std::int32_t opaque = 0;
    std::int32_t code = 0;  // of the request
    std::uint32_t staged_bytes = 0;
    bool flush_timeout_sent = false;
  };

  void on_send(net::Connection& connection, const protocol::CommandView& request);
  struct SendBack;
  void on_send_back(net::Connection& connection, const protocol::CommandView& request);
  void send_back(const SendBack& back, const protocol::RecordView& record,
                 const Responder& responder);
  void send_single(net::Connection& connection, const protocol::CommandView& request,
                   const SendRequest& send, const protocol::TopicConfig& topic);
  void send_batch(net::Connection& connection, const protocol::CommandView& request,
                  const SendRequest& send, const protocol::TopicConfig& topic);
  // %RETRY%group: the dead-letter topic when retries are used up. False: answered.
  bool redirect_retry(net::Connection& connection, const protocol::CommandView& request,
                      const SendRequest& send, Target& target, bool& dead_letter);
  // Messages with a delay level go to the schedule topic; edits properties_.
  void redirect_delay(std::int32_t level, Target& target);
  // False: answered.
  bool may_store_half(net::Connection& connection, const protocol::CommandView& request);
  // Half messages go to the half topic; edits properties_.
  void redirect_half(bool delayed, Target& target);
  std::int32_t choose_queue(const SendRequest& send, const protocol::TopicConfig& topic);
  void refuse(net::Connection& connection, const protocol::CommandView& request,
              protocol::ResponseCode code, std::string remark);
  void answer_when_committed(net::Connection& connection, const protocol::CommandView& request,
                             const Appended& last, std::string_view message_ids,
                             std::int32_t queue_id, QueueOffset queue_offset,
                             std::string_view uniq_key, bool wait);
  void on_committed(LogPosition position) override;
  void sweep_timeouts();
  const BrokerProperties& broker_properties();
  const protocol::RecordHost& born_host(const net::Connection& connection,
                                        const protocol::CommandView& request);

  BrokerContext& context_;
  TopicResolver topics_;
  protocol::UniqueIdGenerator ids_;
  BrokerProperties broker_properties_;
  std::string properties_;   // scratch
  std::string message_ids_;  // scratch
  std::string delay_topic_;  // scratch
  std::string dlq_topic_;    // scratch
  protocol::SendAnswerWriter answer_writer_;
  std::deque<Answer> answers_;
  std::string staged_;  // the success frames of answers_, in order, from staged_begin_ on
  std::size_t staged_begin_ = 0;
  net::ConnectionId born_host_of_ = 0;
  protocol::RecordHost born_host_;
  std::uint32_t next_random_queue_ = 0;
  std::unique_ptr<runtime::Timer> timer_;
};

}  // namespace gantry::broker
