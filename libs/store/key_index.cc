// SPDX-License-Identifier: Apache-2.0
#include "store/key_index.h"

#include <fmt/core.h>

#include <algorithm>

#include "log/log.h"
#include "store/apache_index.h"
#include "store/key_index_buffer.h"
#include "store/key_index_hash.h"
#include "store/key_index_reader.h"
#include "store/key_index_runs.h"
#include "store/key_index_worker.h"

namespace gantry::store {
namespace {

constexpr Logger kLog("keyindex");
// Differences inside a buffer have 32 bits.
constexpr std::int64_t kBufferLogBytesMax = std::int64_t{1} << 31;

Result<void> check(const KeyIndexOptions& o) {
  const bool good = o.log_begin.v >= 0 && o.log_end >= o.log_begin && o.buffer_entries > 0 &&
                    o.buffer_entries < (std::size_t{1} << 31) && o.buffer_log_bytes > 0 &&
                    o.buffer_log_bytes <= kBufferLogBytesMax && o.sealed_buffers_max > 0 &&
                    o.merge_fanout >= 2 && o.queries_max > 0 && o.retry_min.count() > 0 &&
                    o.retry_max >= o.retry_min;
  if (good) return {};
  return make_error(
      ErrorCode::kInvalidArgument,
      fmt::format("key index options out of range: log [{}, {}), buffer of {} entries "
                  "and {} log bytes, {} sealed buffers, fanout {}, {} queries, retry "
                  "{} to {} ms",
                  o.log_begin.v, o.log_end.v, o.buffer_entries, o.buffer_log_bytes,
                  o.sealed_buffers_max, o.merge_fanout, o.queries_max, o.retry_min.count(),
                  o.retry_max.count()));
}

}  // namespace

Result<std::unique_ptr<KeyIndex>> KeyIndex::open(std::string directory, KeyIndexOptions options) {
  if (options.files == nullptr) options.files = &io::posix_file_system();
  if (options.apache == nullptr) options.apache_end = LogPosition(0);
  GANTRY_TRY(check(options));
  GANTRY_TRY(options.files->create_directories(directory));
  auto loaded = load_runs(*options.files, directory, options.log_begin);
  if (!loaded) return std::unexpected(std::move(loaded).error());
  auto worker = std::make_unique<KeyIndexWorker>(std::move(directory), options, std::move(*loaded));
  const auto cut = worker->cut(options.log_end);
  if (!cut) {
    kLog.warn("a key index run behind the log's end could not be shortened reason={}",
              cut.error().message);
  }
  return std::unique_ptr<KeyIndex>(new KeyIndex(std::move(worker), options));
}

KeyIndex::KeyIndex(std::unique_ptr<KeyIndexWorker> worker, const KeyIndexOptions& options)
    : options_(options),
      apache_end_(std::min(options.apache_end, options.log_end)),
      log_begin_(options.log_begin),
      sealed_last_(worker->last_entry()),
      worker_(std::move(worker)),
      reader_(std::make_unique<KeyIndexReader>(*worker_, options.queries_max)) {
  if (options_.apache != nullptr && sealed_last_.position < apache_end_) {
    const ApacheIndex::Last last = options_.apache->last();
    sealed_last_ = {last.store_time_ms, last.position};
  }
  start_at_gap();
}

KeyIndex::~KeyIndex() = default;

// ---- Feeding

void KeyIndex::put(std::string_view topic, std::string_view key, LogPosition position,
                   std::int64_t store_time_ms) {
  put_hash(key_hash(topic, key), position, store_time_ms);
}

void KeyIndex::put_tag(std::string_view topic, std::string_view tag, LogPosition position,
                       std::int64_t store_time_ms) {
  put_hash(tag_hash(topic, tag), position, store_time_ms);
}

void KeyIndex::put_hash(std::uint32_t hash, LogPosition position, std::int64_t store_time_ms) {
  if (active_->add(hash, position, store_time_ms)) [[likely]]
    return;
  put_slow(hash, position, store_time_ms);
}

void KeyIndex::put_slow(std::uint32_t hash, LogPosition position, std::int64_t store_time_ms) {
  if (stopped_ || position < fed_ || position >= limit_) return;  // covered already, or later again
  if (active_->size() == 0) {
    if (position - active_->begin() > kBufferLogBytesMax && !seal_active(position)) return;
    active_->set_time(store_time_ms);
  } else if (active_->at(0).position == position) {
    enlarge_active();  // one record with more keys than a buffer holds
  } else if (!seal_active(position)) {
    return;
  } else if (active_->size() == 0) {
    active_->set_time(store_time_ms);
  }
  // Fits now: unless the record's keys, which moved along, have filled the new buffer again.
  if (!active_->add(hash, position, store_time_ms)) {
    enlarge_active();
    active_->add(hash, position, store_time_ms);
  }
}

// Ends the active buffer at `end`, where a record begins: all keys of records below have been put.
// Keys of that record itself move to the next buffer. False if entries had to be dropped.
bool KeyIndex::seal_active(LogPosition end) {
  const LogPosition begin = active_->begin();
  fed_ = std::max(fed_, end);
  if (end <= begin) return true;
  const std::shared_ptr<KeyBuffer> full = active_;
  const std::size_t below = full->count_below(end);
  const std::size_t size = full->size();
  const KeyIndexLast newest = last();
  if (!worker_->enqueue({full, below, {begin, end}})) {
    drop_active();
    return false;
  }
  sealed_last_ = newest;
  start_buffer(end, limit_);
  while (active_->capacity() < size - below) enlarge_active();
  active_->append(*full, below, size);
  return true;
}

void KeyIndex::drop_active() {
  static RateLimit limit(10'000);
  dropped_entries_ += active_->size();
  fed_ = active_->begin();
  stopped_ = true;
  active_->refuse_all();
  active_->shrink(0);
  kLog.warn(limit,
            "the disk does not keep up with the key index; entries are dropped and will be "
            "indexed again from the log from={}",
            fed_.v);
}

void KeyIndex::enlarge_active() {
  auto larger = std::make_shared<KeyBuffer>(active_->capacity() * 2);
  larger->start(active_->begin());
  larger->accept(active_->begin(), limit_);
  larger->append(*active_, 0, active_->size());
  larger->accept(fed_, limit_);
  active_ = std::move(larger);
}

void KeyIndex::start_buffer(LogPosition begin, LogPosition limit) {
  active_ = worker_->take_buffer(options_.buffer_entries);
  active_->start(begin);
  fed_ = begin;
  limit_ = limit;
  if (!stopped_) active_->accept(begin, limit);
}

void KeyIndex::start_at_gap() {
  if (active_ != nullptr) worker_->give_back(std::move(active_));
  const LogRange gap = worker_->gap_from(log_begin_);
  start_buffer(gap.begin, gap.end);
}

void KeyIndex::advance(LogPosition end) {
  if (stopped_ || end <= fed_) return;
  if (end >= limit_) {
    // The gap is filled: go on behind what was covered already.
    if (seal_active(limit_)) start_at_gap();
    return;
  }
  fed_ = end;
  if (active_->full() || end - active_->begin() >= options_.buffer_log_bytes) {
    seal_active(end);
  } else {
    active_->accept(fed_, limit_);
  }
}

LogPosition KeyIndex::durable_up_to() const { return worker_->durable_up_to(); }

std::optional<LogPosition> KeyIndex::needs_refeed_from() const {
  if (stopped_) return fed_;
  if (!worker_->lost_runs()) return std::nullopt;
  worker_->set_lost_runs(false);  // before looking, so that what gets lost meanwhile is not missed
  const LogRange gap = worker_->gap_from(log_begin_);
  if (gap.begin >= active_->begin()) return std::nullopt;
  worker_->set_lost_runs(true);
  return gap.begin;
}

Result<LogPosition> KeyIndex::resume() {
  if (!needs_refeed_from()) return fed_;
  if (!worker_->has_room()) {
    return make_error(ErrorCode::kBusy, "key index buffers are still waiting for the disk");
  }
  if (!stopped_) GANTRY_TRY(seal());
  stopped_ = false;
  worker_->set_lost_runs(false);
  start_at_gap();
  return fed_;
}

Result<void> KeyIndex::cut(LogPosition end) {
  const auto done = worker_->cut(end);
  sealed_last_ = worker_->last_entry();
  apache_end_ = std::min(apache_end_, end);
  if (stopped_ || active_->begin() >= end) {
    start_at_gap();  // what was dropped may have been cut away; if not, it is a gap from there
    return done;
  }
  // Other threads may be reading the active buffer, so the shorter one is a copy.
  const std::shared_ptr<KeyBuffer> longer = active_;
  const LogPosition fed = std::min(fed_, end);
  start_buffer(longer->begin(), worker_->gap_from(longer->begin()).end);
  while (active_->capacity() < longer->size()) enlarge_active();
  active_->append(*longer, 0, longer->count_below(end));
  fed_ = fed;
  active_->accept(fed_, limit_);
  return done;
}

void KeyIndex::trim(LogPosition begin) {
  if (begin <= log_begin_) return;
  log_begin_ = begin;
  worker_->trim(begin);
  if (fed_ < begin) start_at_gap();
}

Result<void> KeyIndex::seal() {
  if (stopped_) return make_error(ErrorCode::kBusy, "key index entries were dropped");
  if (!worker_->may_enqueue()) {
    return make_error(ErrorCode::kBusy, "key index buffers are still waiting for the disk");
  }
  seal_active(fed_);
  return {};
}

Result<void> KeyIndex::flush(std::chrono::milliseconds timeout) {
  const auto until = std::chrono::steady_clock::now() + timeout;
  if (!stopped_ && !worker_->may_enqueue()) GANTRY_TRY(worker_->wait_written(timeout));
  if (!stopped_) seal_active(fed_);
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      until - std::chrono::steady_clock::now());
  return worker_->wait_written(std::max(left, std::chrono::milliseconds(0)));
}

Result<void> KeyIndex::wait_idle(std::chrono::milliseconds timeout) {
  return worker_->wait_idle(timeout);
}

// ---- Searching

KeyIndexLast KeyIndex::last() const {
  if (active_->size() == 0) return sealed_last_;
  const KeyEntry e = active_->at(active_->size() - 1);
  if (e.position < sealed_last_.position)
    return sealed_last_;  // while an older gap is being filled
  return {e.store_time_ms, e.position};
}

SearchTask KeyIndex::search_task(const KeyQuery& query) {
  const std::uint32_t hash = query.kind == KeyKind::kTag ? tag_hash(query.topic, query.key)
                                                         : key_hash(query.topic, query.key);
  SearchTask task{.search = KeySearch(hash, std::min(query.max, kKeyQueryMax), query.begin_ms,
                                      query.end_ms, log_begin_),
                  .view = worker_->view(),
                  .apache = options_.apache.get(),
                  .apache_end = apache_end_,
                  .last = last(),
                  .complete = limit_ == kLogPositionMax && !needs_refeed_from()};
  task.view.buffers.push_back({active_, active_->size(), {active_->begin(), fed_}});
  return task;
}

Result<void> KeyIndex::query_async(const KeyQuery& query, Done done) {
  return reader_->submit(search_task(query), std::move(done));
}

KeyQueryResult KeyIndex::query(const KeyQuery& query) {
  return run_search(search_task(query), *worker_);
}

KeyIndexStats KeyIndex::stats() const {
  KeyIndexStats stats;
  worker_->add_stats(stats);
  stats.entries += active_->size();
  stats.dropped_entries = dropped_entries_;
  stats.last = last();
  return stats;
}

}  // namespace gantry::store
