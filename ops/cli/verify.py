"""`myflux-keys verify`: every check of one tenant now, with what was asked and what came back."""

from __future__ import annotations

from collections import Counter
from textwrap import wrap

from ops.actions import run_verify
from ops.actions.verify import Step
from ops.cli import options, output
from ops.cli.progress import Later
from ops.cli.table import counted

NOT_ASKED = 3
"""The exit code where nothing that was asked is wrong, and something could not be asked."""
_WIDTH = 80
_MARKS = {"ok": "ok     ", "wrong": "WRONG  ", "could not be asked": "?      "}


def verify(
    tenant: options.Tenant,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Check everything about one tenant now: what was asked, and what came back. Changes nothing.

    Each step is ok, WRONG with what to do, or "?" where it could not be asked. Looks at the file, the stack, the secret
    with its policy, versions and rotation, and who may read it by AWS's rules. The cell's functions ask OpenAI whether
    it accepts the key and answers a call, which is billed for a few tokens, and whether project, service account,
    limits, models and expiry are as they should be. No key is shown.

    Exit codes: 0 all is well; 1 something is wrong; 3 nothing that was asked is wrong, but something could not be
    asked.
    """
    with Later() as progress:
        steps = run_verify.steps(fleet, tenant, report=progress.say)
    count = Counter(one.state for one in steps)
    output.result(
        {"tenant": tenant, "steps": [one.shown() for one in steps]},
        "\n".join([*map(_block, steps), "", _summary(count)]),
        as_json=as_json,
    )
    if wrong := [one.step for one in steps if one.state == "wrong"]:
        output.fail(f"wrong: {', '.join(wrong)}")
    if unasked := [one.step for one in steps if one.state == "could not be asked"]:
        output.fail(f"nothing that was asked is wrong; could not be asked: {', '.join(unasked)}", NOT_ASKED)


def _summary(count: Counter[str]) -> str:
    parts = [f"{count[state]} {state}" for state in _MARKS if count[state]]
    return f"{counted(sum(count.values()), 'step')}: {', '.join(parts)}."


def _block(one: Step) -> str:
    """The answer first, then what was asked, and the command on a line of its own, to be copied."""
    indent = " " * len(_MARKS["ok"])
    lines = _wrapped(f"{one.step}: {one.answer.rstrip('.')}.", _MARKS[one.state], indent)
    lines += _wrapped(f"asked: {one.asked}", indent, f"{indent}       ")
    lines += [f"{indent}to do: {one.mend}"] if one.mend else []
    return "\n".join(lines)


def _wrapped(sentence: str, first: str, rest: str) -> list[str]:
    return wrap(
        sentence,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
