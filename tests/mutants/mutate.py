"""Every way in which one resource of a stack can be asked for otherwise, one thing at a time.

Owns the mutants: a resource dropped, its properties ignored by the engine, and each of its properties and of what
stands inside it, policy documents included, dropped, widened or altered. Leaves out who catches them (`hunt`) and which
of them do no harm (`harmless`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, cast

from policies.guardrails.model import Archive, Resource
from tests.mutants.texts import other_keys, other_texts

Kind = Literal["dropped", "widened", "altered"]
Step = str | int

STRANGER: Final = "arn:aws:iam::999999999999:role/stranger"
OPEN_STATEMENT: Final = {"Sid": "Open", "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
DEPENDENCIES: Final = "(dependencies)"
PROTECT: Final = "(protect)"
IGNORED: Final = "(ignoreChanges)"


@dataclass(frozen=True)
class Mutant:
    """`mutated` is None for a resource that is dropped as a whole; `path` leads to what was changed, through documents
    inside texts; `before` and `after` are what stood and stands there, None where nothing does."""

    original: Resource
    mutated: Resource | None
    path: tuple[Step, ...]
    kind: Kind
    before: Any
    after: Any

    @property
    def shape(self) -> str:
        """The path without the numbers of places: ``policy.Statement[].Action[]``."""
        return _joined("" if isinstance(step, int) else step for step in self.path)

    @property
    def statement(self) -> Mapping[str, Any] | None:
        """The statement, as shipped, that the change is in or takes away."""
        if len(self.path) < 3 or self.path[1] != "Statement" or not isinstance(self.path[2], int):
            return None
        document = json.loads(self.original.text(str(self.path[0])))
        statements = cast(Sequence[Mapping[str, Any]], document["Statement"])
        return statements[self.path[2]] if self.path[2] < len(statements) else None

    def __str__(self) -> str:
        place = _joined(str(step) if isinstance(step, str) else f"#{step}" for step in self.path)
        sid = f" ({self.statement['Sid']})" if self.statement and "Sid" in self.statement else ""
        change = "dropped" if self.kind == "dropped" else f"{self.kind} to {_short(self.after)}"
        return f"{self.original.type.rpartition(':')[2]} {self.original.name} {place}{sid}: {change}"


def mutants(resource: Resource) -> Iterator[Mutant]:
    yield Mutant(resource, None, (), "dropped", resource.name, None)
    if resource.dependencies or resource.property_dependencies:
        alone = replace(resource, dependencies=frozenset(), property_dependencies={})
        yield Mutant(resource, alone, (DEPENDENCIES,), "dropped", None, None)
    if resource.protect:
        yield Mutant(resource, replace(resource, protect=False), (PROTECT,), "dropped", True, False)
    if resource.properties:
        frozen = replace(resource, ignore_changes=("*",))
        yield Mutant(resource, frozen, (IGNORED,), "widened", None, "*")
    for change in _in_map(resource.properties, ()):
        mutated = replace(resource, properties=change.whole)
        yield Mutant(resource, mutated, change.path, change.kind, change.before, change.after)


DATA = ("content", "dashboardBody")
"""JSON that grants nothing: it is changed as a whole, which saves thousands of mutants of one kind."""


@dataclass(frozen=True)
class _Change:
    """`whole` is the value that was looked into, with the change in it."""

    path: tuple[Step, ...]
    kind: Kind
    before: Any
    after: Any
    whole: Any


def _changes(value: Any, path: tuple[Step, ...]) -> Iterator[_Change]:
    if isinstance(value, Mapping):
        yield from _in_map(cast(Mapping[str, Any], value), path)
    elif isinstance(value, list):
        yield from _in_list(cast(list[Any], value), path)
    elif isinstance(value, str):
        yield from _in_text(value, path)
    elif isinstance(value, bool):
        yield _Change(path, "altered", value, not value, not value)
    elif isinstance(value, int | float):
        more = (value + 1) * 1000
        yield _Change(path, "widened", value, more, more)
        if value:
            yield _Change(path, "altered", value, 0, 0)
    elif isinstance(value, Archive):
        elsewhere = Archive(path="elsewhere.zip")
        yield _Change(path, "altered", value, elsewhere, elsewhere)


def _in_map(value: Mapping[str, Any], path: tuple[Step, ...]) -> Iterator[_Change]:
    for key, inner in value.items():
        at = (*path, key)
        yield _Change(at, "dropped", inner, None, {name: one for name, one in value.items() if name != key})
        for kind, other in other_keys(key, _shape(path)):
            if other in value:
                continue
            renamed = {other if name == key else name: one for name, one in value.items()}
            yield _Change(at, kind, key, other, renamed)
        for change in _changes(inner, at):
            yield replace(change, whole={**value, key: change.whole})


def _in_list(value: list[Any], path: tuple[Step, ...]) -> Iterator[_Change]:
    for place, inner in enumerate(value):
        at = (*path, place)
        yield _Change(at, "dropped", inner, None, [*value[:place], *value[place + 1 :]])
        for change in _changes(inner, at):
            yield replace(change, whole=[*value[:place], change.whole, *value[place + 1 :]])
    more: Any = OPEN_STATEMENT if path[-1] == "Statement" else STRANGER
    yield _Change((*path, len(value)), "widened", None, more, [*value, more])


def _in_text(value: str, path: tuple[Step, ...]) -> Iterator[_Change]:
    if value.startswith(("{", "[")):
        if value != "{}":
            yield _Change(path, "altered", value, "{}", "{}")
        if _shape(path) in DATA:
            return
        for change in _changes(json.loads(value), path):
            yield replace(change, whole=json.dumps(change.whole))
        return
    for kind, other in other_texts(value, _shape(path)):
        if other != value:
            yield _Change(path, kind, value, other, other)


def _shape(path: tuple[Step, ...]) -> str:
    return _joined("" if isinstance(step, int) else step for step in path)


def _joined(steps: Iterator[str] | Sequence[str]) -> str:
    """An empty step, or one that starts with ``#``, is a place in a list."""
    shown = ""
    for step in steps:
        if not step or step.startswith("#"):
            shown += f"[{step[1:]}]"
        else:
            shown += f".{step}" if shown else step
    return shown


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
