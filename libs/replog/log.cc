// SPDX-License-Identifier: Apache-2.0
#include "replog/log.h"

#include <fmt/core.h>

#include <cstdlib>

#include "base/bytes.h"
#include "log/log.h"

namespace gantry::replog {
namespace {

log::Logger logger("replog");
constexpr std::int64_t kClockStepMsMax = 60000;
constexpr std::string_view kNotAccepting = "leadership of the broker set is changing";

}  // namespace

Log::Log(runtime::Loop& loop, io::FileSystem& fs, LogOptions options, Clock& clock)
    : TurnHook(Phase::kLog),
      loop_(loop),
      fs_(fs),
      options_(std::move(options)),
      clock_(clock),
      cache_(options_.tail_cache_bytes),
      flush_mode_(options_.flush_mode) {}

Log::~Log() {
  *alive_ = false;
  flush_timer_.reset();
  flusher_.reset();
  upkeep_.reset();
  reader_.reset();
  loop_.unschedule(*this);
}

void Log::die(std::string_view what, const Error& error) {
  const std::string words = fmt::format("{}, ending the process: {}", what, error.message);
  if (options_.fatal) options_.fatal(words);
  logger.error("{}", words);
  std::_Exit(70);
}

// --- appending
// ------------------------------------------------------------------------------------

Result<void> Log::roll(AppendKind kind) {
  const LogPosition next = files_->file_start(end_) + files_->file_bytes();
  // A message may only go into the next file when a further one is there as the reserve.
  const LogPosition needed = next + (kind == AppendKind::kMessage ? 2 : 1) * files_->file_bytes();
  while (files_->end() < needed) GANTRY_TRY(files_->extend());
  const std::int64_t left = next - end_;
  char* blank = cache_.reserve(end_, protocol::kBlankHeaderBytes);
  store_be<std::uint32_t>(blank, static_cast<std::uint32_t>(left));
  store_be<std::uint32_t>(blank + 4, protocol::kBlankMagic);
  cache_.publish(protocol::kBlankHeaderBytes);
  end_ = next;
  return {};
}

Result<Reservation> Log::reserve(std::size_t size, AppendKind kind) {
  if (!leading_ || stopping_) {
    return make_error(ErrorCode::kUnavailable, "this member is not the leader of its broker set");
  }
  const auto bytes = static_cast<std::int64_t>(size);
  if (bytes > options_.record_bytes_max ||
      bytes + static_cast<std::int64_t>(protocol::kBlankHeaderBytes) > options_.file_bytes) {
    return make_error(ErrorCode::kInvalidArgument,
                      fmt::format("record of {} bytes, limit {}", size,
                                  std::min(options_.record_bytes_max, options_.file_bytes - 8)));
  }
  if (kind == AppendKind::kMessage) {
    if (!accepting_) return make_error(ErrorCode::kUnavailable, std::string(kNotAccepting));
    if (disk_full_) return make_error(ErrorCode::kDiskFull, "the disk of the CommitLog is full");
    if (end_ - committed_ > options_.uncommitted_bytes_max) {
      return make_error(ErrorCode::kBusy, "too many bytes wait for commit");
    }
  }
  const LogPosition file_end = files_->file_start(end_) + files_->file_bytes();
  if (end_ + bytes + static_cast<std::int64_t>(protocol::kBlankHeaderBytes) > file_end) {
    GANTRY_TRY(roll(kind));
  }
  return Reservation{end_, size, cache_.reserve(end_, size)};
}

void Log::publish(const Reservation& reservation) {
  cache_.publish(reservation.size);
  end_ = reservation.position + static_cast<std::int64_t>(reservation.size);
  ++stats_.records;
  stats_.bytes += reservation.size;
  loop_.schedule(*this);
}

std::int64_t Log::store_time_ms() {
  if (turn_time_ms_ != 0) return turn_time_ms_;
  const std::int64_t now = clock_.wall_ms();
  if (now >= last_store_time_ms_) {
    last_store_time_ms_ = now;
  } else if (last_store_time_ms_ - now > kClockStepMsMax) {
    logger.error("the clock stands {} ms behind the last record; store times step back with it",
                 last_store_time_ms_ - now);
    last_store_time_ms_ = now;
  }
  turn_time_ms_ = last_store_time_ms_;
  loop_.schedule(*this);
  return turn_time_ms_;
}

Result<LogPosition> Log::append_internal(InternalRecord kind, std::string_view body) {
  protocol::RecordFields fields;
  fields.topic = kLogTopic;
  fields.flag = static_cast<std::int32_t>(kind);
  fields.sys_flag = protocol::sys_flag::kTransactionRollback;
  fields.body = body;
  fields.store_host = store_host_;
  fields.born_host = store_host_;
  auto place = reserve(protocol::encoded_size(fields), AppendKind::kInternal);
  if (!place) return std::unexpected(place.error());
  fields.position = place->position;
  fields.store_timestamp_ms = store_time_ms();
  fields.born_timestamp_ms = fields.store_timestamp_ms;
  protocol::encode_record(fields, place->data);
  publish(*place);
  return place->position;
}

void Log::append_command(std::string body, Done done) {
  if (leading_ && !accepting_) {
    done(make_error(ErrorCode::kUnavailable, std::string(kNotAccepting)));
    return;
  }
  if (auto appended = append_internal(InternalRecord::kCommand, body); !appended) {
    done(std::unexpected(appended.error()));
    return;
  }
  commands_.push_back({end_, std::move(done)});
}

Result<raft::MembershipLog::Entry> Log::append_membership(const raft::Membership& membership) {
  const auto position = append_internal(InternalRecord::kMembership, membership.encode());
  if (!position) return std::unexpected(position.error());
  flush_to_ = end_;
  return raft::MembershipLog::Entry{*position, end_, membership};
}

Result<Log::TermBegin> Log::begin_term(Term term, const protocol::RecordHost& store_host,
                                       LogPosition apache_from) {
  store_host_ = store_host;
  leading_ = true;
  accepting_ = false;
  TermStart start;
  start.term = term;
  start.leader_uuid = member_uuid();
  start.flush_mode = flush_mode_ = options_.flush_mode;
  start.start = end_;
  start.apache_from = apache_from;
  const LogPosition begin = end_;
  const auto position = append_internal(InternalRecord::kTermStart, start.encode());
  if (!position) {
    leading_ = false;
    return std::unexpected(position.error());
  }
  for (const Epoch& epoch : epochs_of(start, *position)) epochs_.add(epoch);
  logger.info("term {} begins at {}", term.v, begin.v);
  return TermBegin{begin, end_};
}

void Log::end_term(const Error& why) {
  if (!leading_) return;
  leading_ = accepting_ = false;
  uncommitted_.clear();
  fail_commands(why);
}

void Log::fail_commands(const Error& error) {
  while (!commands_.empty()) {
    PendingCommand command = std::move(commands_.front());
    commands_.pop_front();
    command.done(std::unexpected(error));
  }
}

// --- writing and committing
// -------------------------------------------------------------------------

void Log::on_turn_end() {
  turn_time_ms_ = 0;
  if (leading_ && written_ < end_) uncommitted_.push_back({end_, clock_.steady_us()});
  write_pending();
  if (driver_ != nullptr) driver_->on_written(written_);
  // What a follower heard to be committed before it was written here.
  if (applied_ < std::min(committed_, written_)) apply_committed();
}

void Log::write_pending() {
  while (written_ < end_) {
    const LogPosition file_end = files_->file_start(written_) + files_->file_bytes();
    const LogPosition to = std::min(end_, file_end);
    slices_.clear();
    cache_.collect(written_, to, slices_);
    if (to == end_ && flush_mode_ == FlushMode::kSync) {
      const std::int64_t zeros = zero_ahead_.due(to, to - written_, file_end);
      if (zeros > 0) zero_ahead_.add(to, zeros, slices_);
    }
    if (const auto done = files_->write(written_, slices_); !done) {
      die("writing the log failed", done.error());
    }
    ++stats_.writes;
    written_ = to;
  }
  if (flush_due()) request_flush();
  if (files_->end() - written_ < files_->file_bytes() + files_->file_bytes() / 2)
    prepare_next_file();
}

// The file behind the reserve, in time and off the shard: allocating it waits for the disk.
void Log::prepare_next_file() {
  if (extending_ || !upkeep_ || disk_full_) return;
  extending_ = true;
  upkeep_->post([this, alive = alive_, next = files_->next_file()]() mutable {
    auto made = next.make();
    loop_.post([this, alive, next = std::move(next), made = std::move(made)]() mutable {
      if (!*alive) return;
      extending_ = false;
      if (made) {
        files_->adopt(std::move(next));
        return;
      }
      if (made.error().code == ErrorCode::kConflict) return;
      static log::RateLimit limit(10000);
      if (limit.admit())
        logger.warn("allocating the next log file failed: {}", made.error().message);
    });
  });
}

void Log::request_flush() {
  if (!flusher_ || sync_asked_ >= written_ || durable_ >= written_ || !flusher_->ready()) return;
  sync_asked_ = written_;
  flusher_->start(files_->files_in(durable_, written_),
                  [this, target = written_, cuts = cuts_](std::int64_t us) {
                    stats_.syncs.add(us);
                    on_durable(target, cuts);
                  });
}

void Log::flush() { request_flush(); }

bool Log::flush_due() const {
  return durable_ < written_ && (flush_mode_ == FlushMode::kSync || durable_ < flush_to_);
}

void Log::run_sync(const SyncWork& work) {
  if (const auto synced = SyncHandles().sync(work.files); !synced) {
    die("sync of the log failed", synced.error());
  }
}

std::int64_t Log::sync_running_us() const { return flusher_ ? flusher_->running_us() : 0; }

void Log::on_durable(LogPosition position, std::uint64_t cuts) {
  // A later sync may have come back before; each covers everything that was written before it.
  if (cuts == cuts_) durable_ = std::max(durable_, position);
  if (flush_due()) request_flush();
  if (driver_ != nullptr) driver_->on_durable(durable_);
}

// --- applying
// ---------------------------------------------------------------------------------------

void Log::commit_to(LogPosition position) {
  committed_ = std::max(committed_, position);
  apply_committed();
}

// Up to what is written here: nobody may see what this member could still lose by itself.
void Log::apply_committed() {
  if (applying_) return;
  const LogPosition before = applied_;
  applying_ = true;
  const LogPosition to = std::min(committed_, written_);
  if (!apply_from_memory(to)) apply_from_files(to);
  applying_ = false;
  if (applied_ == before) return;
  if (!uncommitted_.empty()) count_commits();
  listener_->on_committed(applied_);
  if (driver_ != nullptr) driver_->on_applied(applied_);
  cache_.evict(std::min(applied_, written_));
}

void Log::count_commits() {
  const std::int64_t now_us = clock_.steady_us();
  while (!uncommitted_.empty() && uncommitted_.front().end <= applied_) {
    stats_.commits.add(now_us - uncommitted_.front().since_us);
    uncommitted_.pop_front();
  }
}

void Log::apply_one(const protocol::RecordView& record) {
  if (const auto applied = listener_->apply(record); !applied) {
    die(fmt::format("applying the record at {} failed", record.position.v), applied.error());
  }
  applied_ = record.position + record.total_size;
  while (!commands_.empty() && commands_.front().end <= applied_) {
    PendingCommand command = std::move(commands_.front());
    commands_.pop_front();
    command.done({});
  }
}

// False: the next record is not in memory.
bool Log::apply_from_memory(LogPosition to) {
  while (applied_ < to) {
    const std::string_view bytes = cache_.at(applied_);
    if (bytes.empty()) return false;
    if (bytes.size() >= protocol::kBlankHeaderBytes &&
        load_be<std::uint32_t>(bytes.data() + 4) == protocol::kBlankMagic) {
      applied_ = files_->file_start(applied_) + files_->file_bytes();
      continue;
    }
    const auto record = protocol::decode_record(bytes);
    if (!record) die("a committed record does not decode", record.error());
    apply_one(*record);
  }
  return true;
}

// After a restart or a long stay behind: a bounded piece per turn, so that the shard stays
// responsive.
void Log::apply_from_files(LogPosition to) {
  constexpr std::int64_t kBytesPerTurn = 4 << 20;
  const LogPosition before = applied_;
  const LogPosition enough = applied_ + kBytesPerTurn;
  ScanOptions options;
  options.from = applied_;
  options.to = std::min(to, enough + options_.record_bytes_max);
  options.resynchronise = false;
  EpochTable epochs = epochs_;
  const auto scan =
      scan_log(*files_, options, epochs, [&](const protocol::RecordView& record) -> Result<void> {
        if (record.position >= enough) {
          return make_error(ErrorCode::kBusy, "enough for this turn");
        }
        apply_one(record);
        return {};
      });
  if (!scan && scan.error().code != ErrorCode::kBusy) die("reading the log failed", scan.error());
  if (scan && scan->end > applied_) applied_ = scan->end;  // a blank
  if (applied_ == before) {
    die("a committed record is damaged",
        {ErrorCode::kCorrupt,
         fmt::format("at {}: {}", applied_.v, scan ? scan->end_reason : scan.error().message)});
  }
  if (applied_ >= to || apply_posted_) return;
  apply_posted_ = true;
  loop_.post([this, alive = alive_] {
    if (!*alive) return;
    apply_posted_ = false;
    apply_committed();
  });
}

// --- reading
// ----------------------------------------------------------------------------------------

bool Log::in_memory(LogPosition position) const {
  return !cache_.empty() && position >= cache_.begin();
}

Result<protocol::RecordView> Log::read_record(LogPosition position, std::size_t size,
                                              bool* would_block) {
  *would_block = false;
  if (position < files_->begin() || position + static_cast<std::int64_t>(size) > applied_) {
    return make_error(ErrorCode::kNotFound,
                      fmt::format("no record of {} bytes at position {}; the log holds [{}, {})",
                                  size, position.v, files_->begin().v, applied_.v));
  }
  if (const std::string_view cached = cache_.at(position); cached.size() >= size) {
    return protocol::decode_record(cached.substr(0, size));
  }
  LogReader::Status status{};
  const auto bytes = reader_->read(position, size, written_, &status);
  if (!bytes) return std::unexpected(bytes.error());
  if (status == LogReader::Status::kWouldBlock) {
    *would_block = true;
    return make_error(ErrorCode::kBusy, "not in memory");
  }
  auto record = verify_record(*bytes, position, epochs_);
  if (!record) {
    ++stats_.rotten_reads;
    static log::RateLimit limit(10000);
    if (limit.admit()) {
      logger.warn("a stored record is damaged and is not served position={} size={} reason={}",
                  position.v, size, record.error().message);
    }
  }
  return record;
}

Result<std::string> Log::read_record_blocking(LogPosition position) {
  if (position < files_->begin() || position >= applied_) {
    return make_error(ErrorCode::kNotFound, fmt::format("no record at position {}", position.v));
  }
  if (const std::string_view cached = cache_.at(position); !cached.empty()) {
    auto record = protocol::decode_record(cached);
    if (!record) return std::unexpected(record.error());
    return std::string(record->bytes);
  }
  std::string bytes(protocol::kRecordBytesMin, '\0');
  auto n = files_->read(position, bytes);
  if (!n) return std::unexpected(n.error());
  const auto size = *n >= 8 ? load_be<std::uint32_t>(bytes.data()) : 0;
  if (size < protocol::kRecordBytesMin || size > options_.record_bytes_max ||
      position + size > applied_) {
    return make_error(ErrorCode::kNotFound, fmt::format("no record at position {}", position.v));
  }
  bytes.resize(size);
  n = files_->read(position, bytes);
  if (!n) return std::unexpected(n.error());
  auto record = verify_record(std::string_view(bytes).substr(0, *n), position, epochs_);
  if (!record) return std::unexpected(record.error());
  return bytes;
}

Result<protocol::RecordView> Log::find_record(LogPosition position,
                                              std::optional<Missing>* missing) {
  const auto head = find_head(position, sizeof(std::uint32_t), missing);
  if (!head) return std::unexpected(head.error());
  const auto size = load_be<std::uint32_t>(head->data());
  const LogPosition file_end = files_->file_start(position) + files_->file_bytes();
  if (size < protocol::kRecordBytesMin || size > options_.record_bytes_max ||
      position + size > std::min(applied_, file_end)) {
    return make_error(ErrorCode::kNotFound, fmt::format("no record at position {}", position.v));
  }
  bool would_block = false;
  auto record = read_record(position, size, &would_block);
  if (would_block) *missing = Missing{position, size};
  return record;
}

std::optional<std::int64_t> Log::find_store_time_ms(LogPosition position,
                                                    std::optional<Missing>* missing) const {
  constexpr std::size_t kHeadBytes = 76;  // up to the store time behind an IPv6 born host
  const auto head = find_head(position, kHeadBytes, missing);
  if (!head) return std::nullopt;
  const auto sys_flag = load_be<std::int32_t>(head->data() + protocol::kSysFlagAt);
  const std::size_t at = 48 + ((sys_flag & protocol::sys_flag::kBornHostV6) != 0 ? 20 : 8);
  return load_be<std::int64_t>(head->data() + at);
}

// The first `size` bytes at a position, where a record may begin.
Result<std::string_view> Log::find_head(LogPosition position, std::size_t size,
                                        std::optional<Missing>* missing) const {
  missing->reset();
  const auto bytes = static_cast<std::int64_t>(size);
  if (position < files_->begin() || position + bytes > applied_ ||
      position + bytes > files_->file_start(position) + files_->file_bytes()) {
    return make_error(ErrorCode::kNotFound, fmt::format("no record at position {}", position.v));
  }
  if (const std::string_view cached = cache_.at(position); cached.size() >= size) {
    return cached.substr(0, size);
  }
  LogReader::Status status{};
  const auto read = reader_->read(position, size, written_, &status);
  if (!read) return read;
  if (status == LogReader::Status::kWouldBlock) {
    *missing = Missing{position, size};
    return make_error(ErrorCode::kBusy, "not in memory");
  }
  return read;
}

void Log::fetch(LogPosition position, std::size_t size, LogReader::Retry retry) {
  reader_->fetch(position, size, written_, std::move(retry));
}

Result<std::size_t> Log::peek(LogPosition position, std::span<char> out) const {
  return files_->read(position, out);
}

Result<ScanResult> Log::scan(
    const ScanOptions& options, EpochTable& epochs,
    const std::function<Result<void>(const protocol::RecordView&)>& on_record) const {
  return scan_log(*files_, options, epochs, on_record);
}

// --- upkeep
// -----------------------------------------------------------------------------------------

Checkpoint Log::make_checkpoint(LogPosition queues_applied, LogPosition index_applied,
                                LogPosition index_from, bool clean) const {
  Checkpoint c;
  c.durable = durable_;
  c.queues_applied = std::min(queues_applied, durable_);
  c.index_applied = std::min(index_applied, durable_);
  c.index_from = index_from;
  c.boot_id = fs_.boot_id();
  c.clean = clean;
  c.async_flush = flush_mode_ == FlushMode::kAsync;
  c.committed = std::min(applied_, durable_);
  c.cuts = checkpoint_->cuts();
  return c;
}

Result<std::int64_t> Log::trim(LogPosition position) {
  auto freed = files_->remove_before(std::min(position, applied_));
  if (freed && *freed > 0) {
    reader_->forget_below(files_->begin());
    epochs_.trim(files_->begin());
    if (driver_ != nullptr) driver_->on_trimmed(files_->begin());
  }
  return freed;
}

Result<void> Log::stop() {
  if (!flusher_ || stopping_) return {};
  stopping_ = true;
  flush_timer_.reset();
  write_pending();
  if (driver_ != nullptr) driver_->on_written(written_);
  flusher_.reset();  // waits for the syncs under way
  upkeep_.reset();
  for (const auto& file : files_->files_in(durable_, written_)) {
    if (auto synced = file->sync(); !synced) die("sync of the log failed", synced.error());
  }
  durable_ = written_;
  if (driver_ != nullptr) driver_->on_durable(durable_);
  leading_ = false;
  fail_commands({ErrorCode::kUnavailable, "the broker is stopping"});
  return {};
}

Log::Stats Log::stats() const { return stats_; }

}  // namespace gantry::replog
