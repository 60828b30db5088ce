"""`myflux-keys check`: what a pull request changes, and whether it may be merged."""

from __future__ import annotations

import json
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from myflux_keys.redaction import redact
from ops.cli import options, output
from ops.cli.progress import Line


def check(
    base: Annotated[
        str | None,
        typer.Option(
            metavar="REF",
            help="Branch or commit to compare with, at the commit where this branch left it. Default: origin/HEAD, "
            "origin/main or main.",
            show_default=False,
        ),
    ] = None,
    state: Annotated[
        bool | None,
        typer.Option(
            "--state/--no-state",
            help="Preview changed stacks on a copy of their state, with read-only access. Default: on if `pulumi` and "
            "its backend are available.",
            show_default=False,
        ),
    ] = None,
    sarif: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write SARIF 2.1.0 too, for code scanning.", show_default=False),
    ] = None,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Review what changed since a git ref: print a Markdown report, deploy nothing. Needs no OpenAI key.

    Validates the files, runs the policy pack, proves isolation, and reports what changes, what it costs and how much
    capacity is left. Without AWS credentials it runs the program with mocked look-ups. Exit codes: 0 all checks pass, 1
    a rule fails, 2 something could not be checked.
    """
    try:
        # Loads Pulumi, the rules and the solver, which takes seconds: no other command should pay for it.
        from ops.explained import explained
        from ops.review import check as reviewing
        from ops.review.report_json import facts
        from ops.review.report_markdown import markdown
        from ops.review.sarif import sarif as as_sarif
    except Exception as error:  # noqa: BLE001 - the branch may have broken the modules of this command
        output.fail(f"this branch's code cannot be loaded, so nothing was checked: {type(error).__name__}: {error}", 2)
    try:
        with Line() as line:
            review = reviewing.review(fleet, base, state=state, say=line.say)
        if sarif:
            sarif.write_text(redact(json.dumps(as_sarif(review.remarks), indent=2)) + "\n", encoding="utf-8")
    except Exception as error:  # noqa: BLE001 - exit code 1 would say that the rules ran and failed
        sentence = explained(error)
        if sentence is None:
            traceback.print_exc()
            sentence = f"the review stopped on an error, so nothing was checked: {type(error).__name__}: {error}"
        output.fail(sentence, 2)
    print(redact(json.dumps(facts(review), indent=2)) if as_json else markdown(review), end="\n" if as_json else "")
    sys.exit(review.code)
