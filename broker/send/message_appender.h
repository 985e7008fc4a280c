// SPDX-License-Identifier: Apache-2.0
// Puts a message into the log: decides queue offset, position and store time, encodes the record in
// place, and tells when it is committed. Used by sends, send-backs, delay delivery and dead
// letters. Log shard only.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "broker/core/context.h"
#include "broker/core/stats.h"

namespace gantry::broker {

struct OutgoingMessage {
  std::string_view topic;
  std::int32_t queue_id = 0;
  std::int32_t flag = 0;
  std::int32_t sys_flag = 0;
  std::int64_t born_timestamp_ms = 0;
  protocol::RecordHost born_host;
  std::int32_t reconsume_times = 0;
  std::int64_t prepared_transaction_offset = 0;
  std::string_view body;
  std::string_view properties;  // final; ends with 0x02 unless empty
  MessageType type = MessageType::kNormal;
};

struct Appended {
  LogPosition position;
  LogPosition end;
  QueueOffset queue_offset;
};

// RocketMQ's answer to an append that was refused.
struct PutFailure {
  protocol::ResponseCode code;
  std::string remark;
};
PutFailure put_failure(const Error& error);

class MessageAppender final : private CommitObserver {
 public:
  enum class Outcome : std::uint8_t { kCommitted, kFlushTimeout, kStopped };
  // Runs once: when everything below `end` is committed, when syncFlushTimeout has passed (the
  // message stays and will commit later), or when the broker stops before that.
  using OnCommit = std::move_only_function<void(Outcome)>;

  explicit MessageAppender(BrokerContext& context);
  ~MessageAppender() override;

  Result<Appended> append(const OutgoingMessage& message);
  // `end` must not be below that of the call before.
  void when_committed(LogPosition end, OnCommit done);
  std::size_t waiting() const { return waiters_.size(); }
  // Answers what still waits with kStopped.
  void stop();

 private:
  struct Waiter {
    LogPosition end;
    std::int64_t since_us;
    OnCommit done;
  };
  void on_committed(LogPosition position) override;
  void sweep_timeouts();

  BrokerContext& context_;
  std::deque<Waiter> waiters_;
  std::unique_ptr<runtime::Timer> timer_;
};

}  // namespace gantry::broker
