"""The summary of a job in Markdown, for the job's page ($GITHUB_STEP_SUMMARY) or stdout."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from myflux_keys.redaction import redact
from ops.stacks.steps import UNTOUCHED

Facts = Mapping[str, Any]


def write(text: str) -> None:
    place = os.environ.get("GITHUB_STEP_SUMMARY")
    if place:
        with Path(place).open("a", encoding="utf-8") as page:
            page.write(redact(text) + "\n")
    else:
        print(redact(text))


def deployed(cell: str, facts: Facts) -> str:
    stacks, left_out = _part(facts, "stacks"), _part(facts, "left_out")
    lines = [f"## Cell {cell}: {len(stacks)} {'stack' if len(stacks) == 1 else 'stacks'}", ""]
    if stacks:
        lines += ["| stack | outcome | seconds | why |", "|---|---|---|---|"]
        lines += [
            f"| {stack} | {fields['outcome']} | {fields['seconds']} | {'; '.join(fields.get('why', ()))} |"
            for stack, fields in sorted(stacks.items())
        ]
    lines += [f"\n{stack} is left out: {why}." for stack, why in sorted(left_out.items())]
    if facts.get("retry"):
        lines.append(f"\nTo repeat only the failed stacks: `{facts['retry']}`")
    return "\n".join(lines)


def drifted(facts: Facts) -> dict[str, Facts]:
    """The stacks that an `up` would change, each with what the preview says of it."""
    return {stack: fields for stack, fields in _part(facts, "stacks").items() if _changes(fields)}


def _changes(fields: Facts) -> dict[str, int]:
    return {kind: count for kind, count in fields["changes"].items() if kind not in UNTOUCHED}


def drift(cell: str, found: Mapping[str, Facts], *, whole: bool, refreshed: bool = True) -> str:
    """`refreshed`: the platform's state agrees with AWS, so that the next `up` sees the differences."""
    if not found:
        rest = "no drift" if whole else "not every stack could be compared: see the log"
        return f"## Cell {cell}: {rest}"
    drifted = f"{len(found)} {'stack differs' if len(found) == 1 else 'stacks differ'} from the files"
    lines = [f"## Cell {cell}: {drifted}", "", "| stack | `up` would | resources |", "|---|---|---|"]
    lines += [
        f"| {stack} | {', '.join(f'{kind} {count}' for kind, count in sorted(_changes(fields).items()))} "
        f"| {'; '.join(map(_named, fields.get('resources', ())))} |"
        for stack, fields in sorted(found.items())
    ]
    way_out = f"`myflux-keys up --cell {cell}` corrects them."
    if cell in found and not refreshed:
        way_out = (
            f"A deployer's `myflux-keys refresh --cell {cell}`, then `myflux-keys up --cell {cell}`, corrects them: "
            "this pipeline may not write the platform's state."
        )
    return "\n".join([*lines, "", way_out])


def _named(resource: Facts) -> str:
    properties = ", ".join(resource["properties"])
    return f"{resource['name']}{f': {properties}' if properties else ''}"


def unread(cell: str, facts: Facts) -> str:
    failed = [stack for stack, fields in _part(facts, "stacks").items() if fields["outcome"] != "succeeded"]
    return f"## Cell {cell}: refresh failed\n\n{', '.join(sorted(failed)) or 'Nothing was read'}: see the log."


def _part(facts: Facts, name: str) -> dict[str, Any]:
    """Empty where a command ended before it printed a result."""
    return facts.get(name) or {}
