// SPDX-License-Identifier: Apache-2.0
#include "replog/flusher.h"

#include <algorithm>
#include <string>
#include <utility>

namespace gantry::replog {

Result<void> SyncHandles::sync(const std::vector<std::shared_ptr<io::File>>& files) {
  std::erase_if(handles_, [](const Handle& handle) { return handle.of.expired(); });
  for (const auto& file : files) {
    auto known = std::ranges::find_if(
        handles_, [&](const Handle& handle) { return handle.of.lock() == file; });
    if (known == handles_.end()) {
      auto own = file->reopen();
      if (!own) return std::unexpected(own.error());
      known = handles_.insert(handles_.end(), {file, std::move(*own)});
    }
    GANTRY_TRY(known->own->sync());
  }
  return {};
}

Flusher::Flusher(runtime::Loop& loop, Clock& clock, Fatal fatal)
    : loop_(loop), clock_(clock), fatal_(std::move(fatal)) {
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    lanes_[i].worker = loop_.make_worker("flusher-" + std::to_string(i));
  }
}

Flusher::~Flusher() {
  *alive_ = false;
  for (Lane& lane : lanes_) lane.worker.reset();
}

bool Flusher::ready() const {
  const auto busy = std::ranges::count_if(lanes_, [](const Lane& lane) { return lane.busy; });
  if (busy == 0) return true;
  return busy < kSyncsMax && clock_.steady_us() - last_start_us_ >= mean_us_ / kSyncsMax;
}

void Flusher::start(Files files, Done done) {
  const auto lane = std::ranges::find_if(lanes_, [](const Lane& each) { return !each.busy; });
  lane->busy = true;
  lane->since_us = last_start_us_ = clock_.steady_us();
  lane->worker->post([this, &lane = *lane, handles = lane->handles, files = std::move(files),
                      done = std::move(done)]() mutable {
    const std::int64_t began_us = clock_.steady_us();
    if (const auto synced = handles->sync(files); !synced) fatal_(synced.error());
    files.clear();
    loop_.post([this, &lane, alive = alive_, us = clock_.steady_us() - began_us,
                done = std::move(done)]() mutable {
      if (*alive) finished(lane, us, done);
    });
  });
}

void Flusher::finished(Lane& lane, std::int64_t us, Done& done) {
  lane.busy = false;
  mean_us_ = mean_us_ == 0 ? us : (7 * mean_us_ + us) / 8;
  done(us);
}

std::int64_t Flusher::running_us() const {
  std::int64_t longest = 0;
  for (const Lane& lane : lanes_) {
    if (!lane.busy) continue;
    longest = std::max({longest, clock_.steady_us() - lane.since_us, std::int64_t{1}});
  }
  return longest;
}

}  // namespace gantry::replog
