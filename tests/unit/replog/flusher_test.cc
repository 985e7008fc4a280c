// SPDX-License-Identifier: Apache-2.0
// When syncs of the log begin and end. Nothing runs by itself here: the test is the loop, the
// threads and the disk.
#include "replog/flusher.h"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/replog/log_test_util.h"

namespace gantry::replog {
namespace {

using Task = runtime::Loop::Task;

// Tasks wait until the test runs them.
class HandLoop final : public runtime::Loop {
 public:
  class Runner final : public runtime::TaskRunner {
   public:
    Runner(std::map<std::string, std::deque<Task>>& all, std::string name)
        : all_(all), name_(std::move(name)) {}
    ~Runner() override {
      for (Task& task : all_[name_]) task();
      all_[name_].clear();
    }
    void post(Task task) override { all_[name_].push_back(std::move(task)); }

   private:
    std::map<std::string, std::deque<Task>>& all_;
    std::string name_;
  };

  void post(Task task) override { posted_.push_back(std::move(task)); }
  bool on_shard() const override { return true; }
  std::unique_ptr<runtime::Timer> after(std::chrono::milliseconds, Task) override { return {}; }
  std::unique_ptr<runtime::Timer> every(std::chrono::milliseconds, Task) override { return {}; }
  void schedule(runtime::TurnHook&) override {}
  void unschedule(runtime::TurnHook&) override {}
  std::unique_ptr<runtime::TaskRunner> make_worker(const std::string& name) override {
    return std::make_unique<Runner>(threads, name);
  }

  // The syncs under way.
  std::size_t running() const {
    std::size_t count = 0;
    for (const auto& [name, tasks] : threads) count += tasks.size();
    return count;
  }
  // Lets thread `name` do what it has, and the loop what follows.
  void finish(const std::string& name) {
    while (!threads[name].empty()) {
      threads[name].front()();
      threads[name].pop_front();
    }
    turn();
  }
  void turn() {
    while (!posted_.empty()) {
      Task task = std::move(posted_.front());
      posted_.pop_front();
      task();
    }
  }

  std::map<std::string, std::deque<Task>> threads;

 private:
  std::deque<Task> posted_;
};

// A handle that fails once after its file was broken, whoever else has failed.
class Handle final : public io::File {
 public:
  struct Shared {
    int breaks = 0;
    int opened = 0, open = 0;
    std::function<void()> on_sync = [] {};
  };
  explicit Handle(std::shared_ptr<Shared> shared)
      : shared_(std::move(shared)), seen_(shared_->breaks) {
    ++shared_->opened;
    ++shared_->open;
  }
  ~Handle() override { --shared_->open; }
  const std::string& path() const override { return path_; }
  Result<std::int64_t> size() override { return 0; }
  Result<void> write_at(std::int64_t, std::span<const io::Slice>) override { return {}; }
  Result<std::size_t> read_at(std::int64_t, std::span<char>) override { return std::size_t{0}; }
  Result<std::optional<std::size_t>> try_read_at(std::int64_t, std::span<char>) override {
    return std::size_t{0};
  }
  Result<void> sync() override {
    shared_->on_sync();
    if (std::exchange(seen_, shared_->breaks) == shared_->breaks) return {};
    return make_error(ErrorCode::kIo, "the write-back failed");
  }
  Result<std::unique_ptr<io::File>> reopen() override { return std::make_unique<Handle>(shared_); }
  Result<void> allocate(std::int64_t) override { return {}; }
  Result<void> truncate(std::int64_t) override { return {}; }
  Result<void> zero(std::int64_t, std::int64_t) override { return {}; }

 private:
  const std::string path_ = "log";
  std::shared_ptr<Shared> shared_;
  int seen_;
};

class FlusherTest : public ::testing::Test {
 protected:
  void start(const std::string& name) {
    flusher->start({file}, [this, name](std::int64_t) { done.push_back(name); });
  }

  HandLoop loop;
  FakeClock clock;
  std::shared_ptr<Handle::Shared> shared = std::make_shared<Handle::Shared>();
  std::shared_ptr<io::File> file = std::make_shared<Handle>(shared);
  std::vector<std::string> done, failures;
  int synced = 0;
  std::unique_ptr<Flusher> flusher = std::make_unique<Flusher>(
      loop, clock, [this](const Error& error) { failures.push_back(error.message); });
};

TEST_F(FlusherTest, SeveralSyncsAreUnderWayAndEndInAnyOrder) {
  for (int i = 0; i < Flusher::kSyncsMax; ++i) {
    ASSERT_TRUE(flusher->ready()) << i;
    start(std::to_string(i));
  }
  EXPECT_FALSE(flusher->ready());
  EXPECT_EQ(loop.running(), static_cast<std::size_t>(Flusher::kSyncsMax));
  loop.finish("flusher-1");
  EXPECT_EQ(done, std::vector<std::string>{"1"});
  EXPECT_TRUE(flusher->ready());
  loop.finish("flusher-0");
  EXPECT_EQ(done, (std::vector<std::string>{"1", "0"}));
}

TEST_F(FlusherTest, SyncsBeginAPartOfTheirTimeApart) {
  shared->on_sync = [this] { clock.now_ms += 300; };
  start("measured");
  loop.finish("flusher-0");
  start("first");
  EXPECT_FALSE(flusher->ready()) << "what is written now goes with what comes in a moment";
  clock.now_ms += 300 / Flusher::kSyncsMax - 1;
  EXPECT_FALSE(flusher->ready());
  clock.now_ms += 1;
  EXPECT_TRUE(flusher->ready());
  start("second");
  clock.now_ms += 40;
  EXPECT_EQ(flusher->running_us(), (300 / Flusher::kSyncsMax + 40) * 1000) << "the oldest";
  loop.finish("flusher-0");
  EXPECT_TRUE(flusher->ready());
  loop.finish("flusher-1");
  EXPECT_EQ(flusher->running_us(), 0);
  EXPECT_TRUE(flusher->ready());
}

// With one handle for all, whoever syncs second would be told that everything is on disk.
TEST_F(FlusherTest, EverySyncHearsOfAFailure) {
  for (int i = 0; i < Flusher::kSyncsMax; ++i) start(std::to_string(i));
  for (int i = 0; i < Flusher::kSyncsMax; ++i) loop.finish("flusher-" + std::to_string(i));
  ASSERT_TRUE(failures.empty());
  for (int i = 0; i < Flusher::kSyncsMax; ++i) {
    clock.now_ms += 1000;
    start(std::to_string(i));
  }
  ++shared->breaks;
  for (int i = 0; i < Flusher::kSyncsMax; ++i) loop.finish("flusher-" + std::to_string(i));
  EXPECT_EQ(failures.size(), static_cast<std::size_t>(Flusher::kSyncsMax));
}

TEST_F(FlusherTest, HandlesAreKeptAsLongAsTheirFile) {
  for (int i = 0; i < 3; ++i) {
    start("x");
    loop.finish("flusher-0");
  }
  EXPECT_EQ(shared->opened, 2) << "the file and one handle";
  file = std::make_shared<Handle>(shared);
  start("another");
  loop.finish("flusher-0");
  EXPECT_EQ(shared->open, 2) << "the handle of the file that is gone has gone with it";
}

TEST_F(FlusherTest, TheEndWaitsForSyncsAndTellsNobody) {
  start("0");
  shared->on_sync = [this] { ++synced; };
  flusher.reset();
  loop.turn();
  EXPECT_EQ(synced, 1);
  EXPECT_TRUE(done.empty());
}

}  // namespace
}  // namespace gantry::replog
