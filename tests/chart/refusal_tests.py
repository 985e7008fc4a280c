# SPDX-License-Identifier: Apache-2.0
"""Values that would not work: the answer names the value and what would."""
from harness import helm
from suite import expect, test

CASES = [
    ("even-replicas", ["broker.replicas=2"], ["/broker/replicas", "1, 3, 5"]),
    ("seven-replicas", ["broker.replicas=7"], ["/broker/replicas", "1, 3, 5"]),
    ("no-sets", ["broker.sets=0"], ["/broker/sets"]),
    ("typing-mistake", ["broker.replcas=3"], ["replcas"]),
    ("typing-mistake-at-the-top", ["brokr.replicas=3"], ["brokr"]),
    ("typing-mistake-deep-down", ["broker.persistence.sise=3Gi"], ["sise"]),
    ("budget", ["broker.pdb.maxUnavailable=2"], ["broker.pdb.maxUnavailable", "at most 1"]),
    ("budget-of-five", ["broker.replicas=5", "broker.pdb.maxUnavailable=3"], ["broker.pdb.maxUnavailable", "at most 2"]),
    ("size", ["broker.persistence.size=ten"], ["/broker/persistence/size"]),
    ("retention", ["broker.persistence.retention.whenDeleted=Keep"], ["whenDeleted", "Retain"]),
    ("shared-volumes", ["broker.persistence.accessModes={ReadWriteMany}"], ["accessModes", "ReadWriteOnce"]),
    ("own-key", ["broker.config.listenPort=1"], ["broker.config.listenPort", "remove it"]),
    ("cluster-name-twice", ["broker.config.brokerClusterName=x"], ["broker.clusterName"]),
    ("nested-config", ["broker.config.fileReservedTime.b=1"], ["/broker/config/fileReservedTime"]),
    ("unknown-key", ["broker.config.flushDiskTyp=SYNC_FLUSH"], ["/broker/config'", "'flushDiskTyp' not allowed"]),
    ("unknown-key-of-a-name-server", ["namesrv.config.flushDiskType=SYNC_FLUSH"], ["/namesrv/config'", "'flushDiskType' not allowed"]),
    ("unknown-key-of-the-sidecar", ["sidecar.config.pollInterval=1s"], ["/sidecar/config'", "'pollInterval' not allowed"]),
    ("not-one-of", ["broker.config.flushDiskType=SYNC"], ["/broker/config/flushDiskType", "'ASYNC_FLUSH', 'SYNC_FLUSH'"]),
    ("not-a-time", ["broker.config.fileReservedTime=7days"], ["/broker/config/fileReservedTime", "7days"]),
    ("not-a-size", ["broker.config.maxMessageSize=big"], ["/broker/config/maxMessageSize", "big"]),
    ("not-a-switch", ["broker.config.slaveReadEnable=yes"], ["/broker/config/slaveReadEnable", "yes"]),
    ("out-of-range", ["broker.config.diskMaxUsedSpaceRatio=101"], ["/broker/config/diskMaxUsedSpaceRatio", "want 100"]),
    ("drain", ["broker.drain.timeoutSeconds=61"], ["broker.drain.timeoutSeconds", "half"]),
    ("no-name-servers", ["namesrv.enabled=false"], ["namesrv.addresses"]),
    ("name-server-without-port", ["namesrv.addresses={ns}"], ["/namesrv/addresses/0"]),
    ("anti-affinity", ["broker.antiAffinity=yes"], ["soft"]),
    ("pull-policy", ["image.pullPolicy=Sometimes"], ["IfNotPresent"]),
    ("leader-label", ["sidecar.leaderLabel=not a label"], ["/sidecar/leaderLabel"]),
    ("scrape-interval", ["monitoring.serviceMonitor.interval=often"], ["/monitoring/serviceMonitor/interval"]),
    ("no-prometheus-operator", ["monitoring.serviceMonitor.enabled=true"], ["ServiceMonitor", "install the Prometheus operator"]),
]


def register(name, settings, expected):
    @test(f"refuse.{name}")
    def check():
        said = helm.refusal(*(part for setting in settings for part in ("--set", setting)))
        expect(said, f"{settings} are taken")
        for text in expected:
            expect(text in said, f"{settings}: {text!r} is not in the answer: {said.strip()}")


for case in CASES:
    register(*case)
