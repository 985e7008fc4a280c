// SPDX-License-Identifier: Apache-2.0
// A small value whose every change is on disk before anybody sees it. Changes are applied in the
// order they came; those that wait while a write is under way share the next one. Belongs to one
// shard.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "namesrv/persist/file_writer.h"

namespace gantry::namesrv {

template <class T>
class PersistedValue {
 public:
  // Alters its argument, or refuses with an error (what it altered before is then dropped).
  using Change = std::move_only_function<Result<void>(T&)>;
  // Runs once: after the change is durable and visible, or with the reason why it never will be.
  using Done = FileWriter::Done;
  static constexpr std::size_t kWaitingMax = 1024;

  // `writer` must outlive this, or must have been stopped and its results delivered before.
  PersistedValue(T initial, std::string path, std::string (*encode)(const T&), FileWriter& writer)
      : value_(std::move(initial)), path_(std::move(path)), encode_(encode), writer_(writer) {}
  PersistedValue(const PersistedValue&) = delete;
  PersistedValue& operator=(const PersistedValue&) = delete;

  const T& get() const { return value_; }
  const std::string& path() const { return path_; }
  void on_change(std::function<void(const T&)> observer) { observer_ = std::move(observer); }

  void change(Change change, Done done) {
    if (waiting_.size() >= kWaitingMax) {
      done(make_error(ErrorCode::kBusy, "too many changes wait for the disk: " + path_));
      return;
    }
    waiting_.emplace_back(std::move(change), std::move(done));
    if (!writing_) write_next();
  }

 private:
  // `writing_` is true throughout, so that a change asked for by a `done` queues behind.
  void write_next() {
    writing_ = true;
    while (!waiting_.empty()) {
      T next = value_;
      std::vector<Done> accepted;
      for (auto& [change, done] : std::exchange(waiting_, {})) {
        T tried = next;
        if (auto result = change(tried); result) {
          next = std::move(tried);
          accepted.push_back(std::move(done));
        } else {
          done(std::move(result));
        }
      }
      if (accepted.empty()) continue;
      std::string bytes = encode_(next);
      writer_.write(path_, std::move(bytes),
                    [this, next = std::move(next),
                     accepted = std::move(accepted)](Result<void> result) mutable {
                      written(std::move(next), std::move(accepted), result);
                    });
      return;
    }
    writing_ = false;
  }

  void written(T next, std::vector<Done> accepted, const Result<void>& result) {
    if (result) {
      value_ = std::move(next);
      if (observer_) observer_(value_);
    }
    for (auto& done : accepted) done(result);
    write_next();
  }

  T value_;
  const std::string path_;
  std::string (*encode_)(const T&);
  FileWriter& writer_;
  std::function<void(const T&)> observer_;
  std::vector<std::pair<Change, Done>> waiting_;
  bool writing_ = false;
};

}  // namespace gantry::namesrv
