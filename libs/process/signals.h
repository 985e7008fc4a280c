// SPDX-License-Identifier: Apache-2.0
// How the processes of Gantry are told to stop: SIGTERM and SIGINT, taken by one thread with
// sigwait(), never by a handler.
#pragma once

#include <csignal>

namespace gantry::process {

// Before any thread exists: threads inherit the mask, so that only wait_for_signal() gets them.
sigset_t block_stop_signals();
// Blocks until one of them comes, and says which.
int wait_for_signal(const sigset_t& signals);

}  // namespace gantry::process
