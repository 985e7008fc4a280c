// SPDX-License-Identifier: Apache-2.0
// A small HTTP/1.1 server for metrics, health and administration. Not for messages.
//
// It has its own few threads; handlers run on them and must not block for long. Handlers reach a
// shard's data only through atomics, snapshots or the shard's mailbox.
//
// Limits: bodies over 1 MiB are refused with 413, paths over 1 KiB with 414; a connection serves
// one request at a time and, unless `keep_alive_requests` says more, is closed after it, because an
// idle kept-alive connection would hold one of the few threads and starve health probes.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gantry::http {

struct Request {
  std::string method{};                         // GET, POST, PUT, DELETE
  std::string path{};                           // decoded, without the query
  std::map<std::string, std::string> params{};  // values of `{name}` parts of the pattern
  std::multimap<std::string, std::string> query{};
  std::string body{};
  std::string remote_address{};

  bool has_query(const std::string& name) const { return query.contains(name); }
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body{};
  std::string location{};  // header Location of a redirection; empty: none
};

using Handler = std::function<Response(const Request&)>;

struct HttpServerOptions {
  std::size_t threads = 2;
  std::size_t queued_connections_max = 64;  // accepted, waiting for a thread; then accepting pauses
  std::size_t body_bytes_max = 1 << 20;
  std::size_t path_bytes_max = 1 << 10;
  std::size_t keep_alive_requests = 1;
  int read_timeout_s = 2;
  int write_timeout_s = 5;
};

// Register handlers, then `listen`, then `stop` (or destroy). Registration and listen/stop belong
// to one thread.
class HttpServer {
 public:
  explicit HttpServer(HttpServerOptions options = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // A pattern is a path whose parts may be `{name}` (any one non-empty part) or, last, `{name...}`
  // (the rest). Literal parts win over named ones. HEAD is answered through GET.
  void get(std::string_view pattern, Handler handler);
  void post(std::string_view pattern, Handler handler);
  void put(std::string_view pattern, Handler handler);
  void del(std::string_view pattern, Handler handler);

  // Binds and starts serving on own threads; returns the port (useful for port 0). Errors: address
  // in use or unknown.
  Result<int> listen(const std::string& address, int port);

  // Stops accepting, finishes running handlers, joins the threads. Idempotent.
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gantry::http
