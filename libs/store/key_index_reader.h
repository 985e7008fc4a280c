// SPDX-License-Identifier: Apache-2.0
// Searching the key index off the log shard: one task, and the thread that runs them in order.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "base/result.h"
#include "store/apache_index.h"
#include "store/key_index.h"
#include "store/key_index_worker.h"

namespace gantry::store {

struct SearchTask {
  KeySearch search;
  KeyIndexView view;
  const ApacheIndex* apache = nullptr;  // asked last, for records below apache_end
  LogPosition apache_end;
  KeyIndexLast last;
  bool complete = true;
};

// Searches memory and files; waits for the disk. Any thread. A run that cannot be read is reported
// to the worker, and the result is incomplete.
KeyQueryResult run_search(SearchTask task, KeyIndexWorker& worker);

class KeyIndexReader {
 public:
  KeyIndexReader(KeyIndexWorker& worker, std::size_t tasks_max);
  // Answers what still waits with nothing found, incomplete.
  ~KeyIndexReader();
  KeyIndexReader(const KeyIndexReader&) = delete;
  KeyIndexReader& operator=(const KeyIndexReader&) = delete;

  // `done` runs on the reader's thread. kBusy if the queue is full.
  Result<void> submit(SearchTask task, KeyIndex::Done done);

 private:
  struct Item {
    SearchTask task;
    KeyIndex::Done done;
  };
  void run();

  KeyIndexWorker& worker_;
  const std::size_t tasks_max_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<Item> items_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace gantry::store
