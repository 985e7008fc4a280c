// SPDX-License-Identifier: Apache-2.0
// Reads Prometheus text and the tables of docs/operations/metrics.md, to compare the two.
#pragma once

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace gantry::testing {

struct Family {
  std::string type;
  std::set<std::string> labels;  // without `le`
  bool operator==(const Family&) const = default;
};
using Families = std::map<std::string, Family>;

struct Sample {
  std::string name;
  std::map<std::string, std::string> labels;
  double value = 0;
};

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

inline Sample parse_sample(const std::string& line) {
  Sample sample;
  const std::size_t open = line.find('{');
  const std::size_t close = line.rfind('}');
  sample.name = line.substr(0, std::min(open, line.find(' ')));
  sample.value = std::stod(line.substr(line.rfind(' ') + 1));
  if (open == std::string::npos) return sample;
  std::string_view rest(line.data() + open + 1, close - open - 1);
  while (!rest.empty()) {
    const std::size_t equals = rest.find("=\"");
    const std::size_t end = rest.find('"', equals + 2);
    sample.labels[std::string(rest.substr(0, equals))] = rest.substr(equals + 2, end - equals - 2);
    rest.remove_prefix(std::min(rest.size(), end + 2));
  }
  return sample;
}

inline Families families(const std::string& exposition) {
  Families found;
  std::string name;
  for (const std::string& line : lines_of(exposition)) {
    if (line.starts_with("# TYPE ")) {
      std::istringstream words(line.substr(7));
      std::string type;
      words >> name >> type;
      found[name].type = type;
    } else if (!line.starts_with('#') && !line.empty()) {
      for (const auto& [label, value] : parse_sample(line).labels) {
        if (label != "le") found[name].labels.insert(label);
      }
    }
  }
  return found;
}

// Rows of a section of the page: name, type.
inline std::map<std::string, std::string> documented(const std::string& page,
                                                     const std::string& heading) {
  std::ifstream file(page);
  std::map<std::string, std::string> rows;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) inside = line == "## " + heading;
    if (!inside || !line.starts_with("| `")) continue;
    const std::size_t name_end = line.find('`', 3);
    const std::size_t type_at = line.find("| ", name_end) + 2;
    rows[line.substr(3, name_end - 3)] = line.substr(type_at, line.find(' ', type_at) - type_at);
  }
  return rows;
}

}  // namespace gantry::testing
