// SPDX-License-Identifier: Apache-2.0
#include "broker/admin/config_file.h"

#include <fmt/core.h>

#include <filesystem>
#include <utility>

namespace gantry::broker {
namespace {

constexpr std::size_t kFileBytesMax = 1 << 20;

// A link is followed, so that the file it leads to changes and the link stays.
std::string without_links(const std::string& path) {
  std::error_code failed;
  const auto real = std::filesystem::canonical(path, failed);
  return failed ? path : real.string();
}

Result<void> edit(io::FileSystem& files, const std::string& path,
                  const std::vector<config::Entry>& entries) {
  const std::string target = without_links(path);
  auto text = io::read_file(files, target, kFileBytesMax);
  if (!text) return std::unexpected(text.error());
  const std::string before = *text;
  for (const config::Entry& entry : entries) {
    auto edited = config::set_value(*text, config::syntax_of(path), entry.key, entry.value);
    if (!edited) {
      return make_error(edited.error().code, fmt::format("{}: {}", path, edited.error().message));
    }
    text = std::move(edited);
  }
  if (*text == before) return {};
  return io::write_file_atomically(files, target, *text);
}

}  // namespace

ConfigFile::ConfigFile(io::FileSystem& files, runtime::Shard& shard, std::string path)
    : files_(files), shard_(shard), path_(std::move(path)) {}

ConfigFile::~ConfigFile() { *alive_ = false; }

void ConfigFile::store(std::vector<config::Entry> entries, Done done) {
  if (path_.empty()) {
    return done(make_error(ErrorCode::kUnavailable, "the broker was started without --config"));
  }
  if (!worker_) worker_ = std::make_unique<runtime::Worker>("config-file");
  worker_->post(
      [this, alive = alive_, entries = std::move(entries), done = std::move(done)]() mutable {
        auto result = edit(files_, path_, entries);
        shard_.post([alive, done = std::move(done), result = std::move(result)]() mutable {
          if (*alive) done(std::move(result));
        });
      });
}

}  // namespace gantry::broker
