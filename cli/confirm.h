// SPDX-License-Identifier: Apache-2.0
// Asks before something is lost.
#pragma once

#include <string_view>

#include "cli/context.h"

namespace gantry::cli {

// Success: go on. Asks on a terminal; elsewhere `yes` must have been given.
Outcome confirm(Context& context, bool yes, std::string_view question);

}  // namespace gantry::cli
