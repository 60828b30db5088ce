"""Asking the solver: a claim holds when none of its attempts can succeed.

Owns time limits and what counts as proven: an answer that did not come is never a proof.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

import z3

from isolation.claims import Claim, claims
from isolation.deployment import Resource, read
from isolation.terms import CannotJudgeError, Formula
from isolation.words import told
from tenancy import Cell

Outcome = Literal["holds", "broken", "unknown"]

_SECONDS: Final = 30
"""For one attempt; the shipped documents take a hundredth of it."""


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
    outcome: Outcome = "unknown"
    why = "nothing that is deployed is spoken of."
    refuted: dict[int, Formula] = {}
    for attempt in claim.attempts():
        outcome, why = "holds", ""
        # Many actions are ruled by the same statements, and the same formula needs no second answer. z3 gives equal
        # formulas one id for as long as one of them is kept.
        if attempt.fails.get_id() in refuted:
            continue
        solver = z3.Solver()
        solver.set("timeout", _SECONDS * 1000)
        solver.add(attempt.fails)
        answer = solver.check()
        if answer == z3.sat:
            outcome, why = "broken", told(attempt, solver.model())
            break
        if answer != z3.unsat:
            outcome, why = "unknown", f"the solver gave no answer in {_SECONDS} s ({solver.reason_unknown()})."
            break
        refuted[attempt.fails.get_id()] = attempt.fails
    return Verdict(claim.name, claim.text, outcome, why, time.monotonic() - started)
