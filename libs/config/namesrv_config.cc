// SPDX-License-Identifier: Apache-2.0
#include "config/namesrv_config.h"

#include <array>

#include "config/checks.h"
#include "config/namesrv_options.h"

namespace gantry::config {
namespace {

const Program<NamesrvConfig>& program() {
  using enum KeyOwner;
  static const Program<NamesrvConfig> instance{
      .options = namesrv_bindings(),
      .accepted = owners_of({kNamesrv, kServer, kClient, kController}),
      .shown = owners_of({kNamesrv, kServer}),
      .refused = {},
  };
  return instance;
}

void check_together(NamesrvConfig& config, std::vector<std::string>& errors,
                    std::vector<std::string>& /*warnings*/) {
  check_ports_differ(std::to_array<NamedPort>(
                         {{"listenPort", config.listen_port}, {"httpPort", config.http_port}}),
                     errors);
}

}  // namespace

Result<Loaded<NamesrvConfig>> load_namesrv_config(const Inputs& inputs, const HostFacts& host) {
  return load_with<NamesrvConfig>(
      program(), inputs,
      [&host](NamesrvConfig& config, std::vector<std::string>& errors,
              std::vector<std::string>& warnings) {
        fill_path(config.kv_config_path, "${user.home}/namesrv/kvConfig.json", host.home);
        fill_path(config.config_store_path, "${user.home}/namesrv/namesrv.properties", host.home);
        check_together(config, errors, warnings);
      });
}

std::string to_properties_text(const NamesrvConfig& config) {
  return properties_text_of(program(), config);
}

Result<Updated> update(NamesrvConfig& config, std::string_view key, std::string_view value) {
  return update_with<NamesrvConfig>(program(), config, key, value, check_together);
}

}  // namespace gantry::config
