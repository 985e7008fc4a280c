// SPDX-License-Identifier: Apache-2.0
#include "config/checks.h"

#include <algorithm>
#include <charconv>
#include <cstddef>

namespace gantry::config {

bool is_host_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (!bracketed && host.find_first_of(":[]") != std::string_view::npos) return false;
  if (!is_plain_name(host)) return false;
  const std::string_view digits = text.substr(colon + 1);
  int port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return error == std::errc() && end == digits.data() + digits.size() && port >= 1 && port <= 65535;
}

bool is_plain_name(std::string_view text) {
  return !text.empty() && text.size() <= 255 && std::ranges::all_of(text, [](char c) {
    return c > ' ' && c < 0x7F && c != '/' && c != '@';
  });
}

void fill_path(std::string& path, std::string_view otherwise, std::string_view home) {
  constexpr std::string_view kHome = "${user.home}";
  if (path.empty()) path = otherwise;
  if (path.starts_with(kHome)) path.replace(0, kHome.size(), home);
}

void check_ports_differ(std::span<const NamedPort> ports, std::vector<std::string>& errors) {
  for (std::size_t i = 0; i < ports.size(); ++i) {
    for (std::size_t j = i + 1; j < ports.size(); ++j) {
      if (ports[i].port == 0 || ports[i].port != ports[j].port) continue;
      errors.push_back(std::string(ports[i].key) + " and " + std::string(ports[j].key) +
                       " are both " + std::to_string(ports[i].port));
    }
  }
}

}  // namespace gantry::config
