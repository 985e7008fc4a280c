// SPDX-License-Identifier: Apache-2.0
// JSON as the peers of RocketMQ write it: RFC 8259 plus what fastjson emits, integer keys without
// quotes and objects as keys. Read into a flat table of nodes, for decoding bodies. Single thread;
// costs one node of 48 bytes per value and copies only strings with escapes.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace gantry::protocol {

enum class JsonKind : std::uint8_t { kNull, kBool, kNumber, kString, kArray, kObject };

class JsonNode;

class JsonDocument {
 public:
  // `text` must outlive the document. Errors: kCorrupt with what is wrong at which byte, also for
  // more than 64 levels or 4 million values; kUnsupported for fastjson's "$ref".
  static Result<JsonDocument> parse(std::string_view text);

  JsonNode root() const;

 private:
  friend class JsonNode;
  friend class LenientParser;
  struct Entry {
    std::string_view key;  // inside an object: the key; of an object key its JSON text
    std::string_view text;
    std::uint32_t end = 0;  // index after the last entry of this value
    JsonKind kind = JsonKind::kNull;
  };

  std::vector<Entry> entries_;
  std::deque<std::string> strings_;  // unescaped content the entries point to
};

// One value of a document; cheap to copy, valid as long as the document and its text.
class JsonNode {
 public:
  JsonKind kind() const { return entry().kind; }
  bool is_object() const { return kind() == JsonKind::kObject; }
  bool is_array() const { return kind() == JsonKind::kArray; }
  bool is_string() const { return kind() == JsonKind::kString; }
  // Content of a string, else the text of a number, true, false or null.
  std::string_view text() const { return entry().text; }
  std::string_view key() const { return entry().key; }

  // The last member of that name; nullopt when there is none or it is null.
  std::optional<JsonNode> member(std::string_view name) const;

  // Calls fn(JsonNode) for each element or member, in order, until it returns false.
  template <class Fn>
  bool for_each(Fn&& fn) const {
    for (std::uint32_t i = index_ + 1; i < entry().end; i = document_->entries_[i].end) {
      if (!fn(JsonNode(document_, i))) return false;
    }
    return true;
  }

 private:
  friend class JsonDocument;
  JsonNode(const JsonDocument* document, std::uint32_t index)
      : document_(document), index_(index) {}
  const JsonDocument::Entry& entry() const { return document_->entries_[index_]; }

  const JsonDocument* document_;
  std::uint32_t index_;
};

inline JsonNode JsonDocument::root() const { return JsonNode(this, 0); }

}  // namespace gantry::protocol
