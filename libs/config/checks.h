// SPDX-License-Identifier: Apache-2.0
// Checks of values that a range cannot express, and default paths. Private to libs/config.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gantry::config {

// "host:port", "1.2.3.4:9876" or "[::1]:9876" with a port from 1 to 65535.
bool is_host_port(std::string_view text);

// A name that may stand in addresses, paths and labels: printable ASCII without blanks, '/', '@'.
bool is_plain_name(std::string_view text);

// Replaces `${user.home}` at the beginning of `path`; an empty path becomes `otherwise` first.
void fill_path(std::string& path, std::string_view otherwise, std::string_view home);

struct NamedPort {
  std::string_view key;
  int port;  // 0: not in use or chosen by the system
};

// One error for each pair of ports that are equal.
void check_ports_differ(std::span<const NamedPort> ports, std::vector<std::string>& errors);

}  // namespace gantry::config
