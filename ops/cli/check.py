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
from ops.errors import OperationError


def check(
    base: Annotated[
        str | None,
        typer.Option(
            metavar="REF",
            help="Branch or commit to compare with, from where this one left it. origin/HEAD, origin/main or main if "
            "left out.",
            show_default=False,
        ),
    ] = None,
    state: Annotated[
        bool | None,
        typer.Option(
            "--state/--no-state",
            help="Preview changed stacks on a copy of their state, with read-only access. Left out: where `pulumi` and "
            "its backend are at hand.",
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
    """Review what changed since a git ref: a Markdown report on stdout. Deploys nothing, and needs no key.

    Reads the files, asks the policy pack, proves isolation, and tells what changes, what it costs and how much room is
    left. Without credentials the program is rehearsed: look-ups are mocked. Exit codes: 0 fine, 1 rules fail, 2
    something could not be judged.
    """
    try:
        # Loads Pulumi, the rules and the solver, which takes seconds: no other command should pay for it.
        from ops.review import check as reviewing
        from ops.review.facts import facts
        from ops.review.markdown import markdown
        from ops.review.sarif import sarif as as_sarif
    except Exception as error:  # noqa: BLE001 - what a branch broke may be what this command is made of
        output.fail(
            f"this branch's own code cannot be loaded, so nothing was judged: {type(error).__name__}: {error}", 2
        )
    try:
        with Line() as line:
            review = reviewing.review(fleet, base, state=state, say=line.say)
        if sarif:
            sarif.write_text(redact(json.dumps(as_sarif(review.remarks), indent=2)) + "\n", encoding="utf-8")
    except OperationError as error:
        output.fail(str(error), 2)
    except Exception as error:  # noqa: BLE001 - whatever it is, a 1 would say that rules were asked and fail
        traceback.print_exc()
        output.fail(f"the review broke off, so nothing was judged: {type(error).__name__}: {error}", 2)
    print(redact(json.dumps(facts(review), indent=2)) if as_json else markdown(review), end="\n" if as_json else "")
    sys.exit(review.code)
