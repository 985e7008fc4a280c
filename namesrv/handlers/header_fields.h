// SPDX-License-Identifier: Apache-2.0
// Mandatory fields of request headers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "protocol/command.h"

namespace gantry::namesrv {

// The field's text; an error naming it when the request does not have it.
inline Result<std::string_view> required(const protocol::CommandView& request,
                                         std::string_view name) {
  const auto value = request.ext.find(name);
  if (value) return *value;
  return make_error(ErrorCode::kInvalidArgument,
                    "the custom field <" + std::string(name) + "> is null");
}

inline Result<std::int64_t> required_int64(const protocol::CommandView& request,
                                           std::string_view name) {
  const auto text = required(request, name);
  if (!text) return std::unexpected(text.error());
  if (const auto number = request.ext.get_int64(name)) return *number;
  return make_error(ErrorCode::kInvalidArgument, "the custom field <" + std::string(name) +
                                                     "> is not a number: " + std::string(*text));
}

}  // namespace gantry::namesrv
