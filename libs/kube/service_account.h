// SPDX-License-Identifier: Apache-2.0
// What Kubernetes gives a container so that it finds the API: two environment variables and a
// directory with token, certificate authority and namespace.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"

namespace gantry::kube {

inline constexpr const char* kServiceAccountPath = "/var/run/secrets/kubernetes.io/serviceaccount";

struct ServiceAccount {
  std::string host;  // of the API server: a name or an address, IPv6 without brackets
  std::uint16_t port = 0;
  std::string token_file;
  std::string ca_file;
  std::string name_space;  // empty: the directory has no such file
};

// The variable's value; empty: it is not set.
using Environment = std::function<std::string(const char* name)>;
Environment process_environment();

// Errors name the variable or file that is missing. The token is not read here.
Result<ServiceAccount> find_service_account(const std::string& directory,
                                            const Environment& environment);

// The text of a file of at most 64 KiB, without blanks around it; an empty one is an error.
Result<std::string> read_small_file(const std::string& path);

}  // namespace gantry::kube
