// SPDX-License-Identifier: Apache-2.0
#include "namesrv/persist/file_writer.h"

#include <utility>

#include "io/file_system.h"
#include "runtime/shard.h"

namespace gantry::namesrv {

Result<void> replace_keeping_backup(io::FileSystem& fs, const std::string& path,
                                    std::string_view bytes) {
  GANTRY_TRY(fs.create_directories(io::parent_directory(path)));
  const auto before = io::read_file(fs, path);
  if (before) {
    if (*before == bytes) return {};
    GANTRY_TRY(io::write_file_atomically(fs, path + ".bak", *before));
  } else if (before.error().code != ErrorCode::kNotFound) {
    return std::unexpected(before.error());
  }
  return io::write_file_atomically(fs, path, bytes);
}

BackgroundFileWriter::BackgroundFileWriter(runtime::Shard& home, io::FileSystem& fs)
    : home_(home), fs_(fs), background_(std::make_unique<runtime::Shard>("namesrv-files")) {
  background_->start();
}

BackgroundFileWriter::~BackgroundFileWriter() { stop(); }

void BackgroundFileWriter::write(std::string path, std::string bytes, Done done) {
  if (refusing_) {
    home_.post([done = std::move(done), path = std::move(path)]() mutable {
      done(make_error(ErrorCode::kUnavailable, "shutting down; not written: " + path));
    });
    return;
  }
  background_->post(
      [this, path = std::move(path), bytes = std::move(bytes), done = std::move(done)]() mutable {
        auto result = replace_keeping_backup(fs_, path, bytes);
        home_.post([done = std::move(done), result = std::move(result)]() mutable {
          done(std::move(result));
        });
      });
}

void BackgroundFileWriter::stop() {
  if (!background_) return;
  // Behind everything posted before it.
  background_->post([shard = background_.get()] { shard->stop(); });
  background_->join();
  background_.reset();
}

}  // namespace gantry::namesrv
