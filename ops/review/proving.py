"""Proves isolation for each cell that a change concerns: which claims fail, and whether the access matrix changes.

Leaves out the proof itself (`ops/isolation`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ops import isolation
from ops.review.difference import Change
from ops.review.file_line import Place
from ops.review.registered import Registered
from ops.review.remark import Outcome, Remark
from ops.review.tree_rehearsal import Asked
from tenancy import Cell, Fleet

_ABOUT: Final = ("aws:iam/", "aws:kms/", "aws:s3/bucketPolicy:", "aws:secretsmanager/")
_RULES: Final = "aws:lambda/invocation:"
"""Its specification says which token OpenAI takes for a tenant."""
_FIXES: Final = {"broken": "Undo the change of the policy documents that the counterexample uses."}
_UNPROVEN: Final = (
    "Simplify the policy documents that the claim is about: write actions, principals and secrets in full instead of "
    "wildcards, and use the tenant only once in a pattern. If the solver was only slow, run the check again."
)
_DOCUMENTS: Final = ("assumeRolePolicy", "policy", "policyArn", "permissionsBoundary")


@dataclass(frozen=True)
class Proof:
    """The proof of one cell. `matrix` is the access matrix in Markdown, empty where it did not change. `stacks` were
    read: the platform's and some tenants'; the claims then hold for all tenants. `claims` counts those that the solver
    checked; `waiting` names those about tenants' secrets, in a cell whose files have no tenant yet."""

    cell: str
    stacks: tuple[str, ...]
    claims: int
    waiting: tuple[str, ...]
    seconds: float
    matrix: str
    remarks: tuple[Remark, ...]


def proof(
    cell: Cell,
    stacks: Sequence[str],
    after: Sequence[Registered],
    before: Sequence[Registered],
    place: Place | None,
    *,
    tenants: bool = True,
) -> Proof:
    """`before` are the same stacks' resources in the base, as far as they were there. `place` is where to look if a
    claim fails: it is about documents together, and no one line. `tenants`: whether the files name any in the cell; if
    they do, and none was read, a claim about them is not judged."""
    verdicts = isolation.prove(after, cell)
    waiting = () if tenants else tuple(verdict.claim for verdict in verdicts if verdict.outcome == "no-tenant")
    who_reads = isolation.matrix(after, cell)
    same = bool(before) and isolation.matrix(before, cell) == who_reads
    return Proof(
        cell=cell.cell,
        stacks=tuple(stacks),
        claims=len(verdicts) - len(waiting),
        waiting=waiting,
        seconds=sum(verdict.seconds for verdict in verdicts),
        matrix="" if same else who_reads.markdown(),
        remarks=tuple(
            Remark(
                rule=f"isolation-{verdict.claim}",
                outcome=Outcome.VIOLATION if verdict.outcome == "broken" else Outcome.UNJUDGED,
                severity="critical",
                message=f"{verdict.text} {verdict.counterexample}".strip(),
                why="The claim must hold for all principals, tags and tenants, given the documents that are deployed. "
                + ("It does not hold." if verdict.outcome == "broken" else "It could not be proven."),
                fix=verdict.way_out or _FIXES.get(verdict.outcome, _UNPROVEN),
                place=place,
                stacks=(cell.cell,),
            )
            for verdict in verdicts
            if verdict.outcome != "holds" and verdict.claim not in waiting
        ),
    )


def proofs(
    cells: Mapping[str, str],
    fleet: Fleet,
    judged: Sequence[str],
    after: Mapping[str, Asked],
    before: Mapping[str, Asked],
    differing: Mapping[str, tuple[Change, ...]],
    *,
    everything: bool,
) -> tuple[Proof, ...]:
    """Of every cell that holds one of the stacks `judged`, as far as its platform could be rehearsed. `cells` maps each
    stack to its cell. Unless `everything` is proven anew, a cell of whose documents none changes is left out: what was
    true of it still is."""
    found: list[Proof] = []
    for cell in dict.fromkeys(cells[stack] for stack in judged):
        stacks = [stack for stack in after if cells[stack] == cell and after[stack].resources and not after[stack].gap]
        if cell in stacks and (everything or any(_proven(differing.get(stack, ())) for stack in stacks)):
            now = [one for stack in stacks for one in after[stack].resources]
            then = [one for stack in stacks if stack in before for one in before[stack].resources]
            tenants = bool(fleet.tenants_of(fleet.cells[cell]))
            place = _suspect(stacks, now, differing)
            found.append(proof(fleet.cells[cell], stacks, now, then, place, tenants=tenants))
    return tuple(found)


def _proven(changed: tuple[Change, ...]) -> bool:
    return any(
        one.type.startswith(_ABOUT)
        or (one.type.startswith(_RULES) and any("federation" in line for line in (*one.lost, *one.gained)))
        for one in changed
    )


def _suspect(
    stacks: Sequence[str], now: Sequence[Registered], differing: Mapping[str, tuple[Change, ...]]
) -> Place | None:
    """Where the first policy document is made that the branch changed; else where the platform is."""
    touched = {one.urn for stack in stacks for one in differing.get(stack, ())}
    documents = [one for one in now if one.place and any(name in one.inputs for name in _DOCUMENTS)]
    changed = [one.place for one in documents if one.urn in touched]
    return next(iter(changed), next((one.place for one in now if one.place and not one.custom), None))
