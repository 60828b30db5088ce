"""`myflux-keys handover`: a person copies a tenant's key into the dashboard of a consumer, such as CINNOX."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import typer

from ops import ways_out
from ops.actions import run_handover
from ops.actions.run_handover import Asked, Done, Talk
from ops.cli import ask, options, output
from ops.handover_page import opening

_INTERRUPTED = 130


def handover(
    tenant: options.Tenant,
    consumer: Annotated[
        str,
        typer.Option(
            help="Who gets the key: a consumer for which a person pastes it, such as cinnox.",
            show_default=False,
            autocompletion=options.complete_pasted,
        ),
    ],
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the page's link, and open no browser.")
    ] = False,
    mfa_serial: Annotated[
        str | None,
        typer.Option(
            help="Your MFA device. Default: the one that your user has.",
            envvar="MYFLUX_MFA_SERIAL",
            metavar="ARN",
            show_default=False,
        ),
    ] = None,
    user_profile: Annotated[
        str | None,
        typer.Option(
            help="AWS profile of your own user, where your credentials are a role's, as in a bootstrapped cell.",
            envvar="MYFLUX_USER_PROFILE",
            metavar="NAME",
            show_default=False,
        ),
    ] = None,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Hand a tenant's key over to a consumer that a person serves, and record it.

    Asks for an MFA code, reads the key once, and opens a page on this machine that leads through the clicks, copies the
    key with proof, and clears the clipboard after a minute. It ends when you say "saved" or "not now", close the page,
    press Ctrl-C, or after ten minutes; then the key is forgotten. Each read is told to the cell's alarms. The old
    key lives until the hand-over is recorded and the key is unused, for 7 days at most.

    Exit codes: 0 recorded, 1 refused or not recorded, 2 wrong usage, 130 stopped.
    """
    talk = Talk(output.step, _code, partial(_show, no_browser=no_browser))
    done = run_handover.run(fleet, Asked(tenant, consumer, mfa_serial, user_profile), talk)
    if done.clipboard == "no_tool":
        output.step(
            "The clipboard may still hold the key, unless the page said that it cleared it: copy something else."
        )
    output.result(_facts(done), "\n".join(done.lines) or "Nothing was recorded.", as_json=as_json)
    if done.record is None:
        told = {
            "later": "not handed over, as you said",
            "closed": "the page was closed before anything was confirmed",
            "too_long": "ten minutes are over",
        }.get(done.end, "stopped")
        again = ways_out.hand_over(tenant, consumer)
        output.fail(
            f"{told}: the key is forgotten, and the hand-over is still due. `{again}` begins again.",
            code=_INTERRUPTED if done.end == "stopped" else 1,
        )


def _code(device: str) -> str:
    return ask.text(f"MFA code of {device}")


def _show(link: str, *, no_browser: bool) -> None:
    if not no_browser and opening.opens(link):
        output.step("The page is open in your browser. If you do not see it, open this link, which works once:")
    else:
        output.step("Open this link in a browser on this machine. It works once:")
    output.step(link)
    output.step("Waiting for you to say in the page that it is saved, for ten minutes at most. Ctrl-C stops.")


def _facts(done: Done) -> dict[str, Any]:
    """Holds no key and no part of one."""
    record, standing = done.record, done.standing
    return {
        "tenant": done.tenant,
        "consumer": done.consumer,
        "cell": done.cell,
        "version_id": done.version_id,
        "end": done.end,
        "recorded": record is not None,
        "test": done.test,
        "by": record.by if record else None,
        "confirmed_at": record.confirmed_at if record else None,
        "connected_since": record.connected_since if record else None,
        "state": standing.state if standing else "due",
        "old_key": None
        if standing is None or standing.old is None
        else {
            "id": standing.old.id,
            "replaced_at": standing.old.replaced_at,
            "last_used_at": standing.old.last_used_at,
            "expires_at": standing.old.expires_at,
            "last_day": standing.old.last_day,
        },
        "clipboard": done.clipboard or None,
    }
