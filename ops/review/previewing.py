"""Runs the previews of a review, and turns their findings into remarks.

Owns which stacks are previewed. Leaves out the copy and the engine (`preview`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ops.review.judging import BY_NAME, remark
from ops.review.preview import Preview, copies
from ops.review.remark import Outcome, Remark
from ops.review.source_lines import Places
from ops.review.tree_rehearsal import Asked
from policies.guardrails.model import BEFORE_DEPLOYMENT, Finding

MOST: Final = 20
"""Stacks that are previewed. A preview takes seconds, and a change of a component changes every stack in the
same way: the rehearsals cover them all."""
_AT_ONCE: Final = 2


@dataclass(frozen=True)
class Previews:
    """`left` counts the stacks that were not previewed. `without_platform` are cells with such stacks, because their
    platform is not deployed, and the engine previews no tenant before that."""

    done: tuple[Preview, ...] = ()
    left: int = 0
    without_platform: tuple[str, ...] = ()


def run(fleet: Path, stacks: Mapping[str, str], say: Callable[[str], None]) -> Previews:
    """Previews `stacks`, each with its cell, in their order."""
    first = list(stacks)[:MOST]
    with copies(fleet) as copied, ThreadPoolExecutor(max_workers=_AT_ONCE) as workers:
        missing = {cell for cell in dict.fromkeys(stacks[stack] for stack in first) if not copied.take(cell)}
        chosen = [stack for stack in first if stack == stacks[stack] or stacks[stack] not in missing]
        waiting = dict.fromkeys(stacks[stack] for stack in first if stack not in chosen)
        done: list[Preview] = []
        for one in workers.map(copied.preview, chosen, [stacks[stack] for stack in chosen]):
            done.append(one)
            say(f"previewed {len(done)} of {len(chosen)} stacks on a copy of their state")
    return Previews(tuple(done), len(stacks) - len(chosen), tuple(waiting))


def remarks(
    previews: Sequence[Preview], after: Mapping[str, Asked], places: Places, known: Collection[tuple[str, str]]
) -> Iterator[Remark]:
    """Remarks that the rehearsals have not made: `known` holds rules and URNs. What the pack could not judge before
    deployment is settled by the rehearsal, which knows the ids and ARNs that AWS will give."""
    for preview in previews:
        registered = {one.urn: one for one in after[preview.stack].resources} if preview.stack in after else {}
        if preview.failure:
            yield Remark(
                rule="preview-succeeds",
                outcome=Outcome.UNJUDGED,
                severity="high",
                message=preview.failure,
                fix=f"`pulumi preview --stack {preview.stack}` shows the same error.",
                place=places.of(preview.stack, None, ""),
                stacks=(preview.stack,),
            )
        for said in preview.judged:
            rule = BY_NAME.get(said.rule)
            settled = BEFORE_DEPLOYMENT in said.message and said.urn in registered
            if rule and (said.rule, said.urn) not in known and not settled:
                finding = Finding(said.rule, said.urn, "", _what(said.message))
                yield remark(rule, finding, preview.stack, registered.get(said.urn), places)


def _what(message: str) -> str:
    """The message without the rule's description, which the engine puts above it."""
    lines = message.splitlines()
    return lines[1] if len(lines) > 1 else message
