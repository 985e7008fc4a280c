// SPDX-License-Identifier: Apache-2.0
#include "protocol/json_number.h"

#include <charconv>
#include <system_error>

namespace gantry::protocol {
namespace {

constexpr std::size_t kSafeDigits = 300;  // that many digits without exponent fit into a double

bool is_digit(const char* p, const char* end) { return p < end && *p >= '0' && *p <= '9'; }

const char* skip_digits(const char* p, const char* end) {
  while (is_digit(p, end)) ++p;
  return p;
}

// from_chars reports too large and too small with one code; only too large is an error here.
bool too_large(const char* p, const char* end) {
  double value = 0;
  const auto [stop, error] = std::from_chars(p, end, value);
  if (error != std::errc::result_out_of_range) return false;
  // Decimal exponent of the first digit that counts: far from 0, so only its sign matters.
  long long first_digit = 0;
  bool found = false;
  bool fraction = false;
  for (; p != end && (*p | 0x20) != 'e'; ++p) {
    if (*p == '.') fraction = true;
    if (*p == '.' || *p == '-') continue;
    found = found || *p != '0';
    if (!fraction && found) ++first_digit;
    if (fraction && !found) --first_digit;
  }
  if (!found) return false;
  constexpr long long kFar = 1'000'000'000'000;  // beyond what digits of a frame can balance
  long long exponent = 0;
  if (p != end) {
    ++p;
    const bool negative = *p == '-';
    if (*p == '-' || *p == '+') ++p;
    const auto parsed = std::from_chars(p, end, exponent);
    if (parsed.ec == std::errc::result_out_of_range || exponent > kFar) exponent = kFar;
    if (negative) exponent = -exponent;
  }
  return first_digit + exponent > 0;
}

}  // namespace

JsonNumber scan_json_number(const char* p, const char* end) {
  const char* const begin = p;
  JsonNumber number;
  if (p < end && *p == '-') ++p;
  if (!is_digit(p, end)) {
    number.what = "expected a digit";
    return number;
  }
  p = *p == '0' ? p + 1 : skip_digits(p, end);
  bool exponent = false;
  if (p < end && *p == '.') {
    number.whole = false;
    if (!is_digit(p + 1, end)) {
      number.what = "expected a digit after '.'";
      return number;
    }
    p = skip_digits(p + 1, end);
  }
  if (p < end && (*p == 'e' || *p == 'E')) {
    number.whole = false;
    exponent = true;
    ++p;
    if (p < end && (*p == '+' || *p == '-')) ++p;
    if (!is_digit(p, end)) {
      number.what = "expected a digit in the exponent";
      return number;
    }
    p = skip_digits(p, end);
  }
  const auto size = static_cast<std::size_t>(p - begin);
  if ((exponent || size > kSafeDigits) && too_large(begin, p)) {
    number.what = "number too large";
    return number;
  }
  number.size = size;
  return number;
}

}  // namespace gantry::protocol
