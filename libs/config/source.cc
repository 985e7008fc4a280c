// SPDX-License-Identifier: Apache-2.0
#include "config/source.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace gantry::config {
namespace {

constexpr std::uintmax_t kFileBytesMax = 1 << 20;

std::unexpected<Error> io_error(const std::string& path, const std::string& what) {
  return make_error(ErrorCode::kIo, path + ": " + what);
}

Result<std::string> read_text(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return io_error(path, "is a directory");
  std::ifstream file(path, std::ios::binary);
  if (!file) return io_error(path, std::strerror(errno));
  std::string text;
  char buffer[16 * 1024];
  while (file.read(buffer, sizeof buffer) || file.gcount() > 0) {
    text.append(buffer, static_cast<std::size_t>(file.gcount()));
    if (text.size() > kFileBytesMax) return io_error(path, "is larger than 1 MiB");
  }
  if (file.bad()) return io_error(path, "cannot be read");
  return text;
}

}  // namespace

Syntax syntax_of(std::string_view path) {
  const bool yaml = path.ends_with(".yaml") || path.ends_with(".yml");
  return yaml ? Syntax::kYaml : Syntax::kProperties;
}

Result<std::vector<Entry>> load_entries(const std::string& path) {
  const auto text = read_text(path);
  if (!text) return std::unexpected(text.error());
  auto entries = syntax_of(path) == Syntax::kYaml ? parse_yaml(*text) : parse_properties(*text);
  // The parsers' messages begin with the line.
  if (!entries) return make_error(entries.error().code, path + ":" + entries.error().message);
  return entries;
}

}  // namespace gantry::config
