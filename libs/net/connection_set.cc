// SPDX-License-Identifier: Apache-2.0
#include "net/connection_set.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "log/log.h"
#include "net/tcp_connection.h"

namespace gantry::net {
namespace {

constexpr Logger kLog("net");

constexpr unsigned kSlotBits = 20;
constexpr std::size_t kSlotsMax = std::size_t{1} << kSlotBits;

// Shared by all sets, so that an id names one connection of the process.
std::atomic<std::uint64_t> g_connection_counter{0};

std::size_t slot_of(ConnectionId id) { return id & (kSlotsMax - 1); }

using std::chrono::milliseconds;

// Often enough to be late by an eighth of the shortest limit, rarely enough to cost nothing with
// many connections.
milliseconds sweep_period(const ConnectionLimits& limits) {
  milliseconds shortest = milliseconds::max();
  if (limits.idle_max.count() > 0) shortest = limits.idle_max;
  if (limits.output_stall_max.count() > 0) shortest = std::min(shortest, limits.output_stall_max);
  return std::clamp(shortest / 8, milliseconds(1), milliseconds(5000));
}

std::uint64_t ticks_for(milliseconds limit, milliseconds period) {
  if (limit.count() <= 0) return 0;
  return static_cast<std::uint64_t>((limit + period - milliseconds(1)) / period) + 1;
}

}  // namespace

ConnectionSet::ConnectionSet(runtime::Shard& shard, ConnectionHandler& handler,
                             ConnectionLimits limits)
    : TurnHook(Phase::kNet), shard_(shard), handler_(handler), limits_(limits) {
  const milliseconds period = sweep_period(limits_);
  idle_ticks_ = ticks_for(limits_.idle_max, period);
  stall_ticks_ = ticks_for(limits_.output_stall_max, period);
  sweep_timer_ = shard_.every(period, [this] { sweep(); });
}

ConnectionSet::~ConnectionSet() { shut_down("server closed"); }

TcpConnection* ConnectionSet::adopt(TcpSocket socket) {
  if (shut_) return nullptr;
  const std::size_t limit = std::min(limits_.connections_max, kSlotsMax);
  if (stats_.connections >= limit) {
    kLog.warn(warn_rate_, "connection refused, the limit is reached connections_max={}", limit);
    ++stats_.rejected;
    return nullptr;
  }
  auto names = prepare_socket(socket);
  if (!names) {
    kLog.debug("new connection dropped: {}", names.error().message);
    ++stats_.rejected;
    return nullptr;
  }
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  const ConnectionId id =
      (g_connection_counter.fetch_add(1, std::memory_order_relaxed) + 1) << kSlotBits | slot;
  auto connection = std::make_shared<TcpConnection>(
      *this, id, std::move(socket), std::move(names->peer), std::move(names->local));
  slots_[slot] = connection;
  ++stats_.connections;
  ++stats_.accepted;
  kLog.debug("connection open peer={} local={} id={}", connection->peer().text(),
             connection->local().text(), id);
  connection->start();
  return shut_ ? nullptr : connection.get();  // on_open may have destroyed the server
}

TcpConnection* ConnectionSet::find(ConnectionId id) const {
  const std::size_t slot = slot_of(id);
  if (slot >= slots_.size() || slots_[slot] == nullptr) return nullptr;
  TcpConnection* connection = slots_[slot].get();
  return connection->id() == id ? connection : nullptr;
}

void ConnectionSet::close_all(std::string_view reason) {
  for (const auto& connection : slots_) {
    if (connection != nullptr) connection->close(reason);
  }
}

void ConnectionSet::shut_down(std::string_view reason) {
  if (std::exchange(shut_, true)) return;
  sweep_timer_.reset();
  deadline_timer_.reset();
  // By index: callbacks cannot add connections any more, but may look for them.
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (const auto connection = slots_[i]) {
      connection->close(reason);
      connection->finish_close();
    }
  }
  shard_.unschedule(*this);
  dirty_.clear();
}

std::span<char> ConnectionSet::read_buffer() {
  if (read_buffer_ == nullptr) {
    read_buffer_ = std::make_unique_for_overwrite<char[]>(limits_.read_buffer_bytes);
  }
  return {read_buffer_.get(), limits_.read_buffer_bytes};
}

void ConnectionSet::mark_dirty(std::shared_ptr<TcpConnection> connection) {
  if (shut_) return;
  dirty_.push_back(std::move(connection));
  shard_.schedule(*this);
}

void ConnectionSet::remove(ConnectionId id) {
  const std::size_t slot = slot_of(id);
  slots_[slot].reset();
  free_slots_.push_back(static_cast<std::uint32_t>(slot));
  --stats_.connections;
}

void ConnectionSet::on_turn_end() {
  const auto keep = weak_from_this().lock();
  flushing_.swap(dirty_);
  for (const auto& connection : flushing_) {
    connection->end_turn();
    if (shut_) break;  // a callback destroyed the server
  }
  flushing_.clear();
}

void ConnectionSet::sweep() {
  ++tick_;
  for (const auto& connection : slots_) {
    if (connection != nullptr) connection->sweep();
  }
}

ConnectionSet::Deadlines::iterator ConnectionSet::add_deadline(Time when, CallKey key) {
  const auto deadline = deadlines_.emplace(when, key);
  if (when < deadline_armed_) arm_deadline_timer();
  return deadline;
}

// Fires for the earliest deadline. Calls that are answered in time leave the timer as it is: it
// then finds nothing to do and is armed for the next.
void ConnectionSet::arm_deadline_timer() {
  if (deadlines_.empty() || shut_) {
    deadline_armed_ = Time::max();
    return;
  }
  deadline_armed_ = deadlines_.begin()->first;
  const auto delay = std::chrono::ceil<milliseconds>(deadline_armed_ - Time::clock::now());
  deadline_timer_ = shard_.after(delay, [this] { expire_calls(); });
}

void ConnectionSet::expire_calls() {
  const auto keep = weak_from_this().lock();
  deadline_armed_ = Time::max();
  const Time now = Time::clock::now();
  std::vector<CallKey> expired;
  for (const auto& [when, key] : deadlines_) {
    if (when > now) break;
    expired.push_back(key);
  }
  for (const CallKey& key : expired) {
    if (shut_) return;
    if (TcpConnection* connection = find(key.connection)) connection->expire_call(key.opaque);
  }
  if (deadline_armed_ == Time::max()) arm_deadline_timer();
}

}  // namespace gantry::net
