// SPDX-License-Identifier: Apache-2.0
#include "client/producer.h"

#include <fmt/core.h>

#include <optional>

#include "client/connections.h"
#include "client/name_server.h"

namespace gantry::client {
namespace {

// The address part of a unique id; the random part is what keeps ids of machines apart.
protocol::RecordHost id_host() {
  protocol::RecordHost host;
  host.ip[0] = 127;
  host.ip[3] = 1;
  return host;
}

}  // namespace

Producer::Producer(Connections& connections, NameServer& name_server, Options options,
                   const Clock& clock)
    : connections_(connections),
      name_server_(name_server),
      options_(std::move(options)),
      clock_(clock),
      ids_(id_host(), options_.pid, options_.random) {}

Result<Producer::Route*> Producer::route(const std::string& topic) {
  const std::int64_t now = clock_.steady_us();
  const auto known = routes_.find(topic);
  if (known != routes_.end() &&
      now - known->second.fetched_us < std::chrono::microseconds(options_.route_lifetime).count()) {
    return &known->second;
  }
  auto data = name_server_.route(topic);
  if (!data) return std::unexpected(std::move(data).error());
  auto queues = writable_queues(topic, *data);
  if (queues.empty()) {
    routes_.erase(topic);
    return make_error(
        ErrorCode::kUnavailable,
        fmt::format("topic {} has no writable queue on a broker with a master", topic));
  }
  // Producers that start together begin with different queues.
  Route& route = routes_[topic];
  route = {RoundRobin(std::move(queues), options_.random), now};
  return &route;
}

Result<Producer::Sent> Producer::send(const OutgoingMessage& message) {
  Sent sent;
  sent.message_id = ids_.next(clock_.wall_ms());
  const auto properties = property_text(message, sent.message_id);
  if (!properties) return std::unexpected(properties.error());
  std::optional<Error> last;
  std::string failed_broker;
  for (sent.attempts = 1; sent.attempts <= options_.attempts; ++sent.attempts) {
    auto queues = route(message.topic);
    if (!queues) return std::unexpected(last ? *last : std::move(queues).error());
    RoundRobin& turn = (*queues)->queues;
    const QueueAddress target = !message.sharding_key.empty() ? turn.of_key(message.sharding_key)
                                : failed_broker.empty()       ? turn.next()
                                                              : turn.next_avoiding(failed_broker);
    auto answer = connections_.call(
        target.address,
        send_request(message, *properties, target.queue, options_.group, clock_.wall_ms()),
        options_.send_timeout);
    if (answer) {
      auto receipt =
          parse_send_answer(*answer, target.queue, fmt::format("broker {}", target.address));
      if (receipt) {
        sent.receipt = std::move(*receipt);
        return sent;
      }
      if (!is_retryable_send(answer->code)) return std::unexpected(std::move(receipt).error());
      last = std::move(receipt).error();
    } else {
      last = std::move(answer).error();
      last->message = fmt::format("broker {}", last->message);
    }
    failed_broker = target.queue.broker_name;
    routes_.erase(message.topic);
  }
  return std::unexpected(std::move(*last));
}

}  // namespace gantry::client
