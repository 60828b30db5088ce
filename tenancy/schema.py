"""JSON Schemas of tenant and cell files, for editors that complete and check.

Owns `docs/schema/*.json`, generated from the models: ``python -m tenancy.schema --write`` makes them, ``--check`` fails
when they are out of date. Leaves out the rules that JSON Schema cannot express, which `tenancy.load` checks.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final, cast

from pydantic import BaseModel

from tenancy.catalogue import OFFERED_MODELS
from tenancy.cell import Cell
from tenancy.tenant import Tenant

FOLDER: Final = Path(__file__).resolve().parent.parent / "docs" / "schema"
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def tenant_schema() -> dict[str, Any]:
    """The schema of `tenants/*.yaml`."""
    schema = _schema(Tenant)
    schema["properties"]["rate_limits"]["propertyNames"] = {"enum": list(OFFERED_MODELS)}
    schema["allOf"] = [
        {
            "if": {"properties": {"source": {"const": "managed"}}, "required": ["source"]},
            "then": {"required": ["rotation"], "properties": {"organization_id": False}},
        },
        {
            "if": {"anyOf": [{"required": ["rotation"]}, {"properties": {"source": {"const": "managed"}}}]},
            "else": {
                "properties": {"permission": False, "rate_limits": {"maxProperties": 0}, "budget": False},
            },
        },
        {
            "if": {"properties": {"source": {"const": "customer"}}, "required": ["source", "rotation"]},
            "then": {"required": ["organization_id"]},
        },
    ]
    return schema


def cell_schema() -> dict[str, Any]:
    """The schema of `cells/*.yaml`."""
    schema = _schema(Cell)
    local = {"properties": {"local": {"const": True}}, "required": ["local"]}
    rehearsal = {"properties": {"rehearsal": {"const": True}}, "required": ["rehearsal"]}
    local_cell = {
        "properties": {"openai": {"properties": {"base_url": False}}},
        "if": rehearsal,
        "then": {"properties": {"production": {"const": True}}},
        "else": {"properties": {"production": {"const": False}}},
    }
    real_cell = {"properties": {"rehearsal": {"const": False}}}
    with_alarms = {"required": ["alarm_emails"], "properties": {"alarm_emails": {"minItems": 1}}}
    schema["allOf"] = [
        {"if": local, "then": local_cell, "else": real_cell},
        {"if": {"properties": {"production": {"const": True}}, "required": ["production"]}, "then": with_alarms},
    ]
    return schema


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    schema = cast(dict[str, Any], _without_null(model.model_json_schema()))
    return {"$schema": _DIALECT, **schema}


def _without_null(node: Any) -> Any:
    """Removes null from optional fields: a file leaves such a field out, and a field without a value is refused."""
    if isinstance(node, list):
        return [_without_null(item) for item in cast(list[Any], node)]
    if not isinstance(node, dict):
        return node
    fields = {name: _without_null(value) for name, value in cast(dict[str, Any], node).items()}
    if fields.get("default", ...) is None:
        del fields["default"]
    choices = fields.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        (choice,) = (choice for choice in cast(list[Any], choices) if choice != {"type": "null"})
        del fields["anyOf"]
        return choice | fields
    return fields


def files() -> dict[Path, str]:
    """Path to what the file should hold."""
    schemas = {"tenant.schema.json": tenant_schema(), "cell.schema.json": cell_schema()}
    return {FOLDER / name: json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for name, schema in schemas.items()}


def stale() -> list[Path]:
    """The files that are missing or differ from the models."""
    return [path for path, text in files().items() if not path.is_file() or path.read_text(encoding="utf-8") != text]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tenancy.schema", description=__doc__)
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--check", action="store_true", help="exit 1 if docs/schema/ is out of date")
    mode.add_argument("--write", action="store_true", help="write docs/schema/")
    chosen = parser.parse_args(arguments)
    if chosen.write:
        FOLDER.mkdir(parents=True, exist_ok=True)
        for path, text in files().items():
            path.write_text(text, encoding="utf-8")
        return 0
    outdated = stale()
    for path in outdated:
        print(f"docs/schema/{path.name} is out of date. Way out: python -m tenancy.schema --write", file=sys.stderr)
    return 1 if outdated else 0


if __name__ == "__main__":
    sys.exit(main())
