// SPDX-License-Identifier: Apache-2.0
// Stand-ins for what surrounds the NameServer's logic: a connection that keeps the bytes, a file
// writer whose disk the test controls, a clock.
#pragma once

#include <cstdlib>
#include <deque>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "namesrv/persist/file_writer.h"
#include "net/connection.h"
#include "protocol/command.h"

namespace gantry::namesrv::test {

class FakeClock final : public Clock {
 public:
  std::int64_t wall_ms() const override { return now_ms; }
  std::int64_t steady_us() const override { return now_ms * 1000; }
  std::int64_t now_ms = 1'000'000;
};

class FakeConnection final : public net::Connection {
 public:
  explicit FakeConnection(net::ConnectionId id = 1) : id_(id) {}
  net::ConnectionId id() const override { return id_; }
  const net::HostPort& peer() const override { return peer_; }
  const net::HostPort& local() const override { return local_; }
  bool open() const override { return open_; }
  std::string& output() override { return output_; }
  void touch() override { ++touched; }
  std::size_t output_pending() const override { return output_.size(); }
  void send(const protocol::Command& command) override {
    protocol::encode(command, output_);
    touch();
  }
  void call(protocol::Command, std::chrono::milliseconds, Reply reply) override {
    reply(make_error(ErrorCode::kUnsupported, "the fake has no peer"));
  }
  void send_oneway(protocol::Command) override {}
  void close(std::string_view) override { open_ = false; }

  // Takes one whole frame out of the output; nothing when there is none.
  std::optional<protocol::Command> take() {
    if (output_.size() < 4) return std::nullopt;
    const auto size = load_be<std::uint32_t>(output_.data());
    frame_ = output_.substr(4, size);
    output_.erase(0, 4 + size);
    protocol::CommandView view;
    if (!protocol::decode(std::span<char>(frame_), view)) return std::nullopt;
    return protocol::to_command(view);
  }

  int touched = 0;

 private:
  net::ConnectionId id_;
  net::HostPort peer_{"10.1.1.1", 4711};
  net::HostPort local_{"10.1.1.2", 9876};
  bool open_ = true;
  std::string output_;
  std::string frame_;
};

// Keeps writes until the test lets them finish, well or badly.
class ManualFileWriter final : public FileWriter {
 public:
  struct Pending {
    std::string path;
    std::string bytes;
    Done done;
  };
  void write(std::string path, std::string bytes, Done done) override {
    pending.push_back({std::move(path), std::move(bytes), std::move(done)});
  }
  // The oldest write. Returns what was written.
  std::string finish(Result<void> result = {}) {
    Pending write = std::move(pending.front());
    pending.pop_front();
    write.done(std::move(result));
    return write.bytes;
  }
  std::deque<Pending> pending;
};

class TempDirectory {
 public:
  TempDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "namesrv-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = pattern;
  }
  ~TempDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace gantry::namesrv::test
