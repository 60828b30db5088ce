"""Rehearses both sides of a change: the base with its own code, so that a change of the components shows too.

Owns which code runs, and the remarks where a side gives no answer. Leaves out comparing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ops.review.base_commit import Base
from ops.review.remark import Outcome, Remark
from ops.review.source_lines import Places
from ops.review.tree_rehearsal import Asked, NotAskedError, ask, can_be_asked
from tenancy.loading import ROOT

_IN_THIS_BRANCHS_CODE: Final = (
    "The base is older than this review, so its own program could not run. This branch's program read the base's files "
    "instead: what a change of the components does is not shown as a change."
)

_Side = tuple[Path, Sequence[str]]
_Answers = Mapping[str, Asked] | NotAskedError


@dataclass(frozen=True)
class Sides:
    after: Mapping[str, Asked] = field(default_factory=dict[str, Asked])
    before: Mapping[str, Asked] = field(default_factory=dict[str, Asked])
    remarks: tuple[Remark, ...] = ()
    notes: tuple[str, ...] = ()


def rehearse(
    found: Base,
    fleet: Path,
    stacks: Sequence[str],
    there: Collection[str],
    places: Places,
    *,
    changed: Collection[str],
    same_code: bool,
) -> Sides:
    """`stacks` as they are now, and as they were in the base for those that were `there`. `same_code`: both
    sides run the same code, so that only those that are `changed` can differ."""
    if not stacks:
        return Sides()
    tree, then = found.then(ROOT), found.then(fleet) or fleet
    own = tree if tree and not same_code and can_be_asked(tree) else None
    earlier = [stack for stack in stacks if stack in there and (stack in changed or not same_code)]
    after, before = _answers(found.product, own, (fleet, stacks), (then, earlier))
    if same_code and not isinstance(after, NotAskedError) and not isinstance(before, NotAskedError):
        before = {stack: before.get(stack, after[stack]) for stack in stacks if stack in there}
    notes = [_IN_THIS_BRANCHS_CODE] if tree and not same_code and own is None else []
    if isinstance(before, NotAskedError):
        notes.append(f"The base's program cannot run, so nothing is compared with it: {before}.")
        before = dict[str, Asked]()
    if isinstance(after, NotAskedError):
        return Sides(remarks=(_does_not_load(after),), notes=tuple(notes))
    remarks = tuple(remark for asked in after.values() for remark in _unanswered(asked, places))
    return Sides(after, before, remarks, tuple(notes))


def _answers(product: str, own: Path | None, after: _Side, before: _Side) -> Sequence[_Answers]:
    """Of both sides, `before` by the code in `own`. By this branch's code where that is None: then the same processes
    do both, since loading the code takes longer than a few stacks."""
    if own is None:
        return _asked(ROOT, product, after, before)
    with ThreadPoolExecutor(max_workers=2) as both:
        asked = [both.submit(_asked, tree, product, side) for tree, side in ((ROOT, after), (own, before))]
        return [answers for one in asked for answers in one.result()]


def _asked(tree: Path, product: str, *sides: _Side) -> Sequence[_Answers]:
    try:
        return ask(tree, product, *sides)
    except NotAskedError as error:
        return [error] * len(sides)


def _does_not_load(error: NotAskedError) -> Remark:
    return Remark(
        rule="program-loads",
        outcome=Outcome.UNJUDGED,
        severity="high",
        message=f"The program cannot be loaded, so nothing of it was checked: {error}",
        fix="Correct the program: `pulumi preview` shows the same error.",
        place=error.place,
    )


def _unanswered(asked: Asked, places: Places) -> Iterator[Remark]:
    told = (
        ("program-accepts", Outcome.VIOLATION, asked.refusal, "Do what the message says."),
        ("program-runs", Outcome.UNJUDGED, asked.crash, "Correct the program: `pulumi preview` shows the same error."),
        ("program-known", Outcome.UNJUDGED, asked.gap, "Add AWS's answer to ops/review/answers.py."),
    )
    for rule, outcome, message, fix in told:
        if message:
            place = asked.place or places.of(asked.stack, None, "")
            yield Remark(rule, outcome, "high", message, fix=fix, place=place, stacks=(asked.stack,))
