// SPDX-License-Identifier: Apache-2.0
#include "client/answer.h"

#include <fmt/core.h>

#include <charconv>

namespace gantry::client {
namespace {

using protocol::ResponseCode;

ErrorCode category(std::int32_t code) {
  switch (static_cast<ResponseCode>(code)) {
    case ResponseCode::kTopicNotExist:
    case ResponseCode::kQueryNotFound:
    case ResponseCode::kSubscriptionNotExist:
    case ResponseCode::kSubscriptionGroupNotExist:
    case ResponseCode::kConsumerNotOnline:
    case ResponseCode::kNoMessage:
    case ResponseCode::kBrokerNotExist:
      return ErrorCode::kNotFound;
    case ResponseCode::kSystemBusy:
    case ResponseCode::kServiceNotAvailable:
    case ResponseCode::kSlaveNotAvailable:
    case ResponseCode::kFlowControl:
    case ResponseCode::kGoAway:
      return ErrorCode::kBusy;
    case ResponseCode::kRequestCodeNotSupported:
    case ResponseCode::kVersionNotSupported:
      return ErrorCode::kUnsupported;
    case ResponseCode::kTopicExistAlready:
      return ErrorCode::kConflict;
    default:
      return ErrorCode::kInvalidArgument;
  }
}

// Java appends help texts and stack lines to its remarks.
std::string_view first_line(std::string_view text) {
  text = text.substr(0, text.find('\n'));
  while (text.ends_with(' ') || text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

}  // namespace

Error error_of(const protocol::Command& answer, std::string_view who) {
  const std::string_view remark = first_line(answer.remark ? *answer.remark : std::string_view{});
  const std::string_view name = protocol::response_code_name(answer.code);
  return {category(answer.code),
          remark.empty() ? fmt::format("{}: {} ({})", who, name, answer.code)
                         : fmt::format("{}: {} ({}, {})", who, remark, name, answer.code)};
}

Result<void> require_success(const protocol::Command& answer, std::string_view who) {
  if (answer.code == protocol::to_int(ResponseCode::kSuccess)) return {};
  return std::unexpected(error_of(answer, who));
}

bool has_code(const protocol::Command& answer, protocol::ResponseCode code) {
  return answer.code == protocol::to_int(code);
}

Result<std::int64_t> int_field(const protocol::Command& answer, std::string_view name,
                               std::string_view who) {
  const auto text = answer.find(name);
  std::int64_t value = 0;
  if (text) {
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error == std::errc{} && end == text->data() + text->size()) return value;
  }
  return make_error(ErrorCode::kCorrupt, fmt::format("{}: the answer's field {} is {}", who, name,
                                                     text ? "not a number" : "missing"));
}

Result<std::string> text_field(const protocol::Command& answer, std::string_view name,
                               std::string_view who) {
  if (const auto text = answer.find(name)) return std::string(*text);
  return make_error(ErrorCode::kCorrupt,
                    fmt::format("{}: the answer's field {} is missing", who, name));
}

}  // namespace gantry::client
