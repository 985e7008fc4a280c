// SPDX-License-Identifier: Apache-2.0
#include "replog/checkpoint.h"

#include <fmt/core.h>

#include <algorithm>

#include "replog/key_value_text.h"

namespace gantry::replog {

Result<std::unique_ptr<CheckpointFile>> CheckpointFile::open(io::FileSystem& fs,
                                                             const std::string& path) {
  auto file = io::TwoSlotFile::open(fs, path);
  if (!file) return std::unexpected(file.error());
  auto result = std::make_unique<CheckpointFile>();
  result->file_ = std::move(*file);
  if (!result->file_->payload()) return result;
  const KeyValueText text = KeyValueText::parse(*result->file_->payload());
  Checkpoint c;
  c.durable = LogPosition(text.get_int("durable", -1));
  c.queues_applied = LogPosition(text.get_int("queuesApplied", -1));
  c.index_applied = LogPosition(text.get_int("indexApplied", -1));
  c.committed = LogPosition(text.get_int("committed", 0));
  c.index_from = LogPosition(text.get_int("indexFrom", 0));
  c.apache_from = LogPosition(text.get_int("apacheFrom", -1));
  c.boot_id = text.get("bootId");
  c.clean = text.get("clean") == "true";
  c.async_flush = text.get("asyncFlush") == "true";
  if (c.durable.v < 0 || c.queues_applied.v < 0 || c.index_applied.v < 0) {
    return make_error(ErrorCode::kCorrupt, fmt::format("{}: a position is missing", path));
  }
  result->value_ = c;
  return result;
}

Result<void> CheckpointFile::save(Checkpoint c) {
  const std::lock_guard lock(mutex_);
  if (c.cuts != cuts_) {
    c.durable = std::min(c.durable, value_ ? value_->durable : LogPosition(0));
    c.clean = false;
  }
  return write(c);
}

Result<void> CheckpointFile::cut(LogPosition position) {
  const std::lock_guard lock(mutex_);
  ++cuts_;
  if (!value_ || value_->durable <= position) return {};
  Checkpoint c = *value_;
  c.durable = position;
  c.clean = false;
  return write(c);
}

std::uint64_t CheckpointFile::cuts() const {
  const std::lock_guard lock(mutex_);
  return cuts_;
}

Result<void> CheckpointFile::write(const Checkpoint& c) {
  KeyValueText text;
  text.set("durable", c.durable.v);
  text.set("queuesApplied", c.queues_applied.v);
  text.set("indexApplied", c.index_applied.v);
  text.set("committed", c.committed.v);
  text.set("indexFrom", c.index_from.v);
  text.set("apacheFrom", c.apache_from.v);
  text.set("bootId", c.boot_id);
  text.set("clean", c.clean ? "true" : "false");
  text.set("asyncFlush", c.async_flush ? "true" : "false");
  GANTRY_TRY(file_->write(text.text()));
  value_ = c;
  return {};
}

}  // namespace gantry::replog
