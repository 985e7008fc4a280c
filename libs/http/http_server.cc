// SPDX-License-Identifier: Apache-2.0
#include "http/http_server.h"

#include <httplib.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <future>
#include <limits>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>

#include "http/router.h"
#include "http/worker_pool.h"
#include "log/log.h"

namespace gantry::http {
namespace {

constexpr Logger kLog("http");
constexpr const char* kEverything = R"([\s\S]*)";

class TaskQueue final : public httplib::TaskQueue {
 public:
  explicit TaskQueue(const HttpServerOptions& options)
      : pool_(options.threads, options.queued_connections_max) {}
  void enqueue(std::function<void()> job) override { pool_.run(std::move(job)); }
  void shutdown() override { pool_.shutdown(); }

 private:
  WorkerPool pool_;
};

void answer(httplib::Response& out, int status, std::string_view error) {
  out.status = status;
  out.set_content("{\"error\":\"" + std::string(error) + "\"}", "application/json");
}

// Header Content-Length, or 0 if absent; an unreadable one counts as endless.
std::uint64_t content_length(const httplib::Request& request) {
  const std::string text = request.get_header_value("Content-Length");
  if (text.empty()) return 0;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool good = error == std::errc() && end == text.data() + text.size();
  return good ? value : std::numeric_limits<std::uint64_t>::max();
}

}  // namespace

class HttpServer::Impl {
 public:
  explicit Impl(HttpServerOptions options) : options_(options) { set_up(); }
  ~Impl() { stop(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Router& router() { return router_; }

  Result<int> listen(const std::string& address, int port) {
    if (acceptor_.joinable()) return make_error(ErrorCode::kConflict, "http: already listening");
    errno = 0;
    const int bound = port == 0 ? server_.bind_to_any_port(address)
                                : (server_.bind_to_port(address, port) ? port : -1);
    if (bound <= 0) {
      const std::string reason = errno == 0 ? "cannot bind" : std::strerror(errno);
      return make_error(ErrorCode::kIo,
                        "http: " + address + ":" + std::to_string(port) + ": " + reason);
    }
    try {
      start();
    } catch (const std::system_error& e) {  // no more threads
      return make_error(ErrorCode::kUnavailable, std::string("http: ") + e.what());
    }
    return bound;
  }

  void stop() {
    if (!acceptor_.joinable()) return;
    server_.stop();
    acceptor_.join();
  }

 private:
  // Returns when httplib's loop runs: its stop() does nothing before. The loop takes the task queue
  // as its first step.
  void start() {
    auto queue =
        std::make_shared<std::unique_ptr<TaskQueue>>(std::make_unique<TaskQueue>(options_));
    auto running = std::make_shared<std::promise<void>>();
    server_.new_task_queue = [queue, running]() -> httplib::TaskQueue* {
      running->set_value();
      return queue->release();  // the loop owns it now
    };
    acceptor_ = std::thread([this] { server_.listen_after_bind(); });
    running->get_future().wait();
  }

  void set_up() {
    server_.set_keep_alive_max_count(options_.keep_alive_requests);
    server_.set_keep_alive_timeout(options_.read_timeout_s);
    server_.set_read_timeout(options_.read_timeout_s);
    server_.set_write_timeout(options_.write_timeout_s);
    server_.set_payload_max_length(options_.body_bytes_max);
    server_.set_tcp_nodelay(true);
    // httplib's default includes SO_REUSEPORT, with which a second process would share the port
    // instead of failing.
    server_.set_socket_options([](socket_t socket) {
      const int on = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    });
    server_.set_pre_routing_handler([this](const auto& request, auto& response) {
      return refuse_early(request, response) ? httplib::Server::HandlerResponse::Handled
                                             : httplib::Server::HandlerResponse::Unhandled;
    });
    server_.set_exception_handler(
        [](const httplib::Request& request, httplib::Response& response, std::exception_ptr) {
          kLog.error("handler failed method={} path={}", request.method, request.path);
          answer(response, 500, "internal error");
        });
    set_up_routes();
  }

  // One handler for every path: httplib's own routing is by regular expression.
  void set_up_routes() {
    const auto without_body = [this](const httplib::Request& request, httplib::Response& response) {
      dispatch(request, {}, response);
    };
    const auto with_body = [this](const httplib::Request& request, httplib::Response& response,
                                  const httplib::ContentReader& reader) {
      read_and_dispatch(request, reader, response);
    };
    server_.Get(kEverything, without_body);
    server_.Options(kEverything, without_body);
    server_.Delete(kEverything, without_body);
    server_.Post(kEverything, with_body);
    server_.Put(kEverything, with_body);
    server_.Patch(kEverything, with_body);
  }

  // Before the body is read. httplib would read an oversized body to its end.
  bool refuse_early(const httplib::Request& request, httplib::Response& response) const {
    if (request.path.size() > options_.path_bytes_max) {
      answer(response, 414, "path too long");
    } else if (content_length(request) > options_.body_bytes_max) {
      answer(response, 413, "body too large");
    } else if (request.is_multipart_form_data()) {
      answer(response, 415, "multipart bodies are not accepted");
    } else {
      return false;
    }
    return true;
  }

  // Counts what arrives, because httplib enforces its limit neither for chunked nor for compressed
  // bodies.
  void read_and_dispatch(const httplib::Request& request, const httplib::ContentReader& reader,
                         httplib::Response& response) {
    std::string body;
    bool too_large = false;
    const bool complete = reader([&](const char* data, std::size_t size) {
      too_large = body.size() + size > options_.body_bytes_max;
      if (!too_large) body.append(data, size);
      return !too_large;
    });
    if (too_large) {
      answer(response, 413, "body too large");
    } else if (!complete) {
      answer(response, 400, "body incomplete");
    } else {
      dispatch(request, std::move(body), response);
    }
  }

  void dispatch(const httplib::Request& in, std::string body, httplib::Response& out) const {
    auto match = router_.find(in.method, in.path);
    if (match.handler == nullptr) {
      const std::string allowed = router_.allowed(in.path);
      if (!allowed.empty()) out.set_header("Allow", allowed);
      answer(out, allowed.empty() ? 404 : 405,
             allowed.empty() ? "not found" : "method not allowed");
      return;
    }
    Request request{.method = in.method,
                    .path = in.path,
                    .params = std::move(match.params),
                    .query = {in.params.begin(), in.params.end()},
                    .body = std::move(body),
                    .remote_address = in.remote_addr};
    const Response response = (*match.handler)(request);
    out.status = response.status;
    if (!response.location.empty()) out.set_header("Location", response.location);
    out.set_content(response.body, response.content_type);
  }

  const HttpServerOptions options_;
  Router router_;
  httplib::Server server_;
  std::thread acceptor_;
};

HttpServer::HttpServer(HttpServerOptions options) : impl_(std::make_unique<Impl>(options)) {}
HttpServer::~HttpServer() = default;

void HttpServer::get(std::string_view pattern, Handler handler) {
  impl_->router().add("GET", pattern, std::move(handler));
}
void HttpServer::post(std::string_view pattern, Handler handler) {
  impl_->router().add("POST", pattern, std::move(handler));
}
void HttpServer::put(std::string_view pattern, Handler handler) {
  impl_->router().add("PUT", pattern, std::move(handler));
}
void HttpServer::del(std::string_view pattern, Handler handler) {
  impl_->router().add("DELETE", pattern, std::move(handler));
}

Result<int> HttpServer::listen(const std::string& address, int port) {
  return impl_->listen(address, port);
}

void HttpServer::stop() { impl_->stop(); }

}  // namespace gantry::http
