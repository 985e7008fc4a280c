// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_report.h"

#include <fmt/core.h>

#include "cli/json_output.h"
#include "cli/table.h"
#include "cli/text.h"

namespace gantry::cli {
namespace {

using std::chrono::duration;
using std::chrono::steady_clock;

constexpr std::array kPercentiles = {50.0, 90.0, 95.0, 99.0, 99.9};

double per_second(std::int64_t amount, double seconds) {
  return seconds > 0 ? static_cast<double>(amount) / seconds : 0;
}

std::string latency_text(const LatencyHistogram& latency) {
  if (latency.count() == 0) return "not measured";
  std::string text = fmt::format("mean {}", format_latency(latency.mean()));
  for (const double percent : kPercentiles) {
    text += fmt::format(", p{:g} {}", percent, format_latency(latency.percentile(percent)));
  }
  return text + fmt::format(", max {}", format_latency(latency.max()));
}

Json latency_json(const LatencyHistogram& latency) {
  if (latency.count() == 0) return nullptr;
  Json json = {{"mean", latency.mean().count()}};
  for (const double percent : kPercentiles) {
    json[fmt::format("p{:g}", percent)] = latency.percentile(percent).count();
  }
  json["max"] = latency.max().count();
  return json;
}

}  // namespace

BenchReport::BenchReport(Context& context, std::string verb, bool progress)
    : context_(context),
      verb_(std::move(verb)),
      progress_(progress || context.env.err_is_tty),
      begin_(steady_clock::now()),
      last_(begin_),
      end_(begin_) {}

void BenchReport::begin() {
  begin_ = last_ = end_ = steady_clock::now();
  total_ = {};
  seconds_.clear();
}

void BenchReport::add(const LoadStats& stats) {
  const auto now = steady_clock::now();
  const LatencyHistogram& latency = stats.end_to_end.count() > 0 ? stats.end_to_end : stats.latency;
  const Second second{duration<double>(now - last_).count(),
                      stats.messages,
                      stats.bytes,
                      stats.errors,
                      {latency.percentile(50), latency.percentile(99), latency.max()}};
  show(duration<double>(now - begin_).count(), second);
  last_ = now;
  total_.merge(stats);
  seconds_.push_back(second);
}

void BenchReport::end() { end_ = steady_clock::now(); }

double BenchReport::seconds() const { return duration<double>(end_ - begin_).count(); }

void BenchReport::show(double at, const Second& second) {
  if (!progress_) return;
  std::string line = fmt::format(
      "{:6.1f} s  {:>9} {}/s  {:>11}/s  p50 {}  p99 {}  max {}", at,
      format_count(static_cast<std::int64_t>(per_second(second.messages, second.seconds))), verb_,
      format_bytes(per_second(second.bytes, second.seconds)), format_latency(second.latency.p50),
      format_latency(second.latency.p99), format_latency(second.latency.max));
  if (second.errors > 0) line += fmt::format("  {} errors", second.errors);
  context_.env.err << line << '\n' << std::flush;
}

std::string BenchReport::text() const {
  Fields fields;
  fields.add("Messages " + verb_,
             fmt::format("{} in {:.1f} s", format_count(total_.messages), seconds()));
  fields.add(
      "Throughput",
      fmt::format("{} messages/s, {}/s",
                  format_count(static_cast<std::int64_t>(per_second(total_.messages, seconds()))),
                  format_bytes(per_second(total_.bytes, seconds()))));
  fields.add("Latency of a request", latency_text(total_.latency));
  if (total_.end_to_end.count() > 0) {
    fields.add("Latency end to end", latency_text(total_.end_to_end));
  }
  fields.add("Failed requests", format_count(total_.errors));
  for (const auto& [key, kind] : total_.error_kinds) {
    fields.add(fmt::format("  {} times", format_count(kind.count)), kind.example);
  }
  return fields.text();
}

nlohmann::ordered_json BenchReport::json() const {
  Json series = Json::array();
  for (const Second& second : seconds_) {
    series.push_back({{"seconds", second.seconds},
                      {"messages", second.messages},
                      {"bytes", second.bytes},
                      {"errors", second.errors},
                      {"p50Us", second.latency.p50.count()},
                      {"p99Us", second.latency.p99.count()},
                      {"maxUs", second.latency.max.count()}});
  }
  Json errors = Json::array();
  for (const auto& [key, kind] : total_.error_kinds) {
    errors.push_back({{"count", kind.count}, {"example", kind.example}});
  }
  return {{"messages", total_.messages},
          {"bytes", total_.bytes},
          {"seconds", seconds()},
          {"messagesPerSecond", per_second(total_.messages, seconds())},
          {"bytesPerSecond", per_second(total_.bytes, seconds())},
          {"errors", total_.errors},
          {"errorKinds", errors},
          {"latencyUs", latency_json(total_.latency)},
          {"endToEndUs", latency_json(total_.end_to_end)},
          {"series", series}};
}

Outcome BenchReport::outcome() const {
  if (total_.errors == 0) return {};
  return fail(ExitCode::kFailed,
              fmt::format("{} requests have failed, the first kind: {}",
                          format_count(total_.errors), total_.error_kinds.begin()->second.example));
}

}  // namespace gantry::cli
