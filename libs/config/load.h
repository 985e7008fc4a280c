// SPDX-License-Identifier: Apache-2.0
// What loading a configuration yields, and what a change at run time did. Common to the broker and
// the NameServer.
#pragma once

#include <string>
#include <vector>

namespace gantry::config {

// Where values come from. `overrides` are `key=value` texts of the command line; they win over the
// file. An empty `file` means defaults only.
struct Inputs {
  std::string file{};
  std::vector<std::string> overrides{};
};

// A checked configuration with what the operator should be told once, e.g. keys of RocketMQ that
// have no meaning here. The caller logs the warnings.
template <class Config>
struct Loaded {
  Config config;
  std::vector<std::string> warnings;
};

// What `update` did with one key (codes 25 and 318).
enum class Updated {
  kLive,     // in the struct now
  kRestart,  // kept and shown (codes 26 and 319), used from the next start
  kIgnored,  // a key of RocketMQ without meaning here; kept and shown
  kUnknown,  // not a key; nothing changed
  kRefused,  // named by configBlackList; nothing changed
};

}  // namespace gantry::config
