// SPDX-License-Identifier: Apache-2.0
#include "broker/send/send_request.h"

#include <fmt/core.h>

#include <charconv>

#include "protocol/codes.h"

namespace gantry::broker {
namespace {

// Position in kNames == bit in `seen`.
enum Field : std::uint8_t {
  kProducerGroup,
  kTopic,
  kDefaultTopic,
  kQueueNums,
  kQueueId,
  kSysFlag,
  kBorn,
  kFlag,
  kProperties,
  kReconsume,
  kUnitMode,
  kMaxReconsume,
  kBatch,
  kCount,
  kUnknown = kCount
};

constexpr std::string_view kNames[kCount] = {
    "producerGroup", "topic",          "defaultTopic",  "defaultTopicQueueNums",
    "queueId",       "sysFlag",        "bornTimestamp", "flag",
    "properties",    "reconsumeTimes", "unitMode",      "maxReconsumeTimes",
    "batch"};
constexpr std::uint32_t kMandatory = (1U << (kFlag + 1)) - 1;

Field field_of(std::string_view key, bool letters) {
  if (letters) {
    if (key.size() != 1 || key[0] < 'a' || key[0] > 'm') return kUnknown;
    return static_cast<Field>(key[0] - 'a');
  }
  for (std::uint8_t i = 0; i < kCount; ++i) {
    if (key == kNames[i]) return static_cast<Field>(i);
  }
  return kUnknown;
}

template <class T>
bool number(std::string_view text, T& out) {
  if (text.size() == 1 && text[0] >= '0' && text[0] <= '9') {  // most of them
    out = text[0] - '0';
    return true;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

bool assign(SendRequest& r, Field field, std::string_view value) {
  switch (field) {
    case kProducerGroup:
      r.producer_group = value;
      return true;
    case kTopic:
      r.topic = value;
      return true;
    case kDefaultTopic:
      r.default_topic = value;
      return true;
    case kQueueNums:
      return number(value, r.default_topic_queue_nums);
    case kQueueId:
      return number(value, r.queue_id);
    case kSysFlag:
      return number(value, r.sys_flag);
    case kBorn:
      return number(value, r.born_timestamp_ms);
    case kFlag:
      return number(value, r.flag);
    case kProperties:
      r.properties = value;
      return true;
    case kReconsume:
      return number(value, r.reconsume_times);
    case kUnitMode:
      r.unit_mode = value == "true";
      return true;
    case kMaxReconsume: {
      std::int32_t times = 0;
      if (!number(value, times)) return false;
      r.max_reconsume_times = times;
      return true;
    }
    case kBatch:
      r.batch = value == "true";
      return true;
    default:
      return true;
  }
}

}  // namespace

Result<SendRequest> SendRequest::parse(const protocol::CommandView& request) {
  const bool letters =
      request.code != static_cast<std::int32_t>(protocol::RequestCode::kSendMessage);
  SendRequest r;
  std::uint32_t seen = 0;
  for (const protocol::ExtField& ext : request.ext.all()) {
    const Field field = field_of(ext.key, letters);
    if (field == kUnknown) continue;
    if (!assign(r, field, ext.value)) {
      return make_error(
          ErrorCode::kInvalidArgument,
          fmt::format("header field <{}> is not a number: '{}'", kNames[field], ext.value));
    }
    seen |= 1U << field;
  }
  for (std::uint8_t i = 0; i <= kFlag; ++i) {
    if ((seen & kMandatory & (1U << i)) == 0) {
      return make_error(ErrorCode::kInvalidArgument,
                        fmt::format("the custom field <{}> is null", kNames[i]));
    }
  }
  return r;
}

}  // namespace gantry::broker
