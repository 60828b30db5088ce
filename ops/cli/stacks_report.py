"""The report of a run over many stacks: sentences, JSON, and the command that repeats the failed stacks.

Leaves out printing and every decision.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from typing import Any, Final

from ops.cli.table import counted
from ops.stacks.choice import Choice
from ops.stacks.job import Done, Operation
from ops.stacks.run import Plan, Result
from ops.stacks.steps import Step

_SHOWN: Final = 5
_BY_MARK: Final = "unchanged (by mark)"


def named(stacks: Sequence[str]) -> str:
    more = len(stacks) - _SHOWN
    return ", ".join(stacks[:_SHOWN]) + (f" and {more:,} more" if more > 0 else "")


def destroy_question(chosen: Choice, days: Sequence[int]) -> str:
    """`days`: how long AWS keeps the secrets that are deleted."""
    lasting = " to ".join(str(one) for one in sorted({min(days), max(days)})) if days else "7 to 30"
    tenants = (
        " Archiving a project is final: a tenant whose keys were minted needs another slug for good."
        if chosen.tenants
        else ""
    )
    return (
        f"Destroy {named(chosen.stacks)}? Keys minted for them are revoked at once.{tenants} AWS keeps the deleted "
        f"secrets for {lasting} days and creates no other of the same name before: until then, `myflux-keys up` "
        "deploys none of these stacks again without the steps that it prints."
    )


def reasons(chosen: Choice) -> Iterable[str]:
    """A line for each different set of reasons, with the stacks that it concerns."""
    by_reason: dict[tuple[str, ...], list[str]] = {}
    for stack, why in chosen.why.items():
        by_reason.setdefault(why, []).append(stack)
    for why, stacks in by_reason.items():
        yield f"{named(stacks)}: {named(why)}."


def beginning(operation: Operation, plan: Plan, workers: str) -> str:
    """`workers` says where the jobs run: ``2 processes``, or a scheduler's address."""
    parts = [f"{stage.name}: {len(stage.stacks):,}" for stage in plan.stages]
    before = f" An earlier run, which was stopped, did {len(plan.done):,}." if plan.done else ""
    return f"{operation}: {counted(len(plan.left), 'stack')} to do on {workers} ({', '.join(parts)}).{before}"


def problems(operation: Operation, chosen: Choice, result: Result, *, refresh: bool = False) -> Iterable[str]:
    for stack in sorted(result.outcomes):
        done = result.outcomes[stack]
        for line in done.mended:
            yield f"{stack}: repaired after an engine was killed: {line}."
        for line in done.found:
            yield f"{stack}: AWS differed from the files before this run: {line}."
        if done.unmarked:
            yield f"{stack}: no mark was left, so the next `up` runs the engine for it: {done.unmarked}."
        if done.locked:
            yield (
                f"{stack} is locked by {done.locked}: wait for it (--wait), or ask them. If that process has ended, "
                f"`pulumi cancel --yes --stack {stack}` frees the stack. Nothing was changed."
            )
        elif done.problem:
            yield f"{stack}: {done.problem}"
    if result.worth_another_try:
        again = retry(operation, chosen, result.worth_another_try, refresh=refresh)
        yield f"To repeat only the failed ones: {again}"
    if hopeless := sorted(set(result.failed) - set(result.worth_another_try)):
        yield f"Another try alone does not help: {named(hopeless)}. What does is said above."
    if result.stopped:
        yield f"Stopped: {result.stopped}."
    if result.not_begun:
        not_started = f"{counted(len(result.not_begun), 'stack')} not started"
        yield f"{not_started}: run the same command again to continue."


def retry(operation: Operation, chosen: Choice, failed: Sequence[str], *, refresh: bool = False) -> str:
    """The command for the failed stacks. A platform is selected by its cell; stacks that are done are not repeated."""
    slugs = [chosen.tenants[stack] for stack in failed if stack in chosen.tenants]
    cells = [stack for stack in failed if stack in chosen.platforms]
    options = ["--refresh"] if refresh else []
    lines = [["myflux-keys", operation, "--cell", cell, *options] for cell in cells]
    if slugs:
        lines.append(["myflux-keys", operation, *slugs, *options])
    return " && ".join(shlex.join(line) for line in lines)


def sentence(operation: Operation, plan: Plan, result: Result, *, dry: bool, diff: bool = False) -> str:
    """`diff` also names each resource that changed and its properties."""
    good = [done for done in result.outcomes.values() if done.ok]
    changed = [done for done in good if done.changed]
    lines: list[str] = []
    for done in sorted(changed, key=lambda done: done.stack):
        lines.append(f"{done.stack}: {_counts(done)}")
        lines += [f"  {_told(step)}" for step in done.steps if diff]
    marked = sorted(done.stack for done in good if done.by_mark)
    if marked:
        lines.append(f"{named(marked)}: {_BY_MARK}")
    total = len(plan.left) + len(plan.done) + len(marked)
    same = len(good) - len(changed)
    word = {"up": "changed", "preview": "would change", "refresh": "drifted", "destroy": "destroyed"}[operation]
    if operation == "destroy" and dry:
        word = "would be destroyed"
    summary = f"{len(good) + len(plan.done):,} of {counted(total, 'stack')} done: "
    summary += f"{len(changed):,} {word}, {same:,} unchanged"
    summary += f" ({len(marked):,} by mark)" if marked else ""
    summary += f", {len(plan.done):,} done before" if plan.done else ""
    lines.append(summary + (f"; {len(result.failed):,} failed." if result.failed else "."))
    return "\n".join(lines)


def _told(step: Step) -> str:
    properties = f": {', '.join(step.paths)}" if step.paths else ""
    return f"{step.op} {step.type.rpartition(':')[2]} {step.name}{properties}"


def _counts(done: Done) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(done.changed.items()))


def facts(operation: Operation, chosen: Choice, plan: Plan, result: Result) -> dict[str, Any]:
    return {
        "operation": operation,
        "complete": result.complete,
        "interrupted": result.interrupted,
        "stopped": result.stopped,
        "stacks": {stack: _facts(chosen, done) for stack, done in sorted(result.outcomes.items())},
        "done_before": sorted(plan.done),
        "not_begun": result.not_begun,
        "left_out": dict(chosen.left_out),
        "retry": retry(operation, chosen, result.worth_another_try),
    }


def _facts(chosen: Choice, done: Done) -> dict[str, Any]:
    outcome = _BY_MARK if done.by_mark else "succeeded" if done.ok else "locked" if done.locked else "failed"
    fields: dict[str, Any] = {"outcome": outcome, "changes": done.changes, "seconds": round(done.seconds, 2)}
    if done.stack in chosen.why:
        fields["why"] = list(chosen.why[done.stack])
    if done.steps:
        fields["resources"] = [
            {"name": step.name, "type": step.type, "change": step.op, "properties": list(step.paths)}
            for step in done.steps
        ]
    if done.mended:
        fields["mended"] = list(done.mended)
    if done.found:
        fields["found"] = list(done.found)
    if not done.ok:
        fields["problem"] = done.problem or f"locked by {done.locked}"
    return fields


def nothing(operation: Operation, chosen: Choice) -> dict[str, Any]:
    """`facts` of a run that had no stack to work on."""
    return facts(operation, chosen, Plan(operation, (), {}), Result())
