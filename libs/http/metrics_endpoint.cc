// SPDX-License-Identifier: Apache-2.0
#include "http/metrics_endpoint.h"

namespace gantry::http {

void mount_metrics(HttpServer& server, metrics::Registry& registry) {
  server.get("/metrics", [&registry](const Request&) {
    return Response{.status = 200,
                    .content_type = std::string(metrics::kTextContentType),
                    .body = registry.scrape()};
  });
}

}  // namespace gantry::http
