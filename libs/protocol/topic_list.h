// SPDX-License-Identifier: Apache-2.0
// TopicList (206, 224, 304, 305, 311-313, 343) and GroupList (300).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace gantry::protocol {

struct TopicList {
  std::vector<std::string> topics;  // wire name: topicList
  std::optional<std::string> broker_addr;

  bool operator==(const TopicList&) const = default;

  std::string to_json() const;
  static Result<TopicList> from_json(std::string_view body);
};

struct GroupList {
  std::vector<std::string> groups;  // wire name: groupList

  bool operator==(const GroupList&) const = default;

  std::string to_json() const;
  static Result<GroupList> from_json(std::string_view body);
};

}  // namespace gantry::protocol
