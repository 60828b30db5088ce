"""A row of the tables of what a pipeline's role may do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from myflux_keys.aws_names import CellNames

Deploys = Literal["tenants", "everything"]


@dataclass(frozen=True)
class Grant:
    """`actions` are names within `service`, separated by spaces."""

    service: str
    actions: str
    resources: Sequence[str]
    condition: Mapping[str, Any] | None = None


Grants = Callable[[CellNames, Deploys], Sequence[Grant]]
