// SPDX-License-Identifier: Apache-2.0
// The text of Apache's configuration files, both ways.
#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "protocol/json_lenient.h"
#include "protocol/json_writer.h"
#include "state/apache_config.h"

namespace gantry::state {
namespace {

using protocol::JsonDocument;
using protocol::JsonNode;
using protocol::JsonWriter;

std::unexpected<Error> corrupt(std::string message) {
  return make_error(ErrorCode::kCorrupt, std::move(message));
}

template <class Number>
Result<Number> number_of(std::string_view text, std::string_view what) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return corrupt(fmt::format("{}: \"{}\" is not a whole number", what, text));
  }
  return number;
}

Result<protocol::DataVersion> version_of(const JsonNode& root) {
  protocol::DataVersion version;
  const auto node = root.member("dataVersion");
  if (!node) return version;
  const auto take = [&](std::string_view name, std::int64_t& out) -> Result<void> {
    const auto member = node->member(name);
    if (!member) return {};
    auto number = number_of<std::int64_t>(member->text(), name);
    if (!number) return std::unexpected(std::move(number).error());
    out = *number;
    return {};
  };
  GANTRY_TRY(take("stateVersion", version.state_version));
  GANTRY_TRY(take("timestamp", version.timestamp_ms));
  GANTRY_TRY(take("counter", version.counter));
  return version;
}

Result<void> queue_offsets(const JsonNode& queues, ImportedState& out) {
  const std::string_view key = queues.key();
  const std::size_t at = key.find('@');
  if (at == 0 || at == std::string_view::npos || at + 1 == key.size()) {
    return corrupt(fmt::format("offsetTable: key \"{}\" is not topic@group", key));
  }
  if (!queues.is_object()) return corrupt(fmt::format("offsetTable: {} is not an object", key));
  Result<void> result;
  queues.for_each([&](const JsonNode& node) {
    auto queue_id = number_of<std::int32_t>(node.key(), key);
    auto offset = number_of<std::int64_t>(node.text(), key);
    if (!queue_id) result = std::unexpected(std::move(queue_id).error());
    if (!offset) result = std::unexpected(std::move(offset).error());
    if (!result) return false;
    out.offsets.push_back({std::string(key.substr(at + 1)), std::string(key.substr(0, at)),
                           *queue_id, QueueOffset(*offset)});
    return true;
  });
  return result;
}

void write_version(JsonWriter& out, const protocol::DataVersion& version) {
  out.key("dataVersion").raw(version.to_json());
}

}  // namespace

Result<void> parse_topics_json(std::string_view text, ImportedState& out) {
  auto table = protocol::TopicConfigTable::from_json(text);
  if (!table) return std::unexpected(std::move(table).error());
  out.topics_version = table->data_version;
  for (auto& [name, config] : table->topics) {
    if (config.topic_name.empty()) config.topic_name = name;
    out.topics.push_back(std::move(config));
  }
  return {};
}

Result<void> parse_subscription_group_json(std::string_view text, ImportedState& out) {
  auto table = protocol::SubscriptionGroupTable::from_json(text);
  if (!table) return std::unexpected(std::move(table).error());
  out.groups_version = table->data_version;
  for (auto& [name, config] : table->groups) {
    if (config.group_name.empty()) config.group_name = name;
    out.groups.push_back(std::move(config));
  }
  for (const auto& [group, by_topic] : table->forbidden) {
    for (const auto& [topic, bits] : by_topic) {
      if (bits != 0) out.forbidden.push_back({group, topic, bits});
    }
  }
  return {};
}

Result<void> parse_consumer_offset_json(std::string_view text, ImportedState& out) {
  auto document = JsonDocument::parse(text);
  if (!document) return std::unexpected(std::move(document).error());
  const JsonNode root = document->root();
  if (!root.is_object()) return corrupt("not a JSON object");
  auto version = version_of(root);
  if (!version) return std::unexpected(std::move(version).error());
  out.offsets_version = *version;
  const auto table = root.member("offsetTable");
  if (!table) return {};
  if (!table->is_object()) return corrupt("offsetTable is not an object");
  Result<void> result;
  table->for_each([&](const JsonNode& queues) {
    result = queue_offsets(queues, out);
    return result.has_value();
  });
  return result;
}

Result<void> parse_delay_offset_json(std::string_view text, ImportedState& out) {
  auto document = JsonDocument::parse(text);
  if (!document) return std::unexpected(std::move(document).error());
  const JsonNode root = document->root();
  if (!root.is_object()) return corrupt("not a JSON object");
  auto version = version_of(root);
  if (!version) return std::unexpected(std::move(version).error());
  out.delay_version = *version;
  const auto table = root.member("offsetTable");
  if (!table) return {};
  if (!table->is_object()) return corrupt("offsetTable is not an object");
  Result<void> result;
  table->for_each([&](const JsonNode& node) {
    auto level = number_of<std::int32_t>(node.key(), "delay level");
    auto next = number_of<std::int64_t>(node.text(), "delay offset");
    if (!level) result = std::unexpected(std::move(level).error());
    if (!next) result = std::unexpected(std::move(next).error());
    if (result) out.delay_offsets.push_back({*level, QueueOffset(*next)});
    return result.has_value();
  });
  return result;
}

std::string topics_json(const StateMachine& machine) {
  JsonWriter out;
  out.begin_object();
  write_version(out, machine.topics().data_version());
  out.key("topicConfigTable").begin_object();
  for (const protocol::TopicConfig* config : machine.topics().all()) {
    out.key(config->topic_name).raw(config->to_json());
  }
  out.end_object().end_object();
  return out.take();
}

std::string subscription_group_json(const StateMachine& machine) {
  JsonWriter out;
  out.begin_object();
  write_version(out, machine.groups().data_version());
  out.key("forbiddenTable").begin_object();
  for (const auto& [group, by_topic] : machine.groups().all_forbidden()) {
    out.key(group).begin_object();
    for (const auto& [topic, bits] : by_topic) out.key(topic).value(bits);
    out.end_object();
  }
  out.end_object();
  out.key("subscriptionGroupTable").begin_object();
  for (const protocol::SubscriptionGroupConfig* config : machine.groups().all()) {
    out.key(config->group_name).raw(config->to_json());
  }
  out.end_object().end_object();
  return out.take();
}

std::string consumer_offset_json(const StateMachine& machine) {
  std::map<std::string, std::set<std::string>> topics_of_group;
  std::map<std::string, const OffsetTable::Tree::Queues*> sorted;
  machine.offsets().tree().for_each([&](const std::string& group, const std::string& topic,
                                        const OffsetTable::Tree::Queues& queues) {
    topics_of_group[group].insert(topic);
    sorted.emplace(topic + "@" + group, &queues);
  });
  JsonWriter out;
  out.begin_object();
  write_version(out, machine.offsets().data_version());
  out.key("groupTopicMap").begin_object();
  for (const auto& [group, topics] : topics_of_group) {
    out.key(group).begin_array();
    for (const std::string& topic : topics) out.value(topic);
    out.end_array();
  }
  out.end_object();
  out.key("offsetTable").begin_object();
  for (const auto& [name, queues] : sorted) {
    out.key(name).begin_object();
    for (const auto& [queue_id, entry] : *queues) {
      out.key(std::int64_t{queue_id}).value(entry.offset.v);
    }
    out.end_object();
  }
  out.end_object().end_object();
  return out.take();
}

std::string delay_offset_json(const StateMachine& machine) {
  JsonWriter out;
  out.begin_object();
  write_version(out, machine.delays().data_version());
  out.key("offsetTable").begin_object();
  for (const auto& [level, next] : machine.delays().all()) {
    out.key(std::int64_t{level}).value(next.v);
  }
  out.end_object().end_object();
  return out.take();
}

ApacheConfigFiles render_apache_config(const StateMachine& machine) {
  return {topics_json(machine), subscription_group_json(machine), consumer_offset_json(machine),
          delay_offset_json(machine)};
}

}  // namespace gantry::state
