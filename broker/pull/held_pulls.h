// SPDX-License-Identifier: Apache-2.0
// Pulls that found nothing and wait (long polling), by queue. Woken by the commit of a matching
// message, by their timeout, or by the 5 s sweep that ignores filters, so that the offsets of
// selective consumers advance. Log shard only.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "base/string_hash.h"
#include "broker/core/dispatcher.h"
#include "broker/pull/message_filter.h"
#include "broker/pull/pull_request.h"

namespace gantry::broker {

struct HeldPull {
  PullRequest request;
  MessageFilter filter;
  Responder responder;
  std::int64_t deadline_ms = 0;  // wall clock of the shard
  std::int64_t arrived_us = 0;
  std::int32_t code = 0;  // of the request
  bool was_held = false;
};

class HeldPulls {
 public:
  void hold(HeldPull pull);
  // Takes out the pulls of the queue that a message with this tag code at `offset` wakes.
  void take_matching(std::string_view topic, std::int32_t queue_id, QueueOffset offset,
                     std::int64_t tags_code, std::vector<HeldPull>& out);
  // Takes out those whose time is up.
  void take_expired(std::int64_t now_ms, std::vector<HeldPull>& out);
  // Takes out those for which `advanced(topic, queue_id, offset)` says there is more now.
  void take_advanced(
      const std::function<bool(std::string_view, std::int32_t, QueueOffset)>& advanced,
      std::vector<HeldPull>& out);
  void take_all(std::vector<HeldPull>& out);
  void drop_connection(net::ConnectionId connection);
  std::size_t size() const { return size_; }

 private:
  struct Queue {
    std::vector<HeldPull> pulls;
  };
  struct Topic {
    std::vector<Queue> queues;  // by id
  };
  template <class Pred>
  void take_if(Pred&& pred, std::vector<HeldPull>& out);

  StringMap<Topic> topics_;
  std::size_t size_ = 0;
};

}  // namespace gantry::broker
