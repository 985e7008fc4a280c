// SPDX-License-Identifier: Apache-2.0
#include "kube/service_account.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace gantry::kube {
namespace {

constexpr std::size_t kFileBytesMax = 64UL << 10;
constexpr const char* kHost = "KUBERNETES_SERVICE_HOST";
constexpr const char* kPort = "KUBERNETES_SERVICE_PORT";

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

Environment process_environment() {
  return [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
}

Result<std::string> read_small_file(const std::string& path) {
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rbe"));
  if (!file) return make_error(ErrorCode::kIo, path + ": " + std::strerror(errno));
  std::string text;
  std::array<char, 4096> part;
  while (const std::size_t size = std::fread(part.data(), 1, part.size(), file.get())) {
    text.append(part.data(), size);
    if (text.size() > kFileBytesMax) {
      return make_error(ErrorCode::kCorrupt, path + ": expected at most 64 KiB");
    }
  }
  if (std::ferror(file.get()) != 0) {
    return make_error(ErrorCode::kIo, path + ": cannot be read");
  }
  constexpr const char* kBlanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string::npos) return make_error(ErrorCode::kCorrupt, path + ": is empty");
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

Result<ServiceAccount> find_service_account(const std::string& directory,
                                            const Environment& environment) {
  ServiceAccount account;
  account.host = environment(kHost);
  if (account.host.empty()) {
    return make_error(ErrorCode::kInvalidArgument,
                      std::string("environment variable ") + kHost +
                          ": expected the address of the Kubernetes API, as every pod has it");
  }
  const std::string port = environment(kPort);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), account.port);
  if (error != std::errc() || end != port.data() + port.size() || account.port == 0) {
    return make_error(ErrorCode::kInvalidArgument, std::string("environment variable ") + kPort +
                                                       " has the value \"" + port +
                                                       "\": expected a port from 1 to 65535");
  }
  account.token_file = directory + "/token";
  account.ca_file = directory + "/ca.crt";
  for (const std::string& file : {account.token_file, account.ca_file}) {
    if (access(file.c_str(), R_OK) == 0) continue;
    return make_error(ErrorCode::kIo, file + ": " + std::strerror(errno) +
                                          "; expected the mounted token of a service account "
                                          "(automountServiceAccountToken)");
  }
  if (auto name = read_small_file(directory + "/namespace")) account.name_space = *std::move(name);
  return account;
}

}  // namespace gantry::kube
