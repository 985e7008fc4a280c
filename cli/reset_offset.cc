// SPDX-License-Identifier: Apache-2.0
#include "cli/reset_offset.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "cli/confirm.h"
#include "cli/group_data.h"
#include "cli/json_output.h"
#include "cli/places.h"
#include "cli/table.h"
#include "cli/text.h"
#include "client/topic_queues.h"

namespace gantry::cli {
namespace {

using client::QueueAddress;
using protocol::MessageQueue;

struct Change {
  QueueAddress at;
  std::int64_t before = -1;  // -1: the group had no offset
  std::int64_t after = 0;
};

std::expected<std::vector<QueueAddress>, Failure> chosen_queues(
    const protocol::TopicRouteData& route, const ResetOptions& options) {
  auto queues = client::readable_queues(options.topic, route);
  if (options.queue.empty()) return queues;
  const auto name = parse_queue_name(options.queue);
  if (!name) return fail(ExitCode::kUsage, name.error().message);
  std::erase_if(queues, [&](const QueueAddress& queue) {
    return queue.queue.broker_name != name->broker || queue.queue.queue_id != name->id;
  });
  if (!queues.empty()) return queues;
  return fail(ExitCode::kNotFound,
              fmt::format("topic {} has no readable queue {}", options.topic, options.queue),
              fmt::format("See its queues with: gantry topic describe {}", options.topic));
}

std::expected<std::vector<Change>, Failure> plan(Context& context, const ResetOptions& options,
                                                 const std::vector<QueueAddress>& queues,
                                                 const Place& place) {
  std::vector<Change> changes;
  for (const QueueAddress& queue : queues) {
    client::Broker broker = context.broker(queue.address);
    const auto before = broker.consumer_offset(options.group, queue.queue);
    if (!before) return fail(before.error());
    const auto after = offset_of(broker, queue.queue, place);
    if (!after) return fail(after.error());
    if (place.kind == Place::Kind::kOffset) {
      const auto min = broker.min_offset(queue.queue);
      if (!min) return fail(min.error());
      const auto max = broker.max_offset(queue.queue);
      if (!max) return fail(max.error());
      if (*after < *min || *after > *max) {
        return fail(ExitCode::kFailed,
                    fmt::format("queue {}:{} has offsets {} to {}, {} is outside",
                                queue.queue.broker_name, queue.queue.queue_id, *min, *max, *after));
      }
    }
    changes.push_back({queue, before->value_or(-1), *after});
  }
  return changes;
}

// Asks the brokers to move the group, members that are online included. A broker that can do so
// only through members that are online (old ones answer "not found") gets the offsets written.
Outcome apply_to_broker(Context& context, const ResetOptions& options, const std::string& address,
                        std::vector<Change*> changes, const Place& place) {
  client::Broker broker = context.broker(address);
  const bool single = !options.queue.empty() || place.kind == Place::Kind::kOffset;
  std::map<MessageQueue, std::int64_t> offsets;
  for (const Change* change : changes) {
    client::Broker::Reset reset;
    reset.group = options.group;
    reset.topic = options.topic;
    if (single) {
      reset.queue_id = change->at.queue.queue_id;
      reset.offset = change->after;
      reset.timestamp_ms = 0;
    } else if (place.kind == Place::Kind::kTime) {
      reset.timestamp_ms = place.value;
    } else if (place.kind == Place::Kind::kEarliest) {
      reset.timestamp_ms = client::kEarliestTime;
    }
    auto done = broker.reset_offset(reset);
    if (!done && done.error().code != ErrorCode::kNotFound) return fail(done.error());
    if (!done) {
      for (Change* written : changes) {
        auto commit = broker.commit_offset(options.group, written->at.queue, written->after);
        if (!commit) return fail(commit.error());
      }
      return {};
    }
    offsets.merge(*done);
    if (!single) break;  // one request moved them all
  }
  for (Change* change : changes) {
    if (const auto found = offsets.find(change->at.queue); found != offsets.end()) {
      change->after = found->second;
    }
  }
  return {};
}

Outcome apply(Context& context, const ResetOptions& options, std::vector<Change>& changes,
              const Place& place) {
  std::map<std::string, std::vector<Change*>> by_broker;
  for (Change& change : changes) by_broker[change.at.address].push_back(&change);
  for (const auto& [address, of_broker] : by_broker) {
    if (auto done = apply_to_broker(context, options, address, of_broker, place); !done) {
      return done;
    }
  }
  return {};
}

void show(Context& context, const ResetOptions& options, const std::vector<Change>& changes) {
  if (context.options.json) {
    Json queues = Json::array();
    for (const Change& change : changes) {
      queues.push_back({{"broker", change.at.queue.broker_name},
                        {"queue", change.at.queue.queue_id},
                        {"oldOffset", change.before < 0 ? Json(nullptr) : Json(change.before)},
                        {"newOffset", change.after}});
    }
    print_json(context, {{"group", options.group},
                         {"topic", options.topic},
                         {"changed", !options.dry_run},
                         {"queues", queues}});
    return;
  }
  Table table({{"BROKER"},
               {"QUEUE", Table::Align::kRight},
               {"OLD OFFSET", Table::Align::kRight},
               {"NEW OFFSET", Table::Align::kRight}});
  for (const Change& change : changes) {
    table.add({change.at.queue.broker_name, std::to_string(change.at.queue.queue_id),
               change.before < 0 ? "-" : std::to_string(change.before),
               std::to_string(change.after)});
  }
  context.env.out << table.text()
                  << (options.dry_run ? "\nNothing was changed (--dry-run).\n"
                                      : fmt::format("\nGroup {} goes on there.\n", options.group));
}

}  // namespace

Outcome reset_offset(Context& context, const ResetOptions& options) {
  const auto place = parse_place(options.to, context.env.clock.wall_ms());
  if (!place) return fail(ExitCode::kUsage, place.error().message);
  const auto group = find_group(context, options.group);
  if (!group) return std::unexpected(group.error());
  const auto route = context.route(options.topic);
  if (!route) return std::unexpected(route.error());
  const auto queues = chosen_queues(*route, options);
  if (!queues) return std::unexpected(queues.error());
  auto changes = plan(context, options, *queues, *place);
  if (!changes) return std::unexpected(changes.error());
  if (!options.dry_run) {
    auto agreed = confirm(
        context, options.yes,
        fmt::format("Move group {} to {} in {} queue{} of topic {}?", options.group, options.to,
                    changes->size(), changes->size() == 1 ? "" : "s", options.topic));
    if (!agreed) return agreed;
    if (auto done = apply(context, options, *changes, *place); !done) return done;
  }
  show(context, options, *changes);
  return {};
}

}  // namespace gantry::cli
