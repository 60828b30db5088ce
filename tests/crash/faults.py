"""What can go wrong with one call of a rotation: the columns of the crash table.

Owns the list. Leaves out acting a fault out (`proxy.py`) and choosing the call that it strikes (`script.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

How = Literal["kill", "500", "429", "reset", "silence", "truncate"]


@dataclass(frozen=True)
class Fault:
    """One column. `applied`: the server did the work, and the caller is not told. `lasting`: the same call goes wrong
    again, as often as it is repeated, until the function's invocation ends; otherwise once."""

    name: str
    how: How
    applied: bool = False
    lasting: bool = False


FAULTS: Final = (
    Fault("killed before", "kill"),
    Fault("killed after", "kill", applied=True),
    Fault("500", "500"),
    Fault("500 after", "500", applied=True),
    Fault("429", "429"),
    Fault("reset", "reset"),
    Fault("reset after", "reset", applied=True),
    Fault("time-out", "silence"),
    Fault("time-out after", "silence", applied=True),
    Fault("truncated", "truncate", applied=True),
    Fault("500 throughout", "500", lasting=True),
    Fault("lost throughout", "reset", applied=True, lasting=True),
)
"""`before` and `after` are told from where the server applies the call. A 429 is refused before that, by its meaning;
an answer can be cut short only after it."""

BY_NAME: Final = {fault.name: fault for fault in FAULTS}
