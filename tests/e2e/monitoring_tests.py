# SPDX-License-Identifier: Apache-2.0
"""What Debian's Prometheus gets from the pods, and whether the dashboard's panels have something to show."""
import json
import math
import re

from fault_tests import scene
from harness import client_image, load, prometheus, release
from harness.load import until
from harness.shell import CommandFailed, say
from suite import expect, test

DASHBOARD = release.CHART / "dashboards" / "gantry.json"
TARGETS = 2 * release.BROKERS + release.NAME_SERVERS  # brokers, their sidecars, NameServers
TOPIC, GROUP = "monitored", "steady_consumer"
image = {}


def started():
    if not image.get("started"):
        scene.start()
        prometheus.start(image["name"])
        image["started"] = True


def answers(expression):
    try:
        return prometheus.query(expression)
    except CommandFailed:  # it starts
        return []


@test("monitoring.every-pod-is-scraped")
def scraped():
    started()
    until(f"{TARGETS} targets to answer", lambda: answers("sum(up)") == [TARGETS] and answers("count(up)") == [TARGETS],
          detail=lambda: f"up: {answers('up')}", interval=1)
    say(f"{TARGETS} targets: brokers, sidecars, NameServers")


def panels(board):
    for panel in board["panels"]:
        yield panel
        yield from panels(panel) if "panels" in panel else ()


def expressions(board):
    """(where it stands, query as Grafana would send it with everything chosen)."""
    for panel in panels(board):
        for target in panel.get("targets", ()):
            yield panel["title"], filled(target["expr"])
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            series, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"]).groups()
            yield f"variable {variable['name']}", f"count by ({label}) ({filled(series)})"


def filled(expression):
    interval = f"{6 * prometheus.INTERVAL_SECONDS}s"
    return re.sub(r"\$(cluster|broker|topic|group)\b", ".*", expression.replace("$__rate_interval", interval))


def dead_letter():
    """A consumer gives a message up: code 36 with a delay level below zero."""
    client_image.execute("python3", "/clients/python/dead_letter.py", release.name_server(), TOPIC, GROUP)


@test("monitoring.every-panel-has-data-under-load")
def dashboard():
    started()
    dead_letter()
    board = json.loads(DASHBOARD.read_text())
    wanted = list(expressions(board))
    expect(len(wanted) > 30, f"only {len(wanted)} queries were found in {DASHBOARD}")

    def empty():
        return [(title, query) for title, query in wanted if not any(map(math.isfinite, answers(query)))]
    missing = []

    def complete():
        missing[:] = empty()
        return not missing
    until("every query of the dashboard to return data", complete, seconds=90, interval=2,
          detail=lambda: "; ".join(f"{title}: {query}" for title, query in missing))
    say(f"{len(wanted)} queries of panels and variables return data")
