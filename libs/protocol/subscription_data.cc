// SPDX-License-Identifier: Apache-2.0
#include "protocol/subscription_data.h"

#include "protocol/body_fields.h"

namespace gantry::protocol {
namespace {

// Java's String.trim: everything up to the space goes.
std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

void add_tags(std::string_view text, SubscriptionData& data) {
  constexpr std::string_view kSeparator = "||";
  for (bool more = true; more;) {
    const std::size_t at = text.find(kSeparator);
    more = at != std::string_view::npos;
    const std::string_view tag = trim(text.substr(0, at));
    if (!tag.empty()) {
      data.tags_set.emplace(tag);
      data.code_set.insert(java_hash(tag));
    }
    if (more) text.remove_prefix(at + kSeparator.size());
  }
}

}  // namespace

std::string SubscriptionData::to_json() const { return encode_body(*this); }

Result<SubscriptionData> SubscriptionData::from_json(std::string_view body) {
  return decode_body<SubscriptionData>("SubscriptionData", body);
}

Result<SubscriptionData> build_subscription(std::string_view topic, std::string_view text,
                                            std::string_view expression_type) {
  SubscriptionData data;
  data.topic = topic;
  if (!expression_type.empty() && expression_type != kExpressionTypeTag) {
    if (text.empty()) {
      return make_error(ErrorCode::kInvalidArgument, "the expression of topic " +
                                                         std::string(topic) + " is empty, type " +
                                                         std::string(expression_type));
    }
    data.expression_type = expression_type;
    data.sub_string = text;
    return data;
  }
  if (text.empty() || text == kSubscribeAll) {
    data.sub_string = kSubscribeAll;
    return data;
  }
  data.sub_string = text;
  add_tags(text, data);
  if (data.tags_set.empty()) {
    return make_error(ErrorCode::kInvalidArgument, "the subscription of topic " +
                                                       std::string(topic) + " has no tag: \"" +
                                                       std::string(text) + "\"");
  }
  return data;
}

}  // namespace gantry::protocol
