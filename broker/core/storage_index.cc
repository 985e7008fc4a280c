// SPDX-License-Identifier: Apache-2.0
// Storage: the key index, how it is opened beside RocketMQ's index files and fed from the log.
#include <algorithm>

#include "broker/core/storage.h"
#include "log/log.h"

namespace gantry::broker {
namespace {

log::Logger logger("storage");
// One piece of a gap per tick, so that the shard stays responsive; the second is for a piece that a
// single record or a damaged range fills.
constexpr std::int64_t kPieceBytes = 2 << 20;
constexpr std::int64_t kLargePieceBytes = 32 << 20;

}  // namespace

// RocketMQ's index files in store/index, null if there are none that can be used.
std::shared_ptr<store::ApacheIndex> Storage::open_apache_index(bool taken_over_now) const {
  store::ApacheIndexOptions options;
  options.hash_slots = static_cast<std::uint32_t>(config_.max_hash_slot_num);
  options.entries_max = static_cast<std::uint32_t>(config_.max_index_num);
  options.files = &fs_;
  if (taken_over_now) {
    // Its mark of an unclean stop: then only files that its checkpoint vouches for count.
    const auto aborted = fs_.exists(path("abort"));
    if (!aborted || *aborted) {
      options.trusted_up_to_ms = apache_checkpoint_time_ms(kApacheIndexTimeAt);
    }
  }
  auto index = store::ApacheIndex::open(path("index"), options);
  if (!index) {
    logger.warn("RocketMQ's index files cannot be opened and are not used: {}",
                index.error().message);
    return nullptr;
  }
  // What retention would have removed if the last process had got to it.
  for (const std::string& below : (*index)->forget_below(log_->begin())) {
    if (const auto removed = fs_.remove(below); !removed) {
      logger.warn("removing an index file of RocketMQ failed: {}", removed.error().message);
    }
  }
  if ((*index)->file_count() == 0) return nullptr;
  return std::move(*index);
}

// index_from_ is known from the checkpoint, or is where a store that is taken over is replayed
// from. It falls when RocketMQ's files end earlier (it did not index, it crashed, or it removed
// them): what they do not hold is indexed from the log, in the background.
void Storage::open_index(LogPosition replay_from, bool taken_over_now) {
  if (!config_.message_index_enable) return;
  const std::shared_ptr<store::ApacheIndex> apache = open_apache_index(taken_over_now);
  const LogPosition indexed = apache ? apache->indexed_up_to() : LogPosition(0);
  const LogPosition wanted = index_from_;
  index_from_ = std::max(std::min(index_from_, indexed), std::min(index_from_, log_->begin()));
  if (apache) {
    logger.info("RocketMQ's index files answer queries by key below={} files={}", index_from_.v,
                apache->file_count());
  }
  if (index_from_ < std::min(wanted, replay_from)) {
    logger.info("the log is read again for the key index from={} to={}", index_from_.v, wanted.v);
  }
  store::KeyIndexOptions options;
  options.log_begin = log_->begin();
  options.log_end = log_->files_end();
  options.apache = apache;
  options.apache_end = index_from_;
  options.files = &fs_;
  auto index = store::KeyIndex::open(path("keyindex"), options);
  if (!index) {
    logger.error("the key index cannot be opened, queries by key find nothing: {}",
                 index.error().message);
    return;
  }
  index_ = std::move(*index);
}

void Storage::put_keys(const protocol::RecordView& record, const RecordFacts& facts) {
  if (!facts.uniq_key.empty()) {
    index_->put(record.topic, facts.uniq_key, record.position, record.store_timestamp_ms);
  }
  for_each_key(facts.keys, [&](std::string_view key) {
    index_->put(record.topic, key, record.position, record.store_timestamp_ms);
  });
}

// Fills gaps: what was not in durable files when the process ended, what was dropped because the
// disk did not keep up, and what RocketMQ had not indexed.
void Storage::pump_index() {
  if (!index_ || !live_) return;
  if (index_->needs_refeed_from()) {
    if (const auto resumed = index_->resume(); !resumed) return;
  }
  const LogPosition from = index_->feed_position();
  if (from >= log_->committed()) return;
  replog::EpochTable epochs = log_->epochs();
  replog::ScanOptions options;
  options.from = from;
  options.resynchronise = true;
  for (const std::int64_t bytes : {kPieceBytes, kLargePieceBytes}) {
    options.to = std::min(log_->committed(), from + bytes);
    const auto scan = log_->scan(options, epochs, [this](const protocol::RecordView& record) {
      if (record.transaction_type() != protocol::sys_flag::kTransactionRollback) {
        put_keys(record, RecordFacts::of(record.properties));
      }
      index_->advance(record.position + record.total_size);
      return Result<void>{};
    });
    if (!scan) {
      static log::RateLimit limit(30000);
      if (limit.admit())
        logger.warn("reading the log for the key index failed: {}", scan.error().message);
      return;
    }
    if (scan->end > from) return index_->advance(scan->end);
  }
  index_->advance(options.to);  // damaged throughout
}

}  // namespace gantry::broker
