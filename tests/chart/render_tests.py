# SPDX-License-Identifier: Apache-2.0
"""What is rendered: accepted by helm's and Kubernetes' checks, the same again, and no more than asked for."""
import re

from harness import helm
from suite import Failure, Skip, expect, test


@test("lint.strict")
def lint():
    for values in helm.ci_files():
        # helm lint cannot be told of a CRD.
        done = helm.run(helm.tool("helm"), "lint", "--strict", "--kube-version", helm.KUBE_VERSION, "-f", values,
                        "--set", "monitoring.serviceMonitor.enabled=false", helm.CHART)
        expect(done.returncode == 0, f"{values.name}: {done.stdout}{done.stderr}")


@test("lint.schemas-of-kubernetes")
def kubeconform():
    schemas = helm.CACHE / "schemas"
    tool = helm.tool("kubeconform")
    if not any(schemas.glob("*.json")):
        raise Skip(f"no schemas in {schemas}")
    for values in helm.ci_files():
        rendered = helm.run(helm.tool("helm"), "template", "mq", helm.CHART, "--kube-version", helm.KUBE_VERSION,
                            *helm.WITH_OPERATOR, "-f", values)
        expect(rendered.returncode == 0, f"{values.name}: {rendered.stderr}")
        # The kind of the Prometheus operator is checked where its CRD is installed.
        done = helm.run(tool, "-strict", "-summary", "-skip", "ServiceMonitor", "-schema-location",
                        f"{schemas}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json", "-", text_in=rendered.stdout)
        expect(done.returncode == 0, f"{values.name}: {done.stdout}{done.stderr}")
        valid = re.search(r"Valid: (\d+)", done.stdout)
        objects = len(re.findall(r"^kind: (?!ServiceMonitor)", rendered.stdout, re.M))
        expect(valid and objects == int(valid.group(1)), f"{values.name}: {objects} objects, checked: {done.stdout}")


@test("unit.suites")
def unit():
    done = helm.run(helm.tool("untt"), helm.CHART)
    summary = re.search(r"^Tests:\s+(.*)$", done.stdout, re.M)
    expect(done.returncode == 0, f"\n{done.stdout}{done.stderr}")
    expect(summary and re.match(r"[1-9]\d* passed", summary.group(1)), f"no tests ran: {done.stdout}")


@test("render.equal-twice")
def deterministic():
    expect(helm.template() == helm.template(), "two renderings differ")


def pod_templates(*options):
    return {o["metadata"]["name"]: o["spec"]["template"] for o in helm.template(*options) if o["kind"] == "StatefulSet"}


@test("render.pods-change-only-when-they-must")
def restarts():
    before = pod_templates()
    for quiet in ("broker.replicas=5", "broker.pdb.enabled=false", "monitoring.dashboard.enabled=true", "tests.enabled=false"):
        expect(pod_templates("--set", quiet) == before, f"--set {quiet} restarts pods")
    for loud in ("broker.config.fileReservedTime=48", "sidecar.config.logLevel=debug", "clusterDomain=example.internal"):
        changed = pod_templates("--set", loud)
        key = "checksum/config"
        expect(changed["mq-gantry-broker-0"]["metadata"]["annotations"][key] !=
               before["mq-gantry-broker-0"]["metadata"]["annotations"][key], f"--set {loud} restarts no broker")


@test("render.selectors-hold-nothing-that-changes")
def selectors():
    for objects in (helm.template(), helm.template("--set", "commonLabels.team=x", "--set", "image.tag=other")):
        for stateful_set in helm.select(objects, "StatefulSet"):
            labels = set(stateful_set["spec"]["selector"]["matchLabels"])
            allowed = {f"app.kubernetes.io/{k}" for k in ("name", "instance", "component")} | {"gantry.dev/broker-set"}
            expect(labels <= allowed, f"{stateful_set['metadata']['name']} selects by {labels - allowed}")


@test("render.names-fit")
def long_names():
    objects = helm.template("--set", "fullnameOverride=" + "a" * 40, "--set", "broker.sets=64", "--set", "broker.replicas=5")
    for o in objects:
        name = o["metadata"]["name"]
        longest = name + "-0000000000" if o["kind"] == "StatefulSet" else name  # what the controller makes of it
        if len(longest) > 63:
            raise Failure(f"{o['kind']} {name}: {len(longest)} characters with what is added to it, at most 63 fit")
