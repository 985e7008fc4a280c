# SPDX-License-Identifier: Apache-2.0
"""One release of the chart, with its defaults, in a namespace of its own that enforces Pod Security `restricted`."""
import contextlib
import json

from harness.shell import ROOT, kubectl, kubectl_json, run, say

NAME = "mq"
NAMESPACE = "gantry-e2e"
CHART = ROOT / "charts" / "gantry"
NAMESPACE_MANIFEST = {
    "apiVersion": "v1", "kind": "Namespace",
    "metadata": {"name": NAMESPACE, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
settings = []  # options of every helm command


def helm(*arguments, **options):
    return run("helm", "--namespace", NAMESPACE, *arguments, **options)


def get(*arguments):
    return kubectl_json("--namespace", NAMESPACE, "get", *arguments)


def pods(component):
    return get("pods", "-l", f"app.kubernetes.io/instance={NAME},app.kubernetes.io/component={component}")["items"]


def pod_http(pod, port, path):
    """GET of a pod's HTTP port, through the API server."""
    return kubectl("get", "--raw", f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}:{port}/proxy{path}")


def wait_for_rollout(timeout_s=600):
    for stateful_set in get("statefulsets", "-l", f"app.kubernetes.io/instance={NAME}")["items"]:
        kubectl("--namespace", NAMESPACE, "rollout", "status", f"statefulset/{stateful_set['metadata']['name']}",
                f"--timeout={timeout_s}s", timeout=timeout_s + 30)


def remove():
    helm("uninstall", NAME, "--ignore-not-found", "--wait", "--timeout", "5m", check=False)
    kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=5m")


def describe_failure():
    """What a person would look at first."""
    for command in (("get", "pods", "-o", "wide"), ("get", "events", "--sort-by=.lastTimestamp")):
        say(" ".join(command))
        print(kubectl("--namespace", NAMESPACE, *command, check=False).stdout[-6000:])
    for pod in pods("broker"):
        name = pod["metadata"]["name"]
        for container in pod["spec"]["containers"]:
            print(f"-- {name} {container['name']}")
            print(kubectl("--namespace", NAMESPACE, "logs", name, "-c", container["name"], "--tail=30", check=False).stdout)


@contextlib.contextmanager
def installed(tag, values, keep):
    settings[:] = ["--set", f"image.tag={tag}", *(part for value in values for part in ("--set", value))]
    remove()
    kubectl("apply", "-f", "-", text_in=json.dumps(NAMESPACE_MANIFEST))
    try:
        say(f"helm install {NAME} {' '.join(settings)}")
        helm("install", NAME, CHART, *settings)
        try:
            wait_for_rollout()
        except Exception:
            describe_failure()
            raise
        say("everything is ready")
        yield
    finally:
        if not keep:
            remove()
