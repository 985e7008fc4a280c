// SPDX-License-Identifier: Apache-2.0
// Encoded route bodies by topic, so that clients polling every 30 s cost one copy. Bounded in
// bytes: with 10,000 topics on 100 brokers all routes together would be several hundred MiB; when
// full, it starts afresh. Belongs to RouteTable.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/string_hash.h"

namespace gantry::namesrv {

class RouteCache {
 public:
  explicit RouteCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  void set_bytes_max(std::size_t bytes_max) {
    bytes_max_ = bytes_max;
    if (bytes_ > bytes_max_) clear();
  }

  const std::string* find(std::string_view topic) const {
    const auto it = bodies_.find(topic);
    return it == bodies_.end() ? nullptr : &it->second;
  }

  // The returned pointer is valid until the next change. Always keeps at least the newest body.
  const std::string* put(std::string_view topic, std::string body) {
    erase(topic);
    if (bytes_ + body.size() > bytes_max_) clear();
    bytes_ += body.size();
    return &bodies_.emplace(topic, std::move(body)).first->second;
  }

  void erase(std::string_view topic) {
    const auto it = bodies_.find(topic);
    if (it == bodies_.end()) return;
    bytes_ -= it->second.size();
    bodies_.erase(it);
  }

  void clear() {
    bodies_.clear();
    bytes_ = 0;
  }

  std::size_t size() const { return bodies_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  StringMap<std::string> bodies_;
};

}  // namespace gantry::namesrv
