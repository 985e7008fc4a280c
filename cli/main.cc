// SPDX-License-Identifier: Apache-2.0
// gantry: signals, streams, exit code.
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <stop_token>
#include <streambuf>
#include <thread>

#include "cli/run.h"
#include "process/signals.h"

namespace {

// Stdin that ends when the user wants to stop, although nothing more comes.
class StoppableInput final : public std::streambuf {
 public:
  explicit StoppableInput(int stop_fd) : stop_fd_(stop_fd) {}

 private:
  int_type underflow() override {
    std::array<pollfd, 2> waits = {pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{stop_fd_, POLLIN, 0}};
    while (::poll(waits.data(), waits.size(), -1) < 0) {
      if (errno != EINTR) return traits_type::eof();
    }
    if (waits[1].revents != 0) return traits_type::eof();
    const ssize_t n = ::read(STDIN_FILENO, buffer_.data(), buffer_.size());
    if (n <= 0) return traits_type::eof();
    setg(buffer_.data(), buffer_.data(), buffer_.data() + n);
    return traits_type::to_int_type(buffer_[0]);
  }

  const int stop_fd_;
  std::array<char, 65536> buffer_{};
};

// The first signal asks the command to come to an end, the second one does not ask. Detached: it
// waits for as long as the process lives.
void watch_signals(const sigset_t& set, std::stop_source stop, int stop_fd) {
  std::thread([set, stop, stop_fd]() mutable {
    const int asked = gantry::process::wait_for_signal(set);
    stop.request_stop();
    const std::uint64_t one = 1;
    if (::write(stop_fd, &one, sizeof one) != sizeof one) std::_Exit(128 + asked);
    std::_Exit(128 + gantry::process::wait_for_signal(set));
  }).detach();
}

}  // namespace

int main(int argc, char** argv) {
  const sigset_t signals = gantry::process::block_stop_signals();
  std::ios::sync_with_stdio(false);
  const int stop_fd = ::eventfd(0, EFD_CLOEXEC);
  if (stop_fd < 0) {
    std::cerr << "gantry: no more file descriptors\n";
    return 1;
  }
  std::stop_source stop;
  watch_signals(signals, stop, stop_fd);
  StoppableInput input(stop_fd);
  std::istream in(&input);
  gantry::cli::Environment environment{
      .in = in,
      .out = std::cout,
      .err = std::cerr,
      .in_is_tty = ::isatty(STDIN_FILENO) != 0,
      .err_is_tty = ::isatty(STDERR_FILENO) != 0,
      .variable = [](const char* name) -> std::optional<std::string> {
        const char* value = std::getenv(name);
        if (value == nullptr) return std::nullopt;
        return value;
      },
      .stop = stop.get_token(),
  };
  return gantry::cli::run({argv + 1, argv + argc}, environment);
}
