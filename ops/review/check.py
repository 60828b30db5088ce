"""One review of one change: all its checks, in order.

Owns the order and the record of a review. Leaves out each check (the other modules here) and the output
(`report_markdown`, `sarif`, `report_json`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import tenancy
from ops.errors import OperationError
from ops.review import base_and_change, judging, previewing, proving, stacks
from ops.review.base_commit import Base, base
from ops.review.cost import Cost, cost
from ops.review.difference import Change, alike, changes
from ops.review.limits_used import Room, room
from ops.review.preview import obstacle
from ops.review.remark import Remark, exit_code, gathered
from ops.review.source_lines import Places
from ops.review.spending import Spending, spendings
from ops.review.tenant_files import TenantChange, kept, switched, tenant_changes
from ops.stacks import changed, sources
from tenancy import Cell
from tenancy.loading import ROOT


@dataclass(frozen=True)
class Review:
    """`stacks` counts all stacks, `judged` those that the rules checked. `scope` has the stacks that a change concerns,
    with the reasons. `changed` groups the stacks whose resources differ from the base by their change. `state` is the
    reason why no state was read, empty where it was read. `notes` are about what this review could not check. `tenants`
    are those whose files differ, `spending` what they may cost."""

    ref: str
    commit: str
    stacks: int
    judged: int
    scope: stacks.Scope
    tenants: tuple[TenantChange, ...]
    changed: Sequence[tuple[tuple[str, ...], tuple[Change, ...]]]
    remarks: tuple[Remark, ...]
    proofs: tuple[proving.Proof, ...]
    before: Cost
    after: Cost
    room: tuple[Room, ...]
    spending: tuple[Spending, ...]
    state: str
    previews: previewing.Previews
    notes: tuple[str, ...]

    @property
    def code(self) -> int:
        return exit_code(self.remarks)


def review(
    fleet: Path, ref: str | None, *, state: bool | None = None, say: Callable[[str], None] = lambda _: None
) -> Review:
    """Reviews the change from `ref` to the present files. `fleet` holds tenants/ and cells/. `state`: whether a
    preview runs on a copy of the stacks' state; None: if one is available.

    Raises OperationError where there is nothing to compare with, or where `state` is True and no state can be read.
    """
    # Without --state a cell's file is not enough: most reviews have no credentials.
    missing = obstacle(any(cell.kept_in for cell in _cells(fleet)) if state else False)
    if state and missing:
        raise OperationError(f"the stacks' state cannot be read: {missing}. Correct that, or remove --state.")
    with base(fleet.resolve(), ref) as found:
        return _of(found, fleet.resolve(), "--no-state" if state is False else missing, say)


def _cells(fleet: Path) -> Collection[Cell]:
    """None of them where a file is wrong, which the review itself reports."""
    try:
        return tenancy.load(fleet, only="").cells.values()
    except tenancy.TenancyError:
        return ()


def _of(found: Base, fleet: Path, no_state: str, say: Callable[[str], None]) -> Review:
    then = found.then(fleet) or fleet
    now_files, then_files = stacks.read(fleet), stacks.read(then)
    place = fleet.relative_to(found.top).as_posix()
    ours = found.then(ROOT)
    same_code = not ours or not changed.code_may_differ(found.differences, place, found.product)
    code = None if same_code else _code(found)
    about = stacks.scope(now_files, found.differences, place, code, _pins(found, ours), then, found.product)
    places = Places(fleet, place, {one.path for one in found.differences})
    say(stacks.progress(about, len(now_files.stacks)))
    both = base_and_change.rehearse(
        found, fleet, about.needed, then_files.stacks, places, changed=about.reasons, same_code=same_code
    )
    remarks = [*stacks.remarks(now_files, about, places), *both.remarks]
    for stack in about.judged:
        if stack in both.after:
            cell = now_files.fleet.cells[now_files.stacks[stack]]
            tenants = now_files.fleet.tenants_of(cell)
            remarks += judging.judged(both.after[stack], both.before.get(stack), cell, tenants, places)
    differing = {
        stack: changes(both.before[stack].resources if stack in both.before else (), asked.resources)
        for stack, asked in both.after.items()
        if stack in about.reasons and asked.resources
    }
    say("proving that no tenant can read another tenant's key …")
    proofs = proving.proofs(
        now_files.stacks,
        now_files.fleet,
        about.judged,
        both.after,
        both.before,
        differing,
        everything=bool(about.judges),
    )
    remarks += [remark for one in proofs for remark in one.remarks]
    previews = previewing.Previews()
    if about.reasons and not no_state:
        previews = previewing.run(fleet, {stack: now_files.stacks[stack] for stack in about.reasons}, say)
        known = {(one.rule, urn) for one in remarks for urn in one.urns}
        remarks += previewing.remarks(previews.done, both.after, places, known)
    tenants = tenant_changes(then_files, now_files, about.gone)
    remarks += switched(tenants, places)
    return Review(
        ref=found.ref,
        commit=found.commit,
        stacks=len(now_files.stacks),
        judged=sum(bool(both.after[stack].resources) for stack in about.judged if stack in both.after),
        scope=about,
        tenants=tenants,
        changed=alike(differing),
        remarks=gathered(remarks),
        proofs=proofs,
        before=cost(one for stack in differing if stack in both.before for one in both.before[stack].resources),
        after=cost(one for stack in differing for one in both.after[stack].resources),
        room=_room(then_files, now_files, about.gone),
        spending=spendings(then_files.fleet, now_files.fleet, tenants, datetime.now(UTC).date()),
        state=no_state,
        previews=previews,
        notes=both.notes,
    )


def _code(found: Base) -> sources.Code:
    try:
        return sources.code().below(found.product)
    except SyntaxError:
        # Imports that cannot be followed may change every stack: the rehearsal shows where the program stops.
        paths = frozenset(one.path for one in found.differences)
        return sources.Code(paths, paths, paths)


def _room(then: stacks.Files, now: stacks.Files, gone: Sequence[str]) -> tuple[Room, ...]:
    """Empty unless all files can be read: an unreadable file does not mean that a tenant was removed. `gone` are
    tenants whose file was removed: what was deployed for them still counts."""
    if then.problems or now.problems:
        return ()
    return room(then.fleet, kept(then.fleet, now.fleet, gone), datetime.now(UTC).date())


def _pins(found: Base, ours: Path | None) -> Sequence[str]:
    if ours is None or not changed.may_change_pins(found.differences, found.product):
        return ()
    before, now = ((tree / sources.REQUIREMENTS).read_text(encoding="utf-8") for tree in (ours, ROOT))
    return changed.pins_changed(before, now)
