// SPDX-License-Identifier: Apache-2.0
// Writes the NameServer's small files (KV table, configuration) on a thread of its own, so that a
// slow disk never delays a route answer.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gantry::io {
class FileSystem;
}
namespace gantry::runtime {
class Shard;
}

namespace gantry::namesrv {

class FileWriter {
 public:
  using Done = std::move_only_function<void(Result<void>)>;
  virtual ~FileWriter() = default;
  // Replaces the file durably, in the order of the calls. `done` runs on the caller's shard, later
  // and never inside this call.
  virtual void write(std::string path, std::string bytes, Done done) = 0;
};

// Replaces `path` by `bytes`: after a crash the file is the old or the new one, never a mixture.
// The content it had before is kept as `<path>.bak`. Makes missing directories. Blocks.
Result<void> replace_keeping_backup(io::FileSystem& fs, const std::string& path,
                                    std::string_view bytes);

class BackgroundFileWriter final : public FileWriter {
 public:
  // Calls come from `home`, results go back to it. Both must outlive the writer.
  BackgroundFileWriter(runtime::Shard& home, io::FileSystem& fs);
  ~BackgroundFileWriter() override;

  void write(std::string path, std::string bytes, Done done) override;
  // On `home`: every later write is refused with kUnavailable.
  void refuse_writes() { refusing_ = true; }
  // Not on `home`. Finishes the writes that were asked for; their results are then in `home`'s
  // mailbox. Call refuse_writes() first if `home` still runs. Idempotent.
  void stop();

 private:
  runtime::Shard& home_;
  io::FileSystem& fs_;
  bool refusing_ = false;
  std::unique_ptr<runtime::Shard> background_;
};

}  // namespace gantry::namesrv
