"""The packages that this Python holds. As a script it prints them as JSON, for a project that has a Python of its own.

Standard library only.
"""

import json
import re
import sys
from email.parser import Parser
from importlib import metadata
from pathlib import Path
from typing import Any


def describe(distribution: metadata.Distribution) -> dict[str, Any] | None:
    """From the head of its metadata alone: below stands the package's README, which takes longer to parse than all
    else that the host does, at every run of the engine. None where an installation that broke off left no metadata."""
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    head = Parser().parsestr(text.partition("\n\n")[0], headersonly=True)
    called, version = head["Name"], head["Version"]
    if called is None or version is None:
        return None
    called, version = called.strip(), version.strip()
    marker = Path(str(distribution.locate_file(called.replace("-", "_")))) / "pulumi-plugin.json"
    return {
        "name": _normal(called),
        "version": version,
        "requires": [
            _normal(re.split(r"[^\w.-]", value.strip(), maxsplit=1)[0]) for value in head.get_all("Requires-Dist", [])
        ],
        "plugin": json.loads(marker.read_text(encoding="utf-8")) if marker.is_file() else None,
    }


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def packages() -> list[dict[str, Any]]:
    found = {entry["name"]: entry for entry in map(describe, metadata.distributions()) if entry}
    return sorted(found.values(), key=lambda entry: entry["name"])


if __name__ == "__main__":
    json.dump(packages(), sys.stdout)
