// SPDX-License-Identifier: Apache-2.0
// What the log's tests share: records to put into it, a listener that remembers, a clock to set.
#pragma once

#include <atomic>
#include <future>
#include <string>
#include <vector>

#include "protocol/record.h"
#include "replog/log.h"
#include "replog/replica.h"
#include "runtime/shard.h"
#include "tests/support/memory_file_system.h"

namespace gantry::replog {

struct FakeClock final : Clock {
  std::int64_t now_ms = 1'000'000;
  std::int64_t wall_ms() const override { return now_ms; }
  std::int64_t steady_us() const override { return now_ms * 1000; }
};

struct Seen {
  LogPosition position;
  std::string topic, body;
  std::int64_t store_ms;
};

class Remember final : public LogListener {
 public:
  Result<void> apply(const protocol::RecordView& r) override {
    records.push_back(
        {r.position, std::string(r.topic), std::string(r.body), r.store_timestamp_ms});
    count = records.size();
    return {};
  }
  void on_committed(LogPosition position) override { committed = position; }
  std::vector<std::string> messages() const {
    std::vector<std::string> bodies;
    for (const Seen& s : records) {
      if (s.topic == "T") bodies.push_back(s.body);
    }
    return bodies;
  }
  std::vector<Seen> records;
  std::atomic<std::size_t> count = 0;  // of records, for other threads
  LogPosition committed;
};

inline LogOptions small_log(FlushMode mode = FlushMode::kAsync) {
  LogOptions o;
  o.commit_log_directory = "/store/commitlog";
  o.raft_directory = "/store/raft";
  o.file_bytes = 8192;
  o.flush_mode = mode;
  o.record_bytes_max = 4096;
  o.tail_cache_bytes = 1 << 20;
  return o;
}

struct NoPeers final : PeerTransport {
  void send(const raft::Member&, const raft::Message&, std::span<const io::Slice>) override {}
  std::optional<bool> takes_pieces(const raft::MemberId&) const override { return true; }
};

// A group of one on its own shard over files that outlive it.
class LogRig : public ReplicaListener {
 public:
  explicit LogRig(io::FileSystem& fs, LogOptions options = small_log()) : shard("log-test") {
    shard.start();
    on_shard([&] { log = std::make_unique<Log>(shard, fs, options, clock); });
  }
  ~LogRig() override {
    close();
    shard.stop();
    shard.join();
  }

  // Ends the process without a clean stop.
  void close() {
    on_shard([&] { close_on_shard(); });
  }
  void close_on_shard() {
    replica.reset();
    log.reset();
  }

  // Runs on the shard and waits until the turn it ran in is over.
  template <class Fn>
  void on_shard(Fn&& fn) {
    std::promise<void> done;
    shard.post([&] {
      fn();
      shard.post([&] { done.set_value(); });
    });
    done.get_future().get();
  }

  // Until this member leads; with `others`, which may keep it from that, not at all.
  Result<void> start(LogPosition from = LogPosition(0), EpochTable epochs = {}) {
    Result<void> result;
    on_shard([&] {
      result = log->open();
      if (!result) return;
      raft::MembershipLog::Entry group;
      group.membership = log->hard_state().state().recovered;
      if (group.membership.members.empty()) {
        group.membership = others;
        group.membership.put({log->member_uuid(), "", 1, true});
      }
      auto found = log->recover(from, std::move(epochs), std::move(group), LogPosition(0), seen);
      if (!found) {
        result = std::unexpected(found.error());
        return;
      }
      scan = found->scan;
      loss = found->loss;
      ReplicaOptions options;
      options.store_host = *protocol::RecordHost::parse("127.0.0.1", 1);
      replica = std::make_unique<Replica>(shard, *log, no_peers, *this, clock, options);
      result = replica->start(std::move(*found));
    });
    if (result && others.members.empty()) leads.get_future().get();
    return result;
  }

  // Shard only.
  Result<LogPosition> append(std::string_view body) {
    protocol::RecordFields f;
    f.topic = "T";
    f.body = body;
    f.store_host = f.born_host = log->store_host();
    const auto place = log->reserve(protocol::encoded_size(f));
    if (!place) return std::unexpected(place.error());
    f.position = place->position;
    f.store_timestamp_ms = log->store_time_ms();
    protocol::encode_record(f, place->data);
    log->publish(*place);
    return place->position;
  }

  raft::Membership others;  // of the group that began, before start()
  FakeClock clock;
  Remember seen;
  ScanResult scan;
  std::string loss;
  runtime::Shard shard;
  std::unique_ptr<Log> log;
  NoPeers no_peers;
  std::unique_ptr<Replica> replica;
  std::promise<void> leads;

 private:
  void on_leading(Term) override { leads.set_value(); }
  void on_following() override {}
  void on_group_changed() override {}
  void provide_snapshot(LogPosition, SnapshotDone) override {}
  Result<void> install_snapshot(LogPosition, std::string_view) override { return {}; }
};

}  // namespace gantry::replog
