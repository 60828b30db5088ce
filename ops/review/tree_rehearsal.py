"""Rehearses the stacks of a tree by the tree's own code, in separate processes.

Owns starting the processes and reading their answers. Leaves out rehearsing (`ops.review.__main__`) and comparing. The
processes get none of the caller's credentials, since they need none.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, cast

from ops.review.file_line import Place
from ops.review.registered import Registered, from_json

FORM: Final = 3
"""Increased when the answers' format changes, so that trees of different age do not misread each other."""

_STACKS_A_PROCESS: Final = 50
"""A process takes two seconds to load, and a tenth of a second for each stack."""
_NOT_FOR_IT: Final = ("AWS_", "MYFLUX_", "OPENAI_", "PULUMI_", "PYTHON")


class NotAskedError(Exception):
    """The tree's code gave no answer. The message is its error, `place` the line where it stopped."""

    def __init__(self, said: str, place: Place | None = None) -> None:
        super().__init__(said)
        self.place = place


@dataclass(frozen=True)
class Asked:
    """The answer for one stack. `gap` is what is missing where ids and ARNs are unknown. `refusal` is the program's
    error about wrong files; `crash` is any other exception, raised at `place`."""

    stack: str
    resources: tuple[Registered, ...] = ()
    gap: str = ""
    refusal: str = ""
    crash: str = ""
    place: Place | None = None


def ask(tree: Path, product: str, *sides: tuple[Path, Sequence[str]]) -> list[Mapping[str, Asked]]:
    """For each side, a fleet's files and stacks of it, every stack as the code in `tree` makes it from those files.
    Lines of code are named from the repository, in which `product` is the folder of `tree`, with a slash at the end.
    Raises NotAskedError."""
    wanted = [(fleet, stack) for fleet, stacks in sides for stack in stacks]
    parts = [wanted[start : start + _STACKS_A_PROCESS] for start in range(0, len(wanted), _STACKS_A_PROCESS)]
    try:
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as at_once:
            told = [_below(product, one) for part in at_once.map(partial(_process, tree), parts) for one in part]
    except NotAskedError as error:
        error.place = _placed(product, error.place)
        raise
    found = dict(zip(wanted, told, strict=True))
    return [{stack: found[fleet, stack] for stack in stacks} for fleet, stacks in sides]


def _below(product: str, one: Asked) -> Asked:
    if not product:
        return one
    resources = tuple(replace(resource, place=_placed(product, resource.place)) for resource in one.resources)
    return replace(one, resources=resources, place=_placed(product, one.place))


def _placed(product: str, place: Place | None) -> Place | None:
    return place and Place(product + place.file, place.line)


def can_be_asked(tree: Path) -> bool:
    """Whether the tree is new enough to have this interface."""
    return (tree / "ops" / "review" / "__main__.py").is_file()


def _process(tree: Path, wanted: Sequence[tuple[Path, str]]) -> list[Asked]:
    sides = {fleet: [stack for _, stack in pairs] for fleet, pairs in groupby(wanted, itemgetter(0))}
    done = subprocess.run(
        [sys.executable, "-m", "ops.review", *map(str, sides)],
        cwd=tree,
        env={name: value for name, value in os.environ.items() if not name.startswith(_NOT_FOR_IT)},
        input="\n".join(map(" ".join, sides.values())),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it printed no error"]
        raise NotAskedError(lines[-1], _innermost(done.stderr, tree))
    answers = json.loads(done.stdout)
    if answers["form"] != FORM:
        raise NotAskedError(f"its answers have format {answers['form']}, but this code reads format {FORM}")
    return [_asked(one) for one in cast(list[dict[str, Any]], answers["stacks"])]


def _innermost(trace: str, tree: Path) -> Place | None:
    """The last line of the tree's own that a traceback names."""
    found = re.findall(rf'File "{re.escape(str(tree))}/([^"]+)", line (\d+)', trace)
    own = [(file, line) for file, line in found if "site-packages" not in file]
    return Place(own[-1][0], int(own[-1][1])) if own else None


def _asked(told: dict[str, Any]) -> Asked:
    place = told["place"]
    return Asked(
        stack=told["stack"],
        resources=tuple(from_json(one) for one in told["resources"]),
        gap=told["gap"],
        refusal=told["refusal"],
        crash=told["crash"],
        place=Place(place["file"], place["line"]) if place else None,
    )
