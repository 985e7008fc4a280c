# SPDX-License-Identifier: Apache-2.0
"""The official Java and Go clients in pods of the cluster."""
from harness import client_image, load, release
from suite import expect, test


def produce_and_consume(name, command):
    topic = f"clients-{name.split()[0].lower()}"
    client_image.execute("python3", "-c", "import sys; from recorder import make_topic; make_topic(*sys.argv[1:3], 4)",
                         release.name_server(), topic)
    client = load.Client(name, command, topic)
    try:
        client.wait_for_more(200)
        load.wait_until_received(load.check(topic, [client]), [client])
    finally:
        client.end()
    expect(not client.refusals, f"refused: {client.refusals[:3]}")


@test("clients.java-produces-and-consumes")
def java():
    produce_and_consume("Java client", load.JAVA)


@test("clients.go-produces-and-consumes")
def go():
    produce_and_consume("Go client", load.GO)
