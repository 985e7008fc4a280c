// SPDX-License-Identifier: Apache-2.0
// How long the kernel lets a thread run at a stretch when others want its CPU.
#pragma once

#include <chrono>

namespace gantry::runtime {

// Gives the calling thread a time slice of its own. Linux (6.12 and later) lets a waking thread
// with a short slice go before running ones with longer slices; it gets no more CPU time for that.
// Needs no privilege. Threads started by the calling one have the usual slice. Where the kernel
// knows no such slices, or a sandbox forbids the call, nothing changes.
void set_time_slice(std::chrono::nanoseconds slice);

// The calling thread's slice; 0 where the kernel does not tell.
std::chrono::nanoseconds time_slice();

}  // namespace gantry::runtime
