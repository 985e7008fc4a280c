// SPDX-License-Identifier: Apache-2.0
// A whole broker in the test's process: on a directory of its own, with a clock the test moves and
// files that can be out of memory or on a full disk. Used from the test's thread.
#pragma once

#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "broker/app.h"
#include "net/remoting_client.h"
#include "protocol/codes.h"
#include "protocol/command.h"
#include "protocol/record.h"

namespace gantry::broker::test {

// The machine's time plus what the test adds.
class MovedClock final : public Clock {
 public:
  std::int64_t wall_ms() const override { return system_clock().wall_ms() + moved_ms_; }
  std::int64_t steady_us() const override { return system_clock().steady_us(); }
  void move(std::chrono::milliseconds by) { moved_ms_ += by.count(); }

 private:
  std::atomic<std::int64_t> moved_ms_{0};
};

// The machine's files, except for what the test says.
class RigFileSystem final : public io::FileSystem {
 public:
  std::atomic<bool> cold{false};       // nothing of the log is in the page cache
  std::atomic<int> blocking_reads{0};  // of the log, on the broker's shard, while cold
  std::atomic<int> cold_reads{0};      // of the log, on another thread, while cold
  std::atomic<double> disk_used{0.1};

  Result<std::unique_ptr<io::File>> open(const std::string& path, io::OpenMode mode) override;
  Result<std::vector<io::DirectoryEntry>> list(const std::string& directory) override {
    return real_.list(directory);
  }
  Result<bool> exists(const std::string& path) override { return real_.exists(path); }
  Result<void> create_directories(const std::string& path) override;
  Result<void> remove(const std::string& path) override { return real_.remove(path); }
  Result<void> remove_recursively(const std::string& path) override {
    return real_.remove_recursively(path);
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    return real_.rename(from, to);
  }
  Result<void> sync_directory(const std::string& path) override {
    return real_.sync_directory(path);
  }
  Result<io::DiskSpace> space(const std::string& path) override;

  bool on_shard() const { return std::this_thread::get_id() == shard_.load(); }

 private:
  io::FileSystem& real_ = io::posix_file_system();
  std::atomic<std::thread::id> shard_;  // of the broker: the thread that makes the store
};

using Fields = std::map<std::string, std::string>;

struct Sent {
  LogPosition position;
  QueueOffset offset;
  protocol::RecordHost host{};  // in the message id
};

struct HttpAnswer {
  int status = 0;  // 0: there was none
  std::string body;
};

class BrokerRig {
 public:
  BrokerRig();
  ~BrokerRig();

  // Before start(); a file of the log holds some ten messages of 1 KiB.
  config::BrokerConfig config;
  std::string config_file;
  MovedClock clock;
  RigFileSystem files;

  void start();
  void stop();
  void restart() {
    stop();
    start();
  }
  // As after a clean stop and a reboot: nothing is in memory.
  void restart_cold();

  const std::filesystem::path& directory() const { return directory_; }
  std::filesystem::path store() const { return directory_ / "store"; }

  protocol::Command call(protocol::RequestCode code, const Fields& fields = {},
                         std::string body = {});
  void create_topic(const std::string& topic, int queues = 1);
  Sent send(const std::string& topic, std::string body, const std::string& properties = {},
            int queue = 0);
  // Bodies of the records in an answer, in its order.
  static std::vector<std::string> bodies(const protocol::Command& answer);
  // Asks until `done` says so; false after ten seconds.
  bool eventually(const std::function<bool()>& done);
  std::uint16_t remoting_port() const { return app_->remoting_port(); }
  // Of the HTTP port.
  HttpAnswer http(const std::string& method, const std::string& path,
                  const std::string& body = {}) const;
  std::string http_get(const std::string& path) const { return http("GET", path).body; }

 private:
  const std::filesystem::path directory_;
  std::unique_ptr<BrokerApp> app_;
  std::unique_ptr<net::BlockingClient> client_;
};

}  // namespace gantry::broker::test
