// SPDX-License-Identifier: Apache-2.0
// A random but reproducible log: commands of every kind, delay steps, term starts and records that
// change nothing.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include "fakes.h"
#include "state/commands.h"
#include "state/state_machine.h"

namespace gantry::state {

struct RandomRecord {
  LogPosition end;
  struct Step {
    std::int32_t level;
    QueueOffset next;
  };
  struct Message {};
  struct TermStart {
    Epoch epoch;
    LogPosition apache_from;
  };
  std::variant<std::string, Step, TermStart, Message> what;

  void apply_to(StateMachine& machine) const {
    if (const auto* body = std::get_if<std::string>(&what)) {
      const auto applied = machine.apply(end, *body);
      ASSERT_TRUE(applied) << applied.error().message;
    } else if (const auto* step = std::get_if<Step>(&what)) {
      machine.apply_delay_step(end, step->level, step->next);
    } else if (const auto* start = std::get_if<TermStart>(&what)) {
      machine.apply_term_start(end, start->epoch, start->apache_from);
    } else {
      machine.advance(end);
    }
  }
};

class RandomLog {
 public:
  explicit RandomLog(std::uint64_t seed) : random_(seed) {}

  std::vector<RandomRecord> make(std::size_t records) {
    std::vector<RandomRecord> log;
    while (log.size() < records) {
      const LogPosition start = end_;
      end_ += 50 + pick(500);
      RandomRecord& record = log.emplace_back();
      record.end = end_;
      const std::int64_t kind = pick(20);
      if (kind == 0) {
        const LogPosition apache_from(pick(2) == 0 ? -1 : start.v - pick(start.v + 1));
        ++term_;
        record.what = RandomRecord::TermStart{
            Epoch{term_, start, static_cast<std::uint32_t>(pick(2)) * kEpochSyncFlush},
            apache_from};
      } else if (kind < 3) {
        record.what =
            RandomRecord::Step{static_cast<std::int32_t>(pick(4)) + 1, QueueOffset(pick(100) + 1)};
      } else if (kind == 3) {
        record.what = RandomRecord::Message{};
      } else if (kind == 4) {
        for (EncodedCommand& part : import_state_commands(stamp(), import())) {
          log.back() = RandomRecord{end_, std::move(part.body)};
        }
      } else {
        record.what = command(start).body;
      }
    }
    return log;
  }

 private:
  std::int64_t pick(std::int64_t below) {
    return std::uniform_int_distribution<std::int64_t>(0, below - 1)(random_);
  }
  std::string topic_name() { return "topic-" + std::to_string(pick(6)); }
  std::string group_name() { return "group-" + std::to_string(pick(5)); }
  CommandStamp stamp() { return CommandStamp{1700000000000 + pick(1000), term_}; }

  protocol::TopicConfig random_topic() {
    protocol::TopicConfig config = topic(topic_name(), static_cast<std::int32_t>(pick(8)) + 1);
    config.order = pick(2) == 0;
    config.topic_filter_type = static_cast<protocol::TopicFilterType>(pick(2));
    if (pick(2) == 0) config.attributes.emplace("message.type", pick(2) == 0 ? "FIFO" : "DELAY");
    return config;
  }
  protocol::SubscriptionGroupConfig random_group() {
    protocol::SubscriptionGroupConfig config =
        group(group_name(), static_cast<std::int32_t>(pick(20)));
    config.consume_enable = pick(2) == 0;
    if (pick(3) == 0) config.group_retry_policy.exponential.emplace().initial_ms = pick(9000);
    if (pick(3) == 0) config.group_retry_policy.customized.emplace().next_ms = {pick(9), pick(9)};
    if (pick(3) == 0) config.subscription_data_set = {{topic_name(), "TAG", "*", pick(100)}};
    if (pick(3) == 0) config.attributes.emplace("key", "value");
    return config;
  }
  std::vector<OffsetEntry> offsets() {
    std::vector<OffsetEntry> out;
    for (std::int64_t n = pick(6) + 1; n > 0; --n) {
      out.push_back({group_name(), topic_name(), static_cast<std::int32_t>(pick(4)),
                     QueueOffset(pick(1000))});
    }
    return out;
  }
  std::vector<QueueKey> keys() {
    std::vector<QueueKey> out;
    for (std::int64_t n = pick(3); n > 0; --n) {
      out.push_back({group_name(), topic_name(), static_cast<std::int32_t>(pick(4))});
    }
    return out;
  }
  std::string client() { return "client-" + std::to_string(pick(3)); }
  std::vector<LockedQueue> locked_queues() {
    std::vector<LockedQueue> out;
    for (std::int64_t n = pick(3) + 1; n > 0; --n) {
      out.push_back({topic_name(), "broker-a", static_cast<std::int32_t>(pick(4))});
    }
    return out;
  }
  GroupSubscriptions random_subscriptions() {
    GroupSubscriptions out;
    out.consume_type = static_cast<protocol::ConsumeType>(pick(3));
    out.message_model = static_cast<protocol::MessageModel>(pick(2));
    for (std::int64_t n = pick(4); n > 0; --n) {
      protocol::SubscriptionData data =
          subscription(topic_name(), pick(2) == 0 ? "*" : "A || B", pick(100));
      if (pick(4) == 0) data.code_set.insert(static_cast<std::int32_t>(pick(100)));
      out.topics.insert_or_assign(data.topic, data);
    }
    return out;
  }
  ImportedState import() {
    ImportedState state;
    state.topics_version.counter = pick(100);
    state.offsets_version.counter = pick(100);
    state.topics = {random_topic(), random_topic()};
    state.groups = {random_group()};
    state.forbidden = {{group_name(), topic_name(), 4}};
    state.offsets = offsets();
    state.delay_offsets = {{1, QueueOffset(pick(10))}};
    return state;
  }
  EncodedCommand command(LogPosition start) {
    switch (pick(15)) {
      case 0:
        return put_topics_command(stamp(), std::vector{random_topic(), random_topic()});
      case 1:
        return delete_topics_command(stamp(), std::vector{topic_name()});
      case 2:
        return put_groups_command(stamp(), std::vector{random_group()});
      case 3:
        return delete_group_command(stamp(), group_name(),
                                    pick(2) == 0 ? CleanOffsets::kYes : CleanOffsets::kNo);
      case 4:
        return reset_offsets_command(stamp(), offsets(),
                                     pick(2) == 0 ? PendingReset::kYes : PendingReset::kNo);
      case 5:
        return delete_offsets_command(stamp(), pick(2) == 0 ? group_name() : "", topic_name());
      case 6:
        return clone_offsets_command(stamp(), group_name(), group_name(),
                                     pick(2) == 0 ? topic_name() : "");
      case 7:
        return set_forbidden_command(
            stamp(), std::vector<ForbiddenEntry>{
                         {group_name(), topic_name(), static_cast<std::int32_t>(pick(2)) * 4}});
      case 8:
        return trim_log_command(stamp(), start - pick(start.v + 1));
      case 9:
        return lock_queues_command(stamp(), group_name(), client(), locked_queues(),
                                   1700000000000 - 500 + pick(1000));
      case 10:
        return unlock_queues_command(stamp(), group_name(), client(), locked_queues());
      case 11:
      case 12:
        return put_subscriptions_command(stamp(), group_name(), random_subscriptions());
      default:
        return commit_offsets_command(stamp(), offsets(), keys());
    }
  }

  std::mt19937_64 random_;
  LogPosition end_;
  Term term_{0};
};

}  // namespace gantry::state
