// SPDX-License-Identifier: Apache-2.0
// The file the broker's configuration came from, to which changes at run time are written back:
// comments, order and all other keys stay as they are. Shard only; the file is read and written on
// a thread of its own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/source.h"
#include "io/file_system.h"
#include "runtime/shard.h"
#include "runtime/worker.h"

namespace gantry::broker {

class ConfigFile {
 public:
  using Done = std::move_only_function<void(Result<void>)>;

  // `path` may be empty: then nothing is kept, and store() says so.
  ConfigFile(io::FileSystem& files, runtime::Shard& shard, std::string path);
  ~ConfigFile();  // finishes what was begun; `done`s that have not run are dropped
  ConfigFile(const ConfigFile&) = delete;
  ConfigFile& operator=(const ConfigFile&) = delete;

  const std::string& path() const { return path_; }
  // All of them or none, in the order of the calls; the old or the new file, never a mixture.
  // Errors: kUnavailable without a file, kUnsupported (the file's layout), those of the disk.
  void store(std::vector<config::Entry> entries, Done done);

 private:
  io::FileSystem& files_;
  runtime::Shard& shard_;
  const std::string path_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<runtime::Worker> worker_;
};

}  // namespace gantry::broker
