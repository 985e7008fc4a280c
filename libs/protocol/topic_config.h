// SPDX-License-Identifier: Apache-2.0
// TopicConfig and the bodies that carry topic configs: the table of codes 21 and 103, the list of
// code 18. Plain values; no thread rules.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "protocol/data_version.h"
#include "protocol/topic_queue_mapping.h"

namespace gantry::protocol {

// Bits of TopicConfig::perm and QueueData::perm.
inline constexpr std::int32_t kPermInherit = 1;
inline constexpr std::int32_t kPermWrite = 2;
inline constexpr std::int32_t kPermRead = 4;
inline constexpr std::int32_t kPermPriority = 8;

// Bits of topicSysFlag.
inline constexpr std::int32_t kTopicSysFlagUnit = 1;
inline constexpr std::int32_t kTopicSysFlagUnitSub = 2;

enum class TopicFilterType : std::uint8_t { kSingleTag = 0, kMultiTag = 1 };
std::string_view topic_filter_type_name(TopicFilterType type);  // "SINGLE_TAG", "MULTI_TAG"
Result<TopicFilterType> topic_filter_type_from_name(std::string_view name);

struct TopicConfig {
  std::string topic_name;
  std::int32_t read_queue_nums = 16;
  std::int32_t write_queue_nums = 16;
  std::int32_t perm = kPermRead | kPermWrite;
  TopicFilterType topic_filter_type = TopicFilterType::kSingleTag;
  std::int32_t topic_sys_flag = 0;
  bool order = false;
  std::map<std::string, std::string, std::less<>> attributes;  // keys without the leading '+'

  bool operator==(const TopicConfig&) const = default;

  std::string to_json() const;
  static Result<TopicConfig> from_json(std::string_view body);
};

// Java: TopicConfigAndMappingSerializeWrapper. The detail map of static topics is always written
// as {} and ignored on read: Gantry has no static topics and no reader of ours needs it.
struct TopicConfigTable {
  std::map<std::string, TopicConfig, std::less<>> topics;
  DataVersion data_version;
  DataVersion mapping_data_version;
  std::map<std::string, TopicQueueMappingInfo, std::less<>> mapping_infos;  // by topic

  bool operator==(const TopicConfigTable&) const = default;

  std::string to_json() const;
  static Result<TopicConfigTable> from_json(std::string_view body);
};

// Body of code 18.
struct TopicConfigList {
  std::vector<TopicConfig> configs;

  bool operator==(const TopicConfigList&) const = default;

  std::string to_json() const;
  static Result<TopicConfigList> from_json(std::string_view body);
};

}  // namespace gantry::protocol
