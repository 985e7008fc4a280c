// SPDX-License-Identifier: Apache-2.0
// Pulls (codes 11 and 361): RocketMQ's checks in RocketMQ's order, reading, long polling, commit on
// pull. Log shard only.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "broker/core/context.h"
#include "broker/pull/held_pulls.h"
#include "broker/pull/queue_reader.h"

namespace gantry::broker {

class PullService final : private CommitObserver, private runtime::TurnHook {
 public:
  explicit PullService(BrokerContext& context);
  ~PullService() override;

  void register_handlers(Dispatcher& dispatcher);
  void on_connection_closed(net::ConnectionId connection) { held_.drop_connection(connection); }
  std::size_t held() const { return held_.size(); }
  // Answers every held pull with what there is now (shutdown, change of leader).
  void stop();

 private:
  enum class Pass : std::uint8_t { kFirst, kWoken };

  struct Refusal {
    protocol::ResponseCode code;
    std::string remark;
    std::int32_t forbidden_type = 0;  // 0: none
  };
  void on_pull(net::Connection& connection, const protocol::CommandView& request);
  std::optional<Refusal> check(const PullRequest& pull, bool lite) const;
  // The subscription that filters this pull, or the reason why there is none.
  std::expected<MessageFilter, Refusal> filter_for(const PullRequest& pull) const;
  // ... for a pull that sends none: the group's.
  std::expected<MessageFilter, Refusal> group_filter_for(const PullRequest& pull) const;
  void execute(HeldPull pull, Pass pass);
  void answer(const HeldPull& pull, const PullResult& result, protocol::ResponseCode code);
  void count_answer(const HeldPull& pull, const PullResult& result);
  static std::int64_t reader_of_old_messages(const replog::Replica& replica);
  std::int64_t suggested_broker(const HeldPull& pull, const PullResult& result) const;

  void on_message(const protocol::RecordView& record, std::int64_t tags_code) override;
  void on_turn_end() override;
  void run_woken();
  void sweep_timeouts();
  void sweep_advanced();

  BrokerContext& context_;
  QueueReader reader_;
  HeldPulls held_;
  std::vector<HeldPull> woken_;
  std::unique_ptr<runtime::Timer> timeout_timer_, advanced_timer_;
};

}  // namespace gantry::broker
