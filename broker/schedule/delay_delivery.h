// SPDX-License-Identifier: Apache-2.0
// Delivers messages of the delay levels when they are due: the stored message goes to its real
// topic in a record that names the level and offset it came from, so that applying it advances the
// level (one record, one step). One timer a level, armed for the head of its queue. Leader only,
// log shard only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "broker/core/context.h"
#include "broker/send/message_appender.h"

namespace gantry::broker {

class DelayDelivery final : private CommitObserver {
 public:
  explicit DelayDelivery(BrokerContext& context);
  ~DelayDelivery() override;

  // Continues where the committed state says.
  void start();
  void stop();

  struct LevelStatus {
    std::int32_t level = 0;
    QueueOffset next, max;
  };
  std::vector<LevelStatus> status() const;  // levels that have a queue

 private:
  struct Level {
    QueueOffset next;
    std::unique_ptr<runtime::Timer> timer;
    bool fetching = false;
  };
  enum class Step : std::uint8_t { kDelivered, kSkipped, kWait };

  void on_message(const protocol::RecordView& record, std::int64_t deliver_ms) override;
  void run(std::int32_t level);
  Step deliver_head(std::int32_t level, Level& state);
  Step deliver_record(std::int32_t level, Level& state, const protocol::RecordView& record);
  void arm(std::int32_t level, std::int64_t delay_ms);
  std::int64_t due_in_ms(std::int32_t level, std::int64_t deliver_ms) const;

  BrokerContext& context_;
  std::vector<Level> levels_;  // [0] unused
  bool running_ = false;
};

}  // namespace gantry::broker
