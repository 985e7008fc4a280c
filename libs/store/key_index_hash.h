// SPDX-License-Identifier: Apache-2.0
// The hash under which RocketMQ files a message key: the absolute value of Java's
// String.hashCode() of `topic#key`, taken over UTF-16 code units. Different keys with the same hash
// are indistinguishable in an index; clients filter by the key's text.
// Pure functions, usable from every thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace gantry::store {

// Java's String.hashCode(), fed piece by piece, so that no joined string is built. Each piece is
// UTF-8 and decoded by itself as `new String(bytes, UTF_8)` does (malformed parts count as U+FFFD).
class JavaHash {
 public:
  void update(std::string_view utf8);
  void update_ascii(char c) { value_ = value_ * 31U + static_cast<std::uint8_t>(c); }
  std::uint32_t value() const { return value_; }
  // Math.abs(hashCode), with 0 for Integer.MIN_VALUE: always below 2^31.
  std::uint32_t positive() const {
    const std::uint32_t sign = 0U - (value_ >> 31);
    return ((value_ ^ sign) - sign) & 0x7FFFFFFFU;
  }

 private:
  std::uint32_t value_ = 0;
};

// `topic#key`: UNIQ_KEY and each word of KEYS.
std::uint32_t key_hash(std::string_view topic, std::string_view key);
// `topic#T#tag`: RocketMQ 5.5 also files TAGS, for queries with indexType T.
std::uint32_t tag_hash(std::string_view topic, std::string_view tag);

}  // namespace gantry::store
