// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <algorithm>
#include <filesystem>

#include "broker/app.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/json_output.h"
#include "cli/table.h"
#include "cli/wait.h"
#include "config/broker_config.h"
#include "config/namesrv_config.h"
#include "log/log.h"
#include "namesrv/app.h"
#include "process/open_files.h"

namespace gantry::cli {
namespace {

constexpr const char* kLoopback = "127.0.0.1";
constexpr std::chrono::seconds kRegistrationTimeout{30};

struct UpOptions {
  std::string data;
  int namesrv_port = 9876;
  int broker_port = 10911;
  int http_port = 5557;
  std::vector<std::string> settings;
  std::string log_level = "warn";
};

std::string key_of(std::string_view pair) { return std::string(pair.substr(0, pair.find('='))); }

// `own` first; what the user set under the same key replaces it.
std::vector<std::string> merged(std::vector<std::string> own,
                                const std::vector<std::string>& user) {
  std::erase_if(own, [&](const std::string& pair) {
    return std::ranges::find(user, key_of(pair), key_of) != user.end();
  });
  own.insert(own.end(), user.begin(), user.end());
  return own;
}

Result<config::Loaded<config::BrokerConfig>> broker_config(const UpOptions& options,
                                                           int namesrv_port) {
  config::Inputs inputs;
  inputs.overrides = merged(
      {"brokerName=broker-a", fmt::format("brokerIP1={}", kLoopback),
       fmt::format("bindAddress={}", kLoopback), fmt::format("listenPort={}", options.broker_port),
       fmt::format("httpAddress={}", kLoopback), fmt::format("httpPort={}", options.http_port),
       fmt::format("namesrvAddr={}:{}", kLoopback, namesrv_port),
       fmt::format("storePathRootDir={}/broker", options.data)},
      options.settings);
  return config::load_broker_config(inputs);
}

Result<config::Loaded<config::NamesrvConfig>> namesrv_config(const UpOptions& options) {
  config::Inputs inputs;
  inputs.overrides = {fmt::format("bindAddress={}", kLoopback),
                      fmt::format("listenPort={}", options.namesrv_port),
                      fmt::format("httpAddress={}", kLoopback),
                      "httpPort=0",
                      fmt::format("kvConfigPath={}/namesrv/kvConfig.json", options.data),
                      fmt::format("configStorePath={}/namesrv/namesrv.properties", options.data)};
  return config::load_namesrv_config(inputs);
}

Outcome prepare(const UpOptions& options) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(options.data) / "namesrv", error);
  if (error) {
    return fail(ExitCode::kFailed, fmt::format("{}: {}", options.data, error.message()),
                "Name a directory that can be written, with --data.");
  }
  const auto level = log::parse_level(options.log_level);
  if (!level) return fail(ExitCode::kUsage, "--log-level: " + level.error().message);
  log::Options log_options;
  log_options.level = *level;
  log::init_logging(std::move(log_options));
  process::raise_open_files_limit();
  return {};
}

std::unexpected<Failure> start_failed(std::string_view what, const Error& error) {
  return fail(ExitCode::kFailed, fmt::format("the {} does not start: {}", what, error.message),
              error.code == ErrorCode::kConflict
                  ? "Choose other ports with --namesrv-port, --broker-port and --http-port, or "
                    "stop what uses them."
                  : "");
}

void say_what_is_next(Context& context, const UpOptions& options, int namesrv_port,
                      const broker::BrokerApp& broker) {
  const std::string namesrv = fmt::format("{}:{}", kLoopback, namesrv_port);
  const std::string http = fmt::format("http://{}:{}", kLoopback, broker.http_port());
  if (context.options.json) {
    context.env.out << to_line({{"namesrv", namesrv},
                                {"broker", fmt::format("{}:{}", kLoopback, broker.remoting_port())},
                                {"http", http},
                                {"data", options.data}})
                    << '\n'
                    << std::flush;
    return;
  }
  Fields fields;
  fields.add("NameServer", namesrv);
  fields.add("Broker", fmt::format("{}:{}", kLoopback, broker.remoting_port()));
  fields.add("Metrics", http + "/metrics");
  fields.add("Data", options.data);
  const std::string tool =
      namesrv_port == 9876 ? "gantry" : fmt::format("gantry --namesrv {}", namesrv);
  context.env.out << "Gantry is up.\n"
                  << fields.text()
                  << fmt::format(
                         "\nNext, in another terminal:\n"
                         "  {0} topic create demo\n"
                         "  {0} produce demo 'hello'\n"
                         "  {0} consume demo --follow\n"
                         "Clients of RocketMQ take the NameServer address {1}.\n"
                         "Ctrl-C stops.\n",
                         tool, namesrv)
                  << std::flush;
}

// A broker serves before the NameServer knows it; clients need both.
bool wait_for_registration(Context& context, int namesrv_port) {
  client::NameServer names(context.connections(), {fmt::format("{}:{}", kLoopback, namesrv_port)});
  return wait_until(context.env.stop, kRegistrationTimeout, std::chrono::milliseconds(50), [&] {
    const auto info = names.cluster_info();
    return info && !info->broker_addr_table.empty();
  });
}

Outcome up(Context& context, const UpOptions& options) {
  if (auto ready = prepare(options); !ready) return ready;
  auto names = namesrv_config(options);
  if (!names) return fail(ExitCode::kUsage, names.error().message);
  namesrv::NamesrvApp namesrv(std::move(names->config));
  if (auto started = namesrv.start(); !started) return start_failed("NameServer", started.error());
  const int namesrv_port = namesrv.remoting_port();

  auto loaded = broker_config(options, namesrv_port);
  if (!loaded) return fail(ExitCode::kUsage, loaded.error().message);
  for (const std::string& warning : loaded->warnings) context.warn(warning);
  broker::BrokerApp broker(std::move(loaded->config));
  if (auto started = broker.start(); !started) return start_failed("broker", started.error());

  if (wait_for_registration(context, namesrv_port)) {
    say_what_is_next(context, options, namesrv_port, broker);
  } else if (!context.env.stop.stop_requested()) {
    context.warn("the broker has not registered at the NameServer yet; see its log");
  }
  sleep_until(context.env.stop, std::chrono::steady_clock::time_point::max());
  if (!context.options.json) context.env.out << "Stopping.\n" << std::flush;
  broker.stop();
  namesrv.stop();
  return {};
}

}  // namespace

void add_up_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<UpOptions>();
  CLI::App* command = add_command(
      app, context, "up", "Run a NameServer and a broker here, on loopback, in one process",
      "  gantry up --data ./data\n"
      "  gantry up --data ./data --set flushDiskType=SYNC_FLUSH --set autoCreateTopicEnable=false\n"
      "  gantry up --data /tmp/g --namesrv-port 19876 --broker-port 20911 --http-port 15557\n",
      [&context, options] { return up(context, *options); });
  command->add_option("-d,--data", options->data, "Directory for all data; made when missing")
      ->required()
      ->type_name("DIR");
  const auto port = [&](const std::string& name, int& value, const std::string& what) {
    command->add_option(name, value, what)->check(CLI::Range(0, 65535))->capture_default_str();
  };
  port("--namesrv-port", options->namesrv_port, "Port of the NameServer; 0: any free one");
  port("--broker-port", options->broker_port,
       "Port of the broker (it also takes the ports +1 and -2); 0: any free ones");
  port("--http-port", options->http_port, "Port of metrics and health; 0: any free one");
  command->add_option("--set", options->settings, "A setting of the broker (repeatable)")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  command->add_option("--log-level", options->log_level, "debug, info, warn or error")
      ->capture_default_str();
}

}  // namespace gantry::cli
