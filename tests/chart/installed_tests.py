# SPDX-License-Identifier: Apache-2.0
"""Values against what is installed and what the cluster has, with helm's own `lookup`."""
from harness import fake_api, helm
from suite import expect, test

SET = "mq-gantry-broker-0"
THREE = fake_api.stateful_set(helm.NAMESPACE, SET, 3, "20Gi")
CLASSES = fake_api.storage_classes("fast", "slow", default="slow")


def said(*objects, settings=(), forbidden=()):
    """What helm says to `settings` in a cluster with `objects`; empty: it takes them."""
    with fake_api.serving(*objects, forbidden=forbidden) as (options, asked):
        text = helm.refusal(*options, *(part for setting in settings for part in ("--set", setting)))
    expect(f"/apis/apps/v1/namespaces/{helm.NAMESPACE}/statefulsets/{SET}" in asked, f"helm did not ask for {SET}: {asked}")
    return text


def expect_all(text, *parts):
    for part in parts:
        expect(part in text, f"{part!r} is not in the answer: {text.strip() or 'none, the values are taken'}")


@test("installed.fewer-replicas")
def fewer():
    text = said(THREE, CLASSES, settings=["broker.replicas=1"])
    member = "gantry cluster remove mq-gantry-broker-0-{0}.mq-gantry-broker-0.shop.svc.cluster.local:10912 --broker broker-0"
    expect_all(text, "broker.replicas: 1, but StatefulSet mq-gantry-broker-0 has 3",
               "a set of 3 of which 1 are left would have no majority", "--set broker.shrinkTo=1")
    expect_all(text, f"  {member.format(2)}\n  {member.format(1)}\n")
    expect(member.format(0) not in text, f"the member that stays is to be removed: {text}")


@test("installed.fewer-replicas-of-five")
def fewer_of_five():
    text = said(fake_api.stateful_set(helm.NAMESPACE, SET, 5, "20Gi"), CLASSES)
    expect_all(text, "has 5", "a set of 5 of which 3 are left would bear fewer failures")


@test("installed.fewer-replicas-confirmed")
def confirmed():
    text = said(THREE, CLASSES, settings=["broker.replicas=1", "broker.shrinkTo=1"])
    expect(not text, f"refused: {text}")


@test("installed.same-and-more-replicas")
def same():
    for replicas in (3, 5):
        text = said(THREE, CLASSES, settings=[f"broker.replicas={replicas}"])
        expect(not text, f"{replicas} are refused: {text}")


@test("installed.smaller-volume")
def smaller():
    expect_all(said(THREE, CLASSES, settings=["broker.persistence.size=10Gi"]), "broker.persistence.size: 10Gi", "volumes of 20Gi")


@test("installed.storage-class-that-is-missing")
def storage_class():
    text = said(CLASSES, settings=["broker.persistence.storageClass=no-such-class"])
    expect_all(text, 'broker.persistence.storageClass: the cluster has no StorageClass "no-such-class"', "fast, slow (default)",
               "checkStorageClass=false")


@test("installed.no-storage-class-at-all")
def no_class():
    expect_all(said(fake_api.storage_classes()), "no default StorageClass", "it has none at all")
    text = said(fake_api.storage_classes(), settings=["checkStorageClass=false"])
    expect(not text, f"refused: {text}")


@test("installed.volumes-that-are-there")
def there():
    text = said(THREE, fake_api.storage_classes())
    expect(not text, f"refused: {text}")


@test("installed.no-right-to-list-storage-classes")
def forbidden():
    """Helm ends there, whatever a template does; its message says how to go on, and that way is one."""
    expect_all(said(CLASSES, forbidden=["storageclasses"]), "is forbidden", "set checkStorageClass=false")
    text = said(CLASSES, forbidden=["storageclasses"], settings=["checkStorageClass=false"])
    expect(not text, f"refused: {text}")
    text = said(THREE, CLASSES, forbidden=["storageclasses"])
    expect(not text, f"an upgrade is refused: {text}")
