// SPDX-License-Identifier: Apache-2.0
// gantry-namesrv: the process around the NameServer.
#include <filesystem>
#include <memory>
#include <string>

#include "config/namesrv_config.h"
#include "namesrv/app.h"
#include "process/server.h"

namespace {

using gantry::config::NamesrvConfig;

// As RocketMQ: a NameServer started from a properties file stores changes at run time there, so
// that the next start has them. A YAML file is never rewritten; configStorePath then stays what it
// is.
void store_changes_in_config_file(const std::string& file, NamesrvConfig& config) {
  if (file.empty() || file.ends_with(".yaml") || file.ends_with(".yml")) return;
  const auto defaults = gantry::config::load_namesrv_config({});
  if (!defaults || config.config_store_path != defaults->config.config_store_path) return;
  std::error_code error;
  const auto absolute = std::filesystem::absolute(file, error);
  config.config_store_path = error ? file : absolute.string();
}

}  // namespace

int main(int argc, char** argv) {
  using gantry::namesrv::NamesrvApp;
  gantry::process::Server server("gantry-namesrv",
                                 "Gantry NameServer: route table of a RocketMQ-compatible cluster",
                                 "namesrv.conf");
  if (const auto exit_code = server.parse(argc, argv)) return *exit_code;
  auto loaded = gantry::config::load_namesrv_config(server.inputs());
  if (loaded) store_changes_in_config_file(server.inputs().file, loaded->config);
  return server.run(
      std::move(loaded), &NamesrvConfig::bind_address,
      [](NamesrvConfig config) { return std::make_unique<NamesrvApp>(std::move(config)); },
      &NamesrvApp::remoting_port);
}
