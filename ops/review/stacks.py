"""Which stacks a change concerns, and which must be rehearsed to check it.

Owns reading files of which some are wrong, and the choice. Leaves out the changed paths (`ops.stacks.changed`). Files
that are wrong are reported with every problem; the others are still reviewed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import tenancy
from ops.review.remark import Outcome, Remark
from ops.review.source_lines import Places
from ops.stacks import changed
from ops.stacks.git import Difference
from ops.stacks.sources import Code
from tenancy import Fleet, Problem, TenancyError, loading, source

JUDGES: Final = ("ops/isolation/", "ops/review/", "policies/")
"""Folders that hold the rules: a change here is checked by the changed rules themselves, so a person must review it."""
_NEIGHBOURS: Final = 2
"""Tenants besides those that change, so that a proof about isolation never covers one tenant only."""


@dataclass(frozen=True)
class Files:
    """`fleet` holds the valid files."""

    fleet: Fleet
    problems: tuple[Problem, ...]

    @property
    def cell_of(self) -> dict[str, str]:
        return {slug: tenant.cell for slug, tenant in self.fleet.tenants.items()}

    @property
    def stacks(self) -> dict[str, str]:
        """Every stack, with the cell that it is part of; platforms first."""
        platforms = {cell: cell for cell in sorted(self.fleet.cells)}
        return platforms | {f"{slug}.{cell}": cell for slug, cell in sorted(self.cell_of.items())}


def read(root: Path) -> Files:
    try:
        return Files(tenancy.load(root), ())
    except TenancyError as error:
        problems = error.problems
    wrong = {problem.file for problem in problems}
    right = [path.stem for path in source.find(root, "tenants")[0] if f"tenants/{path.name}" not in wrong]
    try:
        return Files(tenancy.load(root, only=right), problems)
    except TenancyError:
        # A cell's own file: its tenants' stacks cannot be calculated.
        return Files(Fleet({}, {}), problems)


@dataclass(frozen=True)
class Scope:
    """`reasons` maps each stack that changes to why. `judged` are those that the rules check: all of them when
    the rules themselves change. `needed` are the stacks to rehearse for that. `judges` are the changed files of the
    rules. `gone` are the tenants whose file was removed and not archived."""

    reasons: Mapping[str, tuple[str, ...]]
    left_out: Mapping[str, str]
    judged: tuple[str, ...]
    needed: tuple[str, ...]
    judges: tuple[str, ...]
    gone: tuple[str, ...] = ()


def scope(
    files: Files,
    differences: Sequence[Difference],
    place: str,
    code: Code | None,
    pins: Sequence[str],
    then: Path,
    product: str = "",
) -> Scope:
    """`place` is where tenants/ and cells/ lie in the repository, `then` that folder in the base's tree. `code` is None
    where the program lies in another repository; `product` is its folder in this one, with a slash at the end. `pins`
    are phrases about pinned packages that differ."""
    touched = changed.touched(differences, place, code, pins)
    why = changed.reasons(touched, files.cell_of, files.fleet.cells)
    rules = tuple(product + judge for judge in JUDGES)
    judges = tuple(sorted(one.path for one in differences if one.path.startswith(rules))) if code else ()
    judged = tuple(stack for stack in files.stacks if stack in why or judges)
    return Scope(
        reasons=why,
        left_out=changed.left_out(touched, files.cell_of, partial(loading.cell_named, then)),
        judged=judged,
        needed=_needed(files.stacks, judged),
        judges=judges,
        gone=tuple(touched.gone),
    )


def progress(about: Scope, stacks: int) -> str:
    """What the command says while it works. A change of the rules has stacks judged that do not change."""
    beside = len(about.needed) - len(about.judged)
    compared = f", and {beside} of the same cells to compare with" if beside else ""
    return f"{len(about.reasons)} of {stacks} stacks may change; evaluating {len(about.judged)}{compared} …"


def remarks(files: Files, about: Scope, places: Places) -> Iterator[Remark]:
    """Remarks on the files, and on changes that are not deployed. Warnings are of the files that the branch changed, as
    of a model that OpenAI ends: `validate` has them all."""
    for problem in files.problems:
        yield _told(problem, Outcome.VIOLATION, "high", places)
    for notice in files.fleet.notices:
        if places.differs(notice.file):
            yield _told(notice, Outcome.ADVICE, "medium", places)
    for stack, why in about.left_out.items():
        if (slug := stack.rpartition(".")[0]) in about.gone:
            yield _removed(slug, stack, places)
        else:
            place = places.of(stack, None, "")
            yield Remark("stack-left-out", Outcome.ADVICE, "high", why, stacks=(stack,), place=place)


def _told(problem: Problem, outcome: Outcome, severity: str, places: Places) -> Remark:
    return Remark(
        rule=problem.rule,
        outcome=outcome,
        severity=severity,
        message=" ".join(part for part in (problem.field, problem.value) if part) or problem.file,
        why=problem.reason,
        fix=problem.way_out,
        place=places.named(problem.file, problem.line),
    )


def _removed(slug: str, stack: str, places: Places) -> Remark:
    return Remark(
        rule="tenant-file-removed",
        outcome=Outcome.VIOLATION,
        severity="high",
        message=f"The file of tenant {slug} is removed, and nothing else: its secret, its project and its keys stay, "
        "and no file shows them.",
        why="A merge deletes no stack: only `offboard` denies the readers, revokes the keys and archives the file, so "
        "that the slug is never used again.",
        fix=f"Restore tenants/{slug}.yaml and run `myflux-keys offboard {slug}`, which moves it to tenants/archive/.",
        place=places.named(f"tenants/{slug}.yaml"),
        stacks=(stack,),
    )


def _needed(stacks: Mapping[str, str], judged: Iterable[str]) -> tuple[str, ...]:
    chosen = set(judged)
    for cell in {stacks[stack] for stack in chosen}:
        neighbours = [stack for stack, of in stacks.items() if of == cell and stack not in chosen and stack != cell]
        chosen |= {cell, *neighbours[:_NEIGHBOURS]}
    return tuple(stack for stack in stacks if stack in chosen)
