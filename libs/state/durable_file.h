// SPDX-License-Identifier: Apache-2.0
// Small whole files that must survive a crash. Blocking; private to libs/state. Usable on every
// thread, one writer per path.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gantry::state {

// Suffix of the temporary files that write_file_durable() leaves behind after a crash.
inline constexpr std::string_view kTemporarySuffix = ".tmp";

// nullopt when there is no such file. Error: kIo.
Result<std::optional<std::string>> read_file(const std::string& path);

// Replaces the file atomically: temporary file, fsync, rename, fsync of the directory.
// Errors: kDiskFull, kIo.
Result<void> write_file_durable(const std::string& path, std::string_view data);

// Makes the directory and its parents when missing. Error: kIo.
Result<void> make_directories(const std::string& path);

// Makes renames and deletions in `directory` durable. Error: kIo.
Result<void> sync_directory(const std::string& directory);

}  // namespace gantry::state
