# SPDX-License-Identifier: Apache-2.0
"""A Kubernetes API server on loopback that knows pods, and gantry-sidecar processes beside brokers."""
import http.server
import json
import os
import signal
import ssl
import subprocess
import threading
import time

from harness.broker import BINARIES, await_ready, free_port

LABEL = "gantry.dev/leader"


def refusal(code, reason, name):
    return code, {"kind": "Status", "status": "Failure", "reason": reason, "message": f"\"{name}\"", "code": code}


class ApiServer:
    """GET and merge PATCH of the pods of one namespace, POST and merge PATCH of its events, over TLS, with a token per pod.
    Can go away and come back."""

    NAMESPACE = "shop"

    def __init__(self, context):
        self.work = context.work
        self.port = free_port()
        self.lock = threading.Condition()
        self.pods = {}      # name -> object
        self.events = {}    # name -> object, in the order of their making
        self.tokens = {}    # token -> name of the pod it was given to
        self.requests = []  # (pod of the token or None, verb, pod asked for, status)
        self.history = []   # (time, names of the pods that have the label)
        self.server = None
        context.processes.append(self)
        self.certificate = self.work / "ca.crt"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=kubernetes", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", self.work / "api.key",
                        "-out", self.certificate], check=True, capture_output=True)

    def start(self):
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                api.serve(self, None)

            def do_POST(self):
                assert self.headers["Content-Type"] == "application/json"
                api.serve(self, self.body())

            def do_PATCH(self):
                assert self.headers["Content-Type"] == "application/merge-patch+json"
                api.serve(self, self.body())

            def body(self):
                return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):  # connections that are cut are part of the game
                pass

        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self.certificate, self.work / "api.key")
        self.server = Server(("127.0.0.1", self.port), Handler)
        # The handshake happens with the first read, on the connection's own thread.
        self.server.socket = tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def kill(self):
        """Away: connections are refused."""
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def add_pod(self, name, uid):
        with self.lock:
            self.pods[name] = {"kind": "Pod", "metadata": {"name": name, "uid": uid, "labels": {"app": "gantry"}}}

    def give_token(self, name, token):
        """From now on that token is the pod's, and no other."""
        with self.lock:
            self.tokens = {t: n for t, n in self.tokens.items() if n != name} | {token: name}

    def serve(self, request, patch):
        name = request.path.rsplit("/", 1)[1]
        with self.lock:
            owner = self.tokens.get(request.headers["Authorization"].removeprefix("Bearer "))
            if request.path.startswith(f"/api/v1/namespaces/{self.NAMESPACE}/events"):
                status, answer = self.answer_event(request.command, name, owner, patch)
                name = answer.get("involvedObject", {}).get("name")
            else:
                status, answer = self.answer(request.path, name, owner, patch)
            self.requests.append((owner, request.command, name, status))
            self.lock.notify_all()
        body = json.dumps(answer).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def answer_event(self, verb, name, owner, body):
        if owner is None:
            return refusal(401, "Unauthorized", name)
        if verb == "POST":
            name = body["metadata"]["name"]
            if name in self.events:
                return refusal(409, "AlreadyExists", name)
            if body["metadata"]["namespace"] != self.NAMESPACE or body["involvedObject"]["namespace"] != self.NAMESPACE:
                return refusal(422, "Invalid", name)
            self.events[name] = body
            return 201, body
        if verb != "PATCH":
            return refusal(403, "Forbidden", name)
        if name not in self.events:
            return refusal(404, "NotFound", name)
        self.events[name].update(body)
        return 200, self.events[name]

    def event(self, pod, reason):
        """The Event of that pod with that reason; there is at most one. None: there is none."""
        with self.lock:
            found = [e for e in self.events.values() if e["involvedObject"]["name"] == pod and e["reason"] == reason]
        assert len(found) <= 1, found
        return found[0] if found else None

    def answer(self, path, name, owner, patch):
        def status(code, reason):
            return refusal(code, reason, name)

        if owner is None:
            return status(401, "Unauthorized")
        pod = self.pods.get(name)
        if pod is None or path != f"/api/v1/namespaces/{self.NAMESPACE}/pods/{name}":
            return status(404, "NotFound")
        if patch is not None:
            change = patch["metadata"]
            if change.pop("uid", None) != pod["metadata"]["uid"]:
                return status(422, "Invalid")
            assert set(change) == {"labels"} and set(patch) == {"metadata"}, patch
            for key, value in change["labels"].items():
                if value is None:
                    pod["metadata"]["labels"].pop(key, None)
                else:
                    pod["metadata"]["labels"][key] = value
            self.history.append((time.monotonic(), self._labelled()))
        return 200, pod

    def _labelled(self):
        return sorted(n for n, p in self.pods.items() if p["metadata"]["labels"].get(LABEL) == "true")

    def labelled(self):
        """Names of the pods that carry the label."""
        with self.lock:
            return self._labelled()

    def begin_deletion(self, name):
        with self.lock:
            self.pods[name]["metadata"]["deletionTimestamp"] = "2020-01-01T00:00:00Z"


class Sidecar:
    """gantry-sidecar of one broker. `pod` is its name; the API server must know that."""

    def __init__(self, context, api, broker, pod, *settings):
        self.api, self.broker, self.pod, self.settings = api, broker, pod, settings
        self.account = context.work / f"account-{pod}"
        self.account.mkdir()
        (self.account / "ca.crt").write_bytes(api.certificate.read_bytes())
        (self.account / "namespace").write_text(api.NAMESPACE)
        self.rotate_token(f"token-1-of-{pod}")
        self.http_port = free_port()
        self.log = context.work / f"sidecar-{pod}.log"
        self.process = None
        context.processes.append(self)

    def rotate_token(self, token):
        (self.account / "token").write_text(token)
        self.api.give_token(self.pod, token)

    def start(self):
        values = [f"brokerHttpAddress=http://127.0.0.1:{self.broker.http_port}", "httpAddress=127.0.0.1", f"httpPort={self.http_port}",
                  f"serviceAccountPath={self.account}", *self.settings]
        environment = os.environ | {"POD_NAME": self.pod, "POD_NAMESPACE": self.api.NAMESPACE,
                                    "KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(self.api.port)}
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen([str(BINARIES / "gantry-sidecar")] + [w for v in values for w in ("--set", v)],
                                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=out, env=environment)
        await_ready(self.process, self.log)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def stop(self, seconds=10):
        self.terminate()
        status = self.process.wait(seconds)
        assert status == 0, f"clean stop ended with {status}"
