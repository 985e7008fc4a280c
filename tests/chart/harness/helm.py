# SPDX-License-Identifier: Apache-2.0
"""Runs helm and what belongs to it on the chart."""
import os
import shutil
import subprocess
from pathlib import Path

import yaml

from suite import Failure, Skip

ROOT = Path(__file__).resolve().parents[3]
CHART = ROOT / "charts" / "gantry"
CACHE = Path(os.environ.get("KUBE_CACHE", "/var/cache/kube-local"))
KUBE_VERSION = "1.34.0"
NAMESPACE = "shop"
# Kinds that a cluster has when the Prometheus operator is installed.
WITH_OPERATOR = ["--api-versions", "monitoring.coreos.com/v1/ServiceMonitor"]


def tool(name):
    path = os.pathsep.join([os.environ.get("PATH", ""), str(CACHE / "bin")])
    found = shutil.which(name, path=path)
    if found is None:
        raise Skip(f"no {name} on PATH or in {CACHE / 'bin'}")
    return found


def run(*command, text_in=None):
    return subprocess.run([str(part) for part in command], input=text_in, text=True, capture_output=True, check=False)


def ci_files():
    return sorted((CHART / "ci").glob("*-values.yaml"))


def template(*options):
    """The objects that a release named `mq` consists of."""
    done = run(tool("helm"), "template", "mq", CHART, "--namespace", NAMESPACE, "--kube-version", KUBE_VERSION, *options)
    if done.returncode != 0:
        raise Failure(f"helm template {' '.join(map(str, options))}: {done.stderr.strip()}")
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def refusal(*options):
    """What helm says to values that it does not take; empty: it takes them."""
    done = run(tool("helm"), "template", "mq", CHART, "--namespace", NAMESPACE, "--kube-version", KUBE_VERSION, *options)
    return done.stderr if done.returncode != 0 else ""


def select(objects, kind, name=None):
    found = [o for o in objects if o["kind"] == kind and name in (None, o["metadata"]["name"])]
    if not found:
        raise Failure(f"no {kind} {name or ''} among {[(o['kind'], o['metadata']['name']) for o in objects]}")
    return found
