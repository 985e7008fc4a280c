// SPDX-License-Identifier: Apache-2.0
// Text into JSON string content.
#pragma once

#include <string>
#include <string_view>

namespace gantry::protocol {

// Appends `text` escaped for use between JSON quotes. Bytes that are not UTF-8 become U+FFFD, so
// that the result is always valid JSON. Plain text costs one pass and one append.
void append_json_escaped(std::string& out, std::string_view text);

// Whether `text` can stand between JSON quotes as it is.
bool is_plain_json_text(std::string_view text);

}  // namespace gantry::protocol
