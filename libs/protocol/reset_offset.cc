// SPDX-License-Identifier: Apache-2.0
#include "protocol/reset_offset.h"

#include "protocol/body_fields.h"

namespace gantry::protocol {
namespace {

// One element of the list form for C++ clients.
struct QueueOffsetWire {
  MessageQueue queue;
  std::int64_t offset = 0;
};

template <class F, Is<QueueOffsetWire> T>
void describe(F& f, T& t) {
  f("brokerName", t.queue.broker_name);
  f("offset", t.offset);
  f("queueId", t.queue.queue_id);
  f("topic", t.queue.topic);
}

struct ResetOffsetListWire {
  std::vector<QueueOffsetWire> offset_table;
};

template <class F, Is<ResetOffsetListWire> T>
void describe(F& f, T& t) {
  f("offsetTable", t.offset_table);
}

bool is_list_form(const JsonDocument& document) {
  const std::optional<JsonNode> table = document.root().member("offsetTable");
  bool list = false;
  if (table && table->is_array()) {
    table->for_each([&](JsonNode first) {
      list = first.is_object();
      return false;
    });
  }
  return list;
}

}  // namespace

template <class F, Is<ResetOffsetBody> T>
void describe(F& f, T& t) {
  f("offsetTable", t.offset_table);
}

template <class F, Is<GetConsumerStatusBody> T>
void describe(F& f, T& t) {
  f("consumerTable", t.consumer_table);
  f("messageQueueTable", t.message_queue_table);
}

std::string ResetOffsetBody::to_json() const { return encode_body(*this); }

std::string ResetOffsetBody::to_json_list() const {
  ResetOffsetListWire wire;
  for (const auto& [queue, offset] : offset_table) wire.offset_table.push_back({queue, offset});
  return encode_body(wire);
}

Result<ResetOffsetBody> ResetOffsetBody::from_json(std::string_view body) {
  const Result<JsonDocument> document = JsonDocument::parse(body);
  if (!document || !is_list_form(*document)) {
    return decode_body<ResetOffsetBody>("ResetOffsetBody", body);
  }
  auto wire = decode_body<ResetOffsetListWire>("ResetOffsetBody", body);
  if (!wire) return std::unexpected(std::move(wire).error());
  ResetOffsetBody out;
  for (QueueOffsetWire& entry : wire->offset_table) {
    out.offset_table.insert_or_assign(std::move(entry.queue), entry.offset);
  }
  return out;
}

std::string GetConsumerStatusBody::to_json() const { return encode_body(*this); }

Result<GetConsumerStatusBody> GetConsumerStatusBody::from_json(std::string_view body) {
  return decode_body<GetConsumerStatusBody>("GetConsumerStatusBody", body);
}

}  // namespace gantry::protocol
