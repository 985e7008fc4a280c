// SPDX-License-Identifier: Apache-2.0
// All consume queues of a broker, by topic and queue id: `consumequeue/<topic>/<queueId>/`. Log
// shard only; write-back and sync run from its timers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/string_hash.h"
#include "base/types.h"
#include "store/consume_queue.h"

namespace gantry::store {

class QueueStore {
 public:
  QueueStore(io::FileSystem& fs, std::string directory, std::int64_t file_bytes);

  // Loads every queue on disk; see ConsumeQueue::load.
  Result<void> load(LogPosition log_begin, LogPosition log_applied, bool writes_lost = true);
  // Forgets what is in memory and loads again.
  Result<void> reload(LogPosition log_begin, LogPosition log_applied);
  // Deletes everything on disk and in memory, to be rebuilt from the log.
  Result<void> clear();

  ConsumeQueue* find(std::string_view topic, std::int32_t queue_id);
  ConsumeQueue& get(std::string_view topic, std::int32_t queue_id);  // makes it if needed
  // Queue ids of a topic that have a queue, ascending.
  std::vector<std::int32_t> queue_ids(std::string_view topic) const;
  std::vector<std::string> topics() const;
  void for_each(
      const std::function<void(std::string_view topic, std::int32_t queue_id, ConsumeQueue&)>& fn);

  // The committed record's entry. Everything that ends at or below `record_end` has been appended.
  void append(std::string_view topic, std::int32_t queue_id, QueueOffset offset,
              const QueueEntry& entry, LogPosition record_end);
  void advance(LogPosition record_end) { appended_ = std::max(appended_, record_end); }

  // Writes dirty entries to the files; the first error is returned, all queues are tried.
  Result<void> write_back();
  // What has to be synced so that everything appended so far is on disk; any thread may do it.
  struct SyncWork {
    LogPosition up_to;
    std::vector<std::shared_ptr<io::File>> files;
    std::vector<std::string> directories;
    Result<void> run(io::FileSystem& fs) const;
  };
  // Writes back and hands over the work. After work.run() has succeeded: complete_sync().
  Result<SyncWork> begin_sync();
  void complete_sync(const SyncWork& work) { durable_ = std::max(durable_, work.up_to); }
  LogPosition durable_up_to() const { return durable_; }
  Result<void> trim(LogPosition log_begin);
  Result<void> remove_topic(std::string_view topic);

  std::size_t queue_count() const { return queue_count_; }
  std::size_t memory_bytes() const;

 private:
  struct TopicQueues {
    std::vector<std::unique_ptr<ConsumeQueue>> by_id;
  };
  void forget();
  std::string queue_directory(std::string_view topic, std::int32_t queue_id) const;
  ConsumeQueue& make(TopicQueues& topic_queues, std::string_view topic, std::int32_t queue_id);

  io::FileSystem& fs_;
  const std::string directory_;
  const std::int64_t file_bytes_;
  StringMap<TopicQueues> topics_;
  std::vector<ConsumeQueue*> dirty_;  // may hold queues that are clean again
  std::vector<ConsumeQueue*> unsynced_;
  std::size_t queue_count_ = 0;
  LastFound<TopicQueues> last_found_;
  LogPosition appended_, durable_;
};

}  // namespace gantry::store
