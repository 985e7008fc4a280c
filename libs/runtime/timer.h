// SPDX-License-Identifier: Apache-2.0
// Private to libs/runtime: timers over Asio's steady_timer.
#pragma once

#include <chrono>
#include <memory>

#include "runtime/shard.h"

namespace gantry::runtime {

// `period` zero: one-shot after `delay`. Must be cancelled or destroyed before `io`.
std::unique_ptr<Timer> make_timer(boost::asio::io_context& io, std::chrono::milliseconds delay,
                                  std::chrono::milliseconds period, Shard::Task task);

}  // namespace gantry::runtime
