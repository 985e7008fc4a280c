// SPDX-License-Identifier: Apache-2.0
#include "key_index_test_util.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace gantry::store::test {

namespace fs = std::filesystem;

TestDirectory::TestDirectory() {
  std::string name = (fs::temp_directory_path() / "gantry-key-index-XXXXXX").string();
  path_ = ::mkdtemp(name.data());
}

TestDirectory::~TestDirectory() { fs::remove_all(path_); }

std::vector<std::string> TestDirectory::names() const { return names(""); }

std::vector<std::string> TestDirectory::names(const std::string& suffix) const {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator(path_)) {
    const std::string name = entry.path().filename();
    if (name.ends_with(suffix)) found.push_back(name);
  }
  std::ranges::sort(found);
  return found;
}

std::string read_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void flip_bit(const std::string& path, std::size_t at, unsigned bit) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  const auto where = static_cast<std::streamoff>(at);
  file.seekg(where);
  const int byte = file.get();
  file.seekp(where);
  file.put(static_cast<char>(byte ^ (1 << bit)));
}

void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// ---- FaultyFileSystem

class FaultyFileSystem::FaultyFile final : public io::File {
 public:
  FaultyFile(FaultyFileSystem& faults, std::unique_ptr<io::File> file)
      : faults_(faults), file_(std::move(file)) {}

  const std::string& path() const override { return file_->path(); }
  Result<std::int64_t> size() override { return file_->size(); }
  Result<void> write_at(std::int64_t offset, std::span<const io::Slice> slices) override {
    ++faults_.writes;
    faults_.wait_while(faults_.writes_held_, false);
    if (faults_.full) return make_error(ErrorCode::kDiskFull, path() + ": no space (test)");
    return file_->write_at(offset, slices);
  }
  Result<std::size_t> read_at(std::int64_t offset, std::span<char> out) override {
    faults_.wait_while(faults_.reads_held_, true);
    return file_->read_at(offset, out);
  }
  Result<std::optional<std::size_t>> try_read_at(std::int64_t offset,
                                                 std::span<char> out) override {
    return file_->try_read_at(offset, out);
  }
  Result<void> sync() override {
    if (faults_.sync_fails) return make_error(ErrorCode::kIo, path() + ": sync failed (test)");
    return {};  // nobody cuts the power here, and disks of test machines are slow
  }
  Result<std::unique_ptr<io::File>> reopen() override {
    auto own = file_->reopen();
    if (!own) return own;
    return std::make_unique<FaultyFile>(faults_, std::move(*own));
  }
  Result<void> allocate(std::int64_t size) override { return file_->allocate(size); }
  Result<void> truncate(std::int64_t size) override { return file_->truncate(size); }
  Result<void> zero(std::int64_t offset, std::int64_t size) override {
    return file_->zero(offset, size);
  }

 private:
  FaultyFileSystem& faults_;
  std::unique_ptr<io::File> file_;
};

void FaultyFileSystem::set(bool& flag, bool value) {
  const std::lock_guard lock(mutex_);
  flag = value;
  changed_.notify_all();
}

void FaultyFileSystem::wait_while(const bool& flag, bool reading) {
  std::unique_lock lock(mutex_);
  if (!flag) return;
  if (reading) ++held_reads_;
  changed_.notify_all();
  changed_.wait(lock, [&] { return !flag; });
  if (reading) --held_reads_;
}

void FaultyFileSystem::wait_for_held_read() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return held_reads_ > 0; });
}

Result<std::unique_ptr<io::File>> FaultyFileSystem::open(const std::string& path,
                                                         io::OpenMode mode) {
  if (open_fails && mode == io::OpenMode::kRead) {
    return make_error(ErrorCode::kIo, path + ": open failed (test)");
  }
  auto file = io::posix_file_system().open(path, mode);
  if (!file) return file;
  return std::make_unique<FaultyFile>(*this, std::move(*file));
}
Result<std::vector<io::DirectoryEntry>> FaultyFileSystem::list(const std::string& directory) {
  return io::posix_file_system().list(directory);
}
Result<bool> FaultyFileSystem::exists(const std::string& path) {
  return io::posix_file_system().exists(path);
}
Result<void> FaultyFileSystem::create_directories(const std::string& path) {
  return io::posix_file_system().create_directories(path);
}
Result<void> FaultyFileSystem::remove(const std::string& path) {
  return io::posix_file_system().remove(path);
}
Result<void> FaultyFileSystem::remove_recursively(const std::string& path) {
  return io::posix_file_system().remove_recursively(path);
}
Result<void> FaultyFileSystem::rename(const std::string& from, const std::string& to) {
  return io::posix_file_system().rename(from, to);
}
Result<void> FaultyFileSystem::sync_directory(const std::string& path) {
  if (sync_fails) return make_error(ErrorCode::kIo, path + ": sync failed (test)");
  return {};
}
Result<io::DiskSpace> FaultyFileSystem::space(const std::string& path) {
  return io::posix_file_system().space(path);
}

// ---- TestLog

LogPosition TestLog::append(std::int64_t store_time_ms, std::vector<std::string> keys,
                            std::int64_t bytes) {
  const LogPosition position = end_;
  records_.push_back({position, store_time_ms, std::move(keys)});
  end_ += bytes;
  return position;
}

void TestLog::cut(LogPosition end) {
  std::erase_if(records_, [&](const LogRecord& r) { return r.position >= end; });
  end_ = end;
}

void TestLog::trim(LogPosition begin) {
  std::erase_if(records_, [&](const LogRecord& r) { return r.position < begin; });
  begin_ = begin;
}

bool TestLog::feed(KeyIndex& index, std::size_t records_max) const {
  for (std::size_t fed = 0; fed < records_max; ++fed) {
    if (index.needs_refeed_from() && !index.resume()) return false;
    const LogPosition from = index.feed_position();
    if (from >= end_) return true;
    auto record = std::ranges::lower_bound(records_, from, {}, &LogRecord::position);
    if (record == records_.end()) {
      index.advance(end_);
      continue;
    }
    for (const std::string& key : record->keys) {
      index.put(kTopic, key, record->position, record->store_time_ms);
    }
    ++record;
    index.advance(record == records_.end() ? end_ : record->position);
  }
  return !index.needs_refeed_from() && index.feed_position() >= end_;
}

std::vector<LogPosition> TestLog::find(const std::string& key, std::size_t max,
                                       std::int64_t begin_ms, std::int64_t end_ms) const {
  std::vector<LogPosition> found;
  for (auto r = records_.rbegin(); r != records_.rend() && found.size() < max; ++r) {
    if (r->store_time_ms < begin_ms || r->store_time_ms > end_ms) continue;
    if (std::ranges::count(r->keys, key) > 0) found.push_back(r->position);
  }
  return found;
}

std::vector<LogPosition> positions(std::initializer_list<std::int64_t> values) {
  std::vector<LogPosition> found;
  for (const std::int64_t v : values) found.emplace_back(v);
  return found;
}

}  // namespace gantry::store::test
