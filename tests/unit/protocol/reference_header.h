// SPDX-License-Identifier: Apache-2.0
// What a JSON header means according to nlohmann-json: the yardstick for the hand-written decoder,
// used by the differential test and by the fuzzer.
#pragma once

#include <charconv>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/command.h"
#include "protocol/json_header.h"

namespace gantry::protocol {

struct ReferenceHeader {
  std::int32_t code = 0;
  std::int32_t flag = 0;
  std::int32_t opaque = 0;
  std::int32_t version = 0;
  Language language = Language::kJava;
  std::optional<std::string> remark;
  bool ext_present = false;
  std::vector<std::pair<std::string, std::string>> ext;
};

// SAX handler; the type rules are those of decode_json_header's comment, written a second time.
class ReferenceReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  ReferenceHeader header;
  bool over_limit = false;  // refused for one of the decoder's own limits

  bool null() override { return scalar(std::nullopt, false); }
  bool boolean(bool value) override { return scalar(value ? "true" : "false", false); }
  bool number_integer(number_integer_t value) override {
    return scalar(std::to_string(value), true);
  }
  bool number_unsigned(number_unsigned_t value) override {
    return scalar(std::to_string(value), true);
  }
  bool number_float(number_float_t, const string_t& text) override { return scalar(text, false); }
  bool string(string_t& value) override {
    string_value_ = true;
    const bool ok = scalar(value, true);
    string_value_ = false;
    return ok;
  }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override {
    if (++depth_ > kJsonDepthMax) return limit();
    if (depth_ == 1) return true;
    if (depth_ == 2 && key_ == "extFields" && !skipping_) {
      header.ext.clear();
      header.ext_present = true;
      in_ext_ = true;
      return true;
    }
    return start_unknown();
  }
  bool end_object() override { return end_container(); }
  bool start_array(std::size_t) override {
    if (++depth_ > kJsonDepthMax) return limit();
    return depth_ != 1 && start_unknown();
  }
  bool end_array() override { return end_container(); }
  bool key(string_t& value) override {
    if (depth_ == 1) key_ = value;
    if (depth_ == 2) ext_key_ = value;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  bool limit() {
    over_limit = true;
    return false;
  }
  bool known() const {
    for (const char* name :
         {"code", "flag", "opaque", "version", "language", "remark", "extFields"}) {
      if (key_ == name) return true;
    }
    return false;
  }
  bool start_unknown() {
    if (in_ext_) return false;                 // no containers in extFields
    if (depth_ == 2 && known()) return false;  // none of them is an array, only one an object
    skipping_ = true;
    return true;
  }
  bool end_container() {
    --depth_;
    if (depth_ == 1) in_ext_ = skipping_ = false;
    return true;
  }
  bool scalar(const std::optional<std::string>& text, bool may_be_int) {
    if (depth_ == 0) return false;
    if (in_ext_) return ext_scalar(text);
    if (depth_ > 1) return true;
    if (key_ == "code") return integer(text, may_be_int, header.code);
    if (key_ == "flag") return integer(text, may_be_int, header.flag);
    if (key_ == "opaque") return integer(text, may_be_int, header.opaque);
    if (key_ == "version") return integer(text, may_be_int, header.version);
    if (key_ == "language") return language(text, may_be_int);
    if (key_ == "remark") header.remark = text;
    if (key_ == "extFields") {
      header.ext.clear();
      header.ext_present = false;
      return !text.has_value();
    }
    return true;
  }
  bool ext_scalar(const std::optional<std::string>& text) {
    if (text && ++ext_count_ > kExtFieldsMax) return limit();
    std::erase_if(header.ext, [&](auto& field) {
      if (field.first != ext_key_) return false;
      if (text) field.second = *text;
      return !text.has_value();
    });
    for (const auto& field : header.ext) {
      if (field.first == ext_key_) return true;
    }
    if (text) header.ext.emplace_back(ext_key_, *text);
    return true;
  }
  static bool integer(const std::optional<std::string>& text, bool may_be_int, std::int32_t& out) {
    out = 0;
    if (!text) return true;
    const char* const end = text->data() + text->size();
    const auto [stop, error] = std::from_chars(text->data(), end, out);
    return may_be_int && error == std::errc() && stop == end;
  }
  bool language(const std::optional<std::string>& text, bool may_be_int) {
    if (string_value_) {
      header.language = language_from_name(*text);
      return true;
    }
    std::int32_t code = 0;
    if (!integer(text, may_be_int, code)) return false;
    header.language = language_from_code(code);
    return true;
  }

  int depth_ = 0;
  std::size_t ext_count_ = 0;
  bool in_ext_ = false;
  bool skipping_ = false;
  bool string_value_ = false;
  std::string key_;
  std::string ext_key_;
};

// "" when decoder and reference agree about `header`, else the difference.
inline std::string compare_with_reference(const std::string& header) {
  // nlohmann takes a NUL byte for the end of the input.
  if (header.find('\0') != std::string::npos) return "";
  ReferenceReader reference;
  const bool expected = nlohmann::json::sax_parse(header, &reference);
  std::string frame(4, '\0');
  frame[1] = static_cast<char>(header.size() >> 16U);
  frame[2] = static_cast<char>(header.size() >> 8U);
  frame[3] = static_cast<char>(header.size());
  frame += header;
  CommandView view;
  const Result<void> decoded = decode(std::span<char>(frame.data(), frame.size()), view);
  if (decoded.has_value() != expected) {
    return decoded ? "decoder accepts, reference refuses"
                   : "reference accepts: " + decoded.error().message;
  }
  if (!expected) return "";
  const ReferenceHeader& want = reference.header;
  if (view.code != want.code || view.flag != want.flag || view.opaque != want.opaque ||
      view.version != want.version) {
    return "numbers differ";
  }
  if (view.language != want.language) return "language differs";
  // nlohmann loses the sign of the whole number -0.
  const auto same = [](std::string_view ours, std::string_view theirs) {
    return ours == theirs || (ours == "-0" && theirs == "0");
  };
  if (view.remark.has_value() != want.remark.has_value()) return "remark presence differs";
  if (view.remark && !same(*view.remark, *want.remark)) return "remark differs";
  if (view.ext.present() != want.ext_present) return "extFields presence differs";
  const auto fields = view.ext.all();
  if (fields.size() != want.ext.size()) return "number of extFields differs";
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].key != want.ext[i].first || !same(fields[i].value, want.ext[i].second)) {
      return "extFields differ at " + std::string(fields[i].key);
    }
    if (view.ext.get(fields[i].key) != fields[i].value) return "find() misses a field";
  }
  return "";
}

}  // namespace gantry::protocol
