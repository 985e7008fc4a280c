// SPDX-License-Identifier: Apache-2.0
#include "config/sidecar_config.h"

#include <algorithm>

#include "config/checks.h"
#include "config/sidecar_options.h"

namespace gantry::config {
namespace {

constexpr std::size_t kLabelNameMax = 63;
constexpr std::size_t kLabelPrefixMax = 253;

const Program<SidecarConfig>& program() {
  static const Program<SidecarConfig> instance{.options = sidecar_bindings(),
                                               .accepted = owners_of({}),
                                               .shown = owners_of({}),
                                               .refused = {}};
  return instance;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

bool is_label_name(std::string_view text) {
  const auto is_plain = [](char c) { return is_digit(c) || is_lower(c) || is_upper(c); };
  return !text.empty() && text.size() <= kLabelNameMax && is_plain(text.front()) &&
         is_plain(text.back()) && std::ranges::all_of(text, [&](char c) {
           return is_plain(c) || c == '-' || c == '_' || c == '.';
         });
}

bool is_domain(std::string_view text) {
  if (text.empty() || text.size() > kLabelPrefixMax) return false;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('.', begin), text.size());
    const std::string_view part = text.substr(begin, end - begin);
    const auto is_plain = [](char c) { return is_digit(c) || is_lower(c); };
    if (part.empty() || !is_plain(part.front()) || !is_plain(part.back())) return false;
    if (!std::ranges::all_of(part, [&](char c) { return is_plain(c) || c == '-'; })) return false;
    begin = end + 1;
  }
  return true;
}

void check_together(SidecarConfig& config, std::vector<std::string>& errors,
                    std::vector<std::string>& /*warnings*/) {
  if (const auto broker = host_port_of(config.broker_http_address); !broker) {
    errors.push_back("key \"brokerHttpAddress\" has the value \"" + config.broker_http_address +
                     "\": " + broker.error().message);
  }
  if (!is_label_key(config.leader_label)) {
    errors.push_back("key \"leaderLabel\" has the value \"" + config.leader_label +
                     "\": expected the key of a Kubernetes label, e.g. gantry.dev/leader");
  }
  if (config.service_account_path.empty()) {
    errors.push_back("key \"serviceAccountPath\" is empty: expected a directory");
  }
}

}  // namespace

Result<std::string> host_port_of(std::string_view http_address) {
  constexpr std::string_view kScheme = "http://";
  std::string_view rest = http_address;
  if (rest.starts_with(kScheme)) {
    rest.remove_prefix(kScheme.size());
    if (rest.ends_with('/')) rest.remove_suffix(1);
    if (is_host_port(rest)) return std::string(rest);
  }
  return make_error(ErrorCode::kInvalidArgument,
                    "expected http://HOST:PORT, e.g. http://127.0.0.1:5557");
}

bool is_label_key(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return is_label_name(text);
  return is_domain(text.substr(0, slash)) && is_label_name(text.substr(slash + 1));
}

Result<Loaded<SidecarConfig>> load_sidecar_config(const Inputs& inputs) {
  return load_with<SidecarConfig>(program(), inputs, check_together);
}

std::string to_properties_text(const SidecarConfig& config) {
  return properties_text_of(program(), config);
}

}  // namespace gantry::config
