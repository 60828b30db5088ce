"""What changes between two rehearsals of a stack, as lines that a person reads.

Owns the comparison, down to the statements of a policy document, and which changes nobody can take back. Leaves out
where rehearsals come from. Not known here: what AWS must replace rather than update, which takes the provider.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from pulumi.output import Unknown

from review.registered import Registered
from tenancy.problems import shown

FINAL: Final = {
    "aws:kms/key:Key": "whatever it encrypts is lost with it",
    "aws:lambda/invocation:Invocation": "every key of the OpenAI project is revoked and the project archived for ever",
    "aws:secretsmanager/secret:Secret": "readers are cut off, and the value is gone after the recovery window",
}
"""Types whose deletion cannot be undone, or not for long, and what it does."""

_REFERENCE: Final = "pulumi:pulumi:StackReference"

Action = Literal["create", "update", "delete"]


@dataclass(frozen=True)
class Change:
    """One resource. `lost` and `gained` are lines such as ``tags.tenant: "acme"``, in order of path."""

    action: Action
    type: str
    name: str
    urn: str
    lost: tuple[str, ...]
    gained: tuple[str, ...]

    @property
    def final(self) -> str:
        """What is lost for good; empty where nothing is."""
        return FINAL.get(self.type, "") if self.action == "delete" else ""


def changes(before: Sequence[Registered], after: Sequence[Registered]) -> tuple[Change, ...]:
    """The resources that one side has and the other has not, or has otherwise. Components are left out: what they are
    made of is told."""
    old = {one.urn: one for one in before if one.custom}
    new = {one.urn: one for one in after if one.custom}
    found = (_change(old.get(urn), new.get(urn)) for urn in sorted(old.keys() | new.keys()))
    return tuple(change for change in found if change)


def alike(found: Mapping[str, tuple[Change, ...]]) -> list[tuple[tuple[str, ...], tuple[Change, ...]]]:
    """Stacks with the same change but for their tenant's name, together; the changes are those of the first of them."""
    groups: dict[str, list[str]] = {}
    for stack, changed in found.items():
        if changed:
            groups.setdefault(_nameless(stack, changed), []).append(stack)
    return [(tuple(stacks), found[stacks[0]]) for stacks in groups.values()]


def _nameless(stack: str, changed: tuple[Change, ...]) -> str:
    tenant, dot, _ = stack.rpartition(".")
    text = "\n".join(f"{one.action} {one.type} {one.name} {one.lost} {one.gained}" for one in changed)
    return re.sub(rf"(?<![a-z0-9]){re.escape(tenant)}(?![a-z0-9])", "<tenant>", text) if dot else text


def _change(before: Registered | None, after: Registered | None) -> Change | None:
    old, new = _lines(before), _lines(after)
    one = after or before
    if one is None or (before and after and old == new):
        return None
    action: Action = "update" if before and after else "create" if after else "delete"
    return Change(action, one.type, one.name, one.urn, _sorted(old - new), _sorted(new - old))


def _sorted(lines: Counter[str]) -> tuple[str, ...]:
    return tuple(sorted(lines.elements()))


def _lines(one: Registered | None) -> Counter[str]:
    if one is None:
        return Counter()
    lines = Counter(f"{path}: {value}" for key in one.inputs for path, value in _leaves(one, key))
    lines.update(["(protected): true"] if one.protect else [])
    lines.update(["(kept when destroyed): true"] if one.retain_on_delete else [])
    lines.update(f"(after): {urn.rpartition('::')[2]}" for urn in one.dependencies if _REFERENCE not in urn)
    return lines


def _leaves(one: Registered, key: str) -> Iterator[tuple[str, str]]:
    if key in one.secret:
        yield key, "(secret)"
    else:
        yield from _inside(key, one.inputs[key])


def _inside(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str) and value[:1] in ("{", "["):
        value = _parsed(value)
    if isinstance(value, Mapping):
        for key, inner in cast(Mapping[str, Any], value).items():
            yield from _inside(f"{path}.{key}", inner)
    elif isinstance(value, list):
        yield from _items(path, cast(list[Any], value))
    elif isinstance(value, Unknown):
        yield path, "(known once deployed)"
    else:
        yield path, shown(_whole(value)) or "null"


def _items(path: str, values: list[Any]) -> Iterator[tuple[str, str]]:
    """A list's order is told only where it must be: statements go by their Sid, plain values by themselves."""
    for place, value in enumerate(values):
        if isinstance(value, Mapping):
            sid = cast(Mapping[str, Any], value).get("Sid", place)
            yield from _inside(f"{path}[{sid}]", value)
        else:
            yield from _inside(f"{path}[]", value)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _whole(value: Any) -> Any:
    """Protobuf has no whole numbers."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
