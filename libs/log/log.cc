// SPDX-License-Identifier: Apache-2.0
#include "log/log.h"

#include <spdlog/details/log_msg.h>
#include <spdlog/formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <array>
#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "log/line_format.h"

namespace gantry::log {
namespace internal {
std::atomic<Level> threshold{Level::kInfo};
}  // namespace internal

namespace {

constexpr std::array<std::pair<std::string_view, Level>, 6> kLevels{{{"trace", Level::kTrace},
                                                                     {"debug", Level::kDebug},
                                                                     {"info", Level::kInfo},
                                                                     {"warn", Level::kWarn},
                                                                     {"error", Level::kError},
                                                                     {"off", Level::kOff}}};

static_assert(static_cast<int>(Level::kError) == SPDLOG_LEVEL_ERROR);

class LineFormatter final : public spdlog::formatter {
 public:
  LineFormatter(Format format, std::string end) : format_(format), end_(std::move(end)) {}

  void format(const spdlog::details::log_msg& msg, spdlog::memory_buf_t& dest) override {
    using namespace std::chrono;
    const Line line{
        .level = static_cast<Level>(msg.level),
        .module = {msg.logger_name.data(), msg.logger_name.size()},
        .message = {msg.payload.data(), msg.payload.size()},
        .wall_us = duration_cast<microseconds>(msg.time.time_since_epoch()).count(),
        .thread_id = static_cast<std::int64_t>(msg.thread_id),
    };
    std::string text;
    text.reserve(line.message.size() + 128);
    if (format_ == Format::kJson) {
      append_json(text, line);
    } else {
      append_text(text, line);
    }
    text += end_;
    dest.append(text.data(), text.data() + text.size());
  }

  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<LineFormatter>(format_, end_);
  }

 private:
  Format format_;
  std::string end_;
};

class CallbackSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit CallbackSink(std::function<void(std::string_view)> call) : call_(std::move(call)) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& msg) override {
    spdlog::memory_buf_t line;
    formatter_->format(msg, line);
    call_({line.data(), line.size()});
  }
  void flush_() override {}

 private:
  std::function<void(std::string_view)> call_;
};

std::unique_ptr<spdlog::sinks::sink> make_sink(Options options) {
  std::unique_ptr<spdlog::sinks::sink> sink;
  const bool to_callback = static_cast<bool>(options.sink);
  if (to_callback) {
    sink = std::make_unique<CallbackSink>(std::move(options.sink));
  } else {
    sink = std::make_unique<spdlog::sinks::stderr_sink_mt>();
  }
  sink->set_formatter(
      std::make_unique<LineFormatter>(options.format, std::string(to_callback ? "" : "\n")));
  return sink;
}

// The process's sinks. An earlier sink is kept, because another thread may be inside it; the object
// itself is never destroyed, because destructors of other statics may still log.
class Output {
 public:
  static Output& get() {
    static auto* output = new Output;
    return *output;
  }

  void replace(Options options) {
    auto sink = make_sink(std::move(options));
    const std::lock_guard lock(mutex_);
    sinks_.push_back(std::move(sink));
    current_.store(sinks_.back().get(), std::memory_order_release);
  }

  spdlog::sinks::sink& sink() const { return *current_.load(std::memory_order_acquire); }

 private:
  Output() { replace({}); }

  std::mutex mutex_;
  std::vector<std::unique_ptr<spdlog::sinks::sink>> sinks_;
  std::atomic<spdlog::sinks::sink*> current_{nullptr};
};

std::atomic<std::int64_t> errors{0};

std::string format_message(std::int64_t suppressed, fmt::string_view format,
                           fmt::format_args args) {
  std::string message;
  try {
    message = fmt::vformat(format, args);
  } catch (const std::exception& e) {  // a formatter of a user type refused its value
    message = fmt::format("log line could not be formatted format=\"{}\" reason=\"{}\"",
                          std::string_view(format.data(), format.size()), e.what());
  }
  if (suppressed > 0) message += fmt::format(" suppressed={}", suppressed);
  return message;
}

}  // namespace

Result<Level> parse_level(std::string_view text) {
  for (const auto& [name, level] : kLevels) {
    if (name == text) return level;
  }
  return make_error(
      ErrorCode::kInvalidArgument,
      fmt::format("log level \"{}\" is not one of trace, debug, info, warn, error, off", text));
}

std::string_view to_string(Level level) {
  for (const auto& [name, value] : kLevels) {
    if (value == level) return name;
  }
  return "?";
}

Result<Format> parse_format(std::string_view text) {
  if (text == "text") return Format::kText;
  if (text == "json") return Format::kJson;
  return make_error(ErrorCode::kInvalidArgument,
                    fmt::format("log format \"{}\" is neither text nor json", text));
}

void init_logging(Options options) {
  set_level(options.level);
  Output::get().replace(std::move(options));
}

void set_level(Level level) { internal::threshold.store(level, std::memory_order_relaxed); }

Level level() { return internal::threshold.load(std::memory_order_relaxed); }

std::int64_t error_count() { return errors.load(std::memory_order_relaxed); }

void internal::write(Level level, std::string_view module, std::int64_t suppressed,
                     fmt::string_view format, fmt::format_args args) {
  const bool is_error = level == Level::kError;
  if (is_error) errors.fetch_add(1, std::memory_order_relaxed);
  const std::string message = format_message(suppressed, format, args);
  const spdlog::details::log_msg msg(spdlog::string_view_t(module.data(), module.size()),
                                     static_cast<spdlog::level::level_enum>(level),
                                     spdlog::string_view_t(message.data(), message.size()));
  auto& sink = Output::get().sink();
  try {
    sink.log(msg);
    if (is_error) sink.flush();
  } catch (const std::exception&) {
    // stderr is gone (closed pipe, full disk). There is nowhere left to report it; the broker's
    // work must not stop for a log line.
  }
}

RateLimit::RateLimit(std::int64_t interval_ms, const Clock& clock)
    : clock_(clock), interval_us_(interval_ms * 1000), next_us_(clock.steady_us()) {}

std::optional<std::int64_t> RateLimit::admit() {
  const std::int64_t now = clock_.steady_us();
  std::int64_t next = next_us_.load(std::memory_order_relaxed);
  while (now >= next) {
    if (next_us_.compare_exchange_weak(next, now + interval_us_, std::memory_order_relaxed)) {
      return suppressed_.exchange(0, std::memory_order_relaxed);
    }
  }
  suppressed_.fetch_add(1, std::memory_order_relaxed);
  return std::nullopt;
}

}  // namespace gantry::log
