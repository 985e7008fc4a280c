// SPDX-License-Identifier: Apache-2.0
// Requests to one broker, typed. Each call waits for its answer. Borrows its connections; cheap to
// make, owned by one thread. Errors: kNotFound where the broker says so; kUnavailable or kTimeout
// when it cannot be reached; kCorrupt for an answer that does not decode.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/message.h"
#include "protocol/client_connection.h"
#include "protocol/consume_stats.h"
#include "protocol/kv_table.h"
#include "protocol/message_queue.h"
#include "protocol/subscription_group_config.h"
#include "protocol/topic_config.h"
#include "protocol/topic_stats_table.h"

namespace gantry::protocol {
struct Command;
enum class RequestCode : std::int32_t;
}  // namespace gantry::protocol

namespace gantry::client {

class Connections;

// Times that stand for the ends of a queue where a time is asked for.
inline constexpr std::int64_t kEarliestTime = 0;
inline constexpr std::int64_t kLatestTime = -1;

class Broker {
 public:
  // `connections` must outlive this.
  Broker(Connections& connections, std::string address);

  const std::string& address() const { return address_; }

  // Topics.
  // Makes the topic or changes it to this. Attributes: `+key=value` sets, `-key` removes.
  Result<void> update_topic(const protocol::TopicConfig& config, std::string_view attributes);
  Result<void> delete_topic(std::string_view topic);
  Result<protocol::TopicConfig> topic_config(std::string_view topic);
  Result<std::map<std::string, protocol::TopicConfig, std::less<>>> topic_configs();
  Result<protocol::TopicStatsTable> topic_stats(std::string_view topic);
  Result<std::vector<std::string>> system_topics();
  Result<std::vector<std::string>> groups_of_topic(std::string_view topic);

  // Groups and offsets.
  Result<std::map<std::string, protocol::SubscriptionGroupConfig, std::less<>>> groups();
  // kNotFound: no member is online.
  Result<protocol::ConsumerConnection> consumers(std::string_view group);
  // `topic` empty: all topics of the group.
  Result<protocol::ConsumeStats> consume_stats(std::string_view group, std::string_view topic);
  struct Reset {
    std::string group;
    std::string topic;
    std::int64_t timestamp_ms = kLatestTime;  // the first message stored at this time or later
    std::int32_t queue_id = -1;               // -1: all queues
    std::optional<std::int64_t> offset;       // with a queue id: this offset instead of the time
  };
  // The new offsets.
  Result<protocol::MessageQueueMap<std::int64_t>> reset_offset(const Reset& reset);
  // nullopt: the group has no offset of its own for that queue.
  Result<std::optional<std::int64_t>> consumer_offset(std::string_view group,
                                                      const protocol::MessageQueue& queue);
  Result<void> commit_offset(std::string_view group, const protocol::MessageQueue& queue,
                             std::int64_t offset);

  // Queues. Positions of messages; a queue that does not exist has 0.
  Result<std::int64_t> max_offset(const protocol::MessageQueue& queue);
  Result<std::int64_t> min_offset(const protocol::MessageQueue& queue);
  // The first message stored at `timestamp_ms` or later; the end when there is none.
  Result<std::int64_t> offset_by_time(const protocol::MessageQueue& queue,
                                      std::int64_t timestamp_ms);

  // Messages.
  struct KeyQuery {
    std::string topic;
    std::string key;
    bool unique_id = false;  // `key` is a message's unique id
    int count_max = 32;
    std::int64_t from_ms = 0;
    std::int64_t to_ms = INT64_MAX;
  };
  // Messages with that key; empty when there are none. Hits that only share the key's hash are left
  // out.
  Result<std::vector<Message>> query_messages(const KeyQuery& query);
  Result<Message> message_at(std::int64_t position, std::string_view topic);
  // The message at that offset of a queue. kNotFound tells which offsets there are.
  Result<Message> message_of_queue(const protocol::MessageQueue& queue, std::int64_t offset);

  // The broker itself.
  Result<std::map<std::string, std::string, std::less<>>> runtime_info();

 private:
  Result<protocol::Command> ask(protocol::Command request);
  Result<std::int64_t> queue_number(protocol::Command request, const protocol::MessageQueue& queue,
                                    std::string_view field);
  template <class Body>
  Result<Body> ask_body(protocol::Command request);
  template <class Page>
  Result<Page> ask_pages(protocol::RequestCode code, std::string_view sequence_field,
                         std::string_view limit_field, std::string_view total_field,
                         std::size_t (*merge)(Page& into, Page&& page));

  Connections& connections_;
  const std::string address_;
  const std::string who_;
};

}  // namespace gantry::client
