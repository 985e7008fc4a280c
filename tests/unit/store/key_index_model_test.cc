// SPDX-License-Identifier: Apache-2.0
// The key index against a list of records, through random histories: feeding, seals, merges, full
// disks, crashes, cuts, trims and rotten files. In every state an answer holds no position whose
// record does not carry the key; a complete answer of an index that has been fed holds all of them.
#include <gtest/gtest.h>

#include <algorithm>

#include "key_index_test_util.h"
#include "store/key_index.h"

namespace gantry::store::test {
namespace {

constexpr std::chrono::seconds kWait(30);
constexpr std::uint32_t kSeeds = 20;
constexpr int kSteps = 100;
constexpr std::uint32_t kKeys = 12;

class World {
 public:
  explicit World(std::uint32_t seed) : random_(seed) {
    options_.buffer_entries = 8 + random_() % 40;
    options_.buffer_log_bytes = 2000 + random_() % 20'000;
    options_.sealed_buffers_max = 1 + random_() % 12;
    options_.merge_fanout = 2 + random_() % 3;
    options_.run_entries_max = 50 + random_() % 2000;
    options_.run_log_bytes_max = 20'000 + random_() % 1'000'000;
    options_.retry_min = std::chrono::milliseconds(1);
    options_.retry_max = std::chrono::milliseconds(2);
    options_.worker_nice = 0;
    options_.files = &fs_;
    open();
  }

  void step() {
    switch (random_() % 16) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        append();
        log_.feed(*index_);
        break;
      case 5:
        append();
        log_.feed(*index_, random_() % 10);
        break;
      case 6:
        ignore_result(index_->seal(), "may have no room");
        break;
      case 7:
        ignore_result(index_->flush(std::chrono::milliseconds(20)), "the disk may be full");
        break;
      case 8:
        fs_.full = random_() % 3 == 0;
        break;
      case 9:
        reopen();
        break;
      case 10:
        cut();
        break;
      case 11:
        trim();
        break;
      case 12:
        damage();
        break;
      default:
        check_one();
    }
  }

  // Whatever happened, it can be made whole.
  void finish() {
    fs_.full = false;
    for (int round = 0; round < 2; ++round) {
      feed_all();
      check_all();  // may find damage
      feed_all();
      ASSERT_TRUE(index_->flush(kWait).has_value());
      ASSERT_TRUE(index_->wait_idle(kWait).has_value());
      feed_all();  // merges may have found damage, too
      ASSERT_TRUE(index_->flush(kWait).has_value());
      EXPECT_EQ(index_->durable_up_to(), log_.end());
      check_all();
      index_.reset();
      open();
    }
    EXPECT_EQ(index_->feed_position(), log_.end());
    EXPECT_EQ(index_->stats().damaged_runs, 0U);
  }

 private:
  void open() {
    options_.log_begin = log_.begin();
    options_.log_end = log_.end();
    auto index = KeyIndex::open(dir_.path(), options_);
    ASSERT_TRUE(index.has_value()) << index.error().message;
    index_ = std::move(*index);
    EXPECT_LE(index_->feed_position(), log_.end());
    EXPECT_GE(index_->feed_position(), log_.begin());
    EXPECT_EQ(index_->durable_up_to(), index_->feed_position());
  }

  // Half of the time the log loses its end as well.
  void reopen() {
    const LogPosition durable = index_->durable_up_to();
    index_.reset();
    if (random_() % 4 == 0) rotten_ = flip() || rotten_;
    if (random_() % 2 == 0 && !log_.records().empty()) log_.cut(some_position());
    open();
    if (!rotten_) {
      EXPECT_GE(index_->feed_position(), std::min(durable, log_.end()));
    }
  }

  void append() {
    for (std::uint32_t n = random_() % 40; n > 0; --n) {
      std::vector<std::string> keys;
      for (std::uint32_t k = random_() % 4; k > 0; --k) keys.push_back(some_key());
      now_ms_ += random_() % 20;
      const std::int64_t step_back = random_() % 50 == 0 ? 5000 : 0;
      log_.append(now_ms_ - step_back, std::move(keys), 91 + random_() % 300);
    }
  }

  void cut() {
    if (log_.records().empty()) return;
    log_.cut(some_position());
    ignore_result(index_->cut(log_.end()), "a run that cannot be shortened is dropped");
    EXPECT_LE(index_->feed_position(), log_.end());
    EXPECT_LE(index_->durable_up_to(), log_.end());
  }

  void trim() {
    if (log_.records().empty() || random_() % 2 == 0) return;
    const auto& records = log_.records();
    log_.trim(records[random_() % (1 + records.size() / 4)].position);
    index_->trim(log_.begin());
    EXPECT_GE(index_->feed_position(), log_.begin());
  }

  void damage() {
    if (random_() % 3 == 0) rotten_ = flip() || rotten_;
  }

  bool flip() {
    const auto names = dir_.names(".run");
    if (names.empty()) return false;
    const std::string path = dir_.file(names[random_() % names.size()]);
    const std::size_t size = read_bytes(path).size();
    if (size == 0) return false;  // deleted meanwhile
    flip_bit(path, random_() % size, random_() % 8);
    return true;
  }

  void feed_all() {
    while (!log_.feed(*index_)) ASSERT_TRUE(index_->wait_idle(kWait).has_value());
  }

  bool fed() const { return !index_->needs_refeed_from() && index_->feed_position() == log_.end(); }

  void check(const std::string& key, std::size_t max, std::int64_t begin_ms, std::int64_t end_ms) {
    const bool whole = fed();
    const auto result = index_->query(
        {.topic = kTopic, .key = key, .max = max, .begin_ms = begin_ms, .end_ms = end_ms});
    if (whole && result.complete) {
      EXPECT_EQ(result.positions, log_.find(key, max, begin_ms, end_ms)) << key;
      return;
    }
    const auto all = log_.find(key, SIZE_MAX, begin_ms, end_ms);
    EXPECT_TRUE(std::ranges::is_sorted(result.positions, std::ranges::greater{}));
    for (const LogPosition p : result.positions) EXPECT_EQ(std::ranges::count(all, p), 1) << p.v;
  }

  void check_one() {
    const std::int64_t begin = random_() % 2 == 0 ? 0 : now_ms_ - random_() % 5000;
    const std::int64_t end = random_() % 2 == 0 ? INT64_MAX : begin + random_() % 5000;
    check(some_key(), 1 + random_() % kKeyQueryMax, begin, end);
  }

  void check_all() {
    for (std::uint32_t k = 0; k < kKeys; ++k) check("k" + std::to_string(k), 64, 0, INT64_MAX);
  }

  std::string some_key() { return "k" + std::to_string(random_() % kKeys); }
  // Usually close to the end.
  LogPosition some_position() {
    const auto& records = log_.records();
    const std::size_t back = random_() % (1 + records.size() / (random_() % 4 == 0 ? 1 : 8));
    return records[records.size() - 1 - std::min(back, records.size() - 1)].position;
  }

  Random random_;
  FaultyFileSystem fs_;
  TestDirectory dir_;
  KeyIndexOptions options_;
  TestLog log_;
  std::int64_t now_ms_ = 1'700'000'000'000;
  bool rotten_ = false;  // a file was damaged; it may go unnoticed for long
  std::unique_ptr<KeyIndex> index_;
};

TEST(KeyIndexModel, AnswersAreRightThroughRandomHistories) {
  for (std::uint32_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed);
    for (int i = 0; i < kSteps; ++i) {
      world.step();
      if (HasFailure()) FAIL() << "at step " << i;
    }
    world.finish();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace gantry::store::test
