"""What is deployed, read from a stack's exported state: the documents as AWS has them, not as the files describe them.

Leaves out exporting the state. Its secrets stay encrypted.
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
    """Every resource of an exported state, without those that are pending deletion. `state` is JSON text."""
    resources: Sequence[Mapping[str, Any]] = json.loads(state).get("resources") or ()
    return [
        Deployed(resource["type"], resource.get("inputs") or {}, resource.get("outputs") or {})
        for resource in resources
        if not resource.get("delete")
    ]
