"""Asking the solver: a claim holds when none of its attempts can succeed.

Owns time limits and what counts as proven: an answer that did not come is never a proof.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

import z3

from ops.isolation.attempts import Attempt
from ops.isolation.claims import Claim, claims
from ops.isolation.counterexample import told
from ops.isolation.deployment import Resource, read
from ops.isolation.terms import CannotJudgeError, Formula
from tenancy import Cell

Outcome = Literal["holds", "broken", "unknown", "no-tenant"]
"""The last is of a claim about tenants' secrets, where there are none. Nothing is proven by it."""

_SOON: Final = 2
"""For one attempt; the shipped documents take a twentieth of it."""
_SECONDS: Final = 30
"""For one that was not answered soon, before nothing is said of it."""
_UNDECIDED: Final = (
    f"The solver found neither a way in nor a proof that there is none in {_SECONDS} s: {{who}} trying {{action}}. "
    "Nothing is known to be open, and nothing is proven."
)


@dataclass(frozen=True)
class Verdict:
    """`claim` is its name, `text` what it says. `counterexample` says who gets in, or what kept it from a proof; empty
    where the claim holds. `way_out` is told where a document is what kept it."""

    claim: str
    text: str
    outcome: Outcome
    counterexample: str
    seconds: float
    way_out: str = ""


def prove(resources: Iterable[Resource], cell: Cell) -> list[Verdict]:
    """Every claim about the cell whose platform's and tenants' stacks register `resources`.

    What cannot be read or put exactly is one verdict more, ``unknown``, that names the claims it keeps from a proof.
    """
    started = time.monotonic()
    try:
        asked = claims(read(resources), cell)
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
    told = f"{error}. Not proven for that: {', '.join(kept) or 'any claim'}."
    return Verdict(
        "documents-are-understood", "A document is not understood.", "unknown", told, seconds, f"{error.way_out}."
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
        # Many actions are ruled by the same statements, and the same formula needs no second answer. z3 gives equal
        # formulas one id for as long as one of them is kept.
        if attempt.fails.get_id() in refuted:
            continue
        found = _asked(attempt, _SOON) or _example(claim) or _asked(attempt, _SECONDS)
        if found is None:
            return "unknown", _UNDECIDED.format(who=attempt.who or "somebody", action=attempt.request.action)
        if found.outcome == "broken":
            return "broken", found.why
        refuted[attempt.fails.get_id()] = attempt.fails
    if asked:
        return "holds", ""
    if claim.of_tenants and not claim.about.deployment.tenants:
        return "no-tenant", "No tenant's secret is deployed."
    return "unknown", "Nothing that is deployed is spoken of."


@dataclass(frozen=True)
class _Answer:
    outcome: Outcome
    why: str = ""


def _asked(attempt: Attempt, seconds: int) -> _Answer | None:
    """None where the solver gives no answer in time."""
    solver = z3.Solver()
    solver.set("timeout", seconds * 1000)
    solver.add(attempt.fails)
    answer = solver.check()
    if answer == z3.sat:
        return _Answer("broken", told(attempt, solver.model()))
    return _Answer("holds") if answer == z3.unsat else None


def _example(claim: Claim) -> _Answer | None:
    """A way in to one tenant, of whose documents everything is known: where there is one, the solver finds it at once,
    also where it is lost among the names that a tenant can have."""
    found = (_asked(attempt, _SOON) for attempt in claim.on_one_tenant())
    return next((one for one in found if one is not None and one.outcome == "broken"), None)
