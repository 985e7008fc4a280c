// SPDX-License-Identifier: Apache-2.0
#include "protocol/properties.h"

#include <algorithm>

namespace gantry::protocol {

std::optional<std::string_view> find_property(std::string_view text, std::string_view name) {
  std::optional<std::string_view> found;
  for_each_property(text, [&](std::string_view key, std::string_view value) {
    if (key == name) found = value;
  });
  return found;
}

Properties Properties::parse(std::string_view text) {
  Properties result;
  for_each_property(
      text, [&](std::string_view name, std::string_view value) { result.set(name, value); });
  return result;
}

std::optional<std::string_view> Properties::find(std::string_view name) const {
  for (const auto& [key, value] : entries_) {
    if (key == name) return value;
  }
  return std::nullopt;
}

void Properties::set(std::string_view name, std::string_view value) {
  for (auto& [key, old] : entries_) {
    if (key == name) {
      old = value;
      return;
    }
  }
  entries_.emplace_back(name, value);
}

void Properties::erase(std::string_view name) {
  std::erase_if(entries_, [&](const auto& entry) { return entry.first == name; });
}

std::string Properties::text() const {
  std::string out;
  for (const auto& [name, value] : entries_) append_property(out, name, value);
  return out;
}

void append_property(std::string& out, std::string_view name, std::string_view value) {
  out.append(name);
  out.push_back('\x01');
  out.append(value);
  out.push_back('\x02');
}

}  // namespace gantry::protocol
