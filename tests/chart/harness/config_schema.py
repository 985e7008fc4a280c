# SPDX-License-Identifier: Apache-2.0
"""The definitions of values.schema.json: keys that the programs' configuration files may have, so that helm refuses others.

Options come from docs/operations/configuration.md, which a unit test keeps equal to the programs; keys of RocketMQ that
a program takes without a meaning, from libs/config.
"""
import json
import re

from harness import helm

SCHEMA = helm.CHART / "values.schema.json"
PAGE = helm.ROOT / "docs" / "operations" / "configuration.md"
CONFIG = helm.ROOT / "libs" / "config"
PROGRAMS = ("broker", "namesrv", "sidecar")
BEGIN = ' "$comment": "The definitions are written by tests/chart/run --write-schema.",\n "definitions": {'
# What a key may hold; a text is one that a program may be able to read, with blanks around it.
SCALAR = ["string", "number", "boolean"]
FORMS = {
    "ignored": {"description": "A key of RocketMQ that has no meaning here.", "type": [*SCALAR, "array"]},
    "text": {"type": SCALAR},
    "list": {"type": ["string", "number", "array"], "items": {"type": ["string", "number"]}},
    "switch": {"type": ["boolean", "string"], "pattern": "^ *([Tt]rue|[Ff]alse|TRUE|FALSE) *$"},
    "whole": {"type": ["integer", "string"], "pattern": "^ *[+-]?[0-9]+ *$"},
    "size": {"type": ["integer", "string"], "pattern": "^ *[+-]?[0-9]+ *[KMGTkmgt]?[Ii]?[Bb]? *$"},
    "time": {"type": ["integer", "string"], "pattern": "^ *[+-]?[0-9]+ *([Mm]?[Ss]|[MmHhDd])? *$"},
}
# The page's words for them.
WORDS = [
    ("text", r"a text"), ("list", r"a list separated by ';'"), ("switch", r"true or false"), ("whole", r"a whole number"),
    ("size", r"a size in bytes, e\.g\. \w+ or \w+"), ("time", r"a time in \w+, e\.g\. \w+ or \w+"),
]
RANGE = r"(?:,? from (?P<low>-?\d+) to (?P<high>-?\d+)|,? of at least (?P<least>-?\d+)|,? of at most (?P<most>-?\d+))?"


def reference(form):
    return {"$ref": f"#/definitions/{form}"}


def value_schema(text):
    """Of the column `Value`."""
    if text.startswith("one of "):
        return {"enum": text.removeprefix("one of ").split(", ")}
    for form, words in WORDS:
        found = re.fullmatch(words + RANGE, text)
        if found is None:
            continue
        low, high = found["low"] or found["least"], found["high"] or found["most"]
        limits = {**({"minimum": int(low)} if low else {}), **({"maximum": int(high)} if high else {})}
        return {"allOf": [reference(form)], **limits} if limits else reference(form)
    raise ValueError(f"{PAGE.name}: no form in {__file__} for the value {text!r}")


def options(program):
    """Key to schema, in the order of the page."""
    table = PAGE.read_text().split(f"<!-- {program} options", 1)[1].split(f"<!-- end of {program} options", 1)[0]
    return {key: value_schema(value) for key, value in re.findall(r"^\| `(\w+)`(?: †)? \| ([^|]*) \|", table, re.M)}


def keys_without_meaning(program):
    """Keys of RocketMQ that the program takes, and only warns about."""
    text = (CONFIG / f"{program}_config.cc").read_text()
    owners = re.search(r"\.accepted = owners_of\(\{([^}]*)\}\)", text)[1].replace(",", " ").split()
    rows = re.findall(r'^ *\{"(\w+)", (k\w+), ', (CONFIG / "rocketmq_keys.cc").read_text(), re.M)
    return sorted({key for key, owner in rows if owner in owners})


def definition(program):
    own = options(program)
    return {**own, **{key: reference("ignored") for key in keys_without_meaning(program) if key not in own}}


def lines(keys, indent):
    return ",\n".join(f"{' ' * indent}{json.dumps(key)}: {json.dumps(schema)}" for key, schema in keys.items())


def make():
    """The file, with its definitions anew: one line a key."""
    by_hand = SCHEMA.read_text().split(BEGIN, 1)[0].rstrip()
    parts = [lines(FORMS, 2)]
    for program in PROGRAMS:
        parts.append(f'  "{program}Config": {{\n   "type": "object",\n   "additionalProperties": false,\n   "properties": {{\n'
                     f"{lines(definition(program), 4)}\n   }}\n  }}")
    return f"{by_hand}\n{BEGIN}\n" + ",\n".join(parts) + "\n }\n}\n"


def write():
    SCHEMA.write_text(make())
