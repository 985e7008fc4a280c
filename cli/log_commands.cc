// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/json_output.h"
#include "cli/message_output.h"
#include "cli/offline_log.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "cli/text.h"
#include "client/message.h"
#include "replog/internal_topic.h"
#include "replog/recovery_scan.h"

namespace gantry::cli {
namespace {

using protocol::RecordView;
using replog::ScanResult;

struct LogOptions {
  std::string directory;
  std::int64_t from = 0;
  std::int64_t to = INT64_MAX;
  bool live = false;
  // dump only
  std::string topic;
  std::int64_t count = 0;
  bool body = false;
};

std::expected<std::unique_ptr<OfflineLog>, Failure> open_log(Context& context,
                                                             const LogOptions& options) {
  auto log = OfflineLog::open(options.directory, options.live);
  if (log) {
    for (const std::string& remark : (*log)->remarks()) context.warn(remark);
    return std::move(*log);
  }
  if (log.error().code == ErrorCode::kConflict) {
    return fail(log.error(), "Stop the broker first, or give --live to read what it has written.");
  }
  if (log.error().code == ErrorCode::kNotFound) {
    return fail(log.error(),
                "Name the store's directory (storePathRootDir), as in: gantry log "
                "verify ./data/broker");
  }
  return fail(log.error());
}

Result<ScanResult> scan(Context& context, const OfflineLog& log, const LogOptions& options,
                        const std::function<Result<void>(const RecordView&)>& on_record) {
  Progress progress(context.env);
  replog::ScanOptions scan_options;
  scan_options.from = LogPosition(options.from);
  scan_options.to = LogPosition(options.to);
  // All of it: damage can be anywhere, and behind it records that matter.
  scan_options.durable = log.files().end();
  replog::EpochTable epochs = log.epochs();
  const double total = static_cast<double>(log.files().end() - log.files().begin());
  return replog::scan_log(
      log.files(), scan_options, epochs, [&](const RecordView& record) -> Result<void> {
        if (context.env.stop.stop_requested()) {
          return make_error(ErrorCode::kUnavailable, "stopped before the end");
        }
        if (progress.due()) {
          const auto done = static_cast<double>(record.position - log.files().begin());
          progress.update(fmt::format("{:.0f} % of {}", 100 * done / total, format_bytes(total)));
        }
        if (!on_record) return {};
        return on_record(record);
      });
}

// --- verify ---

bool torn_end(const ScanResult& result) {
  return result.garbage_behind_end || !result.end_reason.empty();
}

std::string end_text(const ScanResult& result) {
  return result.end_reason.empty() ? "bytes that are no records follow" : result.end_reason;
}

Json verify_json(const OfflineLog& log, const ScanResult& result) {
  Json damaged = Json::array();
  for (const replog::DamagedRange& range : result.damaged) {
    damaged.push_back({{"from", range.from.v},
                       {"to", range.to.v},
                       {"bytes", range.to - range.from},
                       {"reason", range.reason}});
  }
  Json json = {{"directory", log.files().directory()},
               {"files", log.files().count()},
               {"fileBytes", log.files().file_bytes()},
               {"begin", log.files().begin().v},
               {"end", result.end.v},
               {"records", result.records},
               {"lastStoredMs", result.last_store_timestamp_ms},
               {"damaged", damaged},
               {"ok", result.damaged.empty() && !torn_end(result)}};
  json["tornEnd"] = torn_end(result) ? Json(end_text(result)) : Json(nullptr);
  return json;
}

std::string verify_text(const OfflineLog& log, const ScanResult& result) {
  Fields fields;
  fields.add("Log", log.files().directory());
  fields.add("Files", fmt::format("{} of {}", log.files().count(),
                                  format_bytes(static_cast<double>(log.files().file_bytes()))));
  fields.add("Positions", fmt::format("{} to {}", log.files().begin().v, result.end.v));
  fields.add("Records", format_count(result.records));
  fields.add("Last stored", format_time(result.last_store_timestamp_ms));
  std::string text = fields.text();
  if (!result.damaged.empty()) {
    using Align = Table::Align;
    Table table({{"DAMAGED FROM", Align::kRight},
                 {"TO", Align::kRight},
                 {"BYTES", Align::kRight},
                 {"REASON"}});
    for (const replog::DamagedRange& range : result.damaged) {
      table.add({std::to_string(range.from.v), std::to_string(range.to.v),
                 std::to_string(range.to - range.from), range.reason});
    }
    text += '\n' + table.text();
  }
  if (torn_end(result)) {
    text += fmt::format("\nThe log is torn at {}: {}\n", result.end.v, end_text(result));
  }
  return text;
}

Outcome verify(Context& context, const LogOptions& options) {
  const auto log = open_log(context, options);
  if (!log) return std::unexpected(log.error());
  const auto result = scan(context, **log, options, {});
  if (!result) return fail(ExitCode::kFailed, result.error().message);
  if (context.options.json) {
    print_json(context, verify_json(**log, *result));
  } else {
    context.env.out << verify_text(**log, *result);
  }
  context.env.out << std::flush;
  if (!result->damaged.empty()) {
    return fail(ExitCode::kFailed,
                fmt::format("{} damaged range{}", result->damaged.size(),
                            result->damaged.size() == 1 ? "" : "s"),
                "Everything outside these ranges is intact. Copy them from another member of "
                "the broker set or from a backup.");
  }
  if (torn_end(*result)) {
    return fail(ExitCode::kFailed, "the end of the log is torn",
                "After a crash this is normal: a starting broker cuts it off there.");
  }
  if (!context.options.json) context.env.out << "\nEvery record is intact.\n";
  return {};
}

// --- dump ---

std::string_view kind_of(const RecordView& record) {
  if (record.topic == replog::kLogTopic) {
    return record.flag == static_cast<std::int32_t>(replog::InternalRecord::kTermStart)
               ? "term-start"
               : "command";
  }
  switch (record.transaction_type()) {
    case protocol::sys_flag::kTransactionPrepared:
      return "prepared";
    case protocol::sys_flag::kTransactionCommit:
      return "committed";
    case protocol::sys_flag::kTransactionRollback:
      return "rollback";
    default:
      return "message";
  }
}

// One line for each record, as it is read: a log does not fit into a table.
class Dump {
 public:
  Dump(Context& context, const LogOptions& options) : context_(context), options_(options) {
    if (json()) {
      context_.env.out << "{\"records\":[";
    } else {
      context_.env.out << fmt::format(kLine, "POSITION", "BYTES", "KIND", "TOPIC", "QUEUE",
                                      "OFFSET", "STORED", "TAG KEYS");
    }
  }

  bool full() const { return options_.count > 0 && shown_ >= options_.count; }

  void show(const RecordView& record) {
    if (!options_.topic.empty() && record.topic != options_.topic) return;
    ++shown_;
    const client::Message message = client::to_message(record);
    if (json()) {
      Json document = message_json(message);
      document["kind"] = kind_of(record);
      if (!options_.body) {
        document.erase("body");
        document.erase("bodyBase64");
      }
      context_.env.out << (shown_ == 1 ? "\n" : ",\n") << to_line(document);
      return;
    }
    std::string line = fmt::format(kLine, record.position.v, record.total_size, kind_of(record),
                                   printable(record.topic), record.queue_id, record.queue_offset.v,
                                   format_time(record.store_timestamp_ms),
                                   printable(fmt::format("{} {}", message.tag(), message.keys())));
    context_.env.out << line;
    if (options_.body) context_.env.out << "    " << printable(message.body) << '\n';
  }

  void finish(const Result<ScanResult>& result) {
    if (!json()) return;
    Json damaged = Json::array();
    if (result) {
      for (const replog::DamagedRange& range : result->damaged) {
        damaged.push_back({{"from", range.from.v}, {"to", range.to.v}, {"reason", range.reason}});
      }
    }
    context_.env.out << "],\n\"damaged\":" << to_line(damaged) << "}\n";
  }

 private:
  static constexpr const char* kLine = "{:>16} {:>8} {:<10} {:<32} {:>5} {:>10} {:<23} {}\n";
  bool json() const { return context_.options.json; }

  Context& context_;
  const LogOptions& options_;
  std::int64_t shown_ = 0;
};

Outcome dump(Context& context, const LogOptions& options) {
  const auto log = open_log(context, options);
  if (!log) return std::unexpected(log.error());
  Dump output(context, options);
  const auto result = scan(context, **log, options, [&](const RecordView& record) -> Result<void> {
    if (output.full()) return make_error(ErrorCode::kBusy, "enough");
    output.show(record);
    return {};
  });
  output.finish(result);
  context.env.out << std::flush;
  if (!result && !output.full()) return fail(ExitCode::kFailed, result.error().message);
  if (!result) return {};
  for (const replog::DamagedRange& range : result->damaged) {
    context.warn(fmt::format("damaged from {} to {}: {}", range.from.v, range.to.v, range.reason));
  }
  if (!result->damaged.empty()) {
    return fail(ExitCode::kFailed, "the log is damaged",
                fmt::format("See all of it with: gantry log verify {}", options.directory));
  }
  return {};
}

void add_log_options(CLI::App& command, LogOptions& options) {
  command.add_option("directory", options.directory, "Directory of the store, or of its commitlog")
      ->required()
      ->type_name("DIR");
  command.add_option("--from", options.from, "Begin at this position, where a record begins")
      ->check(CLI::NonNegativeNumber)
      ->type_name("POSITION");
  command.add_option("--to", options.to, "End before this position")
      ->check(CLI::NonNegativeNumber)
      ->type_name("POSITION");
  command.add_flag("--live", options.live, "Also while a broker uses the store");
}

}  // namespace

void add_log_commands(CLI::App& app, Context& context) {
  CLI::App* family = add_family(app, "log", "Read a store's CommitLog while no broker runs");

  auto verify_options = std::make_shared<LogOptions>();
  CLI::App* command =
      add_command(*family, context, "verify", "Check every record; exit code 1 when damaged",
                  "  gantry log verify ./data/broker\n"
                  "  gantry log verify ./data/broker --json | jq '.damaged[]'\n",
                  [&context, verify_options] { return verify(context, *verify_options); });
  add_log_options(*command, *verify_options);

  auto dump_options = std::make_shared<LogOptions>();
  command = add_command(*family, context, "dump", "List the records",
                        "  gantry log dump ./data/broker --topic orders --count 20\n"
                        "  gantry log dump ./data/broker --from 1073741824 --body\n",
                        [&context, dump_options] { return dump(context, *dump_options); });
  add_log_options(*command, *dump_options);
  command->add_option("-t,--topic", dump_options->topic, "Only records of this topic")
      ->type_name("TOPIC");
  command->add_option("-c,--count", dump_options->count, "Stop after that many records")
      ->check(CLI::PositiveNumber);
  command->add_flag("--body", dump_options->body, "Also the bodies");
}

}  // namespace gantry::cli
