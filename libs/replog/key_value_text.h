// SPDX-License-Identifier: Apache-2.0
// The payload of our small state files: lines `key=value`, so that a person can read them.
#pragma once

#include <charconv>
#include <map>
#include <string>
#include <string_view>

namespace gantry::replog {

class KeyValueText {
 public:
  static KeyValueText parse(std::string_view text) {
    KeyValueText result;
    while (!text.empty()) {
      const std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(text.size(), line.size() + 1));
      const std::size_t equals = line.find('=');
      if (equals == std::string_view::npos) continue;
      result.values_[std::string(line.substr(0, equals))] = std::string(line.substr(equals + 1));
    }
    return result;
  }
  void set(const std::string& key, std::string value) { values_[key] = std::move(value); }
  void set(const std::string& key, std::int64_t value) { values_[key] = std::to_string(value); }
  std::string get(const std::string& key) const {
    const auto it = values_.find(key);
    return it == values_.end() ? std::string() : it->second;
  }
  std::int64_t get_int(const std::string& key, std::int64_t fallback) const {
    const std::string text = get(key);
    std::int64_t value = fallback;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() ? value : fallback;
  }
  std::string text() const {
    std::string out;
    for (const auto& [key, value] : values_) out += key + "=" + value + "\n";
    return out;
  }

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace gantry::replog
