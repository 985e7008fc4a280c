// SPDX-License-Identifier: Apache-2.0
#include "broker/core/log_lookup.h"

#include <memory>
#include <utility>
#include <vector>

namespace gantry::broker {
namespace {

// A round's blocks have to stay in the reader's cache until the pass has seen them. Others read
// too, so a block may be gone again: then it is fetched once more.
constexpr std::size_t kRoundBytesMax = 2U << 20;
constexpr int kFetchesMax = 5;

}  // namespace

struct LogLookup::Round {
  LogLookup lookup;
  std::move_only_function<void(LogLookup&)> pass;
  std::size_t waiting = 0;
};

std::optional<std::int64_t> LogLookup::store_time_ms(LogPosition position) {
  if (const auto known = times_.find(position); known != times_.end()) return known->second;
  std::optional<replog::Log::Missing> missing;
  const auto time_ms = log_.find_store_time_ms(position, &missing);
  if (missing && note(*missing)) return std::nullopt;
  times_.emplace(position, time_ms);
  return time_ms;
}

Result<std::string> LogLookup::record(LogPosition position) {
  if (const auto known = records_.find(position); known != records_.end()) return known->second;
  std::optional<replog::Log::Missing> missing;
  const auto found = log_.find_record(position, &missing);
  if (missing && note(*missing)) return std::unexpected(found.error());
  Result<std::string> bytes = found ? Result<std::string>(std::string(found->bytes))
                                    : Result<std::string>(std::unexpected(found.error()));
  records_.emplace(position, bytes);
  return bytes;
}

bool LogLookup::note(const replog::Log::Missing& missing) {
  const auto fetched = fetched_.find(missing);
  if (fetched != fetched_.end() && fetched->second >= kFetchesMax) return false;
  missing_.insert(missing);
  return true;
}

void LogLookup::run(std::shared_ptr<Round> round) {
  LogLookup& lookup = round->lookup;
  lookup.missing_.clear();
  round->pass(lookup);
  if (lookup.complete()) return;
  std::vector<replog::Log::Missing> now;
  std::size_t bytes = 0;
  for (const replog::Log::Missing& range : lookup.missing_) {
    if (!now.empty() && bytes + range.size > kRoundBytesMax) break;
    bytes += range.size + replog::LogReader::kBlockBytes;  // whole blocks are read
    now.push_back(range);
  }
  round->waiting = now.size();
  for (const replog::Log::Missing& range : now) {
    ++lookup.fetched_[range];
    lookup.log_.fetch(range.position, range.size, [round] {
      if (--round->waiting == 0) run(round);
    });
  }
}

void look_up(replog::Log& log, std::move_only_function<void(LogLookup&)> pass) {
  LogLookup::run(std::make_shared<LogLookup::Round>(LogLookup(log), std::move(pass)));
}

void answer_from_log(BrokerContext& context, net::Connection& connection,
                     const protocol::CommandView& request,
                     std::move_only_function<protocol::Command(LogLookup&)> answer) {
  const Responder responder(context.connections, connection, request);
  look_up(context.storage.log(),
          [responder, answer = std::move(answer)](LogLookup& lookup) mutable {
            protocol::Command response = answer(lookup);
            if (lookup.complete()) responder.send(std::move(response));
          });
}

}  // namespace gantry::broker
