// SPDX-License-Identifier: Apache-2.0
#include "io/two_slot_file.h"

#include <fmt/core.h>

#include "base/bytes.h"
#include "base/crc32.h"

namespace gantry::io {
namespace {

constexpr std::uint32_t kMagic = 0x47544C32U;
constexpr std::size_t kHeaderBytes = 16;

struct Slot {
  std::uint64_t generation;
  std::string payload;
};

std::optional<Slot> parse(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes + 4 || load_be<std::uint32_t>(bytes.data()) != kMagic) return {};
  const std::size_t length = load_be<std::uint32_t>(bytes.data() + 12);
  if (length > TwoSlotFile::kPayloadBytesMax || kHeaderBytes + length + 4 > bytes.size()) return {};
  const std::size_t covered = kHeaderBytes + length;
  if (load_be<std::uint32_t>(bytes.data() + covered) != crc32(bytes.substr(0, covered))) return {};
  return Slot{load_be<std::uint64_t>(bytes.data() + 4),
              std::string(bytes.substr(kHeaderBytes, length))};
}

}  // namespace

Result<std::unique_ptr<TwoSlotFile>> TwoSlotFile::open(FileSystem& fs, const std::string& path) {
  const auto existed = fs.exists(path);
  if (!existed) return std::unexpected(existed.error());
  auto file = fs.open(path, OpenMode::kCreate);
  if (!file) return std::unexpected(file.error());
  if (!*existed) GANTRY_TRY(fs.sync_directory(parent_directory(path)));
  std::unique_ptr<TwoSlotFile> result(new TwoSlotFile(std::move(*file)));

  std::string bytes(2 * kSlotBytes, '\0');
  const auto n = result->file_->read_at(0, bytes);
  if (!n) return std::unexpected(n.error());
  bytes.resize(*n);
  for (std::size_t i = 0; i < 2 && bytes.size() > i * kSlotBytes; ++i) {
    auto slot = parse(std::string_view(bytes).substr(i * kSlotBytes, kSlotBytes));
    if (slot && (!result->payload_ || slot->generation > result->generation_)) {
      result->generation_ = slot->generation;
      result->payload_ = std::move(slot->payload);
    }
  }
  // The very first write may have been torn before it was acknowledged: then the second slot is
  // still empty and nothing depends on the first.
  if (!result->payload_ && bytes.size() > kSlotBytes &&
      bytes.find_first_not_of('\0', kSlotBytes) != std::string::npos) {
    return make_error(ErrorCode::kCorrupt, fmt::format("{}: neither slot is valid", path));
  }
  return result;
}

Result<void> TwoSlotFile::write(std::string_view payload) {
  if (payload.size() > kPayloadBytesMax) {
    return make_error(ErrorCode::kInvalidArgument,
                      fmt::format("{}: payload of {} bytes, limit {}", file_->path(),
                                  payload.size(), kPayloadBytesMax));
  }
  std::string slot(kSlotBytes, '\0');
  store_be<std::uint32_t>(slot.data(), kMagic);
  store_be<std::uint64_t>(slot.data() + 4, generation_ + 1);
  store_be<std::uint32_t>(slot.data() + 12, static_cast<std::uint32_t>(payload.size()));
  payload.copy(slot.data() + kHeaderBytes, payload.size());
  const std::size_t covered = kHeaderBytes + payload.size();
  store_be<std::uint32_t>(slot.data() + covered, crc32({slot.data(), covered}));
  const auto at = static_cast<std::int64_t>((generation_ % 2) * kSlotBytes);
  GANTRY_TRY(file_->write_at(at, slot));
  GANTRY_TRY(file_->sync());
  ++generation_;
  payload_ = std::string(payload);
  return {};
}

}  // namespace gantry::io
