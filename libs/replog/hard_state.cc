// SPDX-License-Identifier: Apache-2.0
#include "replog/hard_state.h"

#include <fmt/core.h>

#include <random>

#include "replog/key_value_text.h"

namespace gantry::replog {
namespace {

std::string new_uuid() {
  std::random_device random;
  std::string text;
  for (int i = 0; i < 4; ++i) text += fmt::format("{:08x}", random());
  return text;
}

}  // namespace

Result<std::unique_ptr<HardStateFile>> HardStateFile::open(io::FileSystem& fs,
                                                           const std::string& path,
                                                           std::int64_t file_bytes, bool* created) {
  auto file = io::TwoSlotFile::open(fs, path);
  if (!file) return std::unexpected(file.error());
  auto result = std::make_unique<HardStateFile>();
  result->file_ = std::move(*file);
  *created = !result->file_->payload().has_value();
  if (*created) {
    GANTRY_TRY(result->save({new_uuid(), Term(0), "", file_bytes}));
    return result;
  }
  const KeyValueText text = KeyValueText::parse(*result->file_->payload());
  HardState& s = result->state_;
  s.member_uuid = text.get("memberUuid");
  s.term = Term(text.get_int("term", -1));
  s.voted_for = text.get("votedFor");
  s.file_bytes = text.get_int("fileBytes", 0);
  if (s.member_uuid.size() != 32 || s.term.v < 0) {
    return make_error(ErrorCode::kCorrupt, fmt::format("{}: memberUuid or term is missing", path));
  }
  if (s.file_bytes != file_bytes) {
    return make_error(
        ErrorCode::kInvalidArgument,
        fmt::format("mappedFileSizeCommitLog is {}, but this store was created with {}", file_bytes,
                    s.file_bytes));
  }
  return result;
}

Result<void> HardStateFile::save(HardState state) {
  KeyValueText text;
  text.set("memberUuid", state.member_uuid);
  text.set("term", state.term.v);
  text.set("votedFor", state.voted_for);
  text.set("fileBytes", state.file_bytes);
  GANTRY_TRY(file_->write(text.text()));
  state_ = std::move(state);
  return {};
}

}  // namespace gantry::replog
