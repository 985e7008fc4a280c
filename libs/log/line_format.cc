// SPDX-License-Identifier: Apache-2.0
#include "log/line_format.h"

#include <fmt/core.h>

#include <chrono>
#include <cstddef>

namespace gantry::log {
namespace {

void append_time(std::string& out, std::int64_t wall_us) {
  using namespace std::chrono;
  const sys_time<milliseconds> at(floor<milliseconds>(microseconds(wall_us)));
  const auto day = floor<days>(at);
  const year_month_day date(day);
  const hh_mm_ss time(at - day);
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
                 static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                 static_cast<unsigned>(date.day()), time.hours().count(), time.minutes().count(),
                 time.seconds().count(), time.subseconds().count());
}

bool is_control(unsigned char c) { return c < 0x20 || c == 0x7F; }

void append_escaped_control(std::string& out, unsigned char c) {
  switch (c) {
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
  }
}

// Length of the UTF-8 sequence at `s[i]`, or 0 if it is not well-formed. JSON must be UTF-8, but a
// message may quote any bytes.
std::size_t utf8_length(std::string_view s, std::size_t i) {
  const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(s[k]); };
  const unsigned char lead = byte(i);
  const std::size_t n = lead < 0x80                   ? 1
                        : lead >= 0xC2 && lead < 0xE0 ? 2
                        : (lead & 0xF0) == 0xE0       ? 3
                        : lead >= 0xF0 && lead < 0xF5 ? 4
                                                      : 0;
  if (n == 0 || i + n > s.size()) return 0;
  for (std::size_t k = 1; k < n; ++k) {
    if ((byte(i + k) & 0xC0) != 0x80) return 0;
  }
  if (n == 3 && lead == 0xE0 && byte(i + 1) < 0xA0) return 0;   // overlong
  if (n == 3 && lead == 0xED && byte(i + 1) >= 0xA0) return 0;  // surrogate
  if (n == 4 && lead == 0xF0 && byte(i + 1) < 0x90) return 0;   // overlong
  if (n == 4 && lead == 0xF4 && byte(i + 1) >= 0x90) return 0;  // beyond U+10FFFF
  return n;
}

void append_json_string(std::string& out, std::string_view s) {
  out += '"';
  for (std::size_t i = 0; i < s.size();) {
    const auto c = static_cast<unsigned char>(s[i]);
    const std::size_t n = utf8_length(s, i);
    if (n == 0) {
      out += "\\ufffd";
    } else if (is_control(c)) {
      append_escaped_control(out, c);
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += s[i];
    } else {
      out += s.substr(i, n);
    }
    i += n == 0 ? 1 : n;
  }
  out += '"';
}

}  // namespace

void append_text(std::string& out, const Line& line) {
  append_time(out, line.wall_us);
  fmt::format_to(std::back_inserter(out), " {:<5} {}: ", to_string(line.level), line.module);
  for (const char c : line.message) {
    if (is_control(static_cast<unsigned char>(c))) {
      append_escaped_control(out, static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
}

void append_json(std::string& out, const Line& line) {
  out += R"({"time":")";
  append_time(out, line.wall_us);
  fmt::format_to(std::back_inserter(out), R"(","level":"{}","module":)", to_string(line.level));
  append_json_string(out, line.module);
  fmt::format_to(std::back_inserter(out), R"(,"thread":{},"msg":)", line.thread_id);
  append_json_string(out, line.message);
  out += '}';
}

}  // namespace gantry::log
