// SPDX-License-Identifier: Apache-2.0
#include "http/http_client.h"

#include <httplib.h>

namespace gantry::http {
namespace {

constexpr int kRedirectsMax = 4;

Result<httplib::Result> perform(const ClientRequest& request, const std::string& origin,
                                const std::string& target) {
  httplib::Client client(origin);
  if (!client.is_valid()) {
    return make_error(ErrorCode::kInvalidArgument, "'" + origin + "' is not an HTTP address");
  }
  client.set_connection_timeout(request.timeout);
  client.set_read_timeout(request.timeout);
  client.set_write_timeout(request.timeout);
  httplib::Request out;
  out.method = request.method;
  out.path = target;
  out.body = request.body;
  if (!request.body.empty()) out.set_header("Content-Type", "application/json");
  return client.send(out);
}

// "http://host:port/path" to its two parts; anything else is no place to go to.
bool split_location(const std::string& location, std::string& origin, std::string& target) {
  constexpr std::string_view kScheme = "http://";
  if (!location.starts_with(kScheme)) return false;
  const std::size_t path = location.find('/', kScheme.size());
  origin = location.substr(0, path);
  target = path == std::string::npos ? "/" : location.substr(path);
  return true;
}

}  // namespace

// httplib follows a redirection to another host only for GET.
Result<Response> send(const ClientRequest& request) {
  std::string origin = "http://" + request.host_port;
  std::string target = request.path;
  for (int redirects = 0; redirects <= kRedirectsMax; ++redirects) {
    const auto answer = perform(request, origin, target);
    if (!answer) return std::unexpected(answer.error());
    if (!*answer) {
      return make_error(answer->error() == httplib::Error::Connection ? ErrorCode::kUnavailable
                                                                      : ErrorCode::kTimeout,
                        origin + " does not answer: " + httplib::to_string(answer->error()));
    }
    const httplib::Response& response = answer->value();
    const std::string location = response.get_header_value("Location");
    if (response.status / 100 != 3 || location.empty()) {
      return Response{response.status, response.get_header_value("Content-Type"), response.body,
                      location};
    }
    if (!split_location(location, origin, target)) {
      return make_error(ErrorCode::kInvalidArgument, origin + " redirects to '" + location + "'");
    }
  }
  return make_error(ErrorCode::kUnavailable, request.host_port + " redirects in a circle");
}

}  // namespace gantry::http
