// SPDX-License-Identifier: Apache-2.0
// Private to libs/client: Broker's templates, shared by its source files.
#pragma once

#include "client/answer.h"
#include "client/broker.h"
#include "protocol/codes.h"
#include "protocol/command.h"
#include "protocol/data_version.h"

namespace gantry::client {

template <class Body>
Result<Body> Broker::ask_body(protocol::Command request) {
  auto answer = ask(std::move(request));
  if (!answer) return std::unexpected(std::move(answer).error());
  auto body = Body::from_json(answer->body);
  if (!body) {
    body.error().message = who_ + ": " + body.error().message;
  }
  return body;
}

// Tables that newer brokers answer in pages. A broker that does not page answers all of it, with a
// total equal to what it sent or without one. Starts again when the table changes in between.
template <class Page>
Result<Page> Broker::ask_pages(protocol::RequestCode code, std::string_view sequence_field,
                               std::string_view limit_field, std::string_view total_field,
                               std::size_t (*merge)(Page& into, Page&& page)) {
  constexpr std::int64_t kPageMax = 2000;
  constexpr int kRestartsMax = 10;
  for (int restarts = 0; restarts <= kRestartsMax; ++restarts) {
    Page all;
    std::int64_t sequence = 0;
    std::string version;
    for (bool changed = false; !changed;) {
      auto request = protocol::Command::request(protocol::to_int(code))
                         .with(std::string(sequence_field), sequence)
                         .with(std::string(limit_field), kPageMax);
      if (!version.empty()) request.with("dataVersion", version);
      auto answer = ask(std::move(request));
      if (!answer) return std::unexpected(std::move(answer).error());
      auto page = Page::from_json(answer->body);
      if (!page) return page;
      const std::string page_version = page->data_version.to_json();
      changed = sequence > 0 && page_version != version;
      if (changed) break;
      version = page_version;
      const auto total = int_field(*answer, total_field, who_);
      const std::size_t added = merge(all, std::move(*page));
      sequence += static_cast<std::int64_t>(added);
      if (!total || added == 0 || sequence >= *total) return all;
    }
  }
  return make_error(ErrorCode::kBusy, who_ + ": the table changes faster than it can be read");
}

}  // namespace gantry::client
