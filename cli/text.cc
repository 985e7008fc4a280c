// SPDX-License-Identifier: Apache-2.0
#include "cli/text.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <ctime>
#include <optional>
#include <span>

#include "protocol/topic_config.h"
#include "protocol/utf8.h"

namespace gantry::cli {
namespace {

using std::chrono::milliseconds;

std::optional<std::int64_t> to_int(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

// A number and a unit from the list, as a product that does not overflow.
std::optional<std::int64_t> number_with_unit(std::string_view text, std::span<const Unit> units) {
  const std::string lowered = lower(trim(text));
  const std::size_t digits = lowered.find_first_not_of("0123456789");
  const auto number = to_int(std::string_view(lowered).substr(0, digits));
  if (!number) return std::nullopt;
  const std::string_view unit = digits == std::string::npos
                                    ? std::string_view{}
                                    : trim(std::string_view(lowered).substr(digits));
  for (const Unit& known : units) {
    if (known.name != unit) continue;
    std::int64_t product = 0;
    if (__builtin_mul_overflow(*number, known.factor, &product)) return std::nullopt;
    return product;
  }
  return std::nullopt;
}

constexpr std::array kDurationUnits = {
    Unit{"", 1000},      Unit{"ms", 1},        Unit{"s", 1000},      Unit{"m", 60'000},
    Unit{"min", 60'000}, Unit{"h", 3'600'000}, Unit{"d", 86'400'000}};
constexpr std::array kByteUnits = {
    Unit{"", 1},          Unit{"b", 1},          Unit{"k", 1 << 10},    Unit{"kb", 1 << 10},
    Unit{"kib", 1 << 10}, Unit{"m", 1 << 20},    Unit{"mb", 1 << 20},   Unit{"mib", 1 << 20},
    Unit{"g", 1LL << 30}, Unit{"gb", 1LL << 30}, Unit{"gib", 1LL << 30}};

// Exactly `width` digits at the front of `text`, taken off.
std::optional<int> take_digits(std::string_view& text, std::size_t width) {
  if (text.size() < width) return std::nullopt;
  const auto value = to_int(text.substr(0, width));
  if (!value || *value < 0) return std::nullopt;
  text.remove_prefix(width);
  return static_cast<int>(*value);
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::int64_t> parse_calendar_time(std::string_view text) {
  const bool utc = text.ends_with('Z') || text.ends_with('z');
  if (utc) text.remove_suffix(1);
  std::tm parts{};
  const auto year = take_digits(text, 4);
  if (!year || !take(text, "-")) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, "-")) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day) return std::nullopt;
  parts.tm_year = *year - 1900;
  parts.tm_mon = *month - 1;
  parts.tm_mday = *day;
  parts.tm_isdst = -1;
  int ms = 0;
  if (!text.empty()) {
    if (!take(text, "T ")) return std::nullopt;
    const auto hour = take_digits(text, 2);
    if (!hour || !take(text, ":")) return std::nullopt;
    const auto minute = take_digits(text, 2);
    if (!minute) return std::nullopt;
    parts.tm_hour = *hour;
    parts.tm_min = *minute;
    if (take(text, ":")) {
      const auto second = take_digits(text, 2);
      if (!second) return std::nullopt;
      parts.tm_sec = *second;
      if (take(text, ".")) {
        const auto fraction = take_digits(text, 3);
        if (!fraction) return std::nullopt;
        ms = *fraction;
      }
    }
  }
  if (!text.empty() || parts.tm_mon < 0 || parts.tm_mon > 11 || parts.tm_mday < 1 ||
      parts.tm_mday > 31 || parts.tm_hour > 23 || parts.tm_min > 59 || parts.tm_sec > 60) {
    return std::nullopt;
  }
  const int wanted_day = parts.tm_mday;
  const std::time_t seconds = utc ? timegm(&parts) : std::mktime(&parts);
  if (parts.tm_mday != wanted_day) return std::nullopt;  // there is no such day, e.g. Feb 30
  return static_cast<std::int64_t>(seconds) * 1000 + ms;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p != end) {
    const std::size_t size = protocol::utf8_sequence_size(p, end);
    const auto byte = static_cast<unsigned char>(*p);
    // C1 controls (U+0080 to U+009F) steer terminals too.
    const bool control = byte < 0x20 || byte == 0x7F ||
                         (size == 2 && byte == 0xC2 && static_cast<unsigned char>(p[1]) < 0xA0);
    if (size == 0 || control) {
      const std::size_t bytes = size == 0 ? 1 : size;
      for (std::size_t i = 0; i < bytes; ++i) {
        out += fmt::format("\\x{:02X}", static_cast<unsigned char>(p[i]));
      }
      p += bytes;
    } else {
      out.append(p, size);
      p += size;
    }
  }
  return out;
}

std::size_t display_width(std::string_view utf8) {
  std::size_t width = 0;
  for (const char c : utf8) {
    if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) ++width;
  }
  return width;
}

bool is_utf8(std::string_view bytes) {
  const char* p = bytes.data();
  const char* const end = p + bytes.size();
  while (p != end) {
    const std::size_t size = protocol::utf8_sequence_size(p, end);
    if (size == 0) return false;
    p += size;
  }
  return true;
}

std::string base64(std::string_view bytes) {
  static constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t here = std::min<std::size_t>(3, bytes.size() - i);
    unsigned group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8U | (k < here ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += k <= here ? kAlphabet[group >> (18 - 6 * k) & 63U] : '=';
    }
  }
  return out;
}

std::string format_bytes(double bytes) {
  static constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  while (std::abs(bytes) >= 1024 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.1f} {}", bytes, kUnits[unit]);
}

std::string format_count(std::int64_t count) {
  std::string digits = std::to_string(count);
  const std::size_t first = digits.starts_with('-') ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string format_latency(std::chrono::microseconds latency) {
  const auto us = static_cast<double>(latency.count());
  if (us < 1000) return fmt::format("{:.0f} µs", us);
  if (us < 1'000'000) return fmt::format("{:.2f} ms", us / 1000);
  return fmt::format("{:.2f} s", us / 1'000'000);
}

std::string format_age(std::int64_t ms) {
  if (ms < 1000) return fmt::format("{} ms", ms);
  const std::int64_t s = ms / 1000;
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{} min {} s", s / 60, s % 60);
  if (s < 86'400) return fmt::format("{} h {} min", s / 3600, s % 3600 / 60);
  return fmt::format("{} d {} h", s / 86'400, s % 86'400 / 3600);
}

std::string format_time(std::int64_t unix_ms) {
  if (unix_ms <= 0) return "-";
  const std::time_t seconds = unix_ms / 1000;
  std::tm parts{};
  if (localtime_r(&seconds, &parts) == nullptr) return std::to_string(unix_ms);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03}", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     unix_ms % 1000);
}

std::string format_permission(std::int32_t bits) {
  std::string text;
  if ((bits & protocol::kPermRead) != 0) text += 'R';
  if ((bits & protocol::kPermWrite) != 0) text += 'W';
  if ((bits & protocol::kPermInherit) != 0) text += 'X';
  return text.empty() ? "-" : text;
}

Result<std::int32_t> parse_permission(std::string_view text) {
  const std::string lowered = lower(trim(text));
  if (lowered == "rw" || lowered == "wr" || lowered == "6") {
    return protocol::kPermRead | protocol::kPermWrite;
  }
  if (lowered == "r" || lowered == "4") return protocol::kPermRead;
  if (lowered == "w" || lowered == "2") return protocol::kPermWrite;
  return make_error(ErrorCode::kInvalidArgument,
                    fmt::format("permission '{}': expected rw, r or w", text));
}

Result<milliseconds> parse_duration(std::string_view text) {
  if (const auto ms = number_with_unit(text, kDurationUnits)) return milliseconds(*ms);
  return make_error(ErrorCode::kInvalidArgument,
                    fmt::format("duration '{}': expected a number with ms, s, m, h or d", text));
}

Result<std::int64_t> parse_bytes(std::string_view text) {
  if (const auto bytes = number_with_unit(text, kByteUnits)) return *bytes;
  return make_error(ErrorCode::kInvalidArgument,
                    fmt::format("size '{}': expected a number with k, m or g", text));
}

Result<std::int64_t> parse_time(std::string_view text, std::int64_t now_ms) {
  text = trim(text);
  if (lower(text) == "now") return now_ms;
  if (lower(text).ends_with(" ago")) {
    auto age = parse_duration(text.substr(0, text.size() - 4));
    if (!age) return std::unexpected(std::move(age).error());
    return now_ms - age->count();
  }
  if (const auto ms = to_int(text); ms && text.size() >= 10) return *ms;
  if (const auto ms = parse_calendar_time(text)) return *ms;
  return make_error(ErrorCode::kInvalidArgument,
                    fmt::format("time '{}': expected '2024-05-01 10:00:00', '15m ago', now, or "
                                "Unix milliseconds",
                                text));
}

}  // namespace gantry::cli
