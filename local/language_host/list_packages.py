"""The packages that this Python holds. As a script it prints them as JSON, for a project that has a Python of its own.

Standard library only.
"""

import json
import re
import sys
from importlib import metadata
from pathlib import Path
from typing import Any


def describe(distribution: metadata.Distribution) -> dict[str, Any]:
    """From the head of its metadata alone: below stands the package's README, which takes longer to parse than all
    else that the host does, at every run of the engine."""
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    head = [line.partition(":")[::2] for line in text.partition("\n\n")[0].splitlines()]
    called = next(value.strip() for field, value in head if field == "Name")
    marker = Path(str(distribution.locate_file(called.replace("-", "_")))) / "pulumi-plugin.json"
    return {
        "name": _normal(called),
        "version": next(value.strip() for field, value in head if field == "Version"),
        "requires": [
            _normal(re.split(r"[^\w.-]", value.strip(), maxsplit=1)[0])
            for field, value in head
            if field == "Requires-Dist"
        ],
        "plugin": json.loads(marker.read_text(encoding="utf-8")) if marker.is_file() else None,
    }


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def packages() -> list[dict[str, Any]]:
    found = {entry["name"]: entry for entry in map(describe, metadata.distributions())}
    return sorted(found.values(), key=lambda entry: entry["name"])


if __name__ == "__main__":
    json.dump(packages(), sys.stdout)
