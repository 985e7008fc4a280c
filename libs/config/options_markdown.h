// SPDX-License-Identifier: Apache-2.0
// The tables of docs/operations/configuration.md, from the tables of options. A test keeps the page
// equal to them.
#pragma once

#include <string>

namespace gantry::config {

std::string broker_options_markdown();
std::string namesrv_options_markdown();
std::string sidecar_options_markdown();

}  // namespace gantry::config
