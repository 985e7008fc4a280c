# SPDX-License-Identifier: Apache-2.0
"""Debian's Prometheus in a pod. It scrapes what the chart's ServiceMonitor would let the Prometheus operator scrape."""
import json
import re
import urllib.parse

from harness import client_image, release
from harness.shell import kubectl, run

NAME = "prometheus"
PORT = 9090
INTERVAL_SECONDS = 5


def service_monitor():
    """(labels that a Service must have, names of the ports) of the ServiceMonitor that the chart renders."""
    version = json.loads(kubectl("version", "-o", "json"))["serverVersion"]["gitVersion"]
    text = run("helm", "template", "--kube-version", version, release.NAME, release.CHART, "--namespace", release.NAMESPACE,
               "--api-versions", "monitoring.coreos.com/v1/ServiceMonitor", "--set", "monitoring.serviceMonitor.enabled=true",
               "--show-only", "templates/monitoring/servicemonitor.yaml")
    block = re.search(r"matchLabels:\n((?: +\S+: \S+\n)+)", text).group(1)
    labels = dict(re.findall(r"(\S+): \"?([^\"\n]+)", block))
    return labels, re.findall(r"- port: (\S+)", text)


def targets():
    """Debian's Prometheus is built without Kubernetes: it is given the endpoints that there are now. Slices have the
    labels of their Service."""
    labels, ports = service_monitor()
    selector = ",".join(f"{name}={value}" for name, value in labels.items())
    for piece in release.get("endpointslices", "-l", selector)["items"]:
        service = piece["metadata"]["labels"]["kubernetes.io/service-name"]
        for port in piece["ports"]:
            for endpoint in (piece.get("endpoints") or ()) if port["name"] in ports else ():
                yield {"targets": [f"{endpoint['addresses'][0]}:{port['port']}"],
                       "labels": {"namespace": release.NAMESPACE, "service": service, "endpoint": port["name"],
                                  "pod": endpoint["targetRef"]["name"]}}


def start(image):
    configuration = json.dumps({"global": {"scrape_interval": f"{INTERVAL_SECONDS}s"},
                                "scrape_configs": [{"job_name": "gantry", "static_configs": list(targets())}]})
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": NAME}, "data": {"prometheus.yml": configuration}}
    command = ["prometheus", "--config.file=/etc/gantry-e2e/prometheus.yml", "--storage.tsdb.path=/tmp/prometheus",
               f"--web.listen-address=:{PORT}"]
    client_image.start(client_image.pod(NAME, image, command, [("config", "/etc/gantry-e2e", {"configMap": {"name": NAME}})]),
                       config_map)


def query(expression):
    """Values of an instant query."""
    path = (f"/api/v1/namespaces/{release.NAMESPACE}/pods/{NAME}:{PORT}/proxy/api/v1/query?"
            + urllib.parse.urlencode({"query": expression}))
    answer = json.loads(kubectl("get", "--raw", path))
    return [float(one["value"][1]) for one in answer["data"]["result"]]
