// SPDX-License-Identifier: Apache-2.0
// How late this machine wakes a thread: sleeps until absolute times 500 us apart and prints, as
// JSON, by how many microseconds it woke too late. No broker can answer sooner than it is woken.
//
//   wakeup SECONDS
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

int main(int argc, char** argv) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::microseconds kPeriod{500};
  const int seconds = argc == 2 ? std::atoi(argv[1]) : 0;
  if (seconds <= 0) {
    std::fputs("usage: wakeup SECONDS\n", stderr);
    return 2;
  }
  std::vector<long> late;
  Clock::time_point due = Clock::now();
  const Clock::time_point end = due + std::chrono::seconds(seconds);
  while (due < end) {
    due += kPeriod;
    std::this_thread::sleep_until(due);
    late.push_back(static_cast<long>(
        std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - due).count()));
  }
  std::sort(late.begin(), late.end());
  const auto at = [&](double share) {
    return late[static_cast<std::size_t>(share * static_cast<double>(late.size() - 1))];
  };
  std::printf("{\"late_us\": {\"p50\": %ld, \"p99\": %ld, \"p999\": %ld}}\n", at(0.5), at(0.99),
              at(0.999));
  return 0;
}
