// SPDX-License-Identifier: Apache-2.0
#include "state/topic_rules.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>
#include <vector>

#include "state/name_rules.h"
#include "state/system_topics.h"

namespace gantry::state {
namespace {

std::unexpected<Error> refuse(std::string remark) {
  return make_error(ErrorCode::kInvalidArgument, std::move(remark));
}

// Values of an attribute: a set of names, or a range of whole numbers when `names` is empty.
struct AttributeRule {
  std::string_view key;
  bool changeable = false;
  std::array<std::string_view, 8> names{};
  std::int64_t min = 0;
  std::int64_t max = 0;
};

// The names stand in the order in which RocketMQ lists them in its remark.
constexpr std::array<AttributeRule, 4> kRules = {{
    {"queue.type", false, {"SimpleCQ", "BatchCQ"}},
    {"cleanup.policy", false, {"DELETE", "COMPACTION"}},
    {"message.type",
     true,
     {"UNSPECIFIED", "MIXED", "TRANSACTION", "PRIORITY", "FIFO", "DELAY", "LITE", "NORMAL"}},
    {"reserve.time", true, {}, -1, std::numeric_limits<std::int64_t>::max()},
}};

Result<void> check_value(const AttributeRule& rule, std::string_view value) {
  if (rule.names.front().empty()) {
    std::int64_t number = 0;
    // Java reads a leading plus sign too.
    const std::string_view digits = value.starts_with('+') ? value.substr(1) : value;
    const char* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, number);
    if (error != std::errc() || stop != end) {
      return refuse(fmt::format("For input string: \"{}\"", value));
    }
    if (number >= rule.min && number <= rule.max) return {};
    return refuse(fmt::format("value is not in range({}, {})", rule.min, rule.max));
  }
  std::string allowed;
  for (const std::string_view name : rule.names) {
    if (name.empty()) break;
    if (name == value) return {};
    allowed.append(allowed.empty() ? "" : ", ").append(name);
  }
  return refuse(fmt::format("value is not in set: [{}]", allowed));
}

// One item of the text: `+key=value` or `-key`.
struct Change {
  bool add = false;
  std::string key;
  std::string value;
};

Result<Change> parse_change(std::string_view item) {
  const std::size_t equals = item.find('=');
  const std::string_view marked = item.substr(0, equals);
  Change change;
  if (equals != std::string_view::npos) {
    if (!marked.contains('+')) {
      return refuse(fmt::format("add/alter attribute format is wrong: {}", marked));
    }
    change.value = item.substr(equals + 1, item.find('=', equals + 1) - equals - 1);
  } else if (!marked.contains('-')) {
    return refuse(fmt::format("delete attribute format is wrong: {}", marked));
  }
  change.add = marked.starts_with('+');
  change.key = marked.substr(1);
  if (change.key.empty() || change.key.find_first_of("+-") != std::string::npos) {
    return refuse("kv string format wrong.");
  }
  if (!change.add && !marked.starts_with('-')) {
    return refuse(fmt::format("wrong format key: {}", change.key));
  }
  return change;
}

Result<void> check_change(const Change& change, const TopicAttributes* current) {
  if (!change.add) {
    if (current == nullptr) {
      return refuse(
          fmt::format("only add attribute is supported while creating topic. key: {}", change.key));
    }
    if (!current->contains(change.key)) {
      return refuse(fmt::format("attempt to delete a nonexistent key: {}", change.key));
    }
  }
  const auto rule = std::find_if(kRules.begin(), kRules.end(), [&](const AttributeRule& candidate) {
    return candidate.key == change.key;
  });
  if (rule == kRules.end()) return refuse(fmt::format("unsupported key: {}", change.key));
  if (current != nullptr && !rule->changeable) {
    return refuse(fmt::format("attempt to update an unchangeable attribute. key: {}", change.key));
  }
  return change.add ? check_value(*rule, change.value) : Result<void>();
}

}  // namespace

Result<protocol::TopicConfig> inherit_topic(const protocol::TopicConfig& topic_template,
                                            std::string_view topic, const InheritOptions& options) {
  const bool template_off =
      topic_template.topic_name == kAutoCreateTopic && !options.auto_create_topic_enable;
  if ((topic_template.perm & protocol::kPermInherit) == 0 || template_off) {
    return refuse(
        fmt::format("topic {} may not be created from {}", topic, topic_template.topic_name));
  }
  protocol::TopicConfig config;
  config.topic_name = std::string(topic);
  config.write_queue_nums =
      std::max(0, std::min(options.default_topic_queue_nums, topic_template.write_queue_nums));
  config.read_queue_nums = config.write_queue_nums;
  config.perm = topic_template.perm & ~protocol::kPermInherit;
  config.topic_sys_flag = options.topic_sys_flag;
  config.topic_filter_type = topic_template.topic_filter_type;
  return config;
}

protocol::TopicConfig make_retry_topic(std::string_view group, std::int32_t retry_queue_nums,
                                       std::int32_t topic_sys_flag) {
  protocol::TopicConfig config;
  config.topic_name = retry_topic(group);
  config.read_queue_nums = retry_queue_nums;
  config.write_queue_nums = retry_queue_nums;
  config.topic_sys_flag = topic_sys_flag;
  return config;
}

protocol::TopicConfig make_dlq_topic(std::string_view group) {
  protocol::TopicConfig config;
  config.topic_name = dlq_topic(group);
  config.read_queue_nums = 1;
  config.write_queue_nums = 1;
  return config;
}

Result<TopicAttributes> alter_topic_attributes(const TopicAttributes* current,
                                               std::string_view text) {
  TopicAttributes out = current == nullptr ? TopicAttributes() : *current;
  std::vector<Change> seen;
  while (!text.empty()) {
    const std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), item.size() + 1));
    auto change = parse_change(item);
    if (!change) return std::unexpected(std::move(change).error());
    const auto before = std::find_if(seen.begin(), seen.end(), [&](const Change& earlier) {
      return earlier.key == change->key;
    });
    if (before != seen.end() && before->add == change->add) {
      return refuse(fmt::format("key duplication: {}{}", change->add ? "+" : "-", change->key));
    }
    GANTRY_TRY(check_change(*change, current));
    if (before != seen.end()) {
      return refuse(fmt::format("alter duplication key. key: {}", change->key));
    }
    seen.push_back(*change);
    if (change->add) {
      out.insert_or_assign(change->key, change->value);
    } else {
      out.erase(change->key);
    }
  }
  return out;
}

}  // namespace gantry::state
