// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>

#include "config/source.h"

namespace gantry::config {
namespace {

// The natural lines of a text, each with its line end.
std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
    if (end < text.size()) end += text.substr(end, 2) == "\r\n" ? 2 : 1;
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return lines;
}

bool is_empty_or_comment(std::string_view line) {
  const std::size_t at = line.find_first_not_of(" \t\f\r\n");
  return at == std::string_view::npos || line[at] == '#' || line[at] == '!';
}

// Lines [first, last) that hold entry `index`: up to the next entry, without what precedes that.
std::pair<std::size_t, std::size_t> lines_of(const std::vector<Entry>& entries, std::size_t index,
                                             const std::vector<std::string_view>& lines) {
  const auto first = static_cast<std::size_t>(entries[index].line) - 1;
  std::size_t last = lines.size();
  if (index + 1 < entries.size()) last = static_cast<std::size_t>(entries[index + 1].line) - 1;
  while (last > first + 1 && is_empty_or_comment(lines[last - 1])) --last;
  return {first, std::max(last, first + 1)};
}

std::string yaml_line(std::string_view key, std::string_view value) {
  std::string text(key);
  text += ": \"";
  for (const char c : value) {
    switch (c) {
      case '"':
        text += "\\\"";
        break;
      case '\\':
        text += "\\\\";
        break;
      case '\n':
        text += "\\n";
        break;
      case '\r':
        text += "\\r";
        break;
      case '\t':
        text += "\\t";
        break;
      default:
        text += c;
    }
  }
  text += "\"\n";
  return text;
}

Result<std::vector<Entry>> parse(std::string_view text, Syntax syntax) {
  return syntax == Syntax::kYaml ? parse_yaml(text) : parse_properties(text);
}

std::map<std::string, std::string> effective(const std::vector<Entry>& entries) {
  std::map<std::string, std::string> values;
  for (const Entry& entry : entries) values.insert_or_assign(entry.key, entry.value);
  return values;
}

std::string replace_lines(const std::vector<std::string_view>& lines,
                          std::pair<std::size_t, std::size_t> range, std::string_view with) {
  std::string out;
  for (std::size_t i = 0; i < range.first; ++i) out += lines[i];
  if (!out.empty() && out.back() != '\n' && out.back() != '\r') out += '\n';
  out += with;
  for (std::size_t i = range.second; i < lines.size(); ++i) out += lines[i];
  return out;
}

}  // namespace

Result<std::string> set_value(std::string_view text, Syntax syntax, std::string_view key,
                              std::string_view value) {
  const auto entries = parse(text, syntax);
  if (!entries) return std::unexpected(entries.error());
  std::string line;
  if (syntax == Syntax::kYaml) {
    line = yaml_line(key, value);
  } else {
    append_property(line, key, value);
  }
  const auto lines = split_lines(text);
  const auto last_of_key = std::ranges::find(entries->rbegin(), entries->rend(), key, &Entry::key);
  auto range = std::pair(lines.size(), lines.size());
  if (last_of_key != entries->rend()) {
    range = lines_of(*entries, static_cast<std::size_t>(entries->rend() - last_of_key) - 1, lines);
  }
  std::string edited = replace_lines(lines, range, line);

  // Unusual files (several keys on one line, a backslash before the end) may not take the edit;
  // reading the result back decides.
  auto expected = effective(*entries);
  expected.insert_or_assign(std::string(key), std::string(value));
  const auto result = parse(edited, syntax);
  if (!result || effective(*result) != expected) {
    return make_error(ErrorCode::kUnsupported, "the file's layout does not allow setting \"" +
                                                   std::string(key) +
                                                   "\" without disturbing other keys");
  }
  return edited;
}

}  // namespace gantry::config
