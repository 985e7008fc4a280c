// SPDX-License-Identifier: Apache-2.0
// Asks producers about transactions that stay open, every transactionCheckInterval, and gives up
// those that were asked about often enough. A check is counted in the log before it is sent: who
// does not lead any more asks nobody, and the next leader goes on counting. Leader only, log shard
// only; owned by Transactions.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "broker/core/context.h"
#include "broker/core/log_lookup.h"
#include "broker/transaction/check_rule.h"
#include "broker/transaction/transaction_ender.h"

namespace gantry::broker {

class CheckService {
 public:
  CheckService(BrokerContext& context, TransactionEnder& ender);
  ~CheckService();

  void start();
  void stop();

  // Gives up what is open before `limit`, whatever its age: its half messages are about to be
  // deleted. `done` when all of it has been tried.
  void give_up_before(LogPosition limit, std::move_only_function<void()> done);

  std::uint64_t asked() const { return asked_; }      // checks that a producer got
  std::uint64_t unheard() const { return unheard_; }  // no producer of the group was there

 private:
  // Some due transactions with their records, which the log does not move.
  struct Due {
    LogPosition half;
    CheckVerdict verdict;
    std::string bytes;
  };
  using Slice = std::vector<Due>;

  void arm();
  // A round goes through the open transactions in slices, from `next_` on.
  void begin_round();
  void next_slice();
  // Calls `then` when the records of the slice are in it.
  void read(Slice slice, std::move_only_function<void(const std::shared_ptr<Slice>&)> then);
  void give_up_from(LogPosition from, LogPosition limit, std::move_only_function<void()> done);
  void act(const std::shared_ptr<Slice>& slice);
  void ask(const Slice& slice);
  void give_up(const protocol::RecordView& half);
  CheckLimits limits() const;
  net::Connection* producer(std::string_view group);

  BrokerContext& context_;
  TransactionEnder& ender_;
  bool running_ = false;
  std::uint64_t run_ = 0;  // what a stop has interrupted does not go on
  LogPosition next_;
  std::uint64_t round_robin_ = 0;
  std::uint64_t asked_ = 0, unheard_ = 0;
  std::unique_ptr<runtime::Timer> timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace gantry::broker
