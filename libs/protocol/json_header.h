// SPDX-License-Identifier: Apache-2.0
// The JSON form of a command header, decoded in one pass without allocation. Used by decode() of
// command.h; hand-written because it runs once per message.
#pragma once

#include <cstddef>
#include <span>

#include "base/result.h"
#include "protocol/command.h"

namespace gantry::protocol {

// Members nested deeper than this inside an unknown member do not decode.
inline constexpr int kJsonDepthMax = 64;

// Decodes `header` into the header fields of `out`, which the caller has reset. `header` is part of
// a larger buffer that is readable up to `readable_end`; strings are unescaped in place. Accepts
// what RFC 8259 accepts, a leading byte order mark, and nothing else. Errors: kCorrupt; byte
// numbers count from the begin of `header` plus `offset`.
Result<void> decode_json_header(std::span<char> header, const char* readable_end,
                                std::size_t offset, CommandView& out);

}  // namespace gantry::protocol
