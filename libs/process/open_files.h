// SPDX-License-Identifier: Apache-2.0
// How many files a process may have open.
#pragma once

namespace gantry::process {

// Each queue, connection and log file is a descriptor: takes what the hard limit gives.
void raise_open_files_limit();

}  // namespace gantry::process
