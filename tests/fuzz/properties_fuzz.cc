// SPDX-License-Identifier: Apache-2.0
// Properties files of any content: parsing must not fail in any way but a reported one, what it
// yields must survive being written and read again, and setting a key must set that key only.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/source.h"

namespace {

using gantry::config::Entry;

void require(bool condition) {
  if (!condition) std::abort();
}

std::map<std::string, std::string> effective(const std::vector<Entry>& entries) {
  std::map<std::string, std::string> values;
  for (const Entry& entry : entries) values.insert_or_assign(entry.key, entry.value);
  return values;
}

void check_round_trip(const std::vector<Entry>& entries) {
  std::string text;
  for (const Entry& entry : entries) gantry::config::append_property(text, entry.key, entry.value);
  const auto again = gantry::config::parse_properties(text);
  require(again.has_value() && again->size() == entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    require((*again)[i].key == entries[i].key && (*again)[i].value == entries[i].value);
  }
}

void check_lines(const std::vector<Entry>& entries) {
  int last = 0;
  for (const Entry& entry : entries) {
    require(entry.line > last);
    last = entry.line;
  }
}

void check_edit(std::string_view text, const std::vector<Entry>& entries) {
  const std::string key = entries.empty() ? "k" : entries[entries.size() / 2].key;
  const auto edited =
      gantry::config::set_value(text, gantry::config::Syntax::kProperties, key, "v");
  if (!edited) return;  // refused because of the layout
  auto expected = effective(entries);
  expected.insert_or_assign(key, "v");
  require(effective(gantry::config::parse_properties(*edited).value()) == expected);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto entries = gantry::config::parse_properties(text);
  if (!entries) {
    require(!entries.error().message.empty());
    return 0;
  }
  check_lines(*entries);
  check_round_trip(*entries);
  check_edit(text, *entries);
  return 0;
}
