// SPDX-License-Identifier: Apache-2.0
#include "config/host_facts.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/utsname.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

namespace gantry::config {
namespace {

std::string host_name() {
  utsname names{};
  if (uname(&names) != 0 || names.nodename[0] == '\0') return "localhost";
  return names.nodename;
}

// Clients elsewhere cannot reach a container bridge of this host.
bool is_bridge(const char* interface) {
  std::error_code error;
  return std::filesystem::exists(std::filesystem::path("/sys/class/net") / interface / "bridge",
                                 error);
}

std::string address_text(const sockaddr* address) {
  sockaddr_in v4{};
  std::memcpy(&v4, address, sizeof v4);  // the kernel's memory is aligned for any sockaddr
  std::array<char, INET_ADDRSTRLEN> text{};
  if (inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size()) == nullptr) return {};
  return text.data();
}

std::string first_ipv4() {
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return "127.0.0.1";
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> guard(all, &freeifaddrs);
  for (const ifaddrs* at = all; at != nullptr; at = at->ifa_next) {
    const bool usable = at->ifa_addr != nullptr && at->ifa_addr->sa_family == AF_INET &&
                        (at->ifa_flags & IFF_UP) != 0 && (at->ifa_flags & IFF_LOOPBACK) == 0;
    if (!usable || is_bridge(at->ifa_name)) continue;
    if (std::string text = address_text(at->ifa_addr); !text.empty()) return text;
  }
  return "127.0.0.1";
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT: called before threads start
  return value == nullptr ? "" : value;
}

}  // namespace

HostFacts detect_host() {
  HostFacts facts{.host_name = host_name(),
                  .ipv4 = first_ipv4(),
                  .home = environment("HOME"),
                  .namesrv_addr = environment("NAMESRV_ADDR")};
  if (facts.home.empty()) facts.home = ".";
  return facts;
}

}  // namespace gantry::config
