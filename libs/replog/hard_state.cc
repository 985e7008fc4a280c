// SPDX-License-Identifier: Apache-2.0
#include "replog/hard_state.h"

#include <fmt/core.h>

#include <algorithm>
#include <random>

#include "replog/key_value_text.h"

namespace gantry::replog {
namespace {

constexpr char kMemberSeparator = ';';  // the file's lines end with a line feed

void set_members(KeyValueText& text, const char* key, const raft::Membership& membership) {
  if (membership.members.empty()) return;
  std::string lines = membership.encode();
  std::ranges::replace(lines, '\n', kMemberSeparator);
  text.set(key, std::move(lines));
}

Result<raft::Membership> get_members(const KeyValueText& text, const char* key,
                                     const std::string& path) {
  std::string lines = text.get(key);
  if (lines.empty()) return raft::Membership{};
  std::ranges::replace(lines, kMemberSeparator, '\n');
  auto members = raft::Membership::decode(lines);
  if (!members) {
    return make_error(ErrorCode::kCorrupt,
                      fmt::format("{}: {}: {}", path, key, members.error().message));
  }
  return members;
}

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
  auto formed = get_members(text, "formed", path);
  if (!formed) return std::unexpected(formed.error());
  s.formed = std::move(*formed);
  auto recovered = get_members(text, "recovered", path);
  if (!recovered) return std::unexpected(recovered.error());
  s.recovered = std::move(*recovered);
  s.given_up = text.get("givenUp") == "true";
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

raft::HardState HardStateFile::of_core() const {
  return {state_.term, state_.voted_for, state_.recovering, state_.recovered, state_.given_up};
}

Result<void> HardStateFile::save(HardState state) {
  KeyValueText text;
  text.set("memberUuid", state.member_uuid);
  text.set("term", state.term.v);
  text.set("votedFor", state.voted_for);
  text.set("fileBytes", state.file_bytes);
  text.set("starts", state.starts);
  text.set("recovering", state.recovering ? "true" : "false");
  set_members(text, "formed", state.formed);
  set_members(text, "recovered", state.recovered);
  if (state.given_up) text.set("givenUp", "true");
  GANTRY_TRY(file_->write(text.text()));
  state_ = std::move(state);
  return {};
}

}  // namespace gantry::replog
