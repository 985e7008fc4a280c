// SPDX-License-Identifier: Apache-2.0
#include "config/option_table.h"

#include <array>
#include <charconv>

namespace gantry::config {

std::string integer_text(std::int64_t value) { return std::to_string(value); }

std::string double_text(double value) {
  std::array<char, 64> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return {buffer.data(), end.ptr};
}

std::string join_list(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) {
    if (!text.empty()) text += ';';
    text += item;
  }
  return text;
}

std::vector<Entry> parse_overrides(const std::vector<std::string>& overrides,
                                   std::vector<std::string>& errors) {
  std::vector<Entry> entries;
  for (const std::string& text : overrides) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      errors.push_back("command line: \"" + text + "\" is not of the form key=value");
      continue;
    }
    entries.push_back({text.substr(0, equals), text.substr(equals + 1), 0});
  }
  return entries;
}

std::string join_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    if (!text.empty()) text += '\n';
    text += line;
  }
  return text;
}

}  // namespace gantry::config
