// SPDX-License-Identifier: Apache-2.0
// `gantry group reset-offset`.
#pragma once

#include <string>

#include "cli/context.h"

namespace gantry::cli {

struct ResetOptions {
  std::string group;
  std::string topic;
  std::string to;
  std::string queue;  // "BROKER:ID"; empty: all
  bool dry_run = false;
  bool yes = false;
};

Outcome reset_offset(Context& context, const ResetOptions& options);

}  // namespace gantry::cli
