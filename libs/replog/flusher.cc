// SPDX-License-Identifier: Apache-2.0
#include "replog/flusher.h"

#include <algorithm>
#include <cstdlib>

#include "base/clock.h"
#include "log/log.h"

namespace gantry::replog {
namespace {
log::Logger logger("flusher");
}

void sync_or_end(io::File& file) {
  if (const auto synced = file.sync(); !synced) {
    logger.error("sync of the log failed, ending the process: {}", synced.error().message);
    std::_Exit(70);
  }
}

Flusher::Flusher(OnDurable on_durable)
    : on_durable_(std::move(on_durable)), thread_([this] { run(); }) {}

Flusher::~Flusher() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Flusher::request(LogPosition target, std::vector<std::shared_ptr<io::File>> files) {
  {
    const std::lock_guard lock(mutex_);
    target_ = std::max(target_, target);
    for (auto& file : files) {
      if (std::ranges::find(files_, file) == files_.end()) files_.push_back(std::move(file));
    }
    pending_ = true;
  }
  wake_.notify_one();
}

void Flusher::run() {
  for (;;) {
    std::vector<std::shared_ptr<io::File>> files;
    LogPosition target;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return pending_ || stopping_; });
      if (stopping_) return;
      pending_ = false;
      files.swap(files_);
      target = target_;
    }
    const std::int64_t started_us = system_clock().steady_us();
    for (const auto& file : files) sync_or_end(*file);
    ++syncs_;
    sync_us_total_ += system_clock().steady_us() - started_us;
    on_durable_(target);
  }
}

}  // namespace gantry::replog
