// SPDX-License-Identifier: Apache-2.0
#include "protocol/send_answer.h"

#include <charconv>
#include <cstring>

#include "base/bytes.h"
#include "protocol/command.h"
#include "protocol/json_escape.h"

namespace gantry::protocol {
namespace {

constexpr std::size_t kLengths = 8;    // the length field, and serialize type with header length
constexpr std::size_t kTailMax = 320;  // everything behind the message ids but the unique key
constexpr std::string_view kMessageIds = "\"msgId\":\"";

char* put(char* p, std::string_view text) {
  if (!text.empty()) std::memcpy(p, text.data(), text.size());
  return p + text.size();
}

template <class T>
char* put_number(char* p, T value) {
  constexpr std::size_t kDigitsMax = 20;
  return std::to_chars(p, p + kDigitsMax, value).ptr;
}

std::string_view trace_text(bool on) { return on ? "true" : "false"; }

}  // namespace

void SendAnswerWriter::set_broker(std::string_view region, bool trace_on) {
  if (!head_.empty() && region == region_ && trace_on == trace_on_) return;
  region_ = region;
  trace_on_ = trace_on;
  head_.clear();
  write_piecewise(
      {.opaque = 0, .message_ids = {}, .queue_id = 0, .queue_offset = {}, .uniq_key = {}}, head_);
  head_.resize(head_.find(kMessageIds) + kMessageIds.size());
}

void SendAnswerWriter::write_piecewise(const SendAnswer& answer, std::string& out) const {
  ResponseWriter writer(out, 0, answer.opaque);
  writer.ext("MSG_REGION", region_);
  writer.ext("TRACE_ON", trace_text(trace_on_));
  writer.ext("msgId", answer.message_ids);
  writer.ext("queueId", static_cast<std::int64_t>(answer.queue_id));
  writer.ext("queueOffset", answer.queue_offset.v);
  if (!answer.uniq_key.empty()) writer.ext("transactionId", answer.uniq_key);
  writer.finish(0);
}

void SendAnswerWriter::write(const SendAnswer& answer, std::string& out) const {
  if (!is_plain_json_text(answer.uniq_key)) return write_piecewise(answer, out);
  const std::size_t begin = out.size();
  const std::size_t room =
      head_.size() + answer.message_ids.size() + answer.uniq_key.size() + kTailMax;
  out.resize_and_overwrite(begin + room, [&](char* data, std::size_t) {
    char* const frame = data + begin;
    char* p = put(frame, head_);
    p = put(p, answer.message_ids);
    p = put_number(put(p, "\",\"queueId\":\""), answer.queue_id);
    p = put_number(put(p, "\",\"queueOffset\":\""), answer.queue_offset.v);
    if (!answer.uniq_key.empty()) p = put(put(p, "\",\"transactionId\":\""), answer.uniq_key);
    p = put_number(put(p, "\"},\"flag\":1,\"language\":\"CPP\",\"opaque\":"), answer.opaque);
    p = put_number(put(p, ",\"serializeTypeCurrentRPC\":\"JSON\",\"version\":"), kVersion);
    p = put(p, "}");
    const auto header = static_cast<std::uint32_t>(p - frame) - kLengths;
    store_be(frame, static_cast<std::uint32_t>(4 + header));
    store_be(frame + 4, static_cast<std::uint32_t>(header));  // type JSON is 0
    return static_cast<std::size_t>(p - data);
  });
}

}  // namespace gantry::protocol
