"""The stacks that a change in git concerns, each with the reasons.

Owns the decision, which is pure, and `since`, which runs git and reads only the files that the decision needs: a change
of one tenant among ten thousand reads one tenant's file. Tenants whose file was removed or whose cell changed are
reported, never deployed: both need a command that revokes their old keys.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

import tenancy
from ops.stacks.choice import Choice
from ops.stacks.git import Difference, Repository
from ops.stacks.sources import REQUIREMENTS, Code, code, folder_in
from tenancy.loading import ROOT

_PIN: Final = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
_CELL: Final = re.compile(r"^cell[ \t]*:[ \t]*[\"']?([a-z0-9-]+)", re.MULTILINE)


@dataclass
class Touched:
    """What differs, by tenant, cell, or kind of stack. Reasons are short phrases for a person."""

    tenants: dict[str, str] = field(default_factory=dict[str, str])
    cells: dict[str, str] = field(default_factory=dict[str, str])
    gone: list[str] = field(default_factory=list[str])
    gone_cells: list[str] = field(default_factory=list[str])
    every_tenant: list[str] = field(default_factory=list[str])
    every_platform: list[str] = field(default_factory=list[str])


def touched(differences: Iterable[Difference], place: str, code: Code | None, pins: Sequence[str]) -> Touched:
    """Pure. `place` is the folder of tenants/ and cells/ in the repository. `code` is None where the program is in
    another repository. `pins` are phrases about pinned packages that differ."""
    found = Touched()
    archive = PurePosixPath(place) / "tenants" / "archive"
    differences = list(differences)
    archived = {PurePosixPath(d.path).stem for d in differences if PurePosixPath(d.path).parent == archive}
    for difference in differences:
        path = PurePosixPath(difference.path)
        kind, slug = _described(path, place)
        gone = difference.status == "D"
        word = "removed" if gone else "new" if difference.status == "A" else "changed"
        if kind == "tenants":
            if gone and slug not in archived:
                found.gone.append(slug)
            elif not gone:
                found.tenants[slug] = f"{path} is {word}"
        elif kind == "cells":
            if gone:
                found.gone_cells.append(slug)
            else:
                found.cells[slug] = f"{path} is {word}"
        elif code is not None:
            reason = f"{path} is {word}"
            if difference.path in code.tenant:
                found.every_tenant.append(reason)
            if difference.path in code.platform or difference.path in code.functions:
                found.every_platform.append(reason)
    for pin in pins:
        found.every_tenant.append(pin)
        found.every_platform.append(pin)
    return found


def _described(path: PurePosixPath, place: str) -> tuple[str, str]:
    """(`tenants` or `cells`, slug) for a tenant or cell file; for another file two empty strings."""
    folder = path.parent
    ours = path.suffix == ".yaml" and folder.name in ("tenants", "cells") and folder.parent == PurePosixPath(place)
    return (folder.name, path.stem) if ours else ("", "")


def reasons(found: Touched, cell_of: Mapping[str, str], cells: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Pure. Every stack concerned, with its reasons. `cell_of` maps each tenant that may be concerned to its cell."""
    platforms = {
        cell: (*([found.cells[cell]] if cell in found.cells else []), *found.every_platform) for cell in sorted(cells)
    }
    tenants = {
        f"{slug}.{cell}": (
            *([found.tenants[slug]] if slug in found.tenants else []),
            *([found.cells[cell]] if cell in found.cells else []),
            *found.every_tenant,
        )
        for slug, cell in sorted(cell_of.items())
    }
    return {stack: why for stack, why in (platforms | tenants).items() if why}


def needs_every_tenant(found: Touched) -> bool:
    return bool(found.every_tenant or found.cells)


def left_out(found: Touched, cell_of: Mapping[str, str], was: Callable[[str], str]) -> dict[str, str]:
    """By stack, why it is not deployed although it changed. `was` returns the earlier text of a tenant's file."""
    reasons: dict[str, str] = {}
    for slug in found.gone:
        cell = cell_in(was(slug))
        reasons[f"{slug}.{cell}"] = (
            f"its file was removed, but its keys are still valid: restore the file and run `myflux-keys offboard "
            f"{slug}`, which revokes them and archives the file"
        )
    for slug, why in found.tenants.items():
        before = cell_in(was(slug)) if why.endswith("changed") else ""
        if slug in cell_of and before and before != cell_of[slug]:
            reasons[f"{slug}.{cell_of[slug]}"] = (
                f"its file changed the cell from {before} to {cell_of[slug]}, and a stack cannot move by itself: write "
                f"{before} again and run `myflux-keys move {slug} --to {cell_of[slug]}`"
            )
    for cell in found.gone_cells:
        reasons[cell] = (
            f"its file was removed, but its platform still exists: restore the file, then `myflux-keys destroy --cell "
            f"{cell}`"
        )
    return reasons


def cell_in(text: str) -> str:
    """The cell that a tenant file's text names; empty where it names none."""
    match = _CELL.search(text)
    return match[1] if match else ""


def pins_changed(before: str, now: str) -> list[str]:
    """Pure. Phrases about the packages whose pinned version differs between two requirements files."""
    old, new = dict(_PIN.findall(before)), dict(_PIN.findall(now))
    return [
        f"{name} changed from {old.get(name, 'none')} to {new.get(name, 'none')}"
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]


def since(ref: str, root: Path) -> Choice:
    """The stacks that the change since `ref` concerns. `root` holds tenants/ and cells/. Raises OperationError, and
    TenancyError where a file that is needed is wrong."""
    root = root.resolve()
    repository = Repository(root)
    commit = repository.commit(ref)
    differences = repository.differences(commit)
    place = root.relative_to(repository.top).as_posix()
    # Following the program's imports is the slowest part, and a tenant's pull request changes no code.
    product = folder_in(repository.top, ROOT)
    ours = None
    pins: list[str] = []
    if product is not None and any(
        d.path.startswith(product) and not _described(PurePosixPath(d.path), place)[0] for d in differences
    ):
        ours = code().below(product)
        pinned = product + REQUIREMENTS
        if any(difference.path == pinned and difference.status != "A" for difference in differences):
            pins = pins_changed(repository.at(commit, pinned), (ROOT / REQUIREMENTS).read_text(encoding="utf-8"))
    found = touched(differences, place, ours, pins)
    fleet = tenancy.load(root, only=None if needs_every_tenant(found) else list(found.tenants))
    cell_of = {slug: tenant.cell for slug, tenant in fleet.tenants.items()}
    if not needs_every_tenant(found):
        cell_of = {slug: cell for slug, cell in cell_of.items() if slug in found.tenants}
    folder = "" if place == "." else f"{place}/"
    untouched = left_out(found, cell_of, lambda slug: repository.at(commit, f"{folder}tenants/{slug}.yaml"))
    why = {stack: texts for stack, texts in reasons(found, cell_of, fleet.cells).items() if stack not in untouched}
    return Choice(
        platforms=tuple(stack for stack in why if stack in fleet.cells),
        tenants={stack: stack.rpartition(".")[0] for stack in why if stack not in fleet.cells},
        why=why,
        left_out=untouched,
    )
