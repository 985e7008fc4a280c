// SPDX-License-Identifier: Apache-2.0
#include <yaml-cpp/yaml.h>

#include <exception>
#include <set>
#include <string>
#include <utility>

#include "config/source.h"

namespace gantry::config {
namespace {

int line_of(const YAML::Mark& mark) { return mark.line + 1; }

std::unexpected<Error> yaml_error(const YAML::Mark& mark, const std::string& what) {
  const std::string where = mark.line >= 0 ? std::to_string(line_of(mark)) + ": " : " ";
  return make_error(ErrorCode::kInvalidArgument, where + what);
}

Result<std::string> scalar_text(const YAML::Node& node, const std::string& key) {
  if (node.IsScalar()) return node.Scalar();
  if (node.IsNull()) return std::string();
  return yaml_error(node.Mark(), "the value of \"" + key +
                                     "\" must be one value or a list of values, not nested");
}

Result<std::string> value_text(const YAML::Node& node, const std::string& key) {
  if (!node.IsSequence()) return scalar_text(node, key);
  std::string joined;
  for (const auto& item : node) {
    auto text = scalar_text(item, key);
    if (!text) return text;
    if (!joined.empty()) joined += ';';
    joined += *text;
  }
  return joined;
}

Result<std::vector<Entry>> flatten(const YAML::Node& root) {
  std::vector<Entry> entries;
  if (root.IsNull()) return entries;
  if (!root.IsMap()) {
    return yaml_error(root.Mark(), "expected lines of the form \"key: value\"");
  }
  std::set<std::string> seen;
  for (const auto& pair : root) {
    if (!pair.first.IsScalar()) return yaml_error(pair.first.Mark(), "a key must be a plain text");
    const std::string& key = pair.first.Scalar();
    if (!seen.insert(key).second) {
      return yaml_error(pair.first.Mark(), "key \"" + key + "\" is given twice");
    }
    auto value = value_text(pair.second, key);
    if (!value) return std::unexpected(std::move(value).error());
    entries.push_back({key, std::move(*value), line_of(pair.first.Mark())});
  }
  return entries;
}

}  // namespace

Result<std::vector<Entry>> parse_yaml(std::string_view text) {
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(text));
    if (documents.empty()) return std::vector<Entry>{};
    if (documents.size() > 1) {
      return yaml_error(documents[1].Mark(), "expected one YAML document");
    }
    return flatten(documents.front());
  } catch (const YAML::Exception& e) {
    return yaml_error(e.mark, e.msg);
  } catch (const std::exception& e) {
    return make_error(ErrorCode::kInvalidArgument, std::string(" ") + e.what());
  }
}

}  // namespace gantry::config
