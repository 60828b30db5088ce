"""The review as Markdown: what fails, what changes, what it costs.

Owns the sentences and the lengths. Leaves out every finding. The text is redacted: nothing that looks like a key is
printed, whatever a file or the program contains.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from myflux_keys.redaction import redact
from ops.review.check import Review
from ops.review.difference import Change
from ops.review.previewing import Previews
from ops.review.remark import Outcome, Remark
from ops.review.report_spending import COLUMNS, about, cells
from ops.review.tenant_files import FIELDS
from tenancy.aws_prices import KEY_MONTH, SECRET_MONTH

_REMARKS: Final = 30
_GROUPS: Final = 12
_LINES: Final = 60
"""The most that is shown of each, and of a group's lines: a comment on GitHub takes 65,536 characters."""

_VERDICTS: Final = ("all checks pass", "rules fail", "not everything could be checked")
_SIGNS: Final = {"create": "+", "update": "~", "delete": "-"}


def markdown(review: Review) -> str:
    chapters = (
        _head(review),
        *_remarks(review),
        *_tenants(review),
        *_changes(review),
        *_matrices(review),
        *_figures(review),
        _how(review),
    )
    return redact("\n\n".join("\n".join(lines) for lines in chapters)) + "\n"


def _head(review: Review) -> list[str]:
    outcomes = Counter(remark.outcome for remark in review.remarks)
    verdict = _VERDICTS[review.code]
    counts = [
        f"{count} {word}"
        for outcome, word in (
            (Outcome.VIOLATION, "failed"),
            (Outcome.UNJUDGED, "not checked"),
            (Outcome.ADVICE, "warnings" if outcomes[Outcome.ADVICE] > 1 else "warning"),
        )
        if (count := outcomes[outcome])
    ]
    touched = len(review.scope.reasons)
    alike = sum(len(stacks) for stacks, _ in review.changed)
    lines = [f"## MyFlux Keys: {verdict}" + (f" ({', '.join(counts)})" if counts else "")]
    lines.append("")
    since = f"Since `{review.ref}` ({review.commit[:10]})"
    if not touched:
        lines.append(f"{since} no file of a stack changed; 0 of {review.stacks} stacks are affected.")
    else:
        lines.append(f"{since} files of {touched} of {review.stacks} stacks changed; the resources of {alike} change.")
    if review.scope.judges:
        files = _some(review.scope.judges)
        lines += [
            "",
            f"**The rules themselves change** ({files}). The changed rules checked this change and every stack. Read "
            "them first.",
        ]
    return lines


def _remarks(review: Review) -> Iterator[list[str]]:
    titles = {
        Outcome.VIOLATION: "### Failed",
        Outcome.UNJUDGED: "### Could not be checked",
        Outcome.ADVICE: "### Warnings",
    }
    for outcome, title in titles.items():
        found = [remark for remark in review.remarks if remark.outcome is outcome]
        if found:
            lines = [title]
            for remark in found[:_REMARKS]:
                lines += ["", *_remark(remark)]
            yield lines + _more(len(found) - _REMARKS, "more; `--json` and `--sarif` have them all")


def _remark(remark: Remark) -> list[str]:
    severity = f" ({remark.severity})" if remark.severity else ""
    where = f" at `{remark.place}`" if remark.place else ""
    stacks = f", {_some(remark.stacks)}" if remark.stacks else ""
    old = "; not new, the base has it too" if remark.before else ""
    about = " ".join(f"`{part}`" for part in (remark.resource, remark.path) if part)
    lines = [f"- **{remark.rule}**{severity}{where}{stacks}{old}", f"  {about + ': ' if about else ''}{remark.message}"]
    for word, text in (("Why", remark.why), ("Way out", remark.fix)):
        lines += [f"  - {word}: {text}"] if text else []
    return lines


def _tenants(review: Review) -> Iterator[list[str]]:
    """A row for each tenant; of a changed one the fields that differ. A column without an entry is left out."""
    if not review.tenants:
        return
    shown, headings = review.tenants[:_REMARKS], (*FIELDS, *COLUMNS)
    bills = {one.tenant: (cells(one.before), cells(one.after)) for one in review.spending}
    rows: list[list[str]] = []
    for one in shown:
        fields = [(one.before.get(field, ""), one.after.get(field, "")) for field in FIELDS]
        costs = zip(*bills.get(one.tenant, (cells(None), cells(None))), strict=True)
        rows.append([_cell(before, after, one.what) for before, after in (*fields, *costs)])
    used = [number for number in range(len(headings)) if any(row[number] for row in rows)]
    lines = ["### Tenants", "", f"| tenant | | {' | '.join(headings[number] for number in used)} |"]
    lines.append("|---" * (len(used) + 2) + "|")
    for one, row in zip(shown, rows, strict=True):
        lines.append(f"| **{one.tenant}** | {one.what} | {' | '.join(row[number] for number in used)} |")
    if used and headings[used[-1]] in COLUMNS:
        lines += ["", about(review.spending)]
    yield lines + _more(len(review.tenants) - _REMARKS, "more; `--json` has them all")


def _cell(before: str, after: str, what: str) -> str:
    if what == "changed":
        return "" if before == after else f"{_plain(before) or 'none'} → {_plain(after) or 'none'}"
    return _plain(after or before)


def _plain(text: str) -> str:
    """Text from a file as a table's cell shows it: no Markdown and no HTML."""
    return re.sub(r"[\\`*_{}\[\]<>()#!|~]", lambda found: f"&#{ord(found[0])};", text)


def _changes(review: Review) -> Iterator[list[str]]:
    if not review.changed and not review.scope.left_out:
        return
    lines = ["### What changes"]
    for stacks, changed in review.changed[:_GROUPS]:
        counted = Counter(change.action for change in changed)
        actions = ", ".join(f"{counted[action]} {action}" for action in _SIGNS if counted[action])
        why = review.scope.reasons[stacks[0]]
        lines += [
            "",
            f"**{_some(stacks)}**: {actions} ({_some(why)})",
            *_lost(changed),
            "",
            "```diff",
            *_lines(changed),
            "```",
        ]
    lines += _more(len(review.changed) - _GROUPS, "more groups of stacks; `--json` has them all")
    lines += [f"\n**{stack}** is not deployed: {why}." for stack, why in review.scope.left_out.items()]
    yield lines
    if review.previews.done or review.previews.without_platform:
        yield ["### What the engine would do", "", *_previews(review.previews)]


def _lost(changed: Sequence[Change]) -> list[str]:
    return [f"\n**Cannot be undone:** `{one.name}` is deleted: {one.final}." for one in changed if one.final]


def _lines(changed: Sequence[Change]) -> list[str]:
    lines: list[str] = []
    for one in [change for change in changed if not _repeats_the_file(change)] or changed:
        lines.append(f"{_SIGNS[one.action].replace('~', '!')} {one.type.rpartition(':')[2]} {one.name}")
        if one.action == "update":
            lines += [f"-   {line}" for line in one.lost] + [f"+   {line}" for line in one.gained]
    return lines[:_LINES] + ([f"  … {len(lines) - _LINES} more lines"] if len(lines) > _LINES else [])


def _repeats_the_file(one: Change) -> bool:
    """A declaration says what the tenant's file says, whose change the reviewer reads anyway."""
    declared = one.type == "aws:s3/bucketObjectv2:BucketObjectv2" and one.name.endswith("-declaration")
    return declared and one.action == "update"


def _previews(previews: Previews) -> list[str]:
    lines = ["| stack | steps | replaced or deleted |", "|---|---|---|"]
    for one in previews.done:
        counted = Counter(step.op for step in one.steps)
        told = ", ".join(f"{count} {op}" for op, count in sorted(counted.items())) or "nothing"
        gone = [step.urn.rpartition("::")[2] for step in one.steps if "replace" in step.op or "delete" in step.op]
        new = "" if one.deployed else " (not deployed yet)"
        lines.append(
            f"| {one.stack}{new} | {'failed' if one.failure else told} | {', '.join(dict.fromkeys(gone)) or '-'} |"
        )
    waiting = [
        f"\n{cell} has no platform yet: its tenants are previewed once that is deployed."
        for cell in previews.without_platform
    ]
    return lines + waiting + _more(previews.left, "more stacks were checked without a preview")


def _matrices(review: Review) -> Iterator[list[str]]:
    for proof in review.proofs:
        if proof.matrix:
            yield [f"### Who may do what in {proof.cell}, changed", "", proof.matrix.rstrip()]


def _figures(review: Review) -> Iterator[list[str]]:
    rows = [
        f"| {one.cell}: {one.what} | {one.before:,} | {one.after:,} | {f'{one.most:,}' if one.most else '-'} |"
        for one in review.room
    ]
    if review.before != review.after:
        change = review.after.usd - review.before.usd
        parts = (("secrets", "secrets"), ("replicas", "replicas"), ("KMS keys", "keys"))
        counted = ((word, getattr(review.after, name) - getattr(review.before, name)) for word, name in parts)
        told = ", ".join(f"{count:+} {word}" for word, count in counted if count)
        rows.append(f"| AWS, USD a month ({told}) | | {change:+} | - |")
    if rows:
        yield [
            "### Cost and limits",
            "",
            "| | before | after | limit |",
            "|---|---:|---:|---:|",
            *rows,
            "",
            f"AWS: ${SECRET_MONTH} a month for a secret or replica, ${KEY_MONTH} for a KMS key. Costs that depend on "
            "use are not included.",
        ]


def _how(review: Review) -> list[str]:
    if not review.scope.judged:
        return ["Only the tenant and cell files were read."]
    claims = "; ".join(
        f"the solver checked {one.claims} claims about isolation in {one.cell} ({one.seconds:.1f} s)"
        for one in review.proofs
    )
    state = (
        f"The stacks' state was not read ({review.state}): the program ran without credentials, with mocked look-ups "
        "and invented ids. This report compares the files before and after, not with what is deployed."
        if review.state
        else "The engine previewed changed stacks on a copy of their state; nothing was locked or written."
    )
    parts = [
        f"The rules checked {review.judged} of {len(review.scope.judged)} stacks",
        claims or "no policy document changes, so the earlier proof of isolation still holds",
    ]
    waiting = [
        f"\n{one.cell} has no tenants yet. The claims about tenants' secrets ({', '.join(one.waiting)}) are checked "
        "when its first tenant's file is reviewed."
        for one in review.proofs
        if one.waiting
    ]
    return ["---", "; ".join(parts) + ". " + state, *waiting, *(f"\n{note}" for note in review.notes)]


def _more(count: int, what: str) -> list[str]:
    return ["", f"… {count} {what}."] if count > 0 else []


def _some(names: Sequence[str], most: int = 3) -> str:
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
