// SPDX-License-Identifier: Apache-2.0
// What queues and index need to know of a record's properties, gathered in one pass.
#pragma once

#include <charconv>
#include <cstdint>
#include <string_view>

#include "protocol/properties.h"

namespace gantry::broker {

struct RecordFacts {
  std::string_view tags;
  std::string_view keys;
  std::string_view uniq_key;
  std::int32_t delay_level = 0;

  static RecordFacts of(std::string_view properties) {
    RecordFacts facts;
    protocol::for_each_property(properties, [&](std::string_view name, std::string_view value) {
      switch (name.size()) {
        case 4:
          if (name == protocol::property::kTags)
            facts.tags = value;
          else if (name == protocol::property::kKeys)
            facts.keys = value;
          break;
        case 5:
          if (name == protocol::property::kDelay) {
            std::from_chars(value.data(), value.data() + value.size(), facts.delay_level);
          }
          break;
        case 8:
          if (name == protocol::property::kUniqKey) facts.uniq_key = value;
          break;
        default:
          break;
      }
    });
    return facts;
  }
};

// Calls fn for each word of a KEYS value.
template <class Fn>
void for_each_key(std::string_view keys, Fn&& fn) {
  while (!keys.empty()) {
    const std::size_t space = keys.find(' ');
    const std::string_view word = keys.substr(0, space);
    if (!word.empty()) fn(word);
    if (space == std::string_view::npos) return;
    keys.remove_prefix(space + 1);
  }
}

}  // namespace gantry::broker
