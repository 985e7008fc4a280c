// SPDX-License-Identifier: Apache-2.0
#include "replog/catch_up_reader.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/bytes.h"
#include "log/log.h"
#include "protocol/record.h"
#include "replog/recovery_scan.h"

namespace gantry::replog {
namespace {

log::Logger logger("catch_up");
constexpr std::size_t kRangesMax = 8;

}  // namespace

// Everything a worker needs: it never touches the reader or the log.
struct CatchUpReader::Load {
  struct Piece {
    LogPosition start;  // of the file
    std::shared_ptr<io::File> file;
  };
  std::vector<Piece> pieces;
  raft::EpochTable epochs;
  LogPosition from, limit;
  std::int64_t file_bytes = 0, range_bytes = 0;
  std::uint64_t cuts = 0;
  std::function<void()> done;
  Range range;
  std::string error;

  void read();

 private:
  // The whole record at `position`, or the reason why there is none.
  Result<std::string> record_at(LogPosition position);
  const Piece* piece(LogPosition position) const {
    for (const Piece& p : pieces) {
      if (position >= p.start && position < p.start + file_bytes) return &p;
    }
    return nullptr;
  }
};

Result<std::string> CatchUpReader::Load::record_at(LogPosition position) {
  const Piece* p = piece(position);
  if (p == nullptr) return make_error(ErrorCode::kNotFound, "no file");
  std::string head(protocol::kBlankHeaderBytes, '\0');
  auto n = p->file->read_at(position - p->start, head);
  if (!n) return std::unexpected(n.error());
  if (load_be<std::uint32_t>(head.data() + 4) == protocol::kBlankMagic) return head;
  const auto size = static_cast<std::int64_t>(load_be<std::uint32_t>(head.data()));
  if (size < static_cast<std::int64_t>(protocol::kRecordBytesMin) ||
      position + size > std::min(limit, p->start + file_bytes)) {
    return make_error(ErrorCode::kCorrupt, fmt::format("record size {} is impossible", size));
  }
  std::string bytes(static_cast<std::size_t>(size), '\0');
  n = p->file->read_at(position - p->start, bytes);
  if (!n) return std::unexpected(n.error());
  const auto record = verify_record(bytes, position, epochs);
  if (!record) return std::unexpected(record.error());
  return bytes;
}

void CatchUpReader::Load::read() {
  range.from = range.to = from;
  LogPosition position = from;
  std::size_t whole = 0;  // bytes up to range.to
  while (position < limit) {
    auto bytes = record_at(position);
    if (!bytes) {
      if (range.to == from) error = fmt::format("at {}: {}", position.v, bytes.error().message);
      break;
    }
    const bool blank = bytes->size() == protocol::kBlankHeaderBytes;
    const auto left = file_bytes - position.v % file_bytes;
    position += blank ? left : static_cast<std::int64_t>(bytes->size());
    range.bytes += *bytes;
    if (blank) continue;  // what follows belongs to it
    range.to = position;
    whole = range.bytes.size();
    if (static_cast<std::int64_t>(whole) >= range_bytes) break;
  }
  range.bytes.resize(whole);
}

CatchUpReader::CatchUpReader(runtime::Loop& loop, const LogFiles& files, Clock& clock,
                             Options options)
    : loop_(loop),
      files_(files),
      clock_(clock),
      options_(options),
      worker_(loop.make_worker("catch-up")) {}

CatchUpReader::~CatchUpReader() {
  *alive_ = false;
  delayed_.clear();
  worker_.reset();
}

std::optional<LogPosition> CatchUpReader::bound(LogPosition from) const {
  const auto it = std::ranges::find(ranges_, from, &Range::from);
  return it == ranges_.end() ? std::nullopt : std::optional(it->to);
}

bool CatchUpReader::collect(LogPosition from, LogPosition to, std::vector<io::Slice>& out) const {
  const auto it = std::ranges::find(ranges_, from, &Range::from);
  if (it == ranges_.end() || it->to != to) return false;
  out.push_back({it->bytes.data(), it->bytes.size()});
  return true;
}

void CatchUpReader::forget() {
  ++cuts_;
  ranges_.clear();
}

std::chrono::milliseconds CatchUpReader::delay_for(std::int64_t bytes) {
  const std::int64_t now = clock_.steady_us();
  budget_us_ = std::max(budget_us_, now) + bytes * 1000000 / options_.bytes_per_second;
  return std::chrono::milliseconds(std::max<std::int64_t>(budget_us_ - now - 20000, 0) / 1000);
}

void CatchUpReader::fetch(LogPosition from, LogPosition limit, const raft::EpochTable& epochs,
                          std::function<void()> done) {
  if (std::ranges::find(loading_, from) != loading_.end()) return;
  loading_.push_back(from);
  auto load = std::make_shared<Load>();
  load->from = from;
  load->limit = limit;
  load->epochs = epochs;
  load->file_bytes = files_.file_bytes();
  load->range_bytes = options_.range_bytes;
  load->cuts = cuts_;
  load->done = std::move(done);
  const LogPosition next_file = files_.file_start(from) + files_.file_bytes();
  for (const LogPosition position : {from, next_file}) {
    if (auto file = files_.file_at(position)) {
      load->pieces.push_back({files_.file_start(position), std::move(file)});
    }
  }
  const auto delay = delay_for(options_.range_bytes);
  if (delay.count() == 0) return run(std::move(load));
  std::erase(delayed_, nullptr);
  if (delayed_.size() > 64) delayed_.erase(delayed_.begin(), delayed_.begin() + 32);
  delayed_.push_back(loop_.after(delay, [this, load = std::move(load)] { run(load); }));
}

void CatchUpReader::run(std::shared_ptr<Load> load) {
  worker_->post([this, alive = alive_, load = std::move(load)] {
    load->read();
    loop_.post([this, alive, load] {
      if (!*alive) return;
      std::erase(loading_, load->from);
      if (!load->error.empty()) {
        static log::RateLimit limit(10000);
        if (limit.admit()) {
          logger.error("a member cannot be sent the log from here on: {}", load->error);
        }
        return;
      }
      if (load->cuts == cuts_ && load->range.to > load->from) {
        ranges_.push_back(std::move(load->range));
        while (ranges_.size() > kRangesMax) ranges_.pop_front();
      }
      load->done();
    });
  });
}

}  // namespace gantry::replog
