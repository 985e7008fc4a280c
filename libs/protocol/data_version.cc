// SPDX-License-Identifier: Apache-2.0
#include "protocol/data_version.h"

#include "protocol/body_fields.h"

namespace gantry::protocol {

std::string DataVersion::to_json() const { return encode_body(*this); }

Result<DataVersion> DataVersion::from_json(std::string_view body) {
  return decode_body<DataVersion>("DataVersion", body);
}

}  // namespace gantry::protocol
