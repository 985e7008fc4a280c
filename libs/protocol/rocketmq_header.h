// SPDX-License-Identifier: Apache-2.0
// The ROCKETMQ (fixed-width binary) form of a command header. Used by decode() of command.h.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"
#include "protocol/command.h"

namespace gantry::protocol {

// Decodes `header` into the header fields of `out`, which the caller has reset. Errors: kCorrupt;
// byte numbers count from the begin of `header` plus `offset`.
Result<void> decode_rocketmq_header(std::string_view header, std::size_t offset, CommandView& out);

}  // namespace gantry::protocol
