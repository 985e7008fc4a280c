// SPDX-License-Identifier: Apache-2.0
#include "store/key_index_reader.h"

#include <fmt/core.h>
#include <pthread.h>

#include <algorithm>

#include "log/log.h"

namespace gantry::store {
namespace {

constexpr Logger kLog("keyindex");

// A buffer or a run, so that both can be put into one order.
struct Source {
  LogPosition begin;
  const SealedBuffer* buffer = nullptr;
  const RunPtr* run = nullptr;
};

std::vector<Source> newest_first(const KeyIndexView& view) {
  std::vector<Source> sources;
  sources.reserve(view.buffers.size() + view.runs->size());
  for (const SealedBuffer& b : view.buffers) sources.push_back({b.range.begin, &b, nullptr});
  for (const RunPtr& run : *view.runs) sources.push_back({run->range().begin, nullptr, &run});
  std::ranges::sort(sources, std::ranges::greater{}, &Source::begin);
  return sources;
}

void search_apache(SearchTask& task) {
  if (task.apache == nullptr || task.search.full()) return;
  task.complete = task.complete && task.apache->complete();
  const auto searched = task.apache->search(task.search, task.apache_end);
  if (searched) return;
  task.complete = false;
  static RateLimit limit(60'000);
  kLog.warn(limit, "an index file of RocketMQ is damaged, keys may not be found reason={}",
            searched.error().message);
}

}  // namespace

KeyQueryResult run_search(SearchTask task, KeyIndexWorker& worker) {
  for (const Source& source : newest_first(task.view)) {
    if (task.search.full()) break;
    if (source.buffer != nullptr) {
      source.buffer->buffer->search(source.buffer->size, task.search);
      continue;
    }
    const auto searched = (*source.run)->search(task.search);
    if (searched) continue;
    task.complete = false;
    worker.set_aside(*source.run, searched.error());
  }
  worker.release(std::move(task.view));
  search_apache(task);
  return {task.search.take(), task.last, task.complete};
}

KeyIndexReader::KeyIndexReader(KeyIndexWorker& worker, std::size_t tasks_max)
    : worker_(worker), tasks_max_(tasks_max), thread_([this] { run(); }) {}

KeyIndexReader::~KeyIndexReader() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_one();
  thread_.join();
  for (Item& item : items_) {
    worker_.release(std::move(item.task.view));
    item.done({{}, item.task.last, false});
  }
}

Result<void> KeyIndexReader::submit(SearchTask task, KeyIndex::Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (items_.size() < tasks_max_) {
      items_.push_back({std::move(task), std::move(done)});
      work_.notify_one();
      return {};
    }
  }
  worker_.release(std::move(task.view));
  return make_error(ErrorCode::kBusy, fmt::format("{} key queries are waiting", tasks_max_));
}

void KeyIndexReader::run() {
  ::pthread_setname_np(::pthread_self(), "keyindex-read");
  std::unique_lock lock(mutex_);
  while (true) {
    work_.wait(lock, [&] { return stopping_ || !items_.empty(); });
    if (stopping_) return;
    Item item = std::move(items_.front());
    items_.pop_front();
    lock.unlock();
    item.done(run_search(std::move(item.task), worker_));
    lock.lock();
  }
}

}  // namespace gantry::store
