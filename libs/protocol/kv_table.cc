// SPDX-License-Identifier: Apache-2.0
#include "protocol/kv_table.h"

#include "protocol/body_fields.h"

namespace gantry::protocol {

std::string KVTable::to_json() const { return encode_body(*this); }

Result<KVTable> KVTable::from_json(std::string_view body) {
  return decode_body<KVTable>("KVTable", body);
}

}  // namespace gantry::protocol
