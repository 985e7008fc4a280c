// SPDX-License-Identifier: Apache-2.0
#include "replog/hard_state.h"

#include <fmt/core.h>

#include <algorithm>
#include <random>

#include "replog/key_value_text.h"

namespace gantry::replog {
namespace {

constexpr char kMemberSeparator = ';';  // the file's lines end with a line feed

}  // namespace

std::string make_member_uuid() {
  std::random_device random;
  std::string text;
  for (int i = 0; i < 4; ++i) text += fmt::format("{:08x}", random());
  return text;
}

Result<std::unique_ptr<HardStateFile>> HardStateFile::open(io::FileSystem& fs,
                                                           const std::string& path,
                                                           std::int64_t file_bytes,
                                                           const std::string& new_uuid,
                                                           bool* created) {
  auto file = io::TwoSlotFile::open(fs, path);
  if (!file) return std::unexpected(file.error());
  auto result = std::make_unique<HardStateFile>();
  result->file_ = std::move(*file);
  *created = !result->file_->payload().has_value();
  if (*created) {
    HardState fresh;
    fresh.member_uuid = new_uuid;
    fresh.file_bytes = file_bytes;
    GANTRY_TRY(result->save(std::move(fresh)));
    return result;
  }
  const KeyValueText text = KeyValueText::parse(*result->file_->payload());
  HardState& s = result->state_;
  s.member_uuid = text.get("memberUuid");
  s.term = Term(text.get_int("term", -1));
  s.voted_for = text.get("votedFor");
  s.file_bytes = text.get_int("fileBytes", 0);
  s.starts = text.get_int("starts", 0);
  s.recovering = text.get("recovering") == "true";
  if (std::string formed = text.get("formed"); !formed.empty()) {
    std::ranges::replace(formed, kMemberSeparator, '\n');
    auto members = raft::Membership::decode(formed);
    if (!members) {
      return make_error(ErrorCode::kCorrupt, fmt::format("{}: {}", path, members.error().message));
    }
    s.formed = std::move(*members);
  }
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
  text.set("starts", state.starts);
  text.set("recovering", state.recovering ? "true" : "false");
  if (!state.formed.members.empty()) {
    std::string formed = state.formed.encode();
    std::ranges::replace(formed, '\n', kMemberSeparator);
    text.set("formed", std::move(formed));
  }
  GANTRY_TRY(file_->write(text.text()));
  state_ = std::move(state);
  return {};
}

}  // namespace gantry::replog
