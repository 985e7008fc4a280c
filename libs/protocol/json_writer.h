// SPDX-License-Identifier: Apache-2.0
// Writes compact JSON (no whitespace), which is what every RocketMQ client can read. Commas come by
// themselves; that brackets match is the caller's duty. Single thread.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace gantry::protocol {

class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }

  // The next value belongs to this key.
  JsonWriter& key(std::string_view name);
  JsonWriter& key(std::int64_t number);  // quoted: {"0":...}
  // Makes the value just written (an object) the key of the next one: {{...}:...}.
  JsonWriter& value_was_key();

  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
  JsonWriter& value(std::same_as<bool> auto flag) { return raw(flag ? "true" : "false"); }
  JsonWriter& value(std::int64_t number);
  JsonWriter& value(std::int32_t number) { return value(std::int64_t{number}); }
  // With a decimal point, as Java writes doubles; infinities and NaN become 0.0.
  JsonWriter& value(double number);
  // `json` is a complete JSON value already.
  JsonWriter& raw(std::string_view json);

  std::string take() { return std::move(out_); }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();

  std::string out_;
};

}  // namespace gantry::protocol
