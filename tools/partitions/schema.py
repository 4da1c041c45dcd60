"""JSON schemas of a partition file and of a board file, for editors: made of the table of keys.

A schema knows keys, kinds, choices and limits. What a rule needs besides (another key, the board, the configuration) only
tools/partition.py knows: it refuses all that a schema refuses, and more.
"""

import json

from partitions.keys import BOARD, FLAG, LIST, NUMBER, PARTITIONS, TABLE

DRAFT = "http://json-schema.org/draft-07/schema#"
NUMBER_TEXT = r"^\s*(0[xX][0-9a-fA-F_]+|[0-9_]+)\s*[kKmM]?([iI]?[bB])?\s*$"     # what Reader.number() reads
FILES = {"partitions.schema.json": ("Partition file, config/<product>/partitions.toml", PARTITIONS),
         "board.schema.json": ("Board file, config/boards/<board>.toml", BOARD)}


def value(key, kind):
    """The schemas of a value of one of a key's kinds."""
    if kind is NUMBER:
        limits = {"minimum": key.low, **({"maximum": key.high} if isinstance(key.high, int) else {})}
        return [{"type": "integer", **limits}, {"type": "string", "pattern": NUMBER_TEXT}]
    if kind is FLAG:
        return [{"type": "boolean"}]
    if kind is TABLE:
        return [{"$ref": f"#/definitions/{key.name}"}]
    if kind is LIST:
        return [{"type": "array", "items": either([schema for item in key.items for schema in value(key, item)])}]
    if key.choices:
        return [{"enum": list(key.choices)}]
    return [{"type": "string", **({"pattern": f"^({key.form.pattern})$"} if key.form else {})}]


def either(schemas):
    """One of these."""
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def entry(key, default):
    """A key's schema; `default`: what it is without, in words."""
    kinds = key.kind if isinstance(key.kind, tuple) else (key.kind,)
    schema = either([schema for kind in kinds for schema in value(key, kind)])
    if not key.doc:
        return schema
    if "$ref" in schema:                # beside it, draft 7 reads nothing
        schema = {"allOf": [schema]}
    return {"description": f"{key.doc} ({'needed' if key.required else f'without: {default(key)}'})", **schema}


def table(rows, default):
    """A table's schema."""
    needed = [key.name for key in rows.keys if key.required]
    return {"type": "object", "additionalProperties": False, **({"required": needed} if needed else {}),
            "properties": {key.name: entry(key, default) for key in rows.keys}}


def render(name, default):
    """The text of a schema's file. `default` is reference.py's."""
    title, tables = FILES[name]
    schema = {"$schema": DRAFT, "title": title, "$comment": "Made of tools/partitions/keys.py by make readme",
              **table(tables[""], default),
              "definitions": {key: table(rows, default) for key, rows in tables.items() if key}}
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
