# SPDX-License-Identifier: Apache-2.0
"""As much of a Kubernetes API server as helm's `lookup` asks for: what kinds there are, and their objects."""
import contextlib
import json
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

KINDS = {
    "/apis/apps/v1": {"name": "statefulsets", "kind": "StatefulSet", "namespaced": True},
    "/apis/storage.k8s.io/v1": {"name": "storageclasses", "kind": "StorageClass", "namespaced": False},
}


def discovery(group_version, kind):
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version.removeprefix("/apis/"),
            "resources": [{**kind, "singularName": "", "verbs": ["get", "list"]}]}


def status(code, reason, message):
    return code, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message}


def answer(path, objects, forbidden):
    """(code, body). `objects`: path to object or list; `forbidden`: names of resources that may not be read."""
    if path in KINDS:
        return 200, discovery(path, KINDS[path])
    for kind in KINDS.values():
        if kind["name"] in path and kind["name"] in forbidden:
            return status(403, "Forbidden", f'{kind["name"]} is forbidden: User "somebody" cannot read resource "{kind["name"]}"')
    if path in objects:
        return 200, objects[path]
    return status(404, "NotFound", f"{path} not found")


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, objects, forbidden):
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects, self.forbidden, self.asked = objects, forbidden, []


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        path = urlsplit(self.path).path
        self.server.asked.append(path)
        code, body = answer(path, self.server.objects, self.server.forbidden)
        text = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def stateful_set(namespace, name, replicas, size, storage_class=None):
    """(path, object)"""
    spec = {"resources": {"requests": {"storage": size}}, **({"storageClassName": storage_class} if storage_class else {})}
    return f"/apis/apps/v1/namespaces/{namespace}/statefulsets/{name}", {
        "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": name, "namespace": namespace},
        "spec": {"replicas": replicas, "volumeClaimTemplates": [{"metadata": {"name": "store"}, "spec": spec}]}}


def storage_classes(*names, default=None):
    """(path, object)"""
    mark = {"storageclass.kubernetes.io/is-default-class": "true"}
    items = [{"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "example.com/disk",
              "metadata": {"name": name, **({"annotations": mark} if name == default else {})}} for name in names]
    return "/apis/storage.k8s.io/v1/storageclasses", {
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClassList", "metadata": {}, "items": items}


@contextlib.contextmanager
def serving(*objects, forbidden=()):
    """(options for helm, paths that it asked for)"""
    server = Server(dict(objects), forbidden)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with tempfile.TemporaryDirectory() as directory:
            config = Path(directory) / "kubeconfig"
            config.write_text(json.dumps({
                "apiVersion": "v1", "kind": "Config", "current-context": "fake", "users": [],
                "clusters": [{"name": "fake", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
                "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": ""}}]}))
            yield ["--dry-run=server", "--kubeconfig", str(config)], server.asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
