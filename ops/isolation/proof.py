"""Runs the solver: a claim holds if none of its attempts can succeed.

Owns the solver's limits, and what counts as proven: no answer within them is never a proof.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

import z3

from ops.isolation.attempts import Attempt
from ops.isolation.bootstrapped import by_bootstrap
from ops.isolation.claims import Claim, claims
from ops.isolation.counterexample import sentence
from ops.isolation.deployment import Resource, read
from ops.isolation.terms import CannotJudgeError, Formula
from tenancy import Cell

Outcome = Literal["holds", "broken", "unknown", "no-tenant"]
"""`no-tenant`: the claim is about tenants' secrets, and there are none, so nothing is proven."""

_SOON: Final = 2_000_000
"""The first limit of an attempt, in the solver's own steps, about a million a second: a verdict does not depend on how
busy the machine is. The shipped documents take a fifth of it."""
_LATER: Final = 30_000_000
"""The second limit; after it the claim is unknown."""
_STUCK_SECONDS: Final = 600
"""Ends a solver that takes no step."""
_UNDECIDED: Final = (
    f"In {_LATER:,} steps the solver found no request that succeeds, and no proof that all fail: "
    "{action} by {who}. This claim is neither proven nor refuted."
)


@dataclass(frozen=True)
class Verdict:
    """`claim` is the claim's name, `text` its sentence. `counterexample` is a request that succeeds, or the reason why
    there is no proof; empty where the claim holds. `way_out` is set where a document is the reason."""

    claim: str
    text: str
    outcome: Outcome
    counterexample: str
    seconds: float
    way_out: str = ""


def prove(resources: Iterable[Resource], cell: Cell) -> list[Verdict]:
    """Every claim about the cell whose platform's and tenants' stacks register `resources`.

    Where a document cannot be read or expressed exactly, one more verdict, ``unknown``, names the claims that are not
    proven for that reason.
    """
    started = time.monotonic()
    try:
        asked = claims(read(resources, by_bootstrap(cell)), cell)
    except CannotJudgeError as error:
        return [_unread(error, [], time.monotonic() - started)]
    judged: list[Verdict] = []
    kept: dict[str, tuple[CannotJudgeError, list[str]]] = {}
    for claim in asked:
        try:
            judged.append(verdict(claim))
        except CannotJudgeError as error:
            kept.setdefault(str(error), (error, []))[1].append(claim.name)
    return [*judged, *(_unread(error, names, 0.0) for error, names in kept.values())]


def _unread(error: CannotJudgeError, kept: list[str], seconds: float) -> Verdict:
    reason = f"{error}. Not proven for that reason: {', '.join(kept) or 'any claim'}."
    return Verdict(
        "documents-are-understood", "A document is not understood.", "unknown", reason, seconds, f"{error.way_out}."
    )


def verdict(claim: Claim) -> Verdict:
    """Raises CannotJudgeError."""
    started = time.monotonic()
    outcome, why = _judged(claim)
    return Verdict(claim.name, claim.text, outcome, why, time.monotonic() - started)


def _judged(claim: Claim) -> tuple[Outcome, str]:
    asked = False
    refuted: dict[int, Formula] = {}
    for attempt in claim.attempts():
        asked = True
        # The same statements decide many actions, and the same formula needs no second answer. z3 gives equal
        # formulas one id for as long as one of them is kept.
        if attempt.fails.get_id() in refuted:
            continue
        found = _asked(attempt, _SOON) or _example(claim) or _asked(attempt, _LATER)
        if found is None:
            return "unknown", _UNDECIDED.format(who=attempt.who or "somebody", action=attempt.request.action)
        if found.outcome == "broken":
            return "broken", found.why
        refuted[attempt.fails.get_id()] = attempt.fails
    if asked:
        return "holds", ""
    if claim.of_tenants and not claim.about.deployment.tenants:
        return "no-tenant", "No tenant's secret is deployed."
    return "unknown", "The claim is about nothing that is deployed."


@dataclass(frozen=True)
class _Answer:
    outcome: Outcome
    why: str = ""


def _asked(attempt: Attempt, steps: int) -> _Answer | None:
    """None where the solver gives no answer within the steps."""
    solver = z3.Solver()
    solver.set("rlimit", steps)
    solver.set("timeout", _STUCK_SECONDS * 1000)
    solver.add(attempt.fails)
    answer = solver.check()
    if answer == z3.sat:
        return _Answer("broken", sentence(attempt, solver.model()))
    return _Answer("holds") if answer == z3.unsat else None


def _example(claim: Claim) -> _Answer | None:
    """A request that succeeds on one tenant, whose documents are completely known. The solver finds one at once if it
    exists, also where the search over all possible tenants' names takes too long."""
    found = (_asked(attempt, _SOON) for attempt in claim.on_one_tenant())
    return next((one for one in found if one is not None and one.outcome == "broken"), None)
