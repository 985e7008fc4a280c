// SPDX-License-Identifier: Apache-2.0
#include "store/queue_store.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace gantry::store {
namespace {

constexpr std::int32_t kQueueIdMax = 65535;

std::optional<std::int32_t> parse_queue_id(std::string_view name) {
  std::int32_t id = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
  if (error != std::errc{} || end != name.data() + name.size() || id < 0 || id > kQueueIdMax) {
    return std::nullopt;
  }
  return id;
}

}  // namespace

QueueStore::QueueStore(io::FileSystem& fs, std::string directory, std::int64_t file_bytes)
    : fs_(fs), directory_(std::move(directory)), file_bytes_(file_bytes) {}

std::string QueueStore::queue_directory(std::string_view topic, std::int32_t queue_id) const {
  return fmt::format("{}/{}/{}", directory_, topic, queue_id);
}

Result<void> QueueStore::load(LogPosition log_begin, LogPosition log_applied, bool writes_lost) {
  GANTRY_TRY(fs_.create_directories(directory_));
  // Made now, or by an earlier start that was killed, or in place of one that was removed.
  GANTRY_TRY(fs_.sync_directory(io::parent_directory(directory_)));
  const auto topics = fs_.list(directory_);
  if (!topics) return std::unexpected(topics.error());
  for (const io::DirectoryEntry& topic : *topics) {
    if (!topic.is_directory) continue;
    const auto queues = fs_.list(directory_ + "/" + topic.name);
    if (!queues) return std::unexpected(queues.error());
    for (const io::DirectoryEntry& queue : *queues) {
      const auto id = parse_queue_id(queue.name);
      if (!queue.is_directory || !id) continue;
      ConsumeQueue& loaded = get(topic.name, *id);
      GANTRY_TRY(loaded.load(log_begin, log_applied, writes_lost));
      if (loaded.unsynced()) unsynced_.push_back(&loaded);
    }
  }
  appended_ = durable_ = log_applied;
  return {};
}

void QueueStore::forget() {
  last_found_.forget();
  topics_.clear();
  dirty_.clear();
  unsynced_.clear();
  queue_count_ = 0;
  appended_ = durable_ = LogPosition(0);
}

Result<void> QueueStore::reload(LogPosition log_begin, LogPosition log_applied) {
  forget();
  return load(log_begin, log_applied);
}

Result<void> QueueStore::clear() {
  forget();
  const auto exists = fs_.exists(directory_);
  if (!exists) return std::unexpected(exists.error());
  if (*exists) GANTRY_TRY(fs_.remove_recursively(directory_));
  return fs_.create_directories(directory_);
}

ConsumeQueue* QueueStore::find(std::string_view topic, std::int32_t queue_id) {
  const auto it = topics_.find(topic);
  if (it == topics_.end() || queue_id < 0 ||
      static_cast<std::size_t>(queue_id) >= it->second.by_id.size()) {
    return nullptr;
  }
  return it->second.by_id[static_cast<std::size_t>(queue_id)].get();
}

ConsumeQueue& QueueStore::get(std::string_view topic, std::int32_t queue_id) {
  TopicQueues* queues = last_found_.get(topic);
  if (queues == nullptr) {
    auto it = topics_.find(topic);
    if (it == topics_.end()) it = topics_.emplace(std::string(topic), TopicQueues{}).first;
    queues = last_found_.remember(*it);
  }
  const auto index = static_cast<std::size_t>(queue_id);
  if (index < queues->by_id.size() && queues->by_id[index]) return *queues->by_id[index];
  return make(*queues, topic, queue_id);
}

ConsumeQueue& QueueStore::make(TopicQueues& topic_queues, std::string_view topic,
                               std::int32_t queue_id) {
  const auto index = static_cast<std::size_t>(queue_id);
  if (topic_queues.by_id.size() <= index) topic_queues.by_id.resize(index + 1);
  topic_queues.by_id[index] =
      std::make_unique<ConsumeQueue>(fs_, queue_directory(topic, queue_id), file_bytes_);
  ++queue_count_;
  return *topic_queues.by_id[index];
}

std::vector<std::int32_t> QueueStore::queue_ids(std::string_view topic) const {
  std::vector<std::int32_t> ids;
  const auto it = topics_.find(topic);
  if (it == topics_.end()) return ids;
  for (std::size_t i = 0; i < it->second.by_id.size(); ++i) {
    if (it->second.by_id[i]) ids.push_back(static_cast<std::int32_t>(i));
  }
  return ids;
}

std::vector<std::string> QueueStore::topics() const {
  std::vector<std::string> names;
  for (const auto& [name, queues] : topics_) names.push_back(name);
  std::ranges::sort(names);
  return names;
}

void QueueStore::for_each(
    const std::function<void(std::string_view, std::int32_t, ConsumeQueue&)>& fn) {
  for (auto& [name, queues] : topics_) {
    for (std::size_t i = 0; i < queues.by_id.size(); ++i) {
      if (queues.by_id[i]) fn(name, static_cast<std::int32_t>(i), *queues.by_id[i]);
    }
  }
}

void QueueStore::append(std::string_view topic, std::int32_t queue_id, QueueOffset offset,
                        const QueueEntry& entry, LogPosition record_end) {
  if (queue_id < 0 || queue_id > kQueueIdMax) return;
  ConsumeQueue& queue = get(topic, queue_id);
  const bool was_dirty = queue.dirty();
  queue.append(offset, entry);
  if (!was_dirty && queue.dirty()) dirty_.push_back(&queue);
  appended_ = record_end;
}

Result<void> QueueStore::write_back() {
  Result<void> first_error;
  std::vector<ConsumeQueue*> still_dirty;
  for (ConsumeQueue* queue : dirty_) {
    if (auto written = queue->write_back(); !written) {
      if (first_error) first_error = std::move(written);
      still_dirty.push_back(queue);
    }
    unsynced_.push_back(queue);
  }
  dirty_.swap(still_dirty);
  return first_error;
}

Result<QueueStore::SyncWork> QueueStore::begin_sync() {
  SyncWork work;
  work.up_to = appended_;
  if (auto written = write_back(); !written) return std::unexpected(written.error());
  std::ranges::sort(unsynced_);
  const auto [from, to] = std::ranges::unique(unsynced_);
  unsynced_.erase(from, to);
  for (ConsumeQueue* queue : unsynced_) queue->take_unsynced(work.files, work.directories);
  unsynced_.clear();
  std::ranges::sort(work.directories);
  const auto [twice, end] = std::ranges::unique(work.directories);
  work.directories.erase(twice, end);
  return work;
}

Result<void> QueueStore::SyncWork::run(io::FileSystem& fs) const {
  for (const auto& file : files) GANTRY_TRY(file->sync());
  for (const std::string& directory : directories) {
    // A topic deleted meanwhile takes its directory along.
    const auto synced = fs.sync_directory(directory);
    if (!synced && synced.error().code != ErrorCode::kNotFound) return synced;
  }
  return {};
}

Result<void> QueueStore::trim(LogPosition log_begin) {
  Result<void> first_error;
  for_each([&](std::string_view, std::int32_t, ConsumeQueue& queue) {
    if (auto trimmed = queue.trim(log_begin); !trimmed && first_error) first_error = trimmed;
    queue.relax();
  });
  return first_error;
}

Result<void> QueueStore::remove_topic(std::string_view topic) {
  const auto it = topics_.find(topic);
  if (it == topics_.end()) return {};
  Result<void> first_error;
  for (auto& queue : it->second.by_id) {
    if (!queue) continue;
    std::erase(dirty_, queue.get());
    std::erase(unsynced_, queue.get());
    --queue_count_;
    if (auto destroyed = queue->destroy(); !destroyed && first_error) first_error = destroyed;
  }
  last_found_.forget();
  topics_.erase(it);
  const std::string directory = directory_ + "/" + std::string(topic);
  const auto exists = fs_.exists(directory);
  if (exists && *exists) GANTRY_TRY(fs_.remove_recursively(directory));
  return first_error;
}

std::size_t QueueStore::memory_bytes() const {
  std::size_t total = 0;
  for (const auto& [name, queues] : topics_) {
    for (const auto& queue : queues.by_id) {
      if (queue) total += queue->memory_bytes() + sizeof(ConsumeQueue);
    }
  }
  return total;
}

}  // namespace gantry::store
