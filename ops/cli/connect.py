"""`myflux-keys connect`: links by which customers hand in their own keys."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from functions.shared.intake import Place
from functions.shared.link import LANGUAGES
from ops.actions import connect_confirm, run_connect
from ops.actions.connect_links import LinkStatus
from ops.cli import ask, options, output
from ops.cli.table import folded, when

_UNITS: Final = {"m": 60, "h": 3600, "d": 86_400}


class Links(TyperGroup):
    """``connect TENANT`` is ``connect link TENANT``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        known = {*self.commands, "--help"}
        return super().parse_args(ctx, args if not args or args[0] in known else ["link", *args])


app = typer.Typer(
    cls=Links,
    help=(
        "Links by which customers hand in their own keys (source: customer): proven, stored, seen by nobody.\n\n"
        "`connect TENANT` makes a link, `connect --list` lists links, and `connect TENANT --revoke` ends a tenant's: "
        "these are options of `connect link`, and `connect link --help` has all of them."
    ),
    no_args_is_help=True,
)

Chosen = Annotated[
    str | None, typer.Option("--link", help="The id of one link, where a tenant has several.", show_default=False)
]


@app.command("link")
def link(
    tenant: Annotated[
        str | None,
        typer.Argument(
            help="The tenant's slug; for --list, default: all.",
            metavar="[TENANT]",
            show_default=False,
            autocompletion=options.complete_tenant,
        ),
    ] = None,
    expires: Annotated[str, typer.Option(help="How long the link lives: 90m, 24h or 7d, at most 7 days.")] = "24h",
    language: Annotated[str, typer.Option(help=f"The page's first language: {' or '.join(LANGUAGES)}.")] = "en",
    listed: Annotated[bool, typer.Option("--list", help="List links and their states instead.")] = False,
    revoked: Annotated[
        bool, typer.Option("--revoke", help="Revoke the tenant's open links instead, or the one of --link.")
    ] = False,
    chosen: Chosen = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --revoke: print what would change, and change nothing.")
    ] = False,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Make a link, and print it. Send it to the customer only: it is a secret until their key is stored.

    The customer opens it, is led through OpenAI's site, pastes the key and sees it checked. The link may be opened any
    number of times, by mail scanners too: only a stored key uses it up. A key of an organization that nobody has
    confirmed for this tenant waits for `connect confirm`.
    """
    if listed and revoked:
        output.fail("give --list or --revoke, not both.", code=2)
    if chosen and not revoked:
        output.fail("--link chooses one to revoke: give --revoke too, or leave it out.", code=2)
    if dry_run and not revoked:
        output.fail("--dry-run is of --revoke: give that too, or leave it out.", code=2)
    if listed:
        return _list(fleet, tenant, as_json=as_json)
    if tenant is None:
        output.fail("give a TENANT, or --list.", code=2)
    if revoked:
        return _revoke(fleet, tenant, chosen, dry_run=dry_run, as_json=as_json)
    if language not in LANGUAGES:
        output.fail(f"`{language}` is not a language of the page: write {' or '.join(LANGUAGES)}.", code=2)
    made = run_connect.make(fleet, tenant, seconds=_seconds(expires), language=language)
    ends = datetime.fromtimestamp(made.link.expires, UTC)
    output.step(f"For {tenant}, until {when(ends)}. To take it back: `myflux-keys connect {tenant} --revoke`.")
    facts = {"tenant": tenant, "link": made.link.id, "expires": ends.isoformat(), "language": language}
    return output.result(facts | {"url": made.url}, made.url, as_json=as_json)


@app.command("confirm")
def confirm(
    tenant: options.Tenant,
    chosen: Chosen = None,
    yes: options.Yes = False,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Confirm that a key that waits is of the customer's own organization, after you have asked them.

    Shows the organization as OpenAI's answers name it, and the key's last four characters. Ask the customer for both by
    another way than the link, such as a telephone number that you know: whoever got the link may have saved a key of
    their own. Later keys of the same organization need no confirmation.
    """
    one, done = run_connect.confirm(fleet, tenant, chosen, confirmed=partial(_asked, yes=yes))
    outcome = done.outcome
    if outcome is None:
        output.step(done.why)
        sentence = "Confirmed. The promoter tries again every minute."
    elif outcome.state == "refused":
        output.fail(connect_confirm.refusal(outcome.reason))
    else:
        sentence = f"Confirmed and stored: the key ending in {outcome.last_four} is {tenant}'s live key."
    facts = {"tenant": tenant, "link": one.place.id, "organization": one.outcome.organization if one.outcome else ""}
    output.result(facts | {"state": outcome.state if outcome else "waiting"}, sentence, as_json=as_json)


def _asked(one: LinkStatus, *, yes: bool) -> bool:
    organization, last_four = connect_confirm.named(one), one.outcome.last_four if one.outcome else ""
    output.step(
        f"Organization: {organization}\nKey: ...{last_four}\nLink: {one.place.id}, made by {one.issued.issued_by}"
    )
    return ask.confirmed(
        f"Is {organization} the organization of {one.issued.name}, and ...{last_four} their key?", yes=yes
    )


def _list(fleet: Any, tenant: str | None, *, as_json: bool) -> None:
    found = run_connect.listed(fleet, tenant)
    rows = [
        (
            *(cell, one.place.tenant, _word(one), when(_time(one.issued.expires))),
            *("?" if count is None else str(count) for count in _counts(one).values()),
            *(one.place.id, one.issued.issued_by),
        )
        for cell, all_of_them in found.items()
        for one in all_of_them
    ]
    headings = ("CELL", "TENANT", "STATE", "EXPIRES", "OPENED", "CHECKS", "LINK", "MADE BY")
    text = folded(headings, rows, headings.index("LINK")) if rows else "There are no links."
    cells = {cell: [_facts(one) | _counts(one) for one in all_of_them] for cell, all_of_them in found.items()}
    output.result({"cells": cells}, text, as_json=as_json)


def _revoke(fleet: Any, tenant: str, link: str | None, *, dry_run: bool, as_json: bool) -> None:
    done = run_connect.revoke(fleet, tenant, link, dry=dry_run)
    if done and dry_run:
        plan = [f"revoke link {one.place.id}: {_word(one)}, until {when(_time(one.issued.expires))}" for one in done]
        facts = {"tenant": tenant, "dry_run": True, "plan": plan, "links": [_facts(one) for one in done]}
        output.result(facts, "Would:\n" + output.numbered(plan), as_json=as_json)
        return
    promoted = [one for one in done if one.state == "promoted"]
    sentence = (
        "Revoked:\n  " + "\n  ".join(one.place.id for one in done)
        if done
        else f"{tenant} has no open link: nothing to do."
    )
    facts = {"tenant": tenant, "links": [_facts(one) for one in done]}
    output.result(facts | ({"dry_run": True, "plan": []} if dry_run else {}), sentence, as_json=as_json)
    if promoted:
        places: list[Place] = [one.place for one in promoted]
        output.fail(f"promoted in the meantime, so no link takes it back: {', '.join(one.id for one in places)}.")


def _word(one: LinkStatus) -> str:
    return f"{one.state}: {one.outcome.reason}" if one.state == "refused" and one.outcome else one.state


def _facts(one: LinkStatus) -> dict[str, Any]:
    return {
        "tenant": one.place.tenant,
        "link": one.place.id,
        "state": one.state,
        "reason": one.outcome.reason if one.outcome else "",
        "organization": one.outcome.organization if one.outcome else "",
        "issued": _time(one.issued.issued).isoformat(),
        "expires": _time(one.issued.expires).isoformat(),
        "language": one.issued.language,
        "issued_by": one.issued.issued_by,
    }


def _counts(one: LinkStatus) -> dict[str, int | None]:
    """Opens, by machines too, and checks of keys; None: the page's record is damaged."""
    return {"opens": one.seen.opens if one.seen else None, "checks": one.seen.checks if one.seen else None}


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _seconds(text: str) -> int:
    match = re.fullmatch(r"([0-9]{1,5})([mhd])", text)
    if not match:
        output.fail(f"`{text}` is not a duration: write a number and a unit, such as 90m, 24h or 7d.", code=2)
    return int(match[1]) * _UNITS[match[2]]
