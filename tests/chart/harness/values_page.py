# SPDX-License-Identifier: Apache-2.0
"""docs/operations/kubernetes-values.md, made from values.yaml and values.schema.json."""
import json

import yaml

from harness import helm

PAGE = helm.ROOT / "docs" / "operations" / "kubernetes-values.md"
HEAD = """# Values of the chart

Made from `charts/gantry/values.yaml` and `values.schema.json` by `tests/chart/run --write-page`. Keys that are not here are
refused. What they are for: [kubernetes.md](kubernetes.md).

| value | default | meaning |
|---|---|---|
"""


def load():
    values = yaml.safe_load((helm.CHART / "values.yaml").read_text())
    schema = json.loads((helm.CHART / "values.schema.json").read_text())
    return values, schema


def leaves(schema, path=()):
    """(path, schema) of everything that is not a group of named values."""
    for key, value in schema["properties"].items():
        if "properties" in value:
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


def value_at(values, path):
    for key in path:
        if not isinstance(values, dict) or key not in values:
            return None
        values = values[key]
    return values


def limits(schema):
    if "enum" in schema:
        return " One of " + ", ".join(f"`{v}`" for v in schema["enum"]) + "."
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f" From {low} to {high}."
    return f" At least {low}." if low is not None else ""


def shown(value):
    return "–" if value is None else f"`{json.dumps(value)}`"


def make():
    values, schema = load()
    rows = [f"| `{'.'.join(path)}` | {shown(value_at(values, path))} | {leaf['description']}{limits(leaf)} |"
            for path, leaf in leaves(schema)]
    return HEAD + "\n".join(rows) + "\n"


def write():
    PAGE.write_text(make())


def paths_of(values, schema, path=()):
    """Paths of the defaults, as deep as the schema names them."""
    for key, value in values.items():
        below = schema.get("properties", {}).get(key)
        if below is not None and "properties" in below and isinstance(value, dict):
            yield from paths_of(value, below, (*path, key))
        else:
            yield (*path, key)


# Left to the user's cluster or to charts around this one: there is no default to write down.
WITHOUT_DEFAULT = {("global",)}


def differences():
    values, schema = load()
    defaults = set(paths_of(values, schema))
    described = {path for path, _ in leaves(schema)} - WITHOUT_DEFAULT
    optional = {path for path in described if path[-2:] == ("resources", "claims") or path[-2:] == ("resources", "limits")}
    dotted = lambda paths: sorted(".".join(path) for path in paths)  # noqa: E731
    return dotted(defaults - described), dotted(described - defaults - optional)
