// SPDX-License-Identifier: Apache-2.0
#include "store/key_index_run.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/crc32.h"

namespace gantry::store {
namespace {

constexpr std::uint64_t kWriteBlocks = 64;  // 256 KiB per system call
constexpr std::uint64_t kReadBlocks = 64;
constexpr std::size_t kPrefetch = 16;  // entries of a buffer are read in random order

std::string_view as_bytes(const std::vector<std::uint32_t>& words) {
  return {reinterpret_cast<const char*>(words.data()), words.size() * sizeof(std::uint32_t)};
}

std::unexpected<Error> in_file(const std::string& path, const Error& error) {
  return make_error(error.code, fmt::format("{}: {}", path, error.message));
}

}  // namespace

Result<RunPtr> RunFile::open(io::FileSystem& fs, const std::string& path) {
  auto file = fs.open(path, io::OpenMode::kRead);
  if (!file) return std::unexpected(std::move(file).error());
  const std::shared_ptr<RunFile> run(new RunFile(std::move(*file), path));
  GANTRY_TRY(run->load());
  return run;
}

Result<void> RunFile::load() {
  const auto bytes = file_->size();
  if (!bytes) return std::unexpected(bytes.error());
  std::string head(kRunHeaderBytes, '\0');
  const auto n = file_->read_at(0, head);
  if (!n) return std::unexpected(n.error());
  head.resize(*n);
  auto header = decode_run_header(head, *bytes);
  if (!header) return in_file(path_, header.error());
  header_ = *header;

  fence_.resize(header_.block_count());
  const std::span<char> fence(reinterpret_cast<char*>(fence_.data()),
                              fence_.size() * sizeof(std::uint32_t));
  const auto got = file_->read_at(header_.fence_at(), fence);
  if (!got) return std::unexpected(got.error());
  if (*got != fence.size() || crc32(as_bytes(fence_)) != header_.fence_crc ||
      !std::ranges::is_sorted(fence_)) {
    return make_error(ErrorCode::kCorrupt, fmt::format("{}: the fence is damaged", path_));
  }
  return {};
}

Result<void> RunFile::read_blocks(std::uint64_t first, std::uint64_t count, char* out) const {
  const std::size_t bytes = count * kRunBlockBytes;
  const auto at = static_cast<std::int64_t>(kRunHeaderBytes + first * kRunBlockBytes);
  const auto n = file_->read_at(at, std::span<char>(out, bytes));
  if (!n) return std::unexpected(n.error());
  if (*n != bytes) return make_error(ErrorCode::kCorrupt, fmt::format("{}: cut short", path_));
  return {};
}

Result<void> RunFile::search(KeySearch& search) const {
  if (!holds_time(search)) return {};
  const std::uint32_t hash = search.hash();
  // Entries of one hash may span blocks; the newest are in the last block that begins at or below
  // it.
  auto behind = std::ranges::upper_bound(fence_, hash);
  std::array<char, kRunBlockBytes + kRunEntrySlack> buffer{};
  while (behind != fence_.begin() && !search.full()) {
    --behind;
    const auto number = static_cast<std::uint64_t>(behind - fence_.begin());
    GANTRY_TRY(read_blocks(number, 1, buffer.data()));
    const auto block = RunBlock::decode({buffer.data(), kRunBlockBytes}, number, header_);
    if (!block) return in_file(path_, block.error());
    std::size_t low = 0;
    std::size_t high = block->size();
    while (low < high) {  // the first entry above the hash
      const std::size_t middle = (low + high) / 2;
      block->hash_at(middle) <= hash ? low = middle + 1 : high = middle;
    }
    while (low > 0 && block->hash_at(low - 1) == hash && !search.full()) {
      const KeyEntry e = block->at(--low);
      search.offer(e.position, e.store_time_ms);
    }
    if (*behind < hash) break;
  }
  return {};
}

RunWriter::RunWriter(io::FileSystem& fs, std::string directory, const Spec& spec)
    : fs_(fs),
      directory_(std::move(directory)),
      path_(directory_ + "/" + run_file_name(spec.range.begin, spec.level)),
      header_{.level = spec.level,
              .range = spec.range,
              .oldest_ms = spec.oldest_ms,
              .newest_ms = spec.newest_ms,
              .last_position = kNoPosition,
              .layout = RunLayout::for_ranges(spec.range, spec.oldest_ms, spec.newest_ms)},
      buffer_(kWriteBlocks * kRunBlockBytes + kRunEntrySlack),
      at_(buffer_.data() + kRunBlockHeaderBytes),
      per_block_(header_.layout.entries_per_block()),
      entry_bytes_(header_.layout.entry_bytes()),
      time_at_(sizeof(std::uint32_t) + header_.layout.position_bytes) {}

Result<std::unique_ptr<RunWriter>> RunWriter::create(io::FileSystem& fs,
                                                     const std::string& directory,
                                                     const Spec& spec) {
  std::unique_ptr<RunWriter> writer(new RunWriter(fs, directory, spec));
  auto file = fs.open(writer->path_ + ".tmp", io::OpenMode::kCreate);
  if (!file) return std::unexpected(std::move(file).error());
  writer->file_ = std::move(*file);
  GANTRY_TRY(writer->file_->truncate(0));
  return writer;
}

RunWriter::~RunWriter() {
  if (finished_ || file_ == nullptr) return;
  file_.reset();
  ignore_result(fs_.remove(path_ + ".tmp"), "temporary files are removed at the next open too");
}

void RunWriter::write(std::int64_t offset, std::string_view bytes) {
  if (!status_) return;
  status_ = file_->write_at(offset, bytes);
  bytes_written_ += bytes.size();
}

void RunWriter::close_block() {
  if (in_block_ == 0) return;
  char* block = buffer_.data() + block_at_;
  std::fill(at_, block + kRunBlockBytes, '\0');
  seal_run_block(block, blocks_written_ + block_at_ / kRunBlockBytes,
                 static_cast<std::uint32_t>(in_block_));
  header_.entry_count += in_block_;
  in_block_ = 0;
  block_at_ += kRunBlockBytes;
  if (block_at_ == kWriteBlocks * kRunBlockBytes) write_out();
  at_ = buffer_.data() + block_at_ + kRunBlockHeaderBytes;
}

void RunWriter::write_out() {
  write(static_cast<std::int64_t>(kRunHeaderBytes + blocks_written_ * kRunBlockBytes),
        {buffer_.data(), block_at_});
  blocks_written_ += block_at_ / kRunBlockBytes;
  block_at_ = 0;
}

Result<RunPtr> RunWriter::finish() {
  close_block();
  if (block_at_ > 0) write_out();
  if (header_.entry_count == 0) {
    header_.last_position = header_.range.begin;
    header_.last_ms = header_.oldest_ms;
  }
  header_.fence_crc = crc32(as_bytes(fence_));
  write(header_.fence_at(), as_bytes(fence_));
  write(0, encode_run_header(header_));
  GANTRY_TRY(status_);
  GANTRY_TRY(file_->sync());
  file_.reset();
  GANTRY_TRY(fs_.rename(path_ + ".tmp", path_));
  finished_ = true;
  auto run = publish();
  // Its writer will not know of this file, so it must not be found by a later open either.
  if (!run) ignore_result(fs_.remove(path_), "the first error is the one to report");
  return run;
}

Result<RunPtr> RunWriter::publish() {
  GANTRY_TRY(fs_.sync_directory(directory_));
  return RunFile::open(fs_, path_);
}

RunCursor::RunCursor(RunPtr run)
    : run_(std::move(run)), buffer_(kReadBlocks * kRunBlockBytes + kRunEntrySlack) {}

bool RunCursor::next_block() {
  if (!status_ || next_block_ == run_->header().block_count()) return false;
  if (next_block_ == first_in_buffer_ + in_buffer_) {
    first_in_buffer_ = next_block_;
    in_buffer_ = std::min(kReadBlocks, run_->header().block_count() - next_block_);
    status_ = run_->read_blocks(first_in_buffer_, in_buffer_, buffer_.data());
    if (!status_) return false;
  }
  const char* bytes = buffer_.data() + (next_block_ - first_in_buffer_) * kRunBlockBytes;
  auto block = RunBlock::decode({bytes, kRunBlockBytes}, next_block_, run_->header());
  if (!block) {
    status_ = in_file(run_->path(), block.error());
    return false;
  }
  block_ = *block;
  index_ = 0;
  ++next_block_;
  return true;
}

Result<RunPtr> write_buffer(io::FileSystem& fs, const std::string& directory,
                            const SealedBuffer& sealed, std::vector<std::uint64_t>& order,
                            std::vector<std::uint64_t>& scratch, std::uint64_t& bytes_written) {
  const KeyBuffer& buffer = *sealed.buffer;
  const auto times = sealed.size == 0 ? KeyBuffer::Times{} : buffer.times(sealed.size);
  auto writer =
      RunWriter::create(fs, directory, {0, sealed.range, times.oldest_ms, times.newest_ms});
  if (!writer) return std::unexpected(std::move(writer).error());
  sort_by_hash(buffer.hashes(sealed.size), order, scratch);
  const auto index = [&](std::size_t i) {
    return static_cast<std::size_t>(order[i] & 0xFFFFFFFFU);
  };
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i + kPrefetch < order.size()) buffer.prefetch(index(i + kPrefetch));
    (*writer)->add(buffer.with_hash(static_cast<std::uint32_t>(order[i] >> 32), index(i)));
  }
  auto run = (*writer)->finish();
  bytes_written += (*writer)->bytes_written();
  return run;
}

}  // namespace gantry::store
