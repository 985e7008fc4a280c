// SPDX-License-Identifier: Apache-2.0
#include "config/option.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <optional>
#include <utility>

namespace gantry::config {
namespace {

constexpr std::string_view kBlank = " \t\r\n\f";

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

struct Suffix {
  std::string_view text;
  std::int64_t factor;
};

constexpr std::int64_t kKi = 1024;
constexpr std::array<Suffix, 13> kSizeSuffixes{{{"", 1},
                                                {"b", 1},
                                                {"k", kKi},
                                                {"kb", kKi},
                                                {"kib", kKi},
                                                {"m", kKi* kKi},
                                                {"mb", kKi* kKi},
                                                {"mib", kKi* kKi},
                                                {"g", kKi* kKi* kKi},
                                                {"gb", kKi* kKi* kKi},
                                                {"gib", kKi* kKi* kKi},
                                                {"t", kKi* kKi* kKi* kKi},
                                                {"tib", kKi* kKi* kKi* kKi}}};

constexpr std::array<Suffix, 5> kTimeSuffixes{
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};

std::int64_t unit_ms(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kSeconds:
      return 1000;
    case TimeUnit::kHours:
      return 3'600'000;
    case TimeUnit::kMillis:
    case TimeUnit::kNone:
      return 1;
  }
  return 1;
}

template <class T>
std::optional<T> parse_whole(std::string_view text) {
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);  // as Java
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// A number followed by one of `suffixes`, multiplied out.
std::optional<std::int64_t> parse_scaled(std::string_view text, std::span<const Suffix> suffixes) {
  const std::size_t digits_end = text.find_first_not_of("+-0123456789");
  const auto number = parse_whole<std::int64_t>(text.substr(0, digits_end));
  if (!number) return std::nullopt;
  const std::string_view suffix =
      digits_end == std::string_view::npos ? "" : trim(text.substr(digits_end));
  for (const Suffix& known : suffixes) {
    std::int64_t value = 0;
    if (!equal_ignoring_case(known.text, suffix)) continue;
    if (__builtin_mul_overflow(*number, known.factor, &value)) return std::nullopt;
    return value;
  }
  return std::nullopt;
}

std::optional<std::int64_t> parse_duration(std::string_view text, TimeUnit unit) {
  if (const auto plain = parse_whole<std::int64_t>(text)) return plain;
  const auto ms = parse_scaled(text, kTimeSuffixes);
  const std::int64_t divisor = unit_ms(unit);
  if (!ms || *ms % divisor != 0) return std::nullopt;  // e.g. 90m for a key in whole hours
  return *ms / divisor;
}

std::optional<std::int64_t> parse_integer(const OptionSpec& spec, std::string_view text) {
  switch (spec.type) {
    case OptionType::kSize:
      return parse_scaled(text, kSizeSuffixes);
    case OptionType::kDuration:
      return parse_duration(text, spec.unit);
    case OptionType::kInt: {
      const auto value = parse_whole<std::int32_t>(text);
      if (!value) return std::nullopt;
      return *value;
    }
    default:
      return parse_whole<std::int64_t>(text);
  }
}

bool has_min(const OptionSpec& spec) { return spec.min != std::numeric_limits<double>::lowest(); }
bool has_max(const OptionSpec& spec) { return spec.max != std::numeric_limits<double>::max(); }

bool in_range(const OptionSpec& spec, double value) {
  return value >= spec.min && value <= spec.max;  // false for NaN
}

std::string number_text(double value) {
  std::array<char, 64> buffer;
  const bool whole = std::abs(value) < 9e15 && value == std::floor(value);
  const auto end = whole ? std::to_chars(buffer.data(), buffer.data() + buffer.size(),
                                         static_cast<std::int64_t>(value))
                         : std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return {buffer.data(), end.ptr};
}

std::string range_text(const OptionSpec& spec) {
  if (has_min(spec) && has_max(spec)) {
    return " from " + number_text(spec.min) + " to " + number_text(spec.max);
  }
  if (has_min(spec)) return " of at least " + number_text(spec.min);
  if (has_max(spec)) return " of at most " + number_text(spec.max);
  return {};
}

std::string after_comma(const std::string& text) { return text.empty() ? text : "," + text; }

std::string_view unit_name(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kSeconds:
      return "seconds";
    case TimeUnit::kHours:
      return "hours";
    case TimeUnit::kMillis:
    case TimeUnit::kNone:
      return "milliseconds";
  }
  return "milliseconds";
}

std::string_view unit_example(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kSeconds:
      return "30 or 30s";
    case TimeUnit::kHours:
      return "72 or 3d";
    case TimeUnit::kMillis:
    case TimeUnit::kNone:
      return "5000 or 5s";
  }
  return "5000 or 5s";
}

// Levenshtein distance, ignoring case, with a swap of neighbours as one step. Keys are short.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  const auto same = [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  };
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1,
                         last[j - 1] + (same(a[i - 1], b[j - 1]) ? std::size_t{0} : 1)});
      if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1])) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

Result<OptionValue> parse_option(const OptionSpec& spec, std::string_view raw) {
  const std::string_view text = trim(raw);
  const auto refuse = [&] {
    return make_error(ErrorCode::kInvalidArgument, "expected " + expected_text(spec));
  };
  switch (spec.type) {
    case OptionType::kBool:
      if (equal_ignoring_case(text, "true")) return true;
      if (equal_ignoring_case(text, "false")) return false;
      return refuse();
    case OptionType::kDouble: {
      const auto value = parse_whole<double>(text);
      if (!value || !in_range(spec, *value)) return refuse();
      return *value;
    }
    case OptionType::kString:
      return std::string(text);
    case OptionType::kList:
      return split_list(text);
    case OptionType::kEnum: {
      const auto at = std::ranges::find(spec.enum_values, text);
      if (at == spec.enum_values.end()) return refuse();
      return static_cast<std::int64_t>(at - spec.enum_values.begin());
    }
    case OptionType::kInt:
    case OptionType::kLong:
    case OptionType::kSize:
    case OptionType::kDuration: {
      const auto value = parse_integer(spec, text);
      if (!value || !in_range(spec, static_cast<double>(*value))) return refuse();
      return *value;
    }
  }
  return refuse();
}

std::string expected_text(const OptionSpec& spec) {
  switch (spec.type) {
    case OptionType::kBool:
      return "true or false";
    case OptionType::kInt:
    case OptionType::kLong:
      return "a whole number" + range_text(spec);
    case OptionType::kDouble:
      return "a number" + range_text(spec);
    case OptionType::kString:
      return "a text";
    case OptionType::kList:
      return "a list separated by ';'";
    case OptionType::kSize:
      return "a size in bytes, e.g. 1048576 or 1MiB" + after_comma(range_text(spec));
    case OptionType::kDuration:
      return "a time in " + std::string(unit_name(spec.unit)) + ", e.g. " +
             std::string(unit_example(spec.unit)) + after_comma(range_text(spec));
    case OptionType::kEnum:
      break;
  }
  std::string text = "one of ";
  for (std::size_t i = 0; i < spec.enum_values.size(); ++i) {
    if (i > 0) text += ", ";
    text += spec.enum_values[i];
  }
  return text;
}

std::string_view nearest_key(std::string_view key, std::span<const std::string_view> candidates) {
  constexpr std::size_t kLongestKey = 256;
  if (key.size() > kLongestKey) return {};
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(2, key.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(key, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::vector<std::string> split_list(std::string_view text, char separator) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    const std::string_view item = trim(text.substr(0, end));
    if (!item.empty()) items.emplace_back(item);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return items;
}

}  // namespace gantry::config
