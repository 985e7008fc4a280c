// SPDX-License-Identifier: Apache-2.0
// CRC-32 (IEEE 802.3, as zlib and java.util.zip.CRC32), with carry-less multiply through ISA-L.
#pragma once

#include <cstdint>
#include <string_view>

namespace gantry {

// Continues `seed` (0 to begin) over `data`.
std::uint32_t crc32(std::string_view data, std::uint32_t seed = 0);

// RocketMQ stores the CRC masked to 31 bits.
inline std::uint32_t crc32_masked(std::string_view data) { return crc32(data) & 0x7FFFFFFFU; }

}  // namespace gantry
