// SPDX-License-Identifier: Apache-2.0
#include "store/key_index_worker.h"

#include <fmt/core.h>
#include <pthread.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "log/log.h"
#include "store/apache_index.h"
#include "store/key_index_merge.h"

namespace gantry::store {
namespace {

constexpr Logger kLog("keyindex");
constexpr std::size_t kSpareBuffers = 2;

void enter_thread(int nice) {
  ::pthread_setname_np(::pthread_self(), "keyindex");
  // Linux gives each thread its own nice value. That it is refused costs nothing but fairness.
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), nice);
}

auto now() { return std::chrono::steady_clock::now(); }

}  // namespace

KeyIndexWorker::KeyIndexWorker(std::string directory, const KeyIndexOptions& options,
                               LoadedRuns loaded)
    : directory_(std::move(directory)),
      options_(options),
      fs_(*options.files),
      runs_(std::make_shared<const RunList>(std::move(loaded.runs))),
      log_begin_(options.log_begin),
      apache_end_(options.apache_end),
      damaged_(loaded.damaged) {
  update_durable();
  thread_ = std::thread([this] { run(); });
}

KeyIndexWorker::~KeyIndexWorker() {
  {
    const Lock lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  thread_.join();
}

std::shared_ptr<KeyBuffer> KeyIndexWorker::take_buffer(std::size_t capacity) {
  {
    const Lock lock(mutex_);
    if (!spare_.empty() && spare_.back()->capacity() == capacity) {
      auto buffer = std::move(spare_.back());
      spare_.pop_back();
      return buffer;
    }
  }
  return std::make_shared<KeyBuffer>(capacity);
}

void KeyIndexWorker::give_back(std::shared_ptr<KeyBuffer> buffer) {
  const Lock lock(mutex_);
  const bool usual = buffer->capacity() == options_.buffer_entries;
  // Views are released under the mutex, so a count of one means that all their reads are over.
  if (usual && buffer.use_count() == 1 && spare_.size() < kSpareBuffers) {
    spare_.push_back(std::move(buffer));
  }
}

bool KeyIndexWorker::enqueue(SealedBuffer sealed) {
  {
    const Lock lock(mutex_);
    if (sealed_.size() >= options_.sealed_buffers_max) {
      room_wanted_ = true;
      return false;
    }
    sealed_.push_back(std::move(sealed));
  }
  work_.notify_one();
  return true;
}

bool KeyIndexWorker::may_enqueue() {
  const Lock lock(mutex_);
  return sealed_.size() < options_.sealed_buffers_max;
}

bool KeyIndexWorker::has_room() {
  const Lock lock(mutex_);
  const bool room = sealed_.size() <= options_.sealed_buffers_max / 2;
  room_wanted_ = !room;
  return room;
}

KeyIndexView KeyIndexWorker::view() {
  const Lock lock(mutex_);
  return {{sealed_.begin(), sealed_.end()}, runs_};
}

void KeyIndexWorker::release(KeyIndexView&& view) {
  const Lock lock(mutex_);
  view.buffers.clear();
  view.runs.reset();
}

LogRange KeyIndexWorker::gap_from(LogPosition from) {
  const Lock lock(mutex_);
  std::vector<LogRange> covered = covered_on_disk();
  for (const SealedBuffer& sealed : sealed_) covered.push_back(sealed.range);
  return first_gap(std::move(covered), from);
}

void KeyIndexWorker::trim(LogPosition begin) {
  {
    const Lock lock(mutex_);
    log_begin_ = std::max(log_begin_, begin);
    RunList kept;
    for (const RunPtr& run : *runs_) {
      if (run->range().end > log_begin_) {
        kept.push_back(run);
      } else {
        garbage_.push_back(run->path());
      }
    }
    change_runs(std::move(kept));
    if (options_.apache != nullptr) {
      for (std::string& path : options_.apache->forget_below(log_begin_)) {
        garbage_.push_back(std::move(path));
      }
    }
    // There may be space again.
    write_retry_ = {};
    merge_retry_ = {};
  }
  work_.notify_one();
}

Result<void> KeyIndexWorker::wait_written(Millis timeout) {
  Lock lock(mutex_);
  const std::uint64_t attempts_before =
      write_attempts_;  // one in progress may fail for old reasons
  write_retry_ = {};
  work_.notify_one();
  const auto over = [&] { return sealed_.empty() || failed_attempt_ > attempts_before; };
  if (!changed_.wait_for(lock, timeout, over)) {
    return make_error(ErrorCode::kTimeout, fmt::format("{}: {} buffers are not written yet",
                                                       directory_, sealed_.size()));
  }
  if (!sealed_.empty()) return std::unexpected(*write_error_);
  return {};
}

Result<void> KeyIndexWorker::wait_idle(Millis timeout) {
  Lock lock(mutex_);
  const auto idle = [&] {
    return !busy_ && garbage_.empty() && sealed_.empty() && !plan_merge(*runs_, options_);
  };
  if (changed_.wait_for(lock, timeout, idle)) return {};
  return make_error(ErrorCode::kTimeout, fmt::format("{}: there is still work", directory_));
}

void KeyIndexWorker::add_stats(KeyIndexStats& stats) {
  const Lock lock(mutex_);
  for (const RunPtr& run : *runs_) {
    stats.entries += run->header().entry_count;
    stats.run_bytes += static_cast<std::uint64_t>(run->header().file_bytes());
  }
  for (const SealedBuffer& sealed : sealed_) stats.entries += sealed.size;
  stats.runs = runs_->size();
  stats.sealed_buffers = sealed_.size();
  stats.written_entries = written_entries_;
  stats.written_bytes = written_bytes_;
  stats.merges = merges_;
  stats.damaged_runs = damaged_;
  stats.worker_cpu_ns = cpu_ns_.load();
}

KeyIndexLast KeyIndexWorker::last_entry() {
  const Lock lock(mutex_);
  KeyIndexLast last;
  for (const RunPtr& run : *runs_) {
    const RunHeader& h = run->header();
    if (h.entry_count > 0 && h.last_position >= last.position) last = {h.last_ms, h.last_position};
  }
  for (const SealedBuffer& sealed : sealed_) {
    if (sealed.size == 0) continue;
    const KeyEntry e = sealed.buffer->at(sealed.size - 1);
    if (e.position >= last.position) last = {e.store_time_ms, e.position};
  }
  return last;
}

void KeyIndexWorker::set_aside(const RunPtr& run, const Error& why) {
  const Lock lock(mutex_);
  RunList kept = *runs_;
  if (std::erase(kept, run) == 0) return;  // merged, trimmed or set aside meanwhile
  // Under the mutex: a run that is written for the same range must not get under this rename.
  set_run_aside(fs_, directory_, run->path(), run->range(), why);
  ++damaged_;
  change_runs(std::move(kept));
  lost_runs_ = true;
}

void KeyIndexWorker::change_runs(RunList runs) {
  runs_ = std::make_shared<const RunList>(std::move(runs));
  update_durable();
  changed_.notify_all();
}

std::vector<LogRange> KeyIndexWorker::covered_on_disk() const {
  std::vector<LogRange> covered{{LogPosition(0), apache_end_}};
  for (const RunPtr& run : *runs_) covered.push_back(run->range());
  return covered;
}

void KeyIndexWorker::update_durable() {
  durable_up_to_ = first_gap(covered_on_disk(), log_begin_).begin.v;
}

// ---- The thread

void KeyIndexWorker::run() {
  enter_thread(options_.worker_nice);
  Lock lock(mutex_);
  while (!stopping_) {
    busy_ = true;
    const bool worked = !paused_ && work_once(lock);
    busy_ = false;
    account_cpu();
    if (worked) continue;
    changed_.notify_all();
    if (!stopping_) wait_for_work(lock);
  }
}

bool KeyIndexWorker::work_once(Lock& lock) {
  // Deleting comes first: a new run may have the name of a deleted one.
  if (!garbage_.empty()) {
    remove_garbage(lock);
    return true;
  }
  if (may_write()) {
    write_front(lock);
    return true;
  }
  if (now() < merge_retry_.at) return false;
  const auto plan = plan_merge(*runs_, options_);
  if (!plan) return false;
  merge(lock, *plan);
  return true;
}

void KeyIndexWorker::wait_for_work(Lock& lock) {
  std::optional<Time> retry;
  if (!sealed_.empty()) retry = write_retry_.at;
  if (plan_merge(*runs_, options_)) {
    retry = retry ? std::min(*retry, merge_retry_.at) : merge_retry_.at;
  }
  if (retry && !paused_) {
    work_.wait_until(lock, *retry);
  } else {
    work_.wait(lock);
  }
}

bool KeyIndexWorker::may_write() const { return !sealed_.empty() && now() >= write_retry_.at; }

void KeyIndexWorker::put_off(Retry& retry, const Error& error, const char* what) {
  retry.wait = std::clamp(retry.wait * 2, options_.retry_min, options_.retry_max);
  retry.at = now() + retry.wait;
  kLog.warn("cannot {} key index runs, will try again dir={} after_ms={} reason={}", what,
            directory_, retry.wait.count(), error.message);
}

void KeyIndexWorker::write_front(Lock& lock) {
  const std::uint64_t attempt = ++write_attempts_;
  SealedBuffer sealed = sealed_.front();  // stays queryable until its run is in the list
  lock.unlock();
  std::uint64_t bytes = 0;
  auto run = write_buffer(fs_, directory_, sealed, order_, scratch_, bytes);
  lock.lock();
  written_bytes_ += bytes;
  if (!run) {
    failed_attempt_ = attempt;
    write_error_ = run.error();
    put_off(write_retry_, run.error(), "write");
    changed_.notify_all();
    return;
  }
  write_retry_ = {};
  written_entries_ += sealed.size;
  sealed_.pop_front();
  RunList runs = *runs_;
  runs.insert(std::ranges::upper_bound(runs, sealed.range.begin, {},
                                       [](const RunPtr& r) { return r->range().begin; }),
              std::move(*run));
  change_runs(std::move(runs));
  lock.unlock();
  give_back(std::move(sealed.buffer));
  lock.lock();
  call_on_room(lock);
}

void KeyIndexWorker::call_on_room(Lock& lock) {
  if (!room_wanted_ || sealed_.size() > options_.sealed_buffers_max / 2) return;
  room_wanted_ = false;
  if (!options_.on_room) return;
  lock.unlock();
  options_.on_room();
  lock.lock();
}

bool KeyIndexWorker::go_on_merging() {
  // Sealed buffers do not wait for the end of a long merge.
  Lock lock(mutex_);
  while (!stopping_ && !paused_) {
    if (!garbage_.empty()) {
      remove_garbage(lock);
    } else if (may_write()) {
      write_front(lock);
    } else {
      return true;
    }
  }
  return false;
}

void KeyIndexWorker::merge(Lock& lock, const MergePlan& plan) {
  const auto first = runs_->begin() + static_cast<std::ptrdiff_t>(plan.first);
  const RunList inputs(first, first + static_cast<std::ptrdiff_t>(plan.count));
  const LogPosition log_begin = log_begin_;
  lock.unlock();
  MergeOutcome outcome = merge_runs(fs_, directory_,
                                    {.inputs = inputs,
                                     .level = plan.level,
                                     .keep = {log_begin, kLogPositionMax},
                                     .go_on = [this] { return go_on_merging(); }});
  if (outcome.damaged != nullptr) set_aside(outcome.damaged, outcome.run.error());
  lock.lock();
  written_bytes_ += outcome.bytes_written;
  if (outcome.run) {
    merge_retry_ = {};
    install_merged(*outcome.run, inputs);
  } else if (outcome.damaged == nullptr && outcome.run.error().code != ErrorCode::kUnavailable) {
    put_off(merge_retry_, outcome.run.error(), "merge");
  }
}

void KeyIndexWorker::install_merged(const RunPtr& merged, const RunList& inputs) {
  const auto among_inputs = [&](const RunPtr& run) { return std::ranges::count(inputs, run) > 0; };
  // Inputs may have been trimmed meanwhile. One that was set aside may already be fed again, so the
  // merged run must not cover its range.
  const bool valid = std::ranges::all_of(inputs, [&](const RunPtr& run) {
    return std::ranges::count(*runs_, run) > 0 || run->range().end <= log_begin_;
  });
  RunList runs;
  for (const RunPtr& run : *runs_) {
    if (valid && among_inputs(run)) {
      garbage_.push_back(run->path());
    } else {
      runs.push_back(run);
    }
  }
  if (!valid || merged->range().end <= log_begin_) {
    garbage_.push_back(merged->path());
  } else {
    runs.insert(std::ranges::upper_bound(runs, merged->range().begin, {},
                                         [](const RunPtr& r) { return r->range().begin; }),
                merged);
    ++merges_;
  }
  change_runs(std::move(runs));
}

void KeyIndexWorker::remove_garbage(Lock& lock) {
  const std::vector<std::string> paths = garbage_;
  lock.unlock();
  for (const std::string& path : paths) {
    const auto removed = fs_.remove(path);
    if (removed || removed.error().code == ErrorCode::kNotFound) continue;
    kLog.warn("cannot delete a key index file, the next start will file={} reason={}", path,
              removed.error().message);
  }
  lock.lock();
  garbage_.erase(garbage_.begin(), garbage_.begin() + static_cast<std::ptrdiff_t>(paths.size()));
}

void KeyIndexWorker::account_cpu() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  cpu_ns_ =
      static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(t.tv_nsec);
}

// ---- Cuts

Result<void> KeyIndexWorker::cut(LogPosition end) {
  Lock lock(mutex_);
  paused_ = true;
  changed_.wait(lock, [&] { return !busy_; });
  std::deque<SealedBuffer> kept;
  for (SealedBuffer& sealed : sealed_) {
    if (sealed.range.begin >= end) continue;
    if (sealed.range.end > end) {
      sealed.size = sealed.buffer->count_below(end);
      sealed.range.end = end;
    }
    kept.push_back(std::move(sealed));
  }
  sealed_ = std::move(kept);
  apache_end_ = std::min(apache_end_, end);
  remove_garbage(lock);
  const auto done = cut_runs(end);
  paused_ = false;
  work_.notify_one();
  return done;
}

// Called while the thread pauses, with the mutex held: whoever searches meanwhile has to wait.
Result<void> KeyIndexWorker::cut_runs(LogPosition end) {
  const auto inside = [&](const RunPtr& run) { return run->range().end <= end; };
  update_durable();
  if (std::ranges::all_of(*runs_, inside)) return {};
  RunList kept;
  Result<void> first_error;
  for (const RunPtr& run : *runs_) {
    auto done = cut_run(run, end, kept);
    if (!done && first_error) first_error = std::move(done);
  }
  change_runs(std::move(kept));
  // A deleted run must not come back after a power cut: by then other records may lie there.
  GANTRY_TRY(fs_.sync_directory(directory_));
  return first_error;
}

Result<void> KeyIndexWorker::cut_run(const RunPtr& run, LogPosition end, RunList& kept) {
  if (run->range().end <= end) {
    kept.push_back(run);
    return {};
  }
  if (run->range().begin >= end) return fs_.remove(run->path());
  // The shorter run takes the name of the longer one, in one step.
  MergeOutcome outcome = merge_runs(fs_, directory_,
                                    {.inputs = std::span(&run, 1),
                                     .level = run->header().level,
                                     .keep = {LogPosition(0), end},
                                     .go_on = {}});
  if (outcome.run) {
    kept.push_back(std::move(*outcome.run));
    return {};
  }
  if (outcome.damaged != nullptr) {
    ++damaged_;
    set_run_aside(fs_, directory_, run->path(), run->range(), outcome.run.error());
    return std::unexpected(std::move(outcome.run).error());
  }
  const auto removed = fs_.remove(run->path());
  if (!removed && removed.error().code != ErrorCode::kNotFound) return removed;
  return std::unexpected(std::move(outcome.run).error());
}

}  // namespace gantry::store
