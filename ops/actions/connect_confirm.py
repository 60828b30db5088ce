"""Confirms that the organization of a key that was handed in is the customer's.

Owns which key waits, the confirmation, and starting the promoter. Leaves out the question to the person (`ops/cli/`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from botocore.exceptions import ClientError

from functions.shared.intake import Confirmed, Outcome, Place
from myflux_keys.cell_functions import PROMOTER
from ops.account import Account
from ops.actions import functions_client
from ops.actions.connect_links import ConnectError, LinkStatus, read_as, refused, statuses
from ops.errors import OperationError


@dataclass(frozen=True)
class Done:
    """`outcome` is what the promoter told; None if it has told nothing since, for the reason `why`."""

    outcome: Outcome | None
    why: str = ""


def waiting(account: Account, tenant: str, link: str | None, now: datetime) -> LinkStatus:
    """The key that waits. `link` is needed where several do. Raises OperationError."""
    known = [one for one in statuses(account, tenant, now) if link in (None, one.place.id)]
    found = [one for one in known if one.state == "waiting"]
    which = f"by the link {link}" if link else f"of {tenant}"
    if not found and any(one.state == "handed in" for one in known):
        raise ConnectError(
            f"a key {which} was handed in, and the promoter has not looked at it yet: run this again in a minute. "
            "Nothing was changed."
        )
    if not found:
        raise ConnectError(
            f"no key {which} waits for a confirmation: `myflux-keys connect {tenant} --list` shows its links. Nothing "
            "was changed."
        )
    if len(found) > 1:
        lines = [
            f"--link {one.place.id}: organization {named(one)}, key ending in {one.outcome.last_four}"
            for one in found
            if one.outcome
        ]
        raise ConnectError(f"{len(found)} keys of {tenant} wait. Choose one:\n  " + "\n  ".join(lines))
    return found[0]


def named(one: LinkStatus) -> str:
    return (one.outcome.organization if one.outcome else "") or "(OpenAI's answers name none)"


def confirm(account: Account, one: LinkStatus, now: datetime) -> Done:
    """Writes what the person saw, and has the promoter go on. Raises OperationError."""
    if one.outcome is None:
        raise ConnectError("only a key that the promoter has told of can be confirmed.")
    bucket, place = account.cell.names.connect_bucket, one.place
    try:
        by = account.caller.get_caller_identity()["Arn"]
        at = now.isoformat(timespec="seconds").replace("+00:00", "Z")
        account.buckets.put_object(
            Bucket=bucket,
            Key=place.confirmed,
            Body=Confirmed(one.outcome.organization, place.id, by, at).to_json().encode(),
            ContentType="application/json",
        )
    except ClientError as error:
        raise refused(account, error) from None
    try:
        functions_client.call(account.cell, account.cell.names.function(PROMOTER), _hint(place), account.functions)
    except OperationError as error:
        return Done(None, str(error))
    try:
        told = read_as(Outcome.from_json, account.buckets, bucket, place.outcome)
    except ClientError as error:
        raise refused(account, error) from None
    if told is None or told.state == "waiting":
        return Done(None, "OpenAI did not answer, or another run of the promoter is on it.")
    return Done(told)


def refusal(reason: str) -> str:
    """What a person is told whose confirmation came too late, or of a key that OpenAI refuses now. Pure."""
    ended = reason in ("expired", "revoked")
    after = "The link is dead: make another" if ended else "The link is still open for another key"
    return f"confirmed, but the key was refused: {reason}. {after}. docs/connect.md has the reasons."


def _hint(place: Place) -> dict[str, object]:
    """As the bucket's event names an object."""
    return {"Records": [{"s3": {"object": {"key": place.handed_in}}}]}
