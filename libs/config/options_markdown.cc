// SPDX-License-Identifier: Apache-2.0
#include "config/options_markdown.h"

#include "config/broker_options.h"
#include "config/namesrv_options.h"
#include "config/sidecar_options.h"

namespace gantry::config {
namespace {

std::string code(std::string_view text) { return "`" + std::string(text) + "`"; }

template <class Config>
std::string default_text(const Binding<Config>& option) {
  if (!option.spec.default_note.empty()) return std::string(option.spec.default_note);
  const std::string text = option.get(Config{}, option.spec);
  return text.empty() ? "empty" : code(text);
}

template <class Config>
std::string table(std::span<const Binding<Config>> options) {
  std::string out =
      "| Key | Value | Default | Change at run time | Meaning |\n|---|---|---|---|---|\n";
  for (const auto& option : options) {
    const OptionSpec& spec = option.spec;
    out += "| " + code(spec.key) + (spec.gantry_only ? " \u2020" : "") + " | " +
           expected_text(spec) + " | " + default_text(option) + " | " +
           (spec.change == Change::kLive ? "at once" : "at the next start") + " | " +
           std::string(spec.description) + " |\n";
  }
  return out;
}

}  // namespace

std::string broker_options_markdown() { return table(broker_bindings()); }
std::string namesrv_options_markdown() { return table(namesrv_bindings()); }
std::string sidecar_options_markdown() { return table(sidecar_bindings()); }

}  // namespace gantry::config
