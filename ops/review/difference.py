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

from ops.review.registered import Files, Registered
from policies.guardrails.model import whole
from tenancy.problems import WITHHELD, shown

FINAL: Final = {
    "aws:kms/key:Key": "all data that it encrypts is lost",
    "aws:lambda/invocation:Invocation": "every key of the OpenAI project is revoked and the project archived for ever",
    "aws:secretsmanager/secret:Secret": "readers are denied, and the value is lost after the recovery window",
}
"""Types whose deletion cannot be undone, or not for long, and what it does."""

_REFERENCE: Final = "pulumi:pulumi:StackReference"

_OF_A_HASH: Final = 12
"""So many characters are shown: enough to tell two archives apart."""

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
        """What the deletion loses for good; empty where nothing is lost."""
        return FINAL.get(self.type, "") if self.action == "delete" else ""


def changes(before: Sequence[Registered], after: Sequence[Registered]) -> tuple[Change, ...]:
    """The resources that only one side has, or that differ. Components are left out, since their resources are
    compared."""
    old = {one.urn: one for one in before if one.custom}
    new = {one.urn: one for one in after if one.custom}
    found = (_change(old.get(urn), new.get(urn)) for urn in sorted(old.keys() | new.keys()))
    return tuple(change for change in found if change)


def alike(found: Mapping[str, tuple[Change, ...]]) -> list[tuple[tuple[str, ...], tuple[Change, ...]]]:
    """Groups stacks whose changes differ only in the tenant's name; the changes are those of the first stack."""
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


_Line = tuple[str, str]
"""The text that is shown, and the text that is compared: two values that are not shown may differ."""


def _sorted(lines: Counter[_Line]) -> tuple[str, ...]:
    return tuple(sorted(shown for shown, _ in lines.elements()))


def _lines(one: Registered | None) -> Counter[_Line]:
    if one is None:
        return Counter()
    lines = Counter((f"{path}: {text}", whole) for key in one.inputs for path, text, whole in _leaves(one, key))
    lines.update([("(protected): true", "")] if one.protect else [])
    lines.update([("(kept when destroyed): true", "")] if one.retain_on_delete else [])
    lines.update((f"(after): {urn.rpartition('::')[2]}", "") for urn in one.dependencies if _REFERENCE not in urn)
    return lines


_Leaf = tuple[str, str, str]
"""The path, the text of the value that is shown, and the text that is compared."""


def _leaves(one: Registered, key: str) -> Iterator[_Leaf]:
    if key in one.secret:
        yield key, "(secret)", repr(one.inputs[key])
    else:
        yield from _inside(key, one.inputs[key])


def _inside(path: str, value: Any) -> Iterator[_Leaf]:
    if isinstance(value, str) and value[:1] in ("{", "["):
        value = _parsed(value)
    if isinstance(value, Mapping):
        for key, inner in cast(Mapping[str, Any], value).items():
            yield from _inside(f"{path}.{key}", inner)
    elif isinstance(value, list):
        yield from _items(path, cast(list[Any], value))
    elif isinstance(value, Unknown):
        yield path, "(known once deployed)", ""
    elif isinstance(value, Files):
        yield from _files(path, value)
    else:
        yield _plain(path, value)


def _plain(path: str, value: Any) -> _Leaf:
    text = shown(whole(value)) or "null"
    return path, text, value if text == WITHHELD else ""


def _files(path: str, given: Files) -> Iterator[_Leaf]:
    """By their content: the path of a file while it was packed is no change."""
    for name, one in given.parts.items():
        yield from _files(f"{path}.{name}", one)
    if given.sha256:
        yield f"{path}.sha256", f"{given.sha256[:_OF_A_HASH]}…", given.sha256
    elif not given.parts:
        yield _plain(path, given.origin)


def _items(path: str, values: list[Any]) -> Iterator[_Leaf]:
    """A list's order counts only where it must: statements are compared by Sid, plain values by value."""
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
