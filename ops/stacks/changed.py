"""The stacks that a change in git concerns, each with the reasons.

Owns the decision, which is pure, and `since`, which runs git and reads only the files that the decision needs: a change
of one tenant among ten thousand reads one tenant's file. Tenants whose file was removed or whose cell changed are
reported, never deployed: both need a command that revokes their old keys.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Final

import tenancy
from ops.stacks import choice
from ops.stacks.choice import Choice
from ops.stacks.git import Difference, Repository
from ops.stacks.sources import REQUIREMENTS, Code, code, folder_in
from tenancy import archive, loading, source
from tenancy.loading import ROOT

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*|-\S+")
"""What a line of a requirements file begins with: a package's name, or an option such as -r."""


@dataclass
class Touched:
    """What differs, by tenant, cell, or kind of stack. Reasons are short phrases for a person. `had_a_file` are those
    of `tenants` whose file is not new."""

    tenants: dict[str, str] = field(default_factory=dict[str, str])
    had_a_file: set[str] = field(default_factory=set[str])
    cells: dict[str, str] = field(default_factory=dict[str, str])
    gone: list[str] = field(default_factory=list[str])
    gone_cells: list[str] = field(default_factory=list[str])
    every_tenant: list[str] = field(default_factory=list[str])
    every_platform: list[str] = field(default_factory=list[str])


def touched(differences: Iterable[Difference], place: str, code: Code | None, pins: Sequence[str]) -> Touched:
    """Pure. `place` is the folder of tenants/ and cells/ in the repository. `code` is None where the program is in
    another repository. `pins` are phrases about pinned packages that differ."""
    found = Touched()
    differences = list(differences)
    there = {difference.path for difference in differences if difference.status != "D"}
    for difference in differences:
        path = PurePosixPath(difference.path)
        kind, slug = _described(path, place)
        gone = difference.status == "D"
        word = "removed" if gone else "new" if difference.status == "A" else "changed"
        if kind == "tenants":
            if gone and archive.place(Path(place), slug).as_posix() not in there:
                found.gone.append(slug)
            elif not gone:
                found.tenants[slug] = f"{path} is {word}"
                if difference.status != "A":
                    found.had_a_file.add(slug)
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
    ours = source.is_read(path.name) and folder.name in ("tenants", "cells") and folder.parent == PurePosixPath(place)
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


def left_out(found: Touched, cell_of: Mapping[str, str], was: Callable[[str], str | None]) -> dict[str, str]:
    """By stack, why it is not deployed although it changed. `was` returns the cell that a tenant's earlier file names;
    None where that file cannot be read."""
    reasons: dict[str, str] = {}
    for slug in found.gone:
        cell = was(slug) or choice.UNKNOWN_CELL
        reasons[f"{slug}.{cell}"] = (
            f"its file was removed, but its keys are still valid: restore the file and run `myflux-keys offboard "
            f"{slug}`, which revokes them and archives the file"
        )
    for slug in sorted(found.had_a_file & cell_of.keys()):
        before, now = was(slug), cell_of[slug]
        if before is None:
            reasons[f"{slug}.{now}"] = (
                f"its earlier file cannot be read, so its cell may have changed, and a stack cannot move by itself: if "
                f"cell {now} has the tenant already or the tenant is new, run `myflux-keys up {slug}`; otherwise write "
                f"the earlier cell and run `myflux-keys move {slug} --to {now}`"
            )
        elif before != now:
            reasons[f"{slug}.{now}"] = (
                f"its file changed the cell from {before} to {now}, and a stack cannot move by itself: write "
                f"{before} again and run `myflux-keys move {slug} --to {now}`"
            )
    for cell in found.gone_cells:
        reasons[cell] = (
            f"its file was removed, but its platform still exists: restore the file, then `myflux-keys destroy --cell "
            f"{cell}`"
        )
    return reasons


def code_may_differ(differences: Iterable[Difference], place: str, product: str) -> bool:
    """Whether a file of the product, in the folder `product`, differs that is no tenant's or cell's in `place`.
    An archived tenant's is one."""
    folders = [PurePosixPath(place) / folder for folder in ("tenants", "cells")]
    paths = [PurePosixPath(one.path) for one in differences if one.path.startswith(product)]
    return any(
        not (source.is_read(path.name) and any(path.is_relative_to(folder) for folder in folders)) for path in paths
    )


def may_change_pins(differences: Iterable[Difference], product: str) -> bool:
    """Whether the requirements of the product, which is in the folder `product`, are there on both sides and differ."""
    return any(one.path == product + REQUIREMENTS and one.status != "A" for one in differences)


def pins_changed(before: str, now: str) -> list[str]:
    """Pure. Phrases about the packages whose lines differ between two requirements files, hashes left out."""
    old, new = _pins(before), _pins(now)
    return [
        f"{name} changed" if name.startswith("-") else f"{name} changed from {_shown(old, name)} to {_shown(new, name)}"
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]


def _pins(text: str) -> dict[str, list[str]]:
    """By package or option, what follows it. A package has several lines where its version depends on the Python."""
    found: dict[str, list[str]] = {}
    for line in text.replace("\r\n", "\n").replace("\\\n", " ").splitlines():
        words = [word for word in re.sub(r"(^|\s)#.*", "", line).split() if not word.startswith("--hash=")]
        if words and (name := _NAME.match(words[0])):
            wanted = " ".join(words).removeprefix(name[0]).strip().removeprefix("==").strip()
            called = name[0] if name[0].startswith("-") else re.sub(r"[-_.]+", "-", name[0]).lower()
            found.setdefault(called, []).append(wanted)
    return {name: sorted(lines) for name, lines in found.items()}


def _shown(pins: Mapping[str, Sequence[str]], name: str) -> str:
    # A URL may hold a password.
    return " and ".join("a URL" if "://" in wanted else wanted for wanted in pins.get(name, ())) or "none"


@contextmanager
def _earlier(repository: Repository, commit: str, place: str, slugs: Collection[str]) -> Generator[Path]:
    """A temporary folder with the tenants' files of `commit`, to be read as those on disk are."""
    with tempfile.TemporaryDirectory(prefix="myflux-keys-earlier-") as scratch:
        tree = Path(scratch).resolve() / "tree"
        if slugs:
            folder = PurePosixPath(place) / "tenants"
            repository.lay_out(commit, tree, [f"{folder / slug}.yaml" for slug in slugs])
        yield tree / place


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
    if product is not None and code_may_differ(differences, place, product):
        ours = code().below(product)
        if may_change_pins(differences, product):
            before = repository.at(commit, product + REQUIREMENTS)
            pins = pins_changed(before, (ROOT / REQUIREMENTS).read_text(encoding="utf-8"))
    found = touched(differences, place, ours, pins)
    fleet = tenancy.load(root, only=None if needs_every_tenant(found) else list(found.tenants))
    cell_of = {slug: tenant.cell for slug, tenant in fleet.tenants.items()}
    if not needs_every_tenant(found):
        cell_of = {slug: cell for slug, cell in cell_of.items() if slug in found.tenants}
    with _earlier(repository, commit, place, {*found.gone, *(found.had_a_file & cell_of.keys())}) as then:
        untouched = left_out(found, cell_of, partial(loading.cell_named, then))
    why = {stack: texts for stack, texts in reasons(found, cell_of, fleet.cells).items() if stack not in untouched}
    return Choice(
        platforms=tuple(stack for stack in why if stack in fleet.cells),
        tenants={stack: stack.rpartition(".")[0] for stack in why if stack not in fleet.cells},
        why=why,
        left_out=untouched,
    )
