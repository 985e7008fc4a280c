// SPDX-License-Identifier: Apache-2.0
// A file with a given end of its name and content, removed with the object.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <string_view>

namespace gantry::config {

class TemporaryFile {
 public:
  TemporaryFile(std::string_view extension, std::string_view text) {
    std::random_device random;
    path_ = (std::filesystem::path(testing::TempDir()) /
             ("gantry_config_" + std::to_string(random()) + std::string(extension)))
                .string();
    std::ofstream(path_, std::ios::binary) << text;
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace gantry::config
