// SPDX-License-Identifier: Apache-2.0
// Messages as text and as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "client/message.h"

namespace gantry::cli {

// `body` when it is UTF-8, otherwise `bodyBase64`.
nlohmann::ordered_json message_json(const client::Message& message);
// Everything about one message, its body last.
std::string message_details(const client::Message& message);
// One line: where, when, tag, keys, body.
std::string message_line(const client::Message& message, const std::string& broker_name);

}  // namespace gantry::cli
