// SPDX-License-Identifier: Apache-2.0
#include "cli/places.h"

#include <fmt/core.h>

#include <charconv>

#include "cli/text.h"

namespace gantry::cli {
namespace {

template <class Int>
bool parse_number(std::string_view text, Int& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && value >= 0;
}

}  // namespace

Result<QueueName> parse_queue_name(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  QueueName queue;
  if (colon == std::string_view::npos || colon == 0 ||
      !parse_number(text.substr(colon + 1), queue.id)) {
    return make_error(ErrorCode::kInvalidArgument,
                      fmt::format("queue '{}': expected BROKER:ID, e.g. broker-a:3", text));
  }
  queue.broker = text.substr(0, colon);
  return queue;
}

Result<Place> parse_place(std::string_view text, std::int64_t now_ms) {
  if (text == "earliest") return Place{Place::Kind::kEarliest, 0};
  if (text == "latest") return Place{Place::Kind::kLatest, 0};
  constexpr std::string_view kOffset = "offset:";
  if (text.starts_with(kOffset)) {
    Place place{Place::Kind::kOffset, 0};
    if (parse_number(text.substr(kOffset.size()), place.value)) return place;
    return make_error(ErrorCode::kInvalidArgument,
                      fmt::format("'{}': expected offset: and a number", text));
  }
  const auto time = parse_time(text, now_ms);
  if (time) return Place{Place::Kind::kTime, *time};
  return make_error(ErrorCode::kInvalidArgument,
                    fmt::format("'{}': expected earliest, latest, offset:N or a time such as "
                                "'2024-05-01 10:00:00' or '15m ago'",
                                text));
}

Result<std::int64_t> offset_of(client::Broker& broker, const protocol::MessageQueue& queue,
                               const Place& place) {
  switch (place.kind) {
    case Place::Kind::kEarliest:
      return broker.min_offset(queue);
    case Place::Kind::kLatest:
      return broker.max_offset(queue);
    case Place::Kind::kTime:
      return broker.offset_by_time(queue, place.value);
    case Place::Kind::kOffset:
      return place.value;
  }
  return make_error(ErrorCode::kInvalidArgument, "unknown place");
}

}  // namespace gantry::cli
