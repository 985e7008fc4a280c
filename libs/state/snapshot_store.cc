// SPDX-License-Identifier: Apache-2.0
#include "state/snapshot_store.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/bytes.h"
#include "base/crc32.h"
#include "state/durable_file.h"

namespace gantry::state {
namespace {

constexpr std::string_view kMagic = "GANTRYSS";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHeaderBytes = 32;  // magic 8, version 4, position 8, length 8, CRC 4
constexpr std::size_t kCrcOffset = 28;
constexpr std::string_view kPrefix = "state-";
constexpr std::size_t kDigits = 20;
constexpr std::size_t kKept = 2;

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

SnapshotStore::SnapshotStore(std::string directory) : directory_(std::move(directory)) {}

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
  std::error_code error;
  std::filesystem::directory_iterator entries(directory_, error);
  if (error == std::errc::no_such_file_or_directory) return files;
  for (const std::filesystem::directory_iterator end; !error && entries != end;
       entries.increment(error)) {
    const std::string name = entries->path().filename().string();
    if (const auto position = position_of(name)) {
      files.push_back(File{*position, entries->path().string()});
    } else if (remove_temporary && name.starts_with(kPrefix) && name.ends_with(kTemporarySuffix)) {
      std::error_code ignored;  // it is met again next time
      std::filesystem::remove(entries->path(), ignored);
    }
  }
  if (error) {
    return make_error(ErrorCode::kIo,
                      fmt::format("cannot read directory {}: {}", directory_, error.message()));
  }
  std::sort(files.begin(), files.end(),
            [](const File& a, const File& b) { return a.position > b.position; });
  return files;
}

Result<std::string> SnapshotStore::read_valid(const File& file) const {
  auto data = read_file(file.path);
  if (!data) return std::unexpected(std::move(data).error());
  if (!*data) return make_error(ErrorCode::kIo, fmt::format("{} vanished", file.path));
  auto decoded = decode(**data);
  if (!decoded) return std::unexpected(std::move(decoded).error());
  if (decoded->first != file.position) {
    return make_error(ErrorCode::kCorrupt,
                      fmt::format("holds the snapshot of position {}", decoded->first.v));
  }
  return std::string(decoded->second);
}

Result<void> SnapshotStore::save(LogPosition position, std::string_view body) {
  GANTRY_TRY(make_directories(directory_));
  const std::string path = directory_ + "/" + file_name(position);
  GANTRY_TRY(write_file_durable(path, encode(position, body)));
  durable_ = std::max(durable_.value_or(position), position);
  remove_old();
  return {};
}

void SnapshotStore::remove_old() const {
  const auto files = list(false);
  if (!files) return;  // the next save cleans up
  std::size_t valid = 0;
  for (const File& file : *files) {
    std::error_code ignored;  // it is met again at the next save
    if (valid == kKept) {
      std::filesystem::remove(file.path, ignored);
    } else if (read_valid(file)) {
      ++valid;
    }
  }
}

Result<SnapshotStore::LoadResult> SnapshotStore::load() {
  auto files = list(true);
  if (!files) return std::unexpected(std::move(files).error());
  LoadResult out;
  for (const File& file : *files) {
    auto body = read_valid(file);
    if (body) {
      durable_ = std::max(durable_.value_or(file.position), file.position);
      out.newest = Loaded{file.position, *std::move(body), file.path};
      break;
    }
    out.damaged.push_back(Damaged{file.path, body.error().message});
  }
  return out;
}

}  // namespace gantry::state
