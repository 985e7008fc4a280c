// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include "tests/sim/cluster.h"

namespace gantry::simtest {
namespace {

std::string simulated_uuid(std::uint64_t seed, int node, int store) {
  return fmt::format("{:016x}{:08x}{:08x}", seed, node, store);
}

}  // namespace

Node::Node(Cluster& cluster, int number)
    : clock(cluster.world),
      cluster_(cluster),
      number_(number),
      disk_(std::make_shared<testing::PowerCutFileSystem>()) {
  config_.broker_name = "set";
  config_.broker_ip1 = "127.0.0.1";
  config_.store_path_root_dir = "/store";
  config_.store_path_commit_log = "/store/commitlog";
  config_.mapped_file_size_commit_log = cluster.options.file_bytes;
  config_.mapped_file_size_consume_queue = 20 * 200;
  config_.tail_cache_bytes = cluster.options.tail_cache_bytes;
  config_.max_message_size = 32 << 10;
  config_.message_index_enable = false;
  config_.flush_disk_type = cluster.options.sync_flush ? config::FlushDiskType::kSyncFlush
                                                       : config::FlushDiskType::kAsyncFlush;
  config_.raft_initial_members = {"node-0:10912"};
}

void Node::start() {
  if (process_ != nullptr || gone_) return;
  dead_.clear();
  serving_ = false;
  // What the last process had not synced is in the machine's page cache, as it is.
  disk_->before = [this](testing::DiskOperation operation,
                         const std::string& path) -> Result<void> {
    cluster_.world.spend();
    if (fail_syncs_ && operation == testing::DiskOperation::kSync) {
      return make_error(ErrorCode::kIo, path + ": the simulated disk fails");
    }
    if (refuse_space_ && operation == testing::DiskOperation::kResize) {
      return make_error(ErrorCode::kDiskFull, path + ": no space on the simulated disk");
    }
    return {};
  };
  process_ =
      std::make_unique<Process>(cluster_.world, [this](const std::string& words) { ended(words); });
  process_->storage = std::make_unique<broker::Storage>(
      process_->loop, *disk_, config_, clock,
      [this](replog::LogOptions& options) {
        options.new_member_uuid = simulated_uuid(cluster_.seed, number_, stores_);
        options.record_bytes_max = 40 << 10;
        options.block_cache_bytes = 64 << 10;
        options.fatal = [](const std::string& words) { throw sim::ProcessEnded{words}; };
      },
      [this](replog::ReplicaOptions& options) {
        if (cluster_.options.append_bytes_max > 0) {
          options.append_bytes_max = cluster_.options.append_bytes_max;
        }
        if (cluster_.options.snapshot_piece_bytes > 0) {
          options.snapshot.piece_bytes = cluster_.options.snapshot_piece_bytes;
          options.snapshot.window_bytes = 3 * options.snapshot.piece_bytes;
        }
      });
  sim::SimLoop::Task boot = [this] {
    broker::Storage& storage = *process_->storage;
    checked = LogPosition(0);
    storage.add_observer(*this);
    storage.add_role_observer(*this);
    auto opened = storage.open();
    if (opened) opened = storage.start(*protocol::RecordHost::parse("127.0.0.1", 10911), *this);
    if (!opened) throw sim::ProcessEnded{opened.error().message};
    uuid_ = storage.log().member_uuid();
    serving_ = true;
  };
  process_->loop.enter(boot);
}

void Node::drop() {
  if (process_ == nullptr) return;
  process_->loop.kill();
  if (serving_) {
    const auto& checkpoint = process_->storage->log().last_checkpoint();
    checkpointed_ = checkpoint ? checkpoint->queues_applied : LogPosition(0);
  }
  serving_ = false;
  cluster_.pending_[number_].clear();
  dead_.push_back(std::move(process_));
}

void Node::kill() {
  drop();
  dead_.clear();
}

void Node::cut_power() {
  drop();
  disk_ = disk_->after_power_cut(static_cast<std::uint32_t>(cluster_.world.random(1LL << 32)));
  dead_.clear();
}

void Node::wipe() {
  kill();
  disk_ = std::make_shared<testing::PowerCutFileSystem>();
  ++stores_;
  uuid_.clear();
  checkpointed_ = LogPosition(0);
}

void Node::take_away() {
  kill();
  disk_ = std::make_shared<testing::PowerCutFileSystem>();
  uuid_.clear();
  gone_ = true;
}

void Node::stop_cleanly() {
  if (!up()) return;
  sim::SimLoop::Task stop = [this] {
    if (const auto stopped = process_->storage->stop(); !stopped) {
      throw sim::ProcessEnded{stopped.error().message};
    }
  };
  process_->loop.enter(stop);
  kill();
}

bool Node::rot() {
  if (process_ != nullptr) return false;
  const auto names = disk_->names("/store/commitlog");
  if (names.empty()) return false;
  // Only what the next start reads again: behind the last checkpoint.
  const auto digits = [](const std::string& name) {
    return name.size() == 20 && name.find_first_not_of("0123456789") == std::string::npos;
  };
  for (auto it = names.rbegin(); it != names.rend(); ++it) {
    if (!digits(*it)) continue;
    const std::string path = "/store/commitlog/" + *it;
    const auto bytes = disk_->bytes(path);
    const std::size_t last = bytes->find_last_not_of('\0');
    if (last == std::string::npos || last < 512) continue;
    const std::size_t at = last - static_cast<std::size_t>(cluster_.world.random(400));
    const auto start = static_cast<std::int64_t>(at) + *replog::parse_position_file_name(*it);
    if (start < checkpointed_.v) return false;
    const char flipped = static_cast<char>((*bytes)[at] ^ 0x40);
    disk_->overwrite(path, at, std::string_view(&flipped, 1));
    return true;
  }
  return false;
}

void Node::ended(const std::string& last_words) {
  serving_ = false;
  // A failing disk ends it; one without room keeps it from going on behind a cut, or from starting.
  if (!fail_syncs_ && !refuse_space_) {
    throw Violation{fmt::format("node {} ended itself: {}", number_, last_words)};
  }
  cluster_.world.at(0, [this] {
    if (process_ == nullptr || process_->loop.alive()) return;
    drop();
    if (cluster_.on_process_ended) cluster_.on_process_ended(*this);
  });
}

void Node::send(const raft::Member& to, const raft::Message& message,
                std::span<const io::Slice> bytes) {
  Node* target = cluster_.by_uuid(to.id);
  if (target == nullptr) return;
  std::string body;
  for (const io::Slice& slice : bytes) {
    body.append(static_cast<const char*>(slice.data), slice.size);
  }
  cluster_.network.send(number_, target->number_, [target, message, body = std::move(body)] {
    target->receive(message, body);
  });
}

void Node::receive(const raft::Message& message, const std::string& bytes) {
  if (!up() || message.to != uuid_) return;
  process_->loop.post(
      [this, message, bytes] { process_->storage->replica().receive(message, bytes); });
}

void Node::on_committed(LogPosition position) { cluster_.committed_at(*this, position); }

// What was not committed under its lead counts as unknown.
void Node::on_following() { cluster_.pending_[number_].clear(); }

void Node::on_group_changed() {
  if (process_ == nullptr || !serving_) return;
  const raft::Core& core = process_->storage->replica().core();
  if (core.role() != raft::Role::kLeader || core.term() == elected_) return;
  elected_ = core.term();
  if (cluster_.on_elected) cluster_.on_elected(*this);
}

void Node::on_leading(Term term) { cluster_.leads(*this, term); }

}  // namespace gantry::simtest
