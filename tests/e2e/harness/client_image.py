# SPDX-License-Identifier: Apache-2.0
"""The image with the clients that tests run in pods, and the pod that runs them."""
import json
import os
import shutil
import sys
from pathlib import Path

from harness import release
from harness.shell import ROOT, kubectl, run, show

INTEROP = ROOT / "tests" / "interop"
sys.path.append(str(INTEROP))

from driver import install  # noqa: E402

NAME = "gantry/e2e-clients"
HERE = ROOT / "tests" / "e2e" / "clients"
CONTEXT = ROOT / "build" / "e2e-clients"
POD = "clients"


def build(tag):
    """Java and Go clients come from where tests/interop has them from; the recorder is ours."""
    classes, jars = install.java_classes("java5", ["common", "v5"]).split(":")
    go = install.go_program("steady")
    shutil.rmtree(CONTEXT, ignore_errors=True)
    (CONTEXT / "python").mkdir(parents=True)
    shutil.copytree(classes, CONTEXT / "classes")
    shutil.copytree(Path(jars).parent, CONTEXT / "jars")
    shutil.copy2(go, CONTEXT / "go-steady")
    for package in (INTEROP / "wire", ROOT / "tests" / "integration" / "harness"):
        shutil.copytree(package, CONTEXT / "python" / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    for script in (*HERE.glob("*.py"), ROOT / "tests" / "support" / "acknowledged.py"):
        shutil.copy2(script, CONTEXT / "python")
    proxies = [part for name in ("http_proxy", "https_proxy", "no_proxy") if os.environ.get(name)
               for part in ("--build-arg", f"{name}={os.environ[name]}")]
    show("docker", "build", "--quiet", *proxies, "--file", HERE / "Dockerfile", "--tag", f"{NAME}:{tag}", CONTEXT)


def pod(name, image, command, volumes=()):
    """A pod that Pod Security `restricted` takes. `volumes`: (name, mount path, source)."""
    spec = {
        "restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "enableServiceLinks": False,
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001,
                            "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{
            "name": name, "image": image, "imagePullPolicy": "IfNotPresent", "command": command,
            "resources": {"requests": {"cpu": "50m", "memory": "256Mi"}},
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
            "volumeMounts": [{"name": volume, "mountPath": path} for volume, path, _ in volumes]}],
        "volumes": [{"name": volume, **source} for volume, _, source in volumes]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": spec}


def start(manifest, *others):
    """Makes the pod, and the objects that it needs, and waits until it is ready."""
    name = manifest["metadata"]["name"]
    objects = {"apiVersion": "v1", "kind": "List", "items": [*others, manifest]}
    kubectl("--namespace", release.NAMESPACE, "apply", "-f", "-", text_in=json.dumps(objects))
    kubectl("--namespace", release.NAMESPACE, "wait", "--for=condition=Ready", f"pod/{name}", "--timeout=120s")


def start_clients(image):
    start(pod(POD, image, ["sleep", "infinity"]))


def execute(*command, **options):
    return run("kubectl", "--namespace", release.NAMESPACE, "exec", "--stdin", POD, "--", *command, **options)
