// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/broker/broker_rig.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <stdexcept>

#include "protocol/message_id.h"

namespace gantry::broker::test {
namespace {

using protocol::Command;
using protocol::RequestCode;

constexpr std::chrono::milliseconds kTimeout{10000};

class LogFile final : public io::File {
 public:
  LogFile(RigFileSystem& rig, std::unique_ptr<io::File> real) : rig_(rig), real_(std::move(real)) {}
  const std::string& path() const override { return real_->path(); }
  Result<std::int64_t> size() override { return real_->size(); }
  Result<void> write_at(std::int64_t offset, std::span<const io::Slice> slices) override {
    return real_->write_at(offset, slices);
  }
  Result<std::size_t> read_at(std::int64_t offset, std::span<char> out) override {
    if (rig_.cold) ++(rig_.on_shard() ? rig_.blocking_reads : rig_.cold_reads);
    return real_->read_at(offset, out);
  }
  Result<std::optional<std::size_t>> try_read_at(std::int64_t offset,
                                                 std::span<char> out) override {
    if (rig_.cold) return std::optional<std::size_t>{};
    return real_->try_read_at(offset, out);
  }
  Result<void> sync() override { return real_->sync(); }
  Result<std::unique_ptr<io::File>> reopen() override { return real_->reopen(); }
  Result<void> allocate(std::int64_t size) override { return real_->allocate(size); }
  Result<void> truncate(std::int64_t size) override { return real_->truncate(size); }
  Result<void> zero(std::int64_t offset, std::int64_t size) override {
    return real_->zero(offset, size);
  }

 private:
  RigFileSystem& rig_;
  const std::unique_ptr<io::File> real_;
};

std::filesystem::path new_directory() {
  std::string text = (std::filesystem::path(::testing::TempDir()) / "broker_rig_XXXXXX").string();
  if (::mkdtemp(text.data()) == nullptr) throw std::runtime_error("mkdtemp " + text);
  return text;
}

}  // namespace

Result<std::unique_ptr<io::File>> RigFileSystem::open(const std::string& path, io::OpenMode mode) {
  auto file = real_.open(path, mode);
  if (!file || path.find("/commitlog/") == std::string::npos) return file;
  return std::make_unique<LogFile>(*this, std::move(*file));
}

Result<void> RigFileSystem::create_directories(const std::string& path) {
  if (path.ends_with("/store")) shard_ = std::this_thread::get_id();
  return real_.create_directories(path);
}

Result<io::DiskSpace> RigFileSystem::space(const std::string&) {
  constexpr std::int64_t kTotal = std::int64_t{1} << 40;
  return io::DiskSpace{kTotal, static_cast<std::int64_t>(kTotal * (1.0 - disk_used))};
}

BrokerRig::BrokerRig() : directory_(new_directory()) {
  config.broker_name = "broker-a";
  config.broker_ip1 = config.broker_ip2 = "127.0.0.1";
  config.bind_address = config.http_address = "127.0.0.1";
  config.listen_port = 0;
  config.http_port = 0;
  config.namesrv_addr.clear();
  config.store_path_root_dir = store().string();
  config.store_path_commit_log = (store() / "commitlog").string();
  config.mapped_file_size_commit_log = 16384;
  config.max_message_size = 4096;
  config.delete_when.clear();
}

BrokerRig::~BrokerRig() {
  stop();
  std::filesystem::remove_all(directory_);
}

void BrokerRig::start() {
  app_ = std::make_unique<BrokerApp>(
      config, BrokerSurroundings{.config_file = config_file, .files = &files, .clock = &clock});
  const auto started = app_->start();
  ASSERT_TRUE(started) << started.error().message;
  auto client =
      net::BlockingClient::connect("127.0.0.1:" + std::to_string(app_->remoting_port()), kTimeout);
  ASSERT_TRUE(client) << client.error().message;
  client_ = std::move(*client);
}

void BrokerRig::stop() {
  client_.reset();
  app_.reset();
}

void BrokerRig::restart_cold() {
  restart();
  files.blocking_reads = 0;
  files.cold_reads = 0;
  files.cold = true;
}

Command BrokerRig::call(RequestCode code, const Fields& fields, std::string body) {
  Command request = Command::request(protocol::to_int(code));
  for (const auto& [key, value] : fields) request.with(key, value);
  request.body = std::move(body);
  auto answer = client_->call(std::move(request), kTimeout);
  if (answer) return std::move(*answer);
  ADD_FAILURE() << "code " << protocol::to_int(code) << ": " << answer.error().message;
  return Command::response(-1, answer.error().message);
}

void BrokerRig::create_topic(const std::string& topic, int queues) {
  const auto answer =
      call(RequestCode::kUpdateAndCreateTopic, {{"topic", topic},
                                                {"defaultTopic", "TBW102"},
                                                {"readQueueNums", std::to_string(queues)},
                                                {"writeQueueNums", std::to_string(queues)},
                                                {"perm", "6"},
                                                {"topicFilterType", "SINGLE_TAG"},
                                                {"topicSysFlag", "0"},
                                                {"order", "false"}});
  ASSERT_EQ(answer.code, 0) << answer.remark.value_or("");
}

Sent BrokerRig::send(const std::string& topic, std::string body, const std::string& properties,
                     int queue) {
  const auto answer = call(RequestCode::kSendMessageV2,
                           {{"a", "rig_producer"},
                            {"b", topic},
                            {"c", "TBW102"},
                            {"d", "4"},
                            {"e", std::to_string(queue)},
                            {"f", "0"},
                            {"g", std::to_string(clock.wall_ms())},
                            {"h", "0"},
                            {"i", properties},
                            {"j", "0"},
                            {"k", "false"},
                            {"m", "false"}},
                           std::move(body));
  EXPECT_EQ(answer.code, 0) << answer.remark.value_or("");
  const auto id = protocol::decode_message_id(answer.find("msgId").value_or(""));
  EXPECT_TRUE(id) << answer.find("msgId").value_or("no msgId");
  if (!id) return {};
  return {id->position, QueueOffset(std::stoll(std::string(*answer.find("queueOffset")))),
          id->host};
}

std::vector<std::string> BrokerRig::bodies(const Command& answer) {
  std::vector<std::string> found;
  std::string_view rest = answer.body;
  while (!rest.empty()) {
    const auto record = protocol::decode_record(rest);
    if (!record) {
      ADD_FAILURE() << record.error().message;
      break;
    }
    found.emplace_back(record->body);
    rest.remove_prefix(record->total_size);
  }
  return found;
}

bool BrokerRig::eventually(const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + kTimeout;
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

HttpAnswer BrokerRig::http(const std::string& method, const std::string& path,
                           const std::string& body) const {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(app_->http_port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string text;
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    const std::string request = method + " " + path +
                                " HTTP/1.0\r\nContent-Length: " + std::to_string(body.size()) +
                                "\r\n\r\n" + body;
    EXPECT_EQ(::send(fd, request.data(), request.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(request.size()));
    std::array<char, 4096> buffer{};
    for (ssize_t n; (n = ::recv(fd, buffer.data(), buffer.size(), 0)) > 0;) {
      text.append(buffer.data(), static_cast<std::size_t>(n));
    }
  }
  ::close(fd);
  HttpAnswer answer;
  const std::size_t status = text.find(' ');
  if (status != std::string::npos) answer.status = std::atoi(text.c_str() + status + 1);
  if (const std::size_t at = text.find("\r\n\r\n"); at != std::string::npos) {
    answer.body = text.substr(at + 4);
  }
  return answer;
}

}  // namespace gantry::broker::test
