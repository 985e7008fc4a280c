# SPDX-License-Identifier: Apache-2.0
"""Values that cannot work: what helm, the pods and the events of the cluster say about them."""
import contextlib
import json

from harness import release
from harness.load import until
from harness.shell import kubectl, kubectl_json, run
from suite import expect, test

NAMESPACE = f"{release.NAMESPACE}-bad"
RELEASE = "bad"
POD = f"{RELEASE}-gantry-broker-0-0"
SMALL = ["broker.replicas=1", "namesrv.replicas=1", "broker.resources.requests.cpu=50m"]


def options(settings):
    return [*release.settings, *(part for setting in [*SMALL, *settings] for part in ("--set", setting))]


def refused(*settings, expected):
    """By helm with the real API server, before anything is made."""
    done = run("helm", "--namespace", release.NAMESPACE, "install", RELEASE, release.CHART, "--dry-run=server",
               *options(settings), check=False)
    expect(done.returncode != 0, f"{settings} are taken")
    for text in expected:
        expect(text in done.stderr, f"{settings}: {text!r} is not in the answer: {done.stderr.strip()}")


@test("bad-input.even-replicas")
def even():
    refused("broker.replicas=2", expected=["/broker/replicas", "1, 3, 5"])


@test("bad-input.unknown-value")
def unknown():
    refused("broker.replcas=3", expected=["replcas"])


@test("bad-input.unknown-key-of-the-broker")
def unknown_key():
    refused("broker.config.flushDiskTyp=SYNC_FLUSH", expected=["/broker/config", "flushDiskTyp"])


@test("bad-input.missing-storage-class")
def storage_class():
    there = [c["metadata"]["name"] for c in kubectl_json("get", "storageclasses")["items"]]
    refused("broker.persistence.storageClass=no-such-class", expected=["broker.persistence.storageClass", "no-such-class", *there])


@contextlib.contextmanager
def installed(*settings):
    manifest = json.loads(json.dumps(release.NAMESPACE_MANIFEST))
    manifest["metadata"]["name"] = NAMESPACE
    kubectl("apply", "-f", "-", text_in=json.dumps(manifest))
    try:
        run("helm", "--namespace", NAMESPACE, "install", RELEASE, release.CHART, *options(settings))
        yield
    finally:
        run("helm", "--namespace", NAMESPACE, "uninstall", RELEASE, check=False)
        kubectl("delete", "namespace", NAMESPACE, "--timeout=3m")


def events():
    found = kubectl_json("--namespace", NAMESPACE, "get", "events")["items"]
    return [f"{e['involvedObject']['kind']} {e['involvedObject']['name']}: {e['reason']}: {e['message']}" for e in found]


def until_event(*texts):
    return until(f"an event with {texts}", lambda: next((e for e in events() if all(t in e for t in texts)), None),
                 detail=lambda: events(), interval=1)


def sidecar_events(pod):
    return kubectl_json("--namespace", NAMESPACE, "get", "events", "--field-selector",
                        f"involvedObject.kind=Pod,involvedObject.name={pod},reportingComponent=gantry-sidecar")["items"]


@test("bad-input.missing-storage-class-that-nobody-looked-for")
def unseen_storage_class():
    with installed("broker.persistence.storageClass=no-such-class", "checkStorageClass=false"):
        until_event("PersistentVolumeClaim", "no-such-class", "not found")


@test("bad-input.value-that-only-the-broker-refuses")
def refused_value():
    """The broker ends; its last words, with file, line and what is wrong, are in the pod's status."""
    with installed("broker.config.aclEnable=true"):
        def last_words():
            pod = kubectl_json("--namespace", NAMESPACE, "get", "pods", "-l", "app.kubernetes.io/component=broker")["items"]
            states = [s for p in pod for s in p["status"].get("containerStatuses", ()) if s["name"] == "broker"]
            ended = [s[state]["terminated"] for s in states for state in ("state", "lastState") if "terminated" in s[state]]
            return ended[0].get("message", " ") if ended else None
        said = until("the broker to end", last_words, detail=events, interval=1)
        for text in ("broker.yaml:", "aclEnable", "access control"):
            expect(text in said, f"{text!r} is not in the pod's status: {said}")
        until_event(POD, "BackOff", "broker")


@test("bad-input.name-server-that-does-not-resolve")
def name_server():
    with installed("namesrv.enabled=false", "namesrv.addresses={nowhere.invalid:9876}"):
        question = ("exec 3<>/dev/tcp/127.0.0.1/5557; printf 'GET /readyz?verbose HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3")

        def readiness():
            return kubectl("--namespace", NAMESPACE, "exec", POD, "-c", "broker", "--", "bash", "-c", question, check=False).stdout

        def named():
            said = readiness()
            return said if "nowhere.invalid:9876" in said else None
        said = until("the readiness to name the NameServer", named, seconds=60, interval=1, detail=readiness)
        expect("namesrvAddr" in said, f"it does not say which key to look at: {said}")
        until_event(POD, "Unhealthy", "Readiness probe failed")
        event = until("the sidecar's Event", lambda: next(iter(sidecar_events(POD)), None), detail=events, interval=1)
        found = {key: event[key] for key in ("type", "reason", "reportingComponent")}
        wanted = {"type": "Warning", "reason": "NameServerUnresolvable", "reportingComponent": "gantry-sidecar"}
        expect(found == wanted, f"{found}, expected {wanted}: {event}")
        uid = kubectl_json("--namespace", NAMESPACE, "get", "pod", POD)["metadata"]["uid"]
        expect(event["involvedObject"]["uid"] == uid, f"kubectl describe pod does not show it: {event}")
        for text in ("nowhere.invalid:9876", "namesrvAddr", "namesrv.addresses"):
            expect(text in event["message"], f"{text!r} is not in the Event: {event['message']}")
        expect(len(sidecar_events(POD)) == 1, f"more than one Event: {sidecar_events(POD)}")
        expect("NameServerUnresolvable" in kubectl("--namespace", NAMESPACE, "describe", "pod", POD),
               "kubectl describe pod does not show the Event")
