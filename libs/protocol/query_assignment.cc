// SPDX-License-Identifier: Apache-2.0
#include "protocol/query_assignment.h"

#include "protocol/body_fields.h"

namespace gantry::protocol {

inline constexpr std::array<std::string_view, 2> kMessageRequestModeNames = {"PULL", "POP"};
inline std::span<const std::string_view> enum_names(MessageRequestMode) {
  return kMessageRequestModeNames;
}

std::string_view message_request_mode_name(MessageRequestMode mode) {
  return kMessageRequestModeNames[static_cast<std::size_t>(mode)];
}

template <class F, Is<QueryAssignmentRequest> T>
void describe(F& f, T& t) {
  f("clientId", t.client_id);
  f("consumerGroup", t.consumer_group);
  f("messageModel", t.message_model);
  f("strategyName", t.strategy_name);
  f("topic", t.topic);
}

template <class F, Is<MessageQueueAssignment> T>
void describe(F& f, T& t) {
  f("messageQueue", t.message_queue);
  f("mode", t.mode);
}

template <class F, Is<QueryAssignmentResponse> T>
void describe(F& f, T& t) {
  f("messageQueueAssignments", t.assignments);
}

template <class F, Is<SetMessageRequestMode> T>
void describe(F& f, T& t) {
  f("consumerGroup", t.consumer_group);
  f("mode", t.mode);
  f("popShareQueueNum", t.pop_share_queue_num);
  f("topic", t.topic);
}

template <class F, Is<MessageRequestModeTable> T>
void describe(F& f, T& t) {
  f("messageRequestModeMap", t.modes);
}

std::string QueryAssignmentRequest::to_json() const { return encode_body(*this); }

Result<QueryAssignmentRequest> QueryAssignmentRequest::from_json(std::string_view body) {
  return decode_body<QueryAssignmentRequest>("QueryAssignmentRequest", body);
}

std::string QueryAssignmentResponse::to_json() const {
  return assignments.empty() ? "{}" : encode_body(*this);
}

Result<QueryAssignmentResponse> QueryAssignmentResponse::from_json(std::string_view body) {
  return decode_body<QueryAssignmentResponse>("QueryAssignmentResponse", body);
}

std::string SetMessageRequestMode::to_json() const { return encode_body(*this); }

Result<SetMessageRequestMode> SetMessageRequestMode::from_json(std::string_view body) {
  return decode_body<SetMessageRequestMode>("SetMessageRequestMode", body);
}

std::string MessageRequestModeTable::to_json() const { return encode_body(*this); }

Result<MessageRequestModeTable> MessageRequestModeTable::from_json(std::string_view body) {
  return decode_body<MessageRequestModeTable>("MessageRequestModeTable", body);
}

}  // namespace gantry::protocol
