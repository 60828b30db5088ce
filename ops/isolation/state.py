"""What is deployed, read from a stack's exported state: the documents as AWS took them, not as the files ask for them.

Leaves out exporting it: a state holds much that nobody here needs, and what is secret in it stays encrypted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Deployed:
    type: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]


def deployed(state: str) -> Sequence[Deployed]:
    """Every resource of an exported state but those that wait for being deleted. `state` is JSON text."""
    resources: Sequence[Mapping[str, Any]] = json.loads(state).get("resources") or ()
    return [
        Deployed(resource["type"], resource.get("inputs") or {}, resource.get("outputs") or {})
        for resource in resources
        if not resource.get("delete")
    ]
