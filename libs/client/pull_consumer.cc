// SPDX-License-Identifier: Apache-2.0
#include "client/pull_consumer.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "net/remoting_client.h"
#include "runtime/shard.h"

namespace gantry::client {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// A broker that answers "nothing" faster than this does not hold pulls; it is asked less often.
constexpr milliseconds kHeldAtLeast{100};
constexpr milliseconds kNotHeldPause{200};

}  // namespace

PullConsumer::PullConsumer(runtime::Shard& shard, Options options, Events events)
    : shard_(shard),
      options_(std::move(options)),
      events_(std::move(events)),
      client_(std::make_unique<net::RemotingClient>(shard, nullptr)) {}

PullConsumer::~PullConsumer() {
  // Its end answers every pull with an error; nobody wants to hear of those.
  events_ = {};
  for (auto& [name, queue] : queues_) queue.ended = true;
  client_.reset();
}

void PullConsumer::add(const QueueAddress& queue, std::int64_t offset,
                       std::optional<std::int64_t> stop_at) {
  const auto [entry, fresh] = queues_.try_emplace(queue.queue);
  entry->second.at = queue;
  if (!fresh) return;
  entry->second.offset = offset;
  entry->second.stop_at = stop_at;
  pull_later(entry->second, milliseconds(0));
}

void PullConsumer::resume(const protocol::MessageQueue& queue) {
  const auto found = queues_.find(queue);
  if (found == queues_.end() || found->second.ended) return;
  pull(found->second);
}

void PullConsumer::pull_later(Queue& queue, milliseconds delay) {
  queue.pause = shard_.after(delay, [this, &queue] { pull(queue); });
}

void PullConsumer::pull(Queue& queue) {
  if (end_if_done(queue)) return;
  const auto begin = std::chrono::steady_clock::now();
  client_->call(queue.at.address, pull_request(options_.pull, queue.at.queue, queue.offset),
                options_.pull.suspend + options_.answer_timeout,
                [this, &queue, begin](Result<protocol::Command> answer) {
                  if (queue.ended) return;
                  const auto took = std::chrono::steady_clock::now() - begin;
                  on_answer(queue, std::move(answer),
                            std::chrono::duration_cast<microseconds>(took));
                });
}

bool PullConsumer::end_if_done(Queue& queue) {
  if (!queue.stop_at || queue.offset < *queue.stop_at) return false;
  queue.ended = true;
  if (events_.on_end) events_.on_end(queue.at.queue);
  return true;
}

void PullConsumer::on_answer(Queue& queue, Result<protocol::Command> answer, microseconds took) {
  const std::string who = fmt::format("broker {}", queue.at.address);
  auto parsed = answer ? parse_pull_answer(*answer, who)
                       : Result<PullAnswer>(std::unexpected(std::move(answer).error()));
  if (!parsed) {
    if (events_.on_error) events_.on_error(queue.at, parsed.error());
    pull_later(queue, options_.retry_delay);
    return;
  }
  if (parsed->kind != PullAnswer::Kind::kFound) {
    go_on(queue, *parsed, took);
    return;
  }
  queue.offset = parsed->next_offset;
  if (events_.on_batch({queue.at.queue, std::move(answer->body), *parsed, took}) == Next::kPull) {
    pull(queue);
  }
}

void PullConsumer::go_on(Queue& queue, const PullAnswer& answer, microseconds took) {
  if (answer.kind == PullAnswer::Kind::kNothingNew) {
    // What is to be read up to `stop_at` is gone or was never there.
    if (queue.stop_at) queue.offset = std::max(queue.offset, *queue.stop_at);
    if (took < kHeldAtLeast && !queue.stop_at) {
      pull_later(queue, kNotHeldPause);
      return;
    }
    pull(queue);
    return;
  }
  const bool moved = answer.next_offset != queue.offset;
  const bool backwards = answer.next_offset < queue.offset;
  queue.offset = answer.next_offset;
  if (queue.stop_at && backwards) queue.offset = *queue.stop_at;  // the queue was cut meanwhile
  if (moved) {
    pull(queue);
  } else {
    pull_later(queue, kNotHeldPause);
  }
}

}  // namespace gantry::client
