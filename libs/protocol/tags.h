// SPDX-License-Identifier: Apache-2.0
// Java's String.hashCode over UTF-16 code units of a UTF-8 text: tag codes and key hashes.
#pragma once

#include <cstdint>
#include <string_view>

namespace gantry::protocol {

// Continues `seed` (0 to begin). Bytes that are not UTF-8 count as U+FFFD each.
std::int32_t java_hash(std::string_view utf8, std::int32_t seed = 0);

// The tagsCode of a queue entry: hash of the tag, sign-extended; 0 without a tag.
inline std::int64_t tags_code(std::string_view tag) { return java_hash(tag); }

}  // namespace gantry::protocol
