// SPDX-License-Identifier: Apache-2.0
#include "broker/pull/held_pulls.h"

#include <algorithm>

namespace gantry::broker {

void HeldPulls::hold(HeldPull pull) {
  Topic& topic = topics_[pull.request.topic];
  const auto index = static_cast<std::size_t>(pull.request.queue_id);
  if (topic.queues.size() <= index) topic.queues.resize(index + 1);
  topic.queues[index].pulls.push_back(std::move(pull));
  ++size_;
}

namespace {

// Moves the elements for which pred holds to `out`; order is kept.
template <class Pred>
std::size_t move_if(std::vector<HeldPull>& from, Pred&& pred, std::vector<HeldPull>& out) {
  const auto rest = std::stable_partition(from.begin(), from.end(),
                                          [&](const HeldPull& pull) { return !pred(pull); });
  const auto count = static_cast<std::size_t>(from.end() - rest);
  out.insert(out.end(), std::make_move_iterator(rest), std::make_move_iterator(from.end()));
  from.erase(rest, from.end());
  return count;
}

}  // namespace

template <class Pred>
void HeldPulls::take_if(Pred&& pred, std::vector<HeldPull>& out) {
  for (auto it = topics_.begin(); it != topics_.end();) {
    bool any = false;
    for (Queue& queue : it->second.queues) {
      size_ -= move_if(queue.pulls, pred, out);
      any = any || !queue.pulls.empty();
    }
    it = any ? std::next(it) : topics_.erase(it);
  }
}

void HeldPulls::take_matching(std::string_view topic, std::int32_t queue_id, QueueOffset offset,
                              std::int64_t tags_code, std::vector<HeldPull>& out) {
  if (size_ == 0) return;
  const auto it = topics_.find(topic);
  if (it == topics_.end()) return;
  const auto index = static_cast<std::size_t>(queue_id);
  if (index >= it->second.queues.size() || it->second.queues[index].pulls.empty()) return;
  size_ -= move_if(
      it->second.queues[index].pulls,
      [&](const HeldPull& pull) {
        return offset >= pull.request.offset && pull.filter.matches(tags_code);
      },
      out);
}

void HeldPulls::take_expired(std::int64_t now_ms, std::vector<HeldPull>& out) {
  take_if([&](const HeldPull& pull) { return pull.deadline_ms <= now_ms; }, out);
}

void HeldPulls::take_advanced(
    const std::function<bool(std::string_view, std::int32_t, QueueOffset)>& advanced,
    std::vector<HeldPull>& out) {
  take_if(
      [&](const HeldPull& pull) {
        return advanced(pull.request.topic, pull.request.queue_id, pull.request.offset);
      },
      out);
}

void HeldPulls::take_all(std::vector<HeldPull>& out) {
  take_if([](const HeldPull&) { return true; }, out);
}

void HeldPulls::drop_connection(net::ConnectionId connection) {
  std::vector<HeldPull> dropped;
  take_if([&](const HeldPull& pull) { return pull.responder.connection_id() == connection; },
          dropped);
}

}  // namespace gantry::broker
