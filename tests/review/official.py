"""The schema of SARIF that OASIS publishes, and what it has to say against a document.

Leaves out what is written (`ops/review/sarif.py`). `sarif-schema-2.1.0.source.md` tells where the schema is from.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft4Validator

SCHEMA = Path(__file__).parent / "sarif-schema-2.1.0.json"


@cache
def official() -> Draft4Validator:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    Draft4Validator.check_schema(schema)
    return Draft4Validator(schema)


def faults(document: dict[str, Any]) -> list[str]:
    written = json.loads(json.dumps(document))
    return [f"{error.json_path}: {error.message[:200]}" for error in official().iter_errors(written)]
