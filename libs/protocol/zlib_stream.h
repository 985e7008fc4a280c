// SPDX-License-Identifier: Apache-2.0
// A whole zlib stream (RFC 1950) in memory, as java.util.zip writes it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gantry::protocol {

Result<std::string> zlib_deflate(std::string_view bytes);
// Errors: kCorrupt, also when more than `bytes_max` would come out.
Result<std::string> zlib_inflate(std::string_view stream, std::size_t bytes_max);

}  // namespace gantry::protocol
