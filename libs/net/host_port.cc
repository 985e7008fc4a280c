// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include "net/connection.h"

namespace gantry::net {

std::string HostPort::text() const {
  const bool v6 = host.find(':') != std::string::npos;
  std::string text;
  text.reserve(host.size() + 8);
  if (v6) text += '[';
  text += host;
  if (v6) text += ']';
  text += ':';
  text += std::to_string(port);
  return text;
}

Result<HostPort> parse_host_port(std::string_view text) {
  const auto bad = [&](std::string_view what) {
    return make_error(ErrorCode::kInvalidArgument, "address '" + std::string(text) + "': " +
                                                       std::string(what) + "; want host:port");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad("has no port");
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  if (host.empty()) return bad("has no host");
  HostPort result;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), result.port);
  if (error != std::errc() || end != port.data() + port.size() || result.port == 0) {
    return bad("the port is not a number from 1 to 65535");
  }
  result.host = host;
  return result;
}

}  // namespace gantry::net
