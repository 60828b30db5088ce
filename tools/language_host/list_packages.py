"""Run by a project's own Python: prints the packages it holds, as JSON. Standard library only."""

import json
import re
import sys
from importlib import metadata
from pathlib import Path
from typing import Any


def describe(distribution: metadata.Distribution) -> dict[str, Any]:
    name = re.sub(r"[-_.]+", "-", distribution.metadata["Name"]).lower()
    marker = Path(str(distribution.locate_file(distribution.metadata["Name"].replace("-", "_")))) / "pulumi-plugin.json"
    plugin = json.loads(marker.read_text(encoding="utf-8")) if marker.is_file() else None
    requires = [re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", line, maxsplit=1)[0]).lower()
                for line in distribution.requires or []]  # fmt: skip
    return {"name": name, "version": distribution.version, "requires": requires, "plugin": plugin}


if __name__ == "__main__":
    found = {entry["name"]: entry for entry in map(describe, metadata.distributions())}
    json.dump(sorted(found.values(), key=lambda entry: entry["name"]), sys.stdout)
