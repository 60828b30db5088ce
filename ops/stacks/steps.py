"""What the engine does, or would do, to each resource of a stack, from its events.

Names properties and never shows a value. Leaves out running the engine (`engine`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

UNTOUCHED: Final = ("same", "read")
"""The engine's words for a resource that it does not change."""
_REFRESH: Final = "refresh"
"""The engine's word for reading a resource back: what differs is known only when that has ended."""
_UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""The engine's value of what only the update itself can know. It counts as changed, and mostly is not."""
_KEYS: Final = re.compile(r'\["([^"]+)"\]|([^.\[\]]+)')

Event = Mapping[str, Any]
"""One event of the engine, with the SDK's names of the fields."""


@dataclass(frozen=True)
class Step:
    """What happens to one resource. `paths` are properties, each with how it differs, such as ``tags.cell (update)``;
    none for a resource that is created or deleted."""

    op: str
    type: str
    urn: str
    paths: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.urn.rpartition("::")[2]


def announced(event: Event) -> Step | None:
    """The step that is about to begin; None for any other event, and for an untouched resource."""
    found = _step(event["resource_pre_event"])
    return None if found is None or found.op in UNTOUCHED else found


class Steps:
    """The steps of one operation, one for each resource: of a replacement's three, the one that names properties."""

    def __init__(self) -> None:
        self._by_urn: dict[str, Step] = {}
        self._read_back: set[str] = set()

    def hear(self, event: Event) -> None:
        begins, ended = _step(event["resource_pre_event"]), _step(event["res_outputs_event"])
        if begins is not None and begins.op == _REFRESH:
            self._read_back.add(begins.urn)
        elif begins is not None and begins.op in UNTOUCHED:
            # After a refresh that only the state needed.
            self._by_urn.pop(begins.urn, None)
        elif begins is not None and getattr(self._by_urn.get(begins.urn), "op", "") != "replace":
            self._by_urn[begins.urn] = begins
        if ended is not None and ended.urn in self._read_back:
            self._read_back.remove(ended.urn)
            if ended.op not in UNTOUCHED:
                self._by_urn[ended.urn] = ended

    @property
    def all(self) -> tuple[Step, ...]:
        return tuple(self._by_urn.values())


def _step(event: Event | None) -> Step | None:
    if event is None:
        return None
    step = cast(Event, event["metadata"])
    differs = cast(dict[str, Event], step["detailed_diff"] or {})
    paths = (inner for path, one in sorted(differs.items()) for inner in _paths(step, path, one["diff_kind"]))
    return Step(step["op"], step["type"], step["urn"], tuple(paths))


def _paths(step: Event, path: str, kind: str) -> Iterator[str]:
    """What differs inside a property that holds a JSON document, such as a policy; else the property itself."""
    if _value(step["new"], path) == _UNKNOWN:
        yield f"{path} (known after `up`)"
        return
    documents = [_document(step[side], path) for side in ("old", "new")]
    before, after = documents
    if before is None or after is None or before == after:
        yield f"{path} ({kind})"
        return
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key):
            how = "add" if key not in before else "delete" if key not in after else "update"
            yield f"{path}.{key} ({how}{'-replace' if kind.endswith('-replace') else ''})"


def _value(state: Event | None, path: str) -> Any:
    """The input at ``tags.cell`` or ``tags["myflux:cell"]``; None where there is none."""
    found: Any = (state or {}).get("inputs")
    for quoted, plain in _KEYS.findall(path):
        found = cast(Event, found).get(quoted or plain) if isinstance(found, dict) else None
    return found


def _document(state: Event | None, path: str) -> dict[str, Any] | None:
    inputs = cast(Event, (state or {}).get("inputs") or {})
    value = inputs.get(path)
    try:
        parsed = json.loads(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return cast(dict[str, Any], parsed) if isinstance(parsed, dict) else None
