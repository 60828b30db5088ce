"""The stacks whose resources are changed.

Owns which: all that the repository ships, what a pipeline in the cell's file adds, for each thing that it may deploy,
what the connect page and federation add, and what names a copy in a cell with copies. Leaves out the changes
(`mutate`). What was changed in one stack is not changed once more in the next, so a resource that is there again counts
only with what is new in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

import program
import tenancy
from ops.review import judging
from policies.guardrails.config import Config
from policies.guardrails.model import Resource
from tests.mutants.mutate import Mutant, mutants
from tests.policies.connected import cell_with_a_page, with_a_page
from tests.policies.keyless import FEDERATED, SWITCHING, cell_with_federation, keyless, tenants_with_federation
from tests.policies.pipelines import Mode, cell_with_a_pipeline, with_a_pipeline
from tests.policies.rehearsed import STACKS, stack

_JOBS: Final[tuple[tuple[str, Mode], ...]] = (
    ("local", "everything"),
    ("local", "tenants"),
    ("acme.local", "tenants"),
    ("globex.local", "tenants"),
)
_PIPELINES: Final = {f"{name}, a pipeline deploys {mode}": (name, mode) for name, mode in _JOBS}
COPIED: Final = Path(__file__).parent / "fleet"
"""The files of a cell whose tenants' secrets have copies."""
_COPIES: Final = ("copied", "harbor.copied")
_COPYS_REGION: Final = "us-west-2"
_PAGES: Final = {f"{name}, with the connect page": name for name in ("local", "initech.local")}
"""The platform, and a tenant who has a key of its own."""
_FEDERATION: Final = {
    f"{name}, with federation": name for name in ("local", f"{FEDERATED}.local", f"{SWITCHING}.local")
}
"""The platform, a tenant without a key, and one on the way to that."""
SUBJECTS: Final = (*STACKS, *_PIPELINES, *_PAGES, *_FEDERATION, *_COPIES)


@dataclass(frozen=True)
class Subject:
    """`told` is how whoever knows the cell configures the pack. `known` are the same resources in a stack that is
    changed too, by what the program calls them."""

    stack: Sequence[Resource]
    told: Config
    known: Mapping[tuple[str, str], Resource] = field(default_factory=dict[tuple[str, str], Resource])

    def mutants(self) -> Iterator[Mutant]:
        for resource in self.stack:
            before = self.known.get((resource.type, resource.name))
            if before is None or before.get("name") != resource.get("name"):
                yield from mutants(resource)
            elif before.properties != resource.properties:
                yield from (one for one in mutants(resource) if _is_new(one, before))


@cache
def subject(name: str) -> Subject:
    if name in _COPIES:
        return _with_copies(name)
    if name in _PAGES:
        return _with_a_page(_PAGES[name])
    if name in _FEDERATION:
        return _with_federation(_FEDERATION[name])
    fleet = tenancy.load(program.ROOT)
    tenants = fleet.tenants_of("local")
    if name not in _PIPELINES:
        return Subject(stack(name), judging.config(fleet.cells["local"], tenants))
    called, mode = _PIPELINES[name]
    other = stack(called) if called != "local" or mode == "everything" else with_a_pipeline(called, "everything")
    known = {(one.type, one.name): one for one in other}
    return Subject(with_a_pipeline(called, mode), judging.config(cell_with_a_pipeline(mode), tenants), known)


def _with_copies(name: str) -> Subject:
    fleet = tenancy.load(COPIED)
    found = stack(name, root=COPIED)
    alike = {(one.type, one.name): one for one in found if _COPYS_REGION not in str(one.properties)}
    return Subject(found, judging.config(fleet.cells["copied"], fleet.tenants_of("copied")), alike)


def _with_a_page(name: str) -> Subject:
    known = {(one.type, one.name): one for one in stack(name)}
    cell = cell_with_a_page()
    return Subject(with_a_page(name), judging.config(cell, tenancy.load(program.ROOT).tenants_of("local")), known)


def _is_new(mutant: Mutant, before: Resource) -> bool:
    """Whether it changes what is another than before: a property, a statement, or a field of JSON that has none."""
    if not mutant.path or mutant.original.get(str(mutant.path[0])) == before.get(str(mutant.path[0])):
        return False
    text = before.text(str(mutant.path[0]))
    if not text.startswith("{"):
        return True
    document = cast(Mapping[str, Any], json.loads(text))
    if "Statement" not in document:
        now = cast(Mapping[str, Any], json.loads(mutant.original.text(str(mutant.path[0]))))
        field = str(mutant.path[1]) if len(mutant.path) > 1 else ""
        return now.get(field) != document.get(field)
    statements = document["Statement"]
    return mutant.statement is not None and mutant.statement not in statements


def _with_federation(name: str) -> Subject:
    """Of the tenant who is switching, only what one without a key has not."""
    known = {(one.type, one.name): one for one in stack(name)} if name == "local" else {}
    if name == f"{SWITCHING}.local":
        known = {(one.type, one.name.replace(FEDERATED, SWITCHING)): one for one in keyless(f"{FEDERATED}.local")}
    return Subject(keyless(name), judging.config(cell_with_federation(), tenants_with_federation()), known)
