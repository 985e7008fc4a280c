// SPDX-License-Identifier: Apache-2.0
// The broker's table of options. Private to libs/config.
#pragma once

#include <span>

#include "config/broker_config.h"
#include "config/option_table.h"

namespace gantry::config {

std::span<const Binding<BrokerConfig>> broker_bindings();

}  // namespace gantry::config
