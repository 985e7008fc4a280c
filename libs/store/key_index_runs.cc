// SPDX-License-Identifier: Apache-2.0
#include "store/key_index_runs.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "log/log.h"

namespace gantry::store {
namespace {

constexpr Logger kLog("keyindex");
constexpr std::string_view kDamagedSuffix = ".damaged";
constexpr std::string_view kTemporarySuffix = ".tmp";

// Opens one run. Nothing if it was damaged and set aside.
Result<RunPtr> load_run(io::FileSystem& fs, const std::string& directory, const std::string& name,
                        const RunFileName& parsed) {
  const std::string path = directory + "/" + name;
  auto run = RunFile::open(fs, path);
  if (run && ((*run)->range().begin != parsed.begin || (*run)->header().level != parsed.level)) {
    run = make_error(ErrorCode::kCorrupt,
                     fmt::format("{}: the header belongs to position {}, level {}", path,
                                 (*run)->range().begin.v, (*run)->header().level));
  }
  if (run) return run;
  // Only content may be set aside: that a file cannot be opened is the machine's state.
  const auto opened = fs.open(path, io::OpenMode::kRead);
  if (!opened) return std::unexpected(opened.error());
  set_run_aside(fs, directory, path, std::nullopt, run.error());
  return RunPtr{};
}

Result<RunList> load_all(io::FileSystem& fs, const std::string& directory, LogPosition log_begin,
                         std::uint64_t& damaged) {
  auto entries = fs.list(directory);
  if (!entries) return std::unexpected(std::move(entries).error());
  RunList runs;
  for (const io::DirectoryEntry& e : *entries) {
    std::string_view name = e.name;
    if (name.ends_with(kTemporarySuffix)) {
      GANTRY_TRY(fs.remove(directory + "/" + e.name));
      continue;
    }
    if (name.ends_with(kDamagedSuffix)) {
      name.remove_suffix(kDamagedSuffix.size());
      const auto old = parse_run_file_name(name);
      if (old && old->begin < log_begin) GANTRY_TRY(fs.remove(directory + "/" + e.name));
      continue;
    }
    const auto parsed = parse_run_file_name(name);
    if (!parsed || e.is_directory) {
      kLog.warn("ignoring a file that is not a key index run file={}/{}", directory, e.name);
      continue;
    }
    auto run = load_run(fs, directory, e.name, *parsed);
    if (!run) return std::unexpected(std::move(run).error());
    *run == nullptr ? static_cast<void>(++damaged) : runs.push_back(std::move(*run));
  }
  return runs;
}

bool wider_first(const RunPtr& a, const RunPtr& b) {
  if (a->range().begin != b->range().begin) return a->range().begin < b->range().begin;
  if (a->range().end != b->range().end) return a->range().end > b->range().end;
  return a->header().level > b->header().level;
}

// A window over neighbouring runs of at most one level, which grows at its end and is cut at its
// front when it gets too large.
class Stretch {
 public:
  Stretch(const RunList& runs, std::uint32_t level) : runs_(runs), level_(level) {}

  std::size_t first() const { return first_; }
  std::size_t same_level() const { return same_level_; }

  void take(std::size_t i, const KeyIndexOptions& options) {
    const bool joins = i > first_ && runs_[i - 1]->range().end == runs_[i]->range().begin;
    if (!joins) restart(i);
    if (runs_[i]->header().level > level_) {
      restart(i + 1);
      return;
    }
    count(i, 1);
    while (first_ < i && too_large(i, options)) count(first_++, -1);
  }

 private:
  void restart(std::size_t first) {
    first_ = first;
    entries_ = 0;
    same_level_ = 0;
  }
  void count(std::size_t i, int sign) {
    const RunHeader& h = runs_[i]->header();
    entries_ = sign > 0 ? entries_ + h.entry_count : entries_ - h.entry_count;
    if (h.level == level_) same_level_ = sign > 0 ? same_level_ + 1 : same_level_ - 1;
  }
  bool too_large(std::size_t last, const KeyIndexOptions& options) const {
    return entries_ > options.run_entries_max || last - first_ >= 2 * options.merge_fanout ||
           runs_[last]->range().end - runs_[first_]->range().begin > options.run_log_bytes_max;
  }

  const RunList& runs_;
  const std::uint32_t level_;
  std::size_t first_ = 0;
  std::uint64_t entries_ = 0;
  std::size_t same_level_ = 0;
};

}  // namespace

void set_run_aside(io::FileSystem& fs, const std::string& directory, const std::string& path,
                   const std::optional<LogRange>& range, const Error& why) {
  const std::string where =
      range ? fmt::format(" begin={} end={}", range->begin.v, range->end.v) : std::string();
  kLog.error(
      "key index run is damaged, its range will be indexed again from the log file={}{} "
      "reason={}",
      path, where, why.message);
  auto renamed = fs.rename(path, path + std::string(kDamagedSuffix));
  if (renamed) renamed = fs.sync_directory(directory);
  if (!renamed)
    kLog.warn("cannot set the run aside file={} reason={}", path, renamed.error().message);
}

Result<LoadedRuns> load_runs(io::FileSystem& fs, const std::string& directory,
                             LogPosition log_begin) {
  LoadedRuns loaded;
  auto all = load_all(fs, directory, log_begin, loaded.damaged);
  if (!all) return std::unexpected(std::move(all).error());
  std::ranges::sort(*all, wider_first);
  for (RunPtr& run : *all) {
    if (run->range().end <= log_begin) {
      GANTRY_TRY(fs.remove(run->path()));
      continue;
    }
    if (loaded.runs.empty() || run->range().begin >= loaded.runs.back()->range().end) {
      loaded.runs.push_back(std::move(run));
      continue;
    }
    const RunFile& before = *loaded.runs.back();
    if (run->range().end <= before.range().end && run->header().level < before.header().level) {
      GANTRY_TRY(fs.remove(run->path()));  // an input of the merge that made `before`
      continue;
    }
    set_run_aside(fs, directory, run->path(), run->range(),
                  {ErrorCode::kCorrupt, fmt::format("overlaps {}", before.path())});
    ++loaded.damaged;
  }
  return loaded;
}

LogRange first_gap(std::vector<LogRange> covered, LogPosition from) {
  std::ranges::sort(covered, {}, &LogRange::begin);
  for (const LogRange& range : covered) {
    if (range.end <= from) continue;
    if (range.begin > from) return {from, range.begin};
    from = range.end;
  }
  return {from, kLogPositionMax};
}

std::optional<MergePlan> plan_merge(const RunList& runs, const KeyIndexOptions& options) {
  std::set<std::uint32_t> levels;
  for (const RunPtr& run : runs) levels.insert(run->header().level);
  for (const std::uint32_t level : levels) {
    Stretch stretch(runs, level);
    for (std::size_t i = 0; i < runs.size(); ++i) {
      stretch.take(i, options);
      if (stretch.same_level() == options.merge_fanout) {
        return MergePlan{stretch.first(), i + 1 - stretch.first(), level + 1};
      }
    }
  }
  return std::nullopt;
}

}  // namespace gantry::store
