# SPDX-License-Identifier: Apache-2.0
"""What is written about the chart, and beside it, is true."""
import json
import re

from harness import config_schema, helm, values_page
from suite import expect, test


@test("page.values-are-those-of-the-chart")
def values():
    expect(values_page.PAGE.read_text() == values_page.make(), f"{values_page.PAGE} is old: tests/chart/run --write-page")


@test("page.schema-and-defaults-name-the-same-values")
def schema():
    undocumented, unset = values_page.differences()
    expect(not undocumented, f"in values.yaml and not in the schema: {undocumented}")
    expect(not unset, f"in the schema and not in values.yaml: {unset}")


@test("page.schema-has-the-keys-of-the-programs")
def config_keys():
    expect(config_schema.SCHEMA.read_text() == config_schema.make(),
           f"the definitions of {config_schema.SCHEMA} are old: tests/chart/run --write-schema")


@test("page.version-is-the-project's")
def version():
    project = re.search(r"project\(gantry VERSION (\S+)", (helm.ROOT / "CMakeLists.txt").read_text()).group(1)
    chart = re.search(r'^appVersion: "(.*)"', (helm.CHART / "Chart.yaml").read_text(), re.M).group(1)
    expect(chart == project, f"appVersion is {chart}, expected {project}")


@test("page.rules-and-alerts-are-said-to-be-missing")
def rules():
    """As long as there are none; who adds some writes about them."""
    kinds = {o["kind"] for o in helm.template(*helm.WITH_OPERATOR, "-f", helm.CHART / "ci" / "large-values.yaml")}
    missing = "has no PrometheusRule" in (helm.ROOT / "docs" / "operations" / "kubernetes.md").read_text()
    expect(missing == ("PrometheusRule" not in kinds), f"kubernetes.md says it has none: {missing}; rendered kinds: {sorted(kinds)}")


def dashboard_queries():
    dashboard = json.loads((helm.CHART / "dashboards" / "gantry.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield f"variable {variable['name']}", variable["query"]["query"]


@test("dashboard.asks-for-metrics-that-exist")
def dashboard():
    page = (helm.ROOT / "docs" / "operations" / "metrics.md").read_text()
    known = set(re.findall(r"`((?:rocketmq|gantry)_\w+)`", page))
    queries = list(dashboard_queries())
    expect(len(queries) > 20, f"only {len(queries)} queries")
    for title, query in queries:
        names = re.findall(r"\b(?:rocketmq|gantry)_\w+", query)
        expect(names, f"{title}: no metric in {query}")
        for name in names:
            base = re.sub(r"_(bucket|sum|count)$", "", name)
            expect(name in known or base in known, f"{title}: {name} is not in metrics.md")
