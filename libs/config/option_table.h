// SPDX-License-Identifier: Apache-2.0
// Ties the table of options to the members of a configuration struct, and holds what loading and
// changing have in common for the broker and the NameServer. Private to libs/config.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "config/load.h"
#include "config/option.h"
#include "config/rocketmq_keys.h"
#include "config/source.h"

namespace gantry::config {

std::string integer_text(std::int64_t value);
std::string double_text(double value);
std::string join_list(const std::vector<std::string>& items);

// One row: the key and how to move its value into and out of the struct.
template <class Config>
struct Binding {
  OptionSpec spec;
  void (*set)(Config&, const OptionSpec&, OptionValue&&);
  std::string (*get)(const Config&, const OptionSpec&);
};

namespace internal {

template <class T>
void assign(T& member, const OptionSpec& spec, OptionValue&& value) {
  if constexpr (std::is_enum_v<T>) {
    member = static_cast<T>(std::get<std::int64_t>(value));
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (spec.type == OptionType::kEnum) {
      member = spec.enum_values[static_cast<std::size_t>(std::get<std::int64_t>(value))];
    } else {
      member = std::get<std::string>(std::move(value));
    }
  } else if constexpr (std::is_same_v<T, int>) {
    member = static_cast<int>(std::get<std::int64_t>(value));  // parse_option kept it in range
  } else {
    member = std::get<T>(std::move(value));
  }
}

template <class T>
std::string to_text(const T& member, const OptionSpec& spec) {
  if constexpr (std::is_enum_v<T>) {
    return std::string(spec.enum_values[static_cast<std::size_t>(member)]);
  } else if constexpr (std::is_same_v<T, std::string>) {
    return member;
  } else if constexpr (std::is_same_v<T, bool>) {
    return member ? "true" : "false";
  } else if constexpr (std::is_same_v<T, double>) {
    return double_text(member);
  } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
    return join_list(member);
  } else {
    return integer_text(member);
  }
}

template <class>
struct MemberOf;
template <class C, class T>
struct MemberOf<T C::*> {
  using Class = C;
};

}  // namespace internal

// row<&BrokerConfig::listen_port>({.key = "listenPort", …})
template <auto Member, class Config = typename internal::MemberOf<decltype(Member)>::Class>
constexpr Binding<Config> row(OptionSpec spec) {
  return {spec,
          [](Config& config, const OptionSpec& s, OptionValue&& value) {
            internal::assign(config.*Member, s, std::move(value));
          },
          [](const Config& config, const OptionSpec& s) {
            return internal::to_text(config.*Member, s);
          }};
}

// A value of a RocketMQ key that must not be ignored, because the operator relies on it.
struct RefusedValue {
  std::string_view key;
  std::string_view value;
  std::string_view reason;
};

// Everything that distinguishes one program's configuration.
template <class Config>
struct Program {
  std::span<const Binding<Config>> options;
  KeyOwners accepted;  // RocketMQ's keys that may stand in the file
  KeyOwners shown;     // RocketMQ's keys that codes 26 and 319 list
  std::span<const RefusedValue> refused;

  const Binding<Config>* find(std::string_view key) const {
    const auto at = std::ranges::find(options, key, [](const auto& b) { return b.spec.key; });
    return at == options.end() ? nullptr : &*at;
  }

  std::vector<std::string_view> all_keys() const {
    std::vector<std::string_view> keys;
    for (const auto& option : options) keys.push_back(option.spec.key);
    for (const RocketmqKey& known : rocketmq_keys()) {
      if (contains(accepted, known.owner)) keys.push_back(known.key);
    }
    return keys;
  }
};

// Credentials must not leave through code 26, which anybody may ask.
inline bool may_be_shown(const RocketmqKey& key) { return key.owner != KeyOwner::kAuth; }

// Puts entries into a Config and collects what is wrong with them; all mistakes are reported, not
// only the first.
template <class Config>
class Loader {
 public:
  Loader(const Program<Config>& program, Config& config) : program_(program), config_(config) {}

  void apply(const std::string& origin, const std::vector<Entry>& entries) {
    std::vector<std::string> ignored;
    for (const Entry& entry : entries) apply_one(origin, entry, ignored);
    if (!ignored.empty()) {
      std::string names;
      for (const std::string& name : ignored) names += (names.empty() ? "" : ", ") + name;
      warnings.push_back(origin +
                         ": keys of RocketMQ that have no meaning here are ignored: " + names);
    }
  }

  std::vector<std::string> errors;
  std::vector<std::string> warnings;

 private:
  static std::string place(const std::string& origin, const Entry& entry) {
    return entry.line > 0 ? origin + ":" + std::to_string(entry.line) : origin;
  }

  void apply_one(const std::string& origin, const Entry& entry, std::vector<std::string>& ignored) {
    const std::string where = place(origin, entry) + ": ";
    if (const auto* option = program_.find(entry.key)) {
      auto value = parse_option(option->spec, entry.value);
      if (!value) {
        errors.push_back(where + "key \"" + entry.key + "\" has the value \"" + entry.value +
                         "\": " + value.error().message);
        return;
      }
      option->set(config_, option->spec, std::move(*value));
      return;
    }
    const RocketmqKey* known = find_rocketmq_key(entry.key, program_.accepted);
    if (known == nullptr) {
      report_unknown(where, entry.key);
      return;
    }
    for (const RefusedValue& refused : program_.refused) {
      if (refused.key == entry.key && refused.value == entry.value) {
        errors.push_back(where + "key \"" + entry.key + "\" has the value \"" + entry.value +
                         "\": " + std::string(refused.reason));
        return;
      }
    }
    if (may_be_shown(*known)) config_.kept.insert_or_assign(entry.key, entry.value);
    ignored.push_back(entry.line > 0 ? entry.key + " (line " + std::to_string(entry.line) + ")"
                                     : entry.key);
  }

  void report_unknown(const std::string& where, const std::string& key) {
    const auto keys = program_.all_keys();
    const std::string_view near = nearest_key(key, keys);
    std::string message = where + "unknown key \"" + key + "\"";
    if (!near.empty()) message += "; did you mean \"" + std::string(near) + "\"?";
    errors.push_back(std::move(message));
  }

  const Program<Config>& program_;
  Config& config_;
};

// `key=value` texts of the command line as entries; a text without `=` is reported to `errors`.
std::vector<Entry> parse_overrides(const std::vector<std::string>& overrides,
                                   std::vector<std::string>& errors);

std::string join_lines(const std::vector<std::string>& lines);

// Reads file and overrides, then lets `check` fill in defaults and look at values together.
// check(Config&, errors, warnings).
template <class Config>
Result<Loaded<Config>> load_with(const Program<Config>& program, const Inputs& inputs,
                                 const std::function<void(Config&, std::vector<std::string>&,
                                                          std::vector<std::string>&)>& check) {
  Loaded<Config> loaded;
  Loader<Config> loader(program, loaded.config);
  if (!inputs.file.empty()) {
    const auto entries = load_entries(inputs.file);
    if (!entries) return std::unexpected(entries.error());
    loader.apply(inputs.file, *entries);
  }
  loader.apply("command line", parse_overrides(inputs.overrides, loader.errors));
  if (loader.errors.empty()) check(loaded.config, loader.errors, loader.warnings);
  if (!loader.errors.empty()) {
    return make_error(ErrorCode::kInvalidArgument, join_lines(loader.errors));
  }
  loaded.warnings = std::move(loader.warnings);
  return loaded;
}

template <class Config>
std::string properties_text_of(const Program<Config>& program, const Config& config) {
  std::map<std::string, std::string, std::less<>> all;
  for (const RocketmqKey& known : rocketmq_keys()) {
    if (contains(program.shown, known.owner) && known.default_text != nullptr) {
      all.emplace(known.key, known.default_text);
    }
  }
  for (const auto& option : program.options) {
    all.insert_or_assign(std::string(option.spec.key), option.get(config, option.spec));
  }
  for (const auto& [key, value] : config.kept) all.insert_or_assign(key, value);
  std::string out;
  for (const auto& [key, value] : all) append_property(out, key, value);
  return out;
}

// The change of one key. `check` sees the result as if the change were already in force.
template <class Config>
Result<Updated> update_with(const Program<Config>& program, Config& config, std::string_view key,
                            std::string_view value,
                            const std::function<void(Config&, std::vector<std::string>&,
                                                     std::vector<std::string>&)>& check) {
  if (std::ranges::find(config.config_black_list, key) != config.config_black_list.end()) {
    return Updated::kRefused;
  }
  const auto* option = program.find(key);
  if (option == nullptr) {
    const RocketmqKey* known = find_rocketmq_key(key, program.accepted);
    if (known == nullptr) return Updated::kUnknown;
    for (const RefusedValue& refused : program.refused) {
      if (refused.key == key && refused.value == value) {
        return make_error(ErrorCode::kUnsupported, "key \"" + std::string(key) +
                                                       "\" has the value \"" + std::string(value) +
                                                       "\": " + std::string(refused.reason));
      }
    }
    if (may_be_shown(*known)) config.kept.insert_or_assign(std::string(key), std::string(value));
    return Updated::kIgnored;
  }
  auto parsed = parse_option(option->spec, value);
  if (!parsed) {
    return make_error(ErrorCode::kInvalidArgument, "key \"" + std::string(key) +
                                                       "\" has the value \"" + std::string(value) +
                                                       "\": " + parsed.error().message);
  }
  Config changed = config;
  option->set(changed, option->spec, std::move(*parsed));
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
  check(changed, errors, warnings);
  if (!errors.empty()) return make_error(ErrorCode::kInvalidArgument, join_lines(errors));
  if (option->spec.change == Change::kRestart) {
    config.kept.insert_or_assign(std::string(key), option->get(changed, option->spec));
    return Updated::kRestart;
  }
  config = std::move(changed);
  return Updated::kLive;
}

template <class Config>
std::vector<OptionSpec> specs_of(std::span<const Binding<Config>> options) {
  std::vector<OptionSpec> specs;
  for (const auto& option : options) specs.push_back(option.spec);
  return specs;
}

}  // namespace gantry::config
