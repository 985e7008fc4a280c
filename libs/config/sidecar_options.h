// SPDX-License-Identifier: Apache-2.0
// The sidecar's table of options. Private to libs/config.
#pragma once

#include <span>

#include "config/option_table.h"
#include "config/sidecar_config.h"

namespace gantry::config {

std::span<const Binding<SidecarConfig>> sidecar_bindings();

}  // namespace gantry::config
