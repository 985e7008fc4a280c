// SPDX-License-Identifier: Apache-2.0
// Message bodies as clients compress them: zlib streams, LZ4 frames, zstd frames. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gantry::client {

enum class Compression : std::uint8_t { kZlib, kLz4, kZstd };

// The method that bits 8 to 10 of a record's sysFlag name. kUnsupported for values without meaning.
Result<Compression> compression_of(std::int32_t sys_flag);

// kCorrupt: not a complete stream of that kind, or larger than `bytes_max` once unpacked.
Result<std::string> decompress(Compression method, std::string_view bytes, std::size_t bytes_max);

}  // namespace gantry::client
