// SPDX-License-Identifier: Apache-2.0
// Recovery of a log whose bytes are anything: it ends, stays inside the files, and hands out only
// records that verify and lie where they say.
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>

#include "io/file_system.h"
#include "raft/epoch_table.h"
#include "replog/log_files.h"
#include "replog/recovery_scan.h"
#include "tests/support/memory_file_system.h"

using namespace gantry;  // NOLINT: a test program

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  constexpr std::int64_t kFileBytes = 4096;
  static constexpr const char* kName = "/log/00000000000000000000";
  if (size < 2) return 0;
  testing::MemoryFileSystem fs;
  std::string bytes(kFileBytes, '\0');
  std::memcpy(bytes.data(), data + 1, std::min<std::size_t>(size - 1, kFileBytes));
  fs.put(kName, bytes);
  // Half of the inputs start from a valid record with the input's bytes laid over it.
  if ((data[0] & 1) != 0) {
    protocol::RecordFields fields;
    fields.topic = "T";
    fields.body = "valid";
    std::string record(protocol::encoded_size(fields), '\0');
    protocol::encode_record(fields, record.data());
    bytes.replace(0, record.size(), record);
    for (std::size_t i = 1; i + 1 < size; i += 2)
      bytes[(data[i] * 16U) % kFileBytes] = static_cast<char>(data[i + 1]);
    fs.put(kName, bytes);
  }
  auto files = replog::LogFiles::open(fs, {"/log", kFileBytes});
  if (!files) std::abort();
  replog::EpochTable epochs;
  if ((data[0] & 2) != 0) epochs.add({Term(1), LogPosition(0), false});
  LogPosition last(-1);
  replog::ScanOptions options;
  options.durable = LogPosition((data[0] & 4) != 0 ? kFileBytes : 0);
  const auto scan = replog::scan_log(
      **files, options, epochs, [&](const protocol::RecordView& r) -> Result<void> {
        if (r.position <= last || r.position + r.total_size > LogPosition(kFileBytes)) std::abort();
        last = r.position;
        return {};
      });
  if (!scan || scan->end > LogPosition(kFileBytes)) std::abort();
  return 0;
}
