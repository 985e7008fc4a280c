// SPDX-License-Identifier: Apache-2.0
// A Kubernetes API server in this process: TLS with certificates made on the spot, answers from the
// test, and the directory of a service account that belongs to it.
#pragma once

#include <gtest/gtest.h>
#include <httplib.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "kube/service_account.h"

namespace gantry::kube::test {

struct Free {
  void operator()(X509* x) const { X509_free(x); }
  void operator()(EVP_PKEY* k) const { EVP_PKEY_free(k); }
  void operator()(X509_EXTENSION* e) const { X509_EXTENSION_free(e); }
};

// A key with its certificate.
struct Identity {
  std::unique_ptr<EVP_PKEY, Free> key;
  std::unique_ptr<X509, Free> certificate;
};

inline void extend(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, Free> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  ASSERT_TRUE(extension) << value;
  X509_add_ext(certificate, extension.get(), -1);
}

// `issuer` null: an authority of its own. `name`: subjectAltName, e.g. "IP:127.0.0.1".
inline Identity make_identity(const Identity* issuer, const std::string& common_name,
                              const char* name = nullptr) {
  Identity made;
  made.key.reset(EVP_EC_gen("P-256"));
  made.certificate.reset(X509_new());
  X509* certificate = made.certificate.get();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), issuer == nullptr ? 1 : 2);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
                             0);
  X509* by = issuer == nullptr ? certificate : issuer->certificate.get();
  X509_set_issuer_name(certificate, X509_get_subject_name(by));
  if (issuer == nullptr) extend(certificate, by, NID_basic_constraints, "critical,CA:TRUE");
  if (name != nullptr) extend(certificate, by, NID_subject_alt_name, name);
  X509_sign(certificate, issuer == nullptr ? made.key.get() : issuer->key.get(), EVP_sha256());
  return made;
}

class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string pattern = std::filesystem::temp_directory_path() / "gantry-kube-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~ScratchDirectory() { std::filesystem::remove_all(path_); }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  const std::string& path() const { return path_; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ + "/" + name, std::ios::trunc) << text;
  }

 private:
  std::string path_;
};

class FakeApi {
 public:
  using Handler = std::function<void(const httplib::Request&, httplib::Response&)>;

  explicit FakeApi(const char* server_name = "IP:127.0.0.1")
      : authority_(make_identity(nullptr, "authority")),
        server_identity_(make_identity(&authority_, "server", server_name)),
        server_(server_identity_.certificate.get(), server_identity_.key.get()) {
    directory_.write("token", "first-token");
    directory_.write("namespace", "shop\n");
    trust(authority_);
    const auto handler = [this](const httplib::Request& request, httplib::Response& response) {
      Handler answer;
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
        answer = handler_;
      }
      if (answer) answer(request, response);
    };
    server_.Get(".*", handler);
    server_.Patch(".*", handler);
    server_.Post(".*", handler);
    port_ = server_.bind_to_any_port("127.0.0.1");
    // httplib takes the task queue as the first step of its loop; stop() does nothing before.
    std::promise<void> running;
    server_.new_task_queue = [&running]() -> httplib::TaskQueue* {
      running.set_value();
      return new httplib::ThreadPool(4);
    };
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    running.get_future().wait();
  }
  ~FakeApi() { stop(); }
  FakeApi(const FakeApi&) = delete;
  FakeApi& operator=(const FakeApi&) = delete;

  void stop() {
    if (!thread_.joinable()) return;
    server_.stop();
    thread_.join();
  }

  void answer(Handler handler) {
    const std::lock_guard lock(mutex_);
    handler_ = std::move(handler);
  }
  // That status and body, whatever is asked.
  void answer(int status, std::string body) {
    answer([status, body](const httplib::Request&, httplib::Response& response) {
      response.status = status;
      response.set_content(body, "application/json");
    });
  }

  std::vector<httplib::Request> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  const ScratchDirectory& directory() const { return directory_; }
  ServiceAccount account() const {
    return {.host = "127.0.0.1",
            .port = static_cast<std::uint16_t>(port_),
            .token_file = directory_.path() + "/token",
            .ca_file = directory_.path() + "/ca.crt",
            .name_space = "shop"};
  }
  // Makes `authority` the one that the service account trusts.
  void trust(const Identity& authority) const {
    std::FILE* file = std::fopen((directory_.path() + "/ca.crt").c_str(), "w");
    PEM_write_X509(file, authority.certificate.get());
    std::fclose(file);
  }
  const Identity& authority() const { return authority_; }

 private:
  ScratchDirectory directory_;
  const Identity authority_, server_identity_;
  httplib::SSLServer server_;
  mutable std::mutex mutex_;
  Handler handler_;
  std::vector<httplib::Request> requests_;
  int port_ = 0;
  std::thread thread_;
};

}  // namespace gantry::kube::test
