// SPDX-License-Identifier: Apache-2.0
// Stored records: decoding stays inside the bytes, and what decodes encodes to the same record.
#include <cstdlib>
#include <string>
#include <string_view>

#include "protocol/properties.h"
#include "protocol/record.h"

using namespace gantry;  // NOLINT: a test program

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto record = protocol::decode_record(bytes);
  if (!record) return 0;
  ignore_result(protocol::verify_checksum(*record, protocol::ChecksumPolicy::kBodyCrc),
                "either is fine");
  ignore_result(protocol::verify_checksum(*record, protocol::ChecksumPolicy::kRecordChecksum),
                "either is fine");
  protocol::for_each_property(record->properties, [](std::string_view, std::string_view) {});
  const protocol::RecordFields fields = protocol::fields_of(*record);
  if (fields.properties.size() + protocol::kCrcPropertyBytes > protocol::kPropertiesBytesMax)
    return 0;
  std::string encoded(protocol::encoded_size(fields), '\0');
  protocol::encode_record(fields, encoded.data());
  const auto again = protocol::decode_record(encoded);
  if (!again || again->body != record->body || again->topic != record->topic ||
      again->queue_offset != record->queue_offset || again->position != record->position ||
      !protocol::verify_checksum(*again, protocol::ChecksumPolicy::kRecordChecksum)) {
    std::abort();
  }
  return 0;
}
