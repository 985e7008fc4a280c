// SPDX-License-Identifier: Apache-2.0
// The NameServer's table of options. Private to libs/config.
#pragma once

#include <span>

#include "config/namesrv_config.h"
#include "config/option_table.h"

namespace gantry::config {

std::span<const Binding<NamesrvConfig>> namesrv_bindings();

}  // namespace gantry::config
