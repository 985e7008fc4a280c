// SPDX-License-Identifier: Apache-2.0
#include "protocol/codes.h"

#include <algorithm>

namespace gantry::protocol {
namespace {

template <class Table>
auto find_code(const Table& table, std::int32_t code) {
  const auto at = std::ranges::lower_bound(
      table, code, {}, [](const auto& row) { return static_cast<std::int32_t>(row.code); });
  return at != table.end() && static_cast<std::int32_t>(at->code) == code ? &*at : nullptr;
}

template <class Table>
constexpr bool strictly_sorted(const Table& table) {
  return std::ranges::adjacent_find(
             table, [](const auto& a, const auto& b) { return a.code >= b.code; }) == table.end();
}
static_assert(strictly_sorted(kRequestCodes));
static_assert(strictly_sorted(kResponseCodes));

}  // namespace

const RequestCodeInfo* find_request_code(std::int32_t code) {
  return find_code(kRequestCodes, code);
}

std::string_view request_code_name(std::int32_t code) {
  const RequestCodeInfo* row = find_code(kRequestCodes, code);
  return row != nullptr ? row->name : "UNKNOWN";
}

std::string_view response_code_name(std::int32_t code) {
  const ResponseCodeInfo* row = find_code(kResponseCodes, code);
  return row != nullptr ? row->name : "UNKNOWN";
}

}  // namespace gantry::protocol
