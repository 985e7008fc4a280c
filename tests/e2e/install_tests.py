# SPDX-License-Identifier: Apache-2.0
"""What `helm install` with defaults gives."""
import json
import re

from harness import release
from harness.release import BROKER_HTTP, BROKERS, LEADER_LABEL, NAME_SERVERS, condition
from harness.shell import CommandFailed, kubectl, run, say
from suite import expect, test



def names(items):
    return sorted(item["metadata"]["name"] for item in items)


@test("install.pods-are-ready-and-were-never-restarted")
def pods_ready():
    pods = release.pods("broker") + release.pods("namesrv")
    expect(len(pods) == BROKERS + NAME_SERVERS, f"pods: {names(pods)}")
    for pod in pods:
        name = pod["metadata"]["name"]
        expect(condition(pod, "Ready") == "True", f"{name} is not ready")
        for container in pod["status"]["containerStatuses"]:
            expect(container["restartCount"] == 0, f"{name} {container['name']}: {container['restartCount']} restarts")


@test("install.each-member-has-a-volume")
def volumes():
    claims = release.get("pvc")["items"]
    expect(names(claims) == [f"store-mq-gantry-broker-0-{i}" for i in range(BROKERS)], f"claims: {names(claims)}")
    for claim in claims:
        expect(claim["status"]["phase"] == "Bound", f"{claim['metadata']['name']} is {claim['status']['phase']}")


def members():
    pod = names(release.pods("broker"))[0]
    return json.loads(release.pod_http(pod, BROKER_HTTP, "/v1/members"))


@test("install.members-know-each-other-by-name")
def member_names():
    found = members()["members"]
    expected = {f"mq-gantry-broker-0-{i}.mq-gantry-broker-0.{release.NAMESPACE}.svc.cluster.local" for i in range(BROKERS)}
    for key, port in (("address", 10912), ("clientAddress", 10911), ("httpAddress", BROKER_HTTP)):
        addresses = {member.get(key) for member in found}
        expect(addresses == {f"{name}:{port}" for name in expected}, f"{key}: {addresses}")
    expect(all(member["voter"] for member in found), f"not all vote: {found}")


@test("install.every-member-is-at-every-name-server")
def registered():
    for pod in names(release.pods("broker")):
        node = json.loads(release.pod_http(pod, BROKER_HTTP, "/v1/node"))
        servers = node["nameServers"]
        expect(len(servers) == NAME_SERVERS and all(s["registered"] for s in servers), f"{pod}: {servers}")


def leader_pod():
    uuid = members()["leader"]
    for pod in release.pods("broker"):
        node = json.loads(release.pod_http(pod["metadata"]["name"], BROKER_HTTP, "/v1/node"))
        if node["memberUuid"] == uuid:
            return pod
    raise CommandFailed(f"no pod has the leader's uuid {uuid}")


@test("leader.its-pod-has-the-label-and-no-other")
def label():
    leader = leader_pod()
    labelled = release.get("pods", "-l", f"{LEADER_LABEL}=true")["items"]
    expect(names(labelled) == names([leader]), f"labelled: {names(labelled)}, leader: {names([leader])}")


@test("leader.its-service-leads-to-it")
def leader_service():
    leader = leader_pod()
    slices = release.get("endpointslices", "-l", "kubernetes.io/service-name=mq-gantry-broker-0-leader")["items"]
    addresses = [a for s in slices for e in s.get("endpoints") or [] for a in e["addresses"]]
    expect(addresses == [leader["status"]["podIP"]], f"endpoints {addresses}, leader at {leader['status']['podIP']}")


@test("clients.helm-test-sends-and-receives")
def helm_test():
    output = release.helm("test", release.NAME, "--logs", "--timeout", "3m")
    tail = output[output.index("POD LOGS"):] if "POD LOGS" in output else output
    for line in tail.strip().splitlines():
        say(line)
    expect("messages sent and received" in output, output)


@test("clients.are-given-the-leader-service")
def route():
    output = kubectl("--namespace", release.NAMESPACE, "logs", f"{release.NAME}-gantry-test-messages")
    address = f"mq-gantry-broker-0-leader.{release.NAMESPACE}.svc.cluster.local:10911"
    expect(address in output, f"{address} is not in what the command line tool shows:\n{output}")


@test("upgrade.of-nothing-restarts-nothing")
def upgrade():
    before = {pod["metadata"]["uid"] for pod in release.pods("broker") + release.pods("namesrv")}
    release.helm("upgrade", release.NAME, release.CHART, *release.settings)
    release.wait_for_rollout()
    after = {pod["metadata"]["uid"] for pod in release.pods("broker") + release.pods("namesrv")}
    expect(before == after, "pods were replaced")


@test("upgrade.to-another-volume-says-how")
def other_volume():
    done = release.helm("upgrade", release.NAME, release.CHART, *release.settings, "--set", "broker.persistence.size=1Gi",
                        check=False)
    expect(done.returncode != 0 and "never shrink" in done.stderr, f"exit {done.returncode}: {done.stderr}")


@test("upgrade.to-fewer-members-says-how")
def fewer_members():
    def asked(*settings):
        options = [part for setting in ("broker.replicas=1", *settings) for part in ("--set", setting)]
        return release.helm("upgrade", release.NAME, release.CHART, *release.settings, *options, "--dry-run=server", check=False)
    done = asked()
    expect(done.returncode != 0, "the majority of a set may go")
    for text in (f"{release.SET} has 3", f"gantry cluster remove {release.SET}-2.{release.MEMBERS_SERVICE}:10912", "broker.shrinkTo=1"):
        expect(text in done.stderr, f"{text!r} is not in the answer: {done.stderr}")
    confirmed = asked("broker.shrinkTo=1")
    expect(confirmed.returncode == 0, f"a confirmed change is refused: {confirmed.stderr}")


@test("dry-run.api-server-takes-every-example")
def dry_run():
    for values in sorted((release.CHART / "ci").glob("*-values.yaml")):
        rendered = run("helm", "template", "ci", release.CHART, "--namespace", release.NAMESPACE, "-f", values, "--validate",
                       "--set", "monitoring.serviceMonitor.enabled=false")
        applied = kubectl("--namespace", release.NAMESPACE, "apply", "--dry-run=server", "-f", "-", text_in=rendered)
        objects = len(re.findall(r"^kind:", rendered, re.M))
        say(f"{values.name}: {objects} objects")
        expect(objects and applied.count("(server dry run)") == objects, f"{values.name}: {objects} objects, taken: {applied}")
