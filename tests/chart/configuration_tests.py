# SPDX-License-Identifier: Apache-2.0
"""The servers take the configuration files that the chart writes, and read them as they are meant."""
import json
import re
import tempfile
from pathlib import Path

from harness import helm
from suite import Skip, expect, test


def program(name):
    path = helm.ROOT / "build" / "release" / "bin" / name
    if not path.exists():
        raise Skip(f"no {path.relative_to(helm.ROOT)} (./dev build)")
    return path


def effective(name, text, *settings):
    """What `name --print-config` makes of a file."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "config.yaml"
        path.write_text(text)
        done = helm.run(program(name), "-c", path, *settings, "--print-config")
    expect(done.returncode == 0, f"{name} refuses its file: {done.stderr}\n{text}")
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


@test("config.broker-takes-its-file")
def broker():
    for values in helm.ci_files():
        objects = helm.template(*helm.WITH_OPERATOR, "-f", values)
        for stateful_set in helm.select(objects, "StatefulSet"):
            name = stateful_set["metadata"]["name"]
            if "-broker-" not in name:
                continue
            container = stateful_set["spec"]["template"]["spec"]["containers"][0]
            settings = [a.replace("$(POD_NAME)", f"{name}-0") for a in container["args"][2:]]
            config = effective("gantry-broker", helm.select(objects, "ConfigMap", name)[0]["data"]["broker.yaml"], *settings)
            address = f"{name}-0.{name}.{helm.NAMESPACE}.svc.cluster.local"
            expect(config["brokerIP1"] == address, f"brokerIP1 is {config['brokerIP1']}, expected {address}")
            members = [m for m in config["raftInitialMembers"].split(";") if m]
            replicas = stateful_set["spec"]["replicas"]
            expect(len(members) == (replicas if replicas > 1 else 0), f"{replicas} replicas, members {members}")
            if members:
                own = config["raftAdvertisedAddress"]
                expect(own in members, f"{own} is not among the founding members {members}")


@test("config.values-arrive-as-they-are-meant")
def types():
    objects = helm.template(*helm.WITH_OPERATOR, "-f", helm.CHART / "ci" / "large-values.yaml")
    config = effective("gantry-broker", helm.select(objects, "ConfigMap", "mq-gantry-broker-1")[0]["data"]["broker.yaml"])
    wanted = {"brokerName": "broker-1", "brokerClusterName": "orders", "flushDiskType": "ASYNC_FLUSH",
              "mappedFileSizeCommitLog": "1073741824", "fileReservedTime": "168", "deleteWhen": "04;16", "slaveReadEnable": "true"}
    found = {key: config.get(key) for key in wanted}
    expect(found == wanted, f"read {found}, expected {wanted}")


@test("config.namesrv-takes-its-file")
def namesrv():
    objects = helm.template(*helm.WITH_OPERATOR, "-f", helm.CHART / "ci" / "large-values.yaml")
    config = effective("gantry-namesrv", helm.select(objects, "ConfigMap", "mq-gantry-namesrv")[0]["data"]["namesrv.yaml"])
    expect(config["orderMessageEnable"] == "true" and config["listenPort"] == "9876", f"read {config}")


@test("config.sidecar-takes-its-file")
def sidecar():
    text = helm.select(helm.template(), "ConfigMap", "mq-gantry-sidecar")[0]["data"]["sidecar.yaml"]
    config = effective("gantry-sidecar", text)
    expect(config["brokerHttpAddress"] == "http://127.0.0.1:5557" and config["stopTimeoutMillis"] == "118000", f"read {config}")


def schema_keys(name):
    return set(json.loads((helm.CHART / "values.schema.json").read_text())["definitions"][f"{name}Config"]["properties"])


@test("config.servers-know-the-keys-of-the-schema")
def known_keys():
    for name in ("broker", "namesrv", "sidecar"):
        keys = schema_keys(name)
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "config.yaml"
            # Whatever they say to the value, all mistakes are said at once.
            path.write_text("".join(f"{key}: '?'\n" for key in [*sorted(keys), "notAKey"]))
            said = helm.run(program(f"gantry-{name}"), "-c", path, "--print-config").stderr
        unknown = re.findall(r'unknown key "(\w+)"', said)
        expect(unknown == ["notAKey"], f"gantry-{name} does not know {unknown}, expected ['notAKey']: {said}")


@test("config.schema-knows-the-keys-of-the-servers")
def all_keys():
    for name in ("broker", "namesrv", "sidecar"):
        missing = set(effective(f"gantry-{name}", "")) - schema_keys(name)
        expect(not missing, f"gantry-{name} takes what the schema refuses: {sorted(missing)}")


@test("config.values-in-every-form-are-taken")
def forms():
    """What the schema must not refuse, because the broker takes it."""
    values = {"fileReservedTime": "7D", "maxMessageSize": "4 MiB", "slaveReadEnable": "TRUE", "deleteWhen": ["04", "16"],
              "defaultTopicQueueNums": "+16", "transactionTimeOut": 6000, "regionId": 7, "sendMessageThreadPoolNums": 4, "aclEnable": False}
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "values.json"
        path.write_text(json.dumps({"broker": {"config": values}}))
        objects = helm.template("-f", path)
    config = effective("gantry-broker", helm.select(objects, "ConfigMap", "mq-gantry-broker-0")[0]["data"]["broker.yaml"])
    wanted = {"fileReservedTime": "168", "maxMessageSize": "4194304", "slaveReadEnable": "true", "deleteWhen": "04;16",
              "defaultTopicQueueNums": "16", "transactionTimeOut": "6000", "regionId": "7", "sendMessageThreadPoolNums": "4"}
    found = {key: config.get(key) for key in wanted}
    expect(found == wanted, f"read {found}, expected {wanted}")


@test("config.drain-command-is-known")
def drain():
    stateful_set = helm.select(helm.template(), "StatefulSet", "mq-gantry-broker-0")[0]
    command = stateful_set["spec"]["template"]["spec"]["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    # Nobody listens there: the hook of a broker that is gone ends at once and well.
    address = command.index("--broker-http-address") + 1
    done = helm.run(program(Path(command[0]).name), *command[1:address], "http://127.0.0.1:1", *command[address + 1:])
    expect(done.returncode == 0, f"{command}: {done.returncode} {done.stderr}")
