// SPDX-License-Identifier: Apache-2.0
// A small value that survives a crash at any byte: two 4 KiB slots written in turn, each with a
// generation and a CRC, each write followed by fdatasync. Used for term and vote, and for the
// checkpoint. Format (big-endian): magic u32, generation u64, length u32, payload, CRC-32 of all
// before it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "io/file_system.h"

namespace gantry::io {

class TwoSlotFile {
 public:
  static constexpr std::size_t kSlotBytes = 4096;
  static constexpr std::size_t kPayloadBytesMax = kSlotBytes - 20;

  // Opens or creates. kCorrupt when the file has content but no valid slot.
  static Result<std::unique_ptr<TwoSlotFile>> open(FileSystem& fs, const std::string& path);

  // The newest valid payload; nullopt for a new file.
  const std::optional<std::string>& payload() const { return payload_; }
  // Durable when it returns.
  Result<void> write(std::string_view payload);

 private:
  explicit TwoSlotFile(std::unique_ptr<File> file) : file_(std::move(file)) {}
  std::unique_ptr<File> file_;
  std::optional<std::string> payload_;
  std::uint64_t generation_ = 0;
};

}  // namespace gantry::io
