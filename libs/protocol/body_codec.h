// SPDX-License-Identifier: Apache-2.0
// How the typed bodies become JSON and back. Private to libs/protocol. A struct takes part by a
// template describe(F& f, T& t) that names its members once, in alphabetical order as Java writes
// them; an enum by enum_names(T), its names in ordinal order.
//
// Writing: optionals that are empty are left out, enums are names, integer keys are quoted, keys of
// a MessageQueueMap are objects without quotes. Reading: unknown members are ignored, missing and
// null members keep their default, enums may be ordinals, numbers and booleans may be strings.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/result.h"
#include "protocol/command.h"
#include "protocol/json_lenient.h"
#include "protocol/json_writer.h"
#include "protocol/message_queue.h"

namespace gantry::protocol {

// T is X or const X: one describe() serves writing and reading.
template <class T, class X>
concept Is = std::same_as<std::remove_const_t<T>, X>;

// Collects the first error of reading a body, with the path to it.
class ReadStatus {
 public:
  bool ok() const { return message_.empty(); }
  const std::string& message() const { return message_; }
  void enter(std::string_view name) { path_.push_back(name); }
  void leave() { path_.pop_back(); }
  void fail(std::string_view what);

 private:
  std::vector<std::string_view> path_;
  std::string message_;
};

namespace body {

void read(JsonNode node, std::string& out, ReadStatus& status);
void read(JsonNode node, bool& out, ReadStatus& status);
void read(JsonNode node, std::int32_t& out, ReadStatus& status);
void read(JsonNode node, std::int64_t& out, ReadStatus& status);
void read(JsonNode node, double& out, ReadStatus& status);
void read(JsonNode node, Language& out, ReadStatus& status);
// Index of the name or the ordinal in the node.
std::size_t read_enum(JsonNode node, std::span<const std::string_view> names, ReadStatus& status);
void read_key(std::string_view text, std::int64_t& out, ReadStatus& status);
void read_key(std::string_view text, std::int32_t& out, ReadStatus& status);
void read_key(std::string_view text, MessageQueue& out, ReadStatus& status);

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsSet : std::false_type {};
template <class T, class C>
struct IsSet<std::set<T, C>> : std::true_type {};
template <class T>
struct IsMap : std::false_type {};
template <class K, class V, class C>
struct IsMap<std::map<K, V, C>> : std::true_type {};

template <class T>
void write_value(JsonWriter& out, const T& value);
template <class T>
void read_value(JsonNode node, T& value, ReadStatus& status);

struct FieldWriter {
  JsonWriter& out;

  template <class T>
  void operator()(std::string_view name, const T& value) {
    out.key(name);
    write_value(out, value);
  }
  template <class T>
  void operator()(std::string_view name, const std::optional<T>& value) {
    if (value) (*this)(name, *value);
  }
  template <class T>
  void read_only(std::string_view /*name*/, const T& /*value*/) {}
  // A member of the wire form that we neither keep nor need, always written the same.
  void fixed(std::string_view name, std::string_view json) { out.key(name).raw(json); }
};

struct FieldReader {
  JsonNode node;
  ReadStatus& status;

  template <class T>
  void operator()(std::string_view name, T& value) {
    const std::optional<JsonNode> member = node.member(name);
    if (!member) return;
    status.enter(name);
    read_value(*member, value, status);
    status.leave();
  }
  template <class T>
  void operator()(std::string_view name, std::optional<T>& value) {
    if (node.member(name)) (*this)(name, value.emplace());
  }
  // An older name of the member that follows.
  template <class T>
  void read_only(std::string_view name, T& value) {
    (*this)(name, value);
  }
  void fixed(std::string_view /*name*/, std::string_view /*json*/) {}
};

template <class K, class V, class C>
void write_map(JsonWriter& out, const std::map<K, V, C>& map) {
  out.begin_object();
  for (const auto& [key, value] : map) {
    if constexpr (std::same_as<K, MessageQueue>) {
      write_value(out, key);
      out.value_was_key();
    } else {
      out.key(key);
    }
    write_value(out, value);
  }
  out.end_object();
}

template <class T>
void write_value(JsonWriter& out, const T& value) {
  if constexpr (std::same_as<T, Language>) {
    out.value(language_name(value));
  } else if constexpr (std::is_enum_v<T>) {
    out.value(enum_names(value)[static_cast<std::size_t>(value)]);
  } else if constexpr (IsMap<T>::value) {
    write_map(out, value);
  } else if constexpr (IsVector<T>::value || IsSet<T>::value) {
    out.begin_array();
    for (const auto& element : value) write_value(out, element);
    out.end_array();
  } else if constexpr (requires { out.value(value); }) {
    out.value(value);
  } else {
    out.begin_object();
    FieldWriter fields{out};
    describe(fields, value);
    out.end_object();
  }
}

template <class Map>
void read_entry(std::string_view key_text, JsonNode value, Map& map, ReadStatus& status) {
  if (value.kind() == JsonKind::kNull) return;
  status.enter(key_text);
  typename Map::mapped_type mapped{};
  read_value(value, mapped, status);
  if constexpr (std::constructible_from<typename Map::key_type, std::string_view>) {
    map.insert_or_assign(typename Map::key_type(key_text), std::move(mapped));
  } else {
    typename Map::key_type key{};
    read_key(key_text, key, status);
    map.insert_or_assign(std::move(key), std::move(mapped));
  }
  status.leave();
}

// Go writes maps that have objects as keys as an array of [key, value] pairs.
template <class Map>
void read_pair(JsonNode pair, Map& map, ReadStatus& status) {
  std::optional<JsonNode> parts[2];
  std::size_t count = 0;
  pair.for_each([&](JsonNode part) {
    if (count < 2) parts[count] = part;
    return ++count <= 2;
  });
  if (!pair.is_array() || count != 2) return status.fail("expected a pair of key and value");
  typename Map::key_type key{};
  typename Map::mapped_type mapped{};
  read_value(*parts[0], key, status);
  read_value(*parts[1], mapped, status);
  map.insert_or_assign(std::move(key), std::move(mapped));
}

template <class Map>
void read_map(JsonNode node, Map& map, ReadStatus& status) {
  map.clear();
  if constexpr (std::same_as<typename Map::key_type, MessageQueue>) {
    if (node.is_array()) {
      node.for_each([&](JsonNode pair) {
        read_pair(pair, map, status);
        return status.ok();
      });
      return;
    }
  }
  if (!node.is_object()) return status.fail("expected an object");
  node.for_each([&](JsonNode value) {
    read_entry(value.key(), value, map, status);
    return status.ok();
  });
}

template <class List>
void read_list(JsonNode node, List& list, ReadStatus& status) {
  list.clear();
  if (!node.is_array()) return status.fail("expected an array");
  node.for_each([&](JsonNode element) {
    if (element.kind() == JsonKind::kNull) return true;
    typename List::value_type value{};
    read_value(element, value, status);
    list.insert(list.end(), std::move(value));
    return status.ok();
  });
}

template <class T>
void read_value(JsonNode node, T& value, ReadStatus& status) {
  if constexpr (requires { read(node, value, status); }) {
    read(node, value, status);
  } else if constexpr (std::is_enum_v<T>) {
    value = static_cast<T>(read_enum(node, enum_names(value), status));
  } else if constexpr (IsMap<T>::value) {
    read_map(node, value, status);
  } else if constexpr (IsVector<T>::value || IsSet<T>::value) {
    read_list(node, value, status);
  } else {
    if (!node.is_object()) return status.fail("expected an object");
    FieldReader fields{node, status};
    describe(fields, value);
  }
}

}  // namespace body

template <class T>
Result<T> enum_from_name(std::string_view what, std::string_view name) {
  const std::span<const std::string_view> names = enum_names(T{});
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<T>(i);
  }
  return make_error(ErrorCode::kCorrupt,
                    std::string(what) + ": unknown name \"" + std::string(name) + "\"");
}

template <class T>
std::string encode_body(const T& value) {
  JsonWriter out;
  body::write_value(out, value);
  return out.take();
}

// Errors carry `what` (the type's name), the path and the reason.
template <class T>
Result<T> decode_body(std::string_view what, std::string_view json) {
  const Result<JsonDocument> document = JsonDocument::parse(json);
  if (!document) {
    return make_error(document.error().code, std::string(what) + ": " + document.error().message);
  }
  T value{};
  ReadStatus status;
  body::read_value(document->root(), value, status);
  if (!status.ok()) {
    return make_error(ErrorCode::kCorrupt, std::string(what) + ": " + status.message());
  }
  return value;
}

}  // namespace gantry::protocol
