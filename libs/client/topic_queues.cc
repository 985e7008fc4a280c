// SPDX-License-Identifier: Apache-2.0
#include "client/topic_queues.h"

#include <algorithm>

#include "protocol/tags.h"
#include "protocol/topic_config.h"

namespace gantry::client {
namespace {

const protocol::BrokerData* find_broker(const protocol::TopicRouteData& route,
                                        std::string_view name) {
  const auto found =
      std::ranges::find(route.broker_datas, name, &protocol::BrokerData::broker_name);
  return found == route.broker_datas.end() ? nullptr : &*found;
}

void add_queues(std::vector<QueueAddress>& out, std::string_view topic,
                const std::string& broker_name, const std::string& address, std::int32_t count) {
  for (std::int32_t id = 0; id < count; ++id) {
    out.push_back({{std::string(topic), broker_name, id}, address});
  }
}

std::vector<QueueAddress> sorted(std::vector<QueueAddress> queues) {
  std::ranges::sort(queues, {}, &QueueAddress::queue);
  return queues;
}

}  // namespace

std::optional<std::string> master_address(const protocol::BrokerData& broker) {
  const auto master = broker.broker_addrs.find(protocol::kMasterBrokerId);
  if (master == broker.broker_addrs.end()) return std::nullopt;
  return master->second;
}

std::optional<std::string> any_address(const protocol::BrokerData& broker) {
  if (broker.broker_addrs.empty()) return std::nullopt;
  return broker.broker_addrs.begin()->second;  // sorted by id: the master if there is one
}

std::vector<QueueAddress> writable_queues(std::string_view topic,
                                          const protocol::TopicRouteData& route) {
  std::vector<QueueAddress> queues;
  for (const protocol::QueueData& data : route.queue_datas) {
    if ((data.perm & protocol::kPermWrite) == 0) continue;
    const protocol::BrokerData* broker = find_broker(route, data.broker_name);
    if (broker == nullptr) continue;
    const auto address = master_address(*broker);
    if (address) add_queues(queues, topic, data.broker_name, *address, data.write_queue_nums);
  }
  return sorted(std::move(queues));
}

std::vector<QueueAddress> readable_queues(std::string_view topic,
                                          const protocol::TopicRouteData& route) {
  std::vector<QueueAddress> queues;
  for (const protocol::QueueData& data : route.queue_datas) {
    if ((data.perm & protocol::kPermRead) == 0) continue;
    const protocol::BrokerData* broker = find_broker(route, data.broker_name);
    if (broker == nullptr) continue;
    const auto address = any_address(*broker);
    if (address) add_queues(queues, topic, data.broker_name, *address, data.read_queue_nums);
  }
  return sorted(std::move(queues));
}

RoundRobin::RoundRobin(std::vector<QueueAddress> queues, std::size_t start)
    : queues_(std::move(queues)) {
  std::ranges::stable_sort(queues_, [](const QueueAddress& a, const QueueAddress& b) {
    return a.queue.queue_id < b.queue.queue_id;
  });
  if (!queues_.empty()) next_ = start % queues_.size();
}

const QueueAddress& RoundRobin::next() {
  const QueueAddress& chosen = queues_[next_];
  next_ = (next_ + 1) % queues_.size();
  return chosen;
}

const QueueAddress& RoundRobin::next_avoiding(std::string_view avoid) {
  for (std::size_t tried = 0; tried < queues_.size(); ++tried) {
    const QueueAddress& chosen = next();
    if (chosen.queue.broker_name != avoid) return chosen;
  }
  return next();
}

const QueueAddress& RoundRobin::of_key(std::string_view key) const {
  const auto hash = static_cast<std::uint32_t>(protocol::java_hash(key));
  return queues_[hash % queues_.size()];
}

}  // namespace gantry::client
