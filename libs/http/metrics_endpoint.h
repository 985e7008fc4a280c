// SPDX-License-Identifier: Apache-2.0
// `GET /metrics` of a server.
#pragma once

#include "http/http_server.h"
#include "metrics/metrics.h"

namespace gantry::http {

// `registry` must outlive the server.
void mount_metrics(HttpServer& server, metrics::Registry& registry);

}  // namespace gantry::http
