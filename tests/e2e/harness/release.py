# SPDX-License-Identifier: Apache-2.0
"""One release of the chart, with its defaults, in a namespace of its own that enforces Pod Security `restricted`."""
import contextlib
import json

from harness.shell import ROOT, CommandFailed, kubectl, kubectl_json, run, say

NAME = "mq"
NAMESPACE = "gantry-e2e"
CHART = ROOT / "charts" / "gantry"
NAMESPACE_MANIFEST = {
    "apiVersion": "v1", "kind": "Namespace",
    "metadata": {"name": NAMESPACE, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
SET = f"{NAME}-gantry-broker-0"
MEMBERS_SERVICE = f"{SET}.{NAMESPACE}.svc.cluster.local"
BROKERS, NAME_SERVERS = 3, 2
REMOTING, BROKER_HTTP = 10911, 5557
LEADER_LABEL = "gantry.dev/leader"
settings = []  # options of every helm command


def helm(*arguments, **options):
    return run("helm", "--namespace", NAMESPACE, *arguments, **options)


def get(*arguments):
    return kubectl_json("--namespace", NAMESPACE, "get", *arguments)


def selector(component):
    return f"app.kubernetes.io/instance={NAME},app.kubernetes.io/component={component}"


def pods(component):
    return get("pods", "-l", selector(component))["items"]


def members():
    """Names of the pods of the broker set."""
    return [f"{SET}-{i}" for i in range(BROKERS)]


def name_server():
    """What clients are given."""
    return f"{NAME}-gantry-namesrv.{NAMESPACE}.svc.cluster.local:9876"


def tag():
    return settings[1].removeprefix("image.tag=")


def node(pod):
    return json.loads(pod_http(pod, BROKER_HTTP, "/v1/node"))


def leader():
    """The name of the pod that leads, by what the members say; None: nobody does at the moment."""
    for pod in members():
        try:
            if node(pod)["brokerId"] == 0:
                return pod
        except CommandFailed:
            continue
    return None


def pod_http(pod, port, path):
    """GET of a pod's HTTP port, through the API server."""
    return kubectl("get", "--raw", f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}:{port}/proxy{path}")


def condition(pod, kind):
    return next((c["status"] for c in pod["status"].get("conditions", ()) if c["type"] == kind), "missing")


def ready(component, count):
    """All its pods are there, ready and meant to stay."""
    found = pods(component)
    return len(found) == count and all(
        condition(pod, "Ready") == "True" and "deletionTimestamp" not in pod["metadata"] for pod in found)


def labelled():
    """Names of the pods that the leader Service leads to."""
    return sorted(pod["metadata"]["name"] for pod in get("pods", "-l", f"{LEADER_LABEL}=true")["items"])


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
