// SPDX-License-Identifier: Apache-2.0
#include "state/snapshot_store.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <utility>

#include "base/bytes.h"
#include "base/crc32.h"

namespace gantry::state {
namespace {

constexpr std::string_view kMagic = "GANTRYSS";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHeaderBytes = 32;  // magic 8, version 4, position 8, length 8, CRC 4
constexpr std::size_t kCrcOffset = 28;
constexpr std::string_view kPrefix = "state-";
constexpr std::size_t kDigits = 20;
constexpr std::size_t kKept = 2;
constexpr std::size_t kFileBytesMax = std::size_t{16} << 30;  // a length that is not true ends here

std::optional<LogPosition> position_of(std::string_view name) {
  if (!name.starts_with(kPrefix) || name.size() != kPrefix.size() + kDigits) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  std::int64_t position = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), position);
  if (error != std::errc() || end != name.data() + name.size() || position < 0) {
    return std::nullopt;
  }
  return LogPosition(position);
}

std::uint32_t checksum(std::string_view header, std::string_view body) {
  return crc32(body, crc32(header.substr(0, kCrcOffset)));
}

}  // namespace

SnapshotStore::SnapshotStore(io::FileSystem& fs, std::string directory)
    : fs_(fs), directory_(std::move(directory)) {}

std::string SnapshotStore::file_name(LogPosition position) {
  return fmt::format("{}{:020}", kPrefix, position.v);
}

std::string SnapshotStore::encode(LogPosition position, std::string_view body) {
  std::string out(kHeaderBytes, '\0');
  std::copy(kMagic.begin(), kMagic.end(), out.begin());
  store_be(out.data() + 8, kVersion);
  store_be(out.data() + 12, position.v);
  store_be(out.data() + 20, static_cast<std::int64_t>(body.size()));
  store_be(out.data() + kCrcOffset, checksum(out, body));
  out.append(body);
  return out;
}

Result<std::pair<LogPosition, std::string_view>> SnapshotStore::decode(std::string_view file) {
  if (file.size() < kHeaderBytes) {
    return make_error(ErrorCode::kCorrupt,
                      fmt::format("{} bytes are too short for a header", file.size()));
  }
  if (!file.starts_with(kMagic)) return make_error(ErrorCode::kCorrupt, "wrong magic number");
  const auto version = load_be<std::uint32_t>(file.data() + 8);
  if (version != kVersion) {
    return make_error(ErrorCode::kCorrupt,
                      fmt::format("file format version {}, expected {}", version, kVersion));
  }
  const LogPosition position(load_be<std::int64_t>(file.data() + 12));
  const auto length = load_be<std::int64_t>(file.data() + 20);
  const std::string_view body = file.substr(kHeaderBytes);
  if (length < 0 || static_cast<std::uint64_t>(length) != body.size()) {
    return make_error(ErrorCode::kCorrupt,
                      fmt::format("header says {} bytes, the file has {}", length, body.size()));
  }
  if (load_be<std::uint32_t>(file.data() + kCrcOffset) != checksum(file, body)) {
    return make_error(ErrorCode::kCorrupt, "checksum does not match");
  }
  return std::pair(position, body);
}

Result<std::vector<SnapshotStore::File>> SnapshotStore::list(bool remove_temporary) const {
  std::vector<File> files;
  const auto entries = fs_.list(directory_);
  if (!entries) {
    if (entries.error().code == ErrorCode::kNotFound) return files;
    return std::unexpected(entries.error());
  }
  for (const io::DirectoryEntry& entry : *entries) {
    std::string path = directory_ + "/" + entry.name;
    if (const auto position = position_of(entry.name)) {
      files.push_back(File{*position, std::move(path)});
    } else if (remove_temporary && entry.name.starts_with(kPrefix) &&
               entry.name.ends_with(io::kTemporarySuffix)) {
      ignore_result(fs_.remove(path), "it is met again next time");
    }
  }
  std::ranges::sort(files, std::greater{}, &File::position);
  return files;
}

Result<std::string> SnapshotStore::read_valid(const File& file) const {
  auto data = io::read_file(fs_, file.path, kFileBytesMax);
  if (!data) return std::unexpected(std::move(data).error());
  auto decoded = decode(*data);
  if (!decoded) return std::unexpected(std::move(decoded).error());
  if (decoded->first != file.position) {
    return make_error(ErrorCode::kCorrupt,
                      fmt::format("holds the snapshot of position {}", decoded->first.v));
  }
  return std::string(decoded->second);
}

Result<void> SnapshotStore::save(LogPosition position, std::string_view body) {
  GANTRY_TRY(io::create_directories_durably(fs_, directory_));
  const std::string path = directory_ + "/" + file_name(position);
  GANTRY_TRY(io::write_file_atomically(fs_, path, encode(position, body)));
  durable_ = std::max(durable_.value_or(position), position);
  remove_old();
  return {};
}

Result<void> SnapshotStore::restart_at(LogPosition position, std::string_view body) {
  const std::string path = directory_ + "/" + file_name(position);
  GANTRY_TRY(io::write_file_atomically(fs_, path, encode(position, body)));
  const auto files = list(false);
  if (!files) return std::unexpected(files.error());
  for (const File& file : *files) {
    if (file.position > position) GANTRY_TRY(fs_.remove(file.path));
  }
  GANTRY_TRY(fs_.sync_directory(directory_));
  durable_ = position;
  remove_old();
  return {};
}

void SnapshotStore::remove_old() const {
  const auto files = list(false);
  if (!files) return;  // the next save cleans up
  std::size_t valid = 0;
  for (const File& file : *files) {
    if (valid == kKept) {
      ignore_result(fs_.remove(file.path), "it is met again at the next save");
    } else if (read_valid(file)) {
      ++valid;
    }
  }
}

Result<SnapshotStore::LoadResult> SnapshotStore::load() {
  if (const auto cleaned = list(true); !cleaned) return std::unexpected(cleaned.error());
  auto out = read();
  if (out && out->newest) {
    durable_ = std::max(durable_.value_or(out->newest->position), out->newest->position);
  }
  return out;
}

Result<SnapshotStore::LoadResult> SnapshotStore::read() const {
  auto files = list(false);
  if (!files) return std::unexpected(std::move(files).error());
  LoadResult out;
  for (const File& file : *files) {
    auto body = read_valid(file);
    if (body) {
      out.newest = Loaded{file.position, *std::move(body), file.path};
      break;
    }
    out.damaged.push_back(Damaged{file.path, body.error().message});
  }
  return out;
}

}  // namespace gantry::state
