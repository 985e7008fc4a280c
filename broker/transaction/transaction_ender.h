// SPDX-License-Identifier: Apache-2.0
// Writes the record that ends a transaction: the committed message, an op record for a rollback, or
// the message in TRANS_CHECK_MAX_TIME_TOPIC when it is given up. Each names the half message, so
// that applying it closes the transaction (docs/adr/0010-transactions.md). Knows what this leader
// has ended and is not applied yet, so that no transaction is ended twice. Leader only, log shard
// only; owned by Transactions.
#pragma once

#include <cstdint>
#include <deque>
#include <set>
#include <string>

#include "base/string_hash.h"
#include "broker/core/context.h"
#include "broker/send/message_appender.h"
#include "metrics/metrics.h"

namespace gantry::broker {

enum class TransactionEnd : std::uint8_t { kCommit, kRollback, kGiveUp };

class TransactionEnder final : private CommitObserver {
 public:
  // Of one topic, since this process started.
  struct TopicCounts {
    std::uint64_t committed = 0, rolled_back = 0, given_up = 0;
    metrics::HistogramSnapshot latency;  // from born to committed or rolled back, in seconds
  };

  explicit TransactionEnder(BrokerContext& context);
  ~TransactionEnder() override;

  // As this leader sees it. Null: there was none, or it has ended.
  const state::OpenTransaction* find(LogPosition half) const;
  // `half`: the record of an open transaction, in memory that the log does not move. Errors: those
  // of an append; kNotFound: the message's topic is gone, and with it whoever could read it.
  Result<Appended> end(const protocol::RecordView& half, TransactionEnd how);
  // Leadership is over, or begins: what is not committed may vanish.
  void forget_pending();

  const StringMap<TopicCounts>& counts() const { return counts_; }

 private:
  struct Pending {
    LogPosition end;
    LogPosition half;
    TransactionEnd how;
    std::string topic;
    std::int64_t born_ms;
  };

  void on_committed(LogPosition position) override;
  void count(const Pending& pending);
  Result<Appended> append_final(const protocol::RecordView& half, OutgoingMessage message);
  Result<Appended> append_op(const protocol::RecordView& half, OutgoingMessage message);
  Result<Appended> append_given_up(const protocol::RecordView& half, OutgoingMessage message);

  BrokerContext& context_;
  std::deque<Pending> pending_;   // in the order of the log
  std::set<LogPosition> ending_;  // the half messages of pending_
  StringMap<TopicCounts> counts_;
};

}  // namespace gantry::broker
