// SPDX-License-Identifier: Apache-2.0
// Heterogeneous lookup for string-keyed hash maps: find(string_view) without a temporary string.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace gantry {

struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view s) const noexcept {
    return std::hash<std::string_view>{}(s);
  }
};

template <class V>
using StringMap = std::unordered_map<std::string, V, StringHash, std::equal_to<>>;
using StringSet = std::unordered_set<std::string, StringHash, std::equal_to<>>;

// Remembers which entry of a StringMap was found last: on hot paths most look-ups ask for the name
// that was asked for before, and comparing it is cheaper than hashing it. The owner of the map says
// forget() when entries are erased; a copy remembers nothing.
template <class V>
class LastFound {
 public:
  LastFound() = default;
  LastFound(const LastFound&) noexcept {}
  LastFound& operator=(const LastFound& other) noexcept {
    if (this != &other) forget();
    return *this;
  }

  // Null unless `name` is what was found last.
  V* get(std::string_view name) const {
    return value_ != nullptr && name == name_ ? value_ : nullptr;
  }
  template <class Entry>
  V* remember(Entry& entry) {
    name_ = entry.first;
    value_ = &entry.second;
    return value_;
  }
  void forget() { value_ = nullptr; }

 private:
  std::string_view name_;  // the entry's own
  V* value_ = nullptr;
};

}  // namespace gantry
