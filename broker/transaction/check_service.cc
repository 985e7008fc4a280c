// SPDX-License-Identifier: Apache-2.0
#include "broker/transaction/check_service.h"

#include <chrono>
#include <iterator>
#include <utility>

#include "broker/client/client_manager.h"
#include "broker/core/transaction_records.h"
#include "broker/transaction/check_message.h"
#include "log/log.h"
#include "protocol/properties.h"
#include "state/system_topics.h"

namespace gantry::broker {
namespace {

log::Logger logger("transaction");
constexpr std::size_t kSliceMax = 64;     // records in memory, and in one command
constexpr std::size_t kLooksMax = 10000;  // at open transactions, before others have their turn
constexpr std::int64_t kMsPerHour = 3600 * 1000;

}  // namespace

CheckService::CheckService(BrokerContext& context, TransactionEnder& ender)
    : context_(context), ender_(ender) {}

CheckService::~CheckService() { *alive_ = false; }

void CheckService::start() {
  running_ = true;
  ++run_;
  arm();
}

void CheckService::stop() {
  running_ = false;
  ++run_;
  timer_.reset();
}

CheckLimits CheckService::limits() const {
  const config::BrokerConfig& c = context_.config;
  return {c.transaction_time_out_ms, c.transaction_check_max,
          c.file_reserved_time_hours * kMsPerHour};
}

void CheckService::arm() {
  timer_ =
      context_.shard.after(std::chrono::milliseconds(context_.config.transaction_check_interval_ms),
                           [this] { begin_round(); });
}

void CheckService::begin_round() {
  // In maintenance outcomes are refused: asking for them would use up the checks.
  if (context_.refuses_messages || !context_.storage.accepting()) return arm();
  next_ = LogPosition(0);
  next_slice();
}

void CheckService::next_slice() {
  const auto& open = context_.storage.state().transactions().all();
  const CheckLimits limits = this->limits();
  const std::int64_t now_ms = context_.clock.wall_ms();
  Slice slice;
  std::size_t looks = 0;
  auto it = open.lower_bound(next_);
  for (; it != open.end() && looks < kLooksMax && slice.size() < kSliceMax; ++it, ++looks) {
    next_ = it->first + 1;
    const CheckVerdict verdict = check_verdict(it->second, now_ms, limits);
    if (verdict == CheckVerdict::kLeave || ender_.find(it->first) == nullptr) continue;
    slice.push_back({it->first, verdict, {}});
  }
  if (!slice.empty()) {
    return read(std::move(slice), [this, run = run_](const std::shared_ptr<Slice>& due) {
      if (running_ && run == run_) act(due);
    });
  }
  if (it == open.end()) return arm();
  timer_ = context_.shard.after(std::chrono::milliseconds(0), [this] { next_slice(); });
}

void CheckService::read(Slice slice,
                        std::move_only_function<void(const std::shared_ptr<Slice>&)> then) {
  look_up(context_.storage.log(), [slice = std::make_shared<Slice>(std::move(slice)),
                                   then = std::move(then)](LogLookup& lookup) mutable {
    for (Due& due : *slice) {
      auto bytes = lookup.record(due.half);
      if (!lookup.complete()) continue;
      if (bytes) {
        due.bytes = *std::move(bytes);
      } else {
        logger.warn("the half message at {} cannot be read: {}", due.half.v, bytes.error().message);
      }
    }
    if (lookup.complete()) then(slice);
  });
}

void CheckService::give_up_before(LogPosition limit, std::move_only_function<void()> done) {
  give_up_from(LogPosition(0), limit, std::move(done));
}

void CheckService::give_up_from(LogPosition from, LogPosition limit,
                                std::move_only_function<void()> done) {
  const auto& open = context_.storage.state().transactions().all();
  Slice slice;
  for (auto it = open.lower_bound(from);
       it != open.end() && it->first < limit && slice.size() < kSliceMax; ++it) {
    if (ender_.find(it->first) != nullptr) slice.push_back({it->first, CheckVerdict::kGiveUp, {}});
  }
  if (slice.empty()) return done();
  const LogPosition next = slice.back().half + 1;
  read(std::move(slice),
       [this, next, limit, done = std::move(done)](const std::shared_ptr<Slice>& due) mutable {
         for (const Due& each : *due) {
           const auto half = protocol::decode_record(each.bytes);
           if (half && ender_.find(each.half) != nullptr) give_up(*half);
         }
         give_up_from(next, limit, std::move(done));
       });
}

void CheckService::act(const std::shared_ptr<Slice>& slice) {
  std::vector<LogPosition> asked;
  for (const Due& due : *slice) {
    if (ender_.find(due.half) == nullptr) continue;  // has ended meanwhile
    if (due.verdict == CheckVerdict::kAsk) {
      asked.push_back(due.half);
    } else if (const auto half = protocol::decode_record(due.bytes)) {
      give_up(*half);
    }
  }
  if (asked.empty()) return next_slice();
  context_.storage.proposals().count_checks(
      asked, [this, alive = alive_, run = run_, slice](const Result<void>& counted) {
        if (!*alive || !running_ || run != run_) return;
        if (!counted) {
          logger.warn("open transactions are not checked now: {}", counted.error().message);
          return arm();
        }
        ask(*slice);
        // Not from inside the log, which is applying.
        timer_ = context_.shard.after(std::chrono::milliseconds(0), [this] { next_slice(); });
      });
}

void CheckService::ask(const Slice& slice) {
  for (const Due& due : slice) {
    const state::OpenTransaction* open = ender_.find(due.half);
    const auto half = protocol::decode_record(due.bytes);
    if (due.verdict != CheckVerdict::kAsk || open == nullptr || !half) continue;
    const std::string_view group =
        protocol::find_property(half->properties, protocol::property::kProducerGroup).value_or("");
    net::Connection* connection = producer(group);
    if (connection == nullptr) {
      ++unheard_;
      static log::RateLimit limit(10000);
      if (limit.admit()) {
        logger.warn("no producer of group {} is online to be asked about the half message at {}",
                    group, due.half.v);
      }
      continue;
    }
    ++asked_;
    connection->send_oneway(check_message(*half, open->checks, context_.config.broker_name));
  }
}

// One after the other: any producer of the group can answer.
net::Connection* CheckService::producer(std::string_view group) {
  const ProducerGroup* producers = context_.clients->producers(group);
  if (producers == nullptr || producers->channels.empty()) return nullptr;
  const std::size_t count = producers->channels.size();
  auto it =
      std::next(producers->channels.begin(), static_cast<std::ptrdiff_t>(round_robin_++ % count));
  for (std::size_t i = 0; i < count; ++i) {
    if (net::Connection* connection = context_.connections.find(it->first)) return connection;
    if (++it == producers->channels.end()) it = producers->channels.begin();
  }
  return nullptr;
}

void CheckService::give_up(const protocol::RecordView& half) {
  const auto done = ender_.end(half, TransactionEnd::kGiveUp);
  static log::RateLimit limit(10000);
  if (!limit.admit()) return;
  if (done) {
    logger.warn("transactions are given up, the half message at {} among them: it is in {} now",
                half.position.v, state::kTransCheckMaxTimeTopic);
  } else {
    logger.warn("the half message at {} is to be given up, which fails: {}", half.position.v,
                done.error().message);
  }
}

}  // namespace gantry::broker
