"""Links to the connect page: made, listed and revoked for a person.

Owns the calls and what a link's objects say together. Leaves out the token's form (`functions/shared/link.py`) and the
confirmation of an organization (`connect_confirm.py`).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from botocore.exceptions import ClientError

from functions.connect.seen import Seen
from functions.shared import link as links
from functions.shared.intake import HANDED_IN, LINKS, OUTCOMES, REVOKED, SEEN, IntakeError, Issued, Outcome, Place
from functions.shared.link import Link
from myflux_keys.cell_functions import CONNECT
from ops import ways_out
from ops.account import Account
from ops.actions import customer_key
from ops.errors import DENIED, OperationError, code_of, is_deletion
from tenancy import Tenant

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

Form = TypeVar("Form")
State = Literal["open", "handed in", "waiting", "promoted", "refused", "revoked", "expired"]
"""``refused``: the last key was, and the link is still open."""
OPEN: Final[frozenset[State]] = frozenset({"open", "handed in", "waiting", "refused"})
_AT_ONCE: Final = 8


class ConnectError(OperationError):
    """Nothing was changed, unless the message says so."""


class NoPage(ConnectError):
    """The cell has no connect page."""


@dataclass(frozen=True)
class Made:
    """`url` is the link to send. It is a secret until its key is promoted."""

    url: str
    link: Link


@dataclass(frozen=True)
class LinkStatus:
    """`outcome` is None until the promoter has told one. `seen` is what the page counted; None: not asked for, or
    damaged."""

    place: Place
    issued: Issued
    state: State
    outcome: Outcome | None
    seen: Seen | None = None


def make(account: Account, tenant: Tenant, now: datetime, *, seconds: int, language: str) -> Made:
    """Issues a link that lives for `seconds`. `now` is AWS's time. Raises OperationError."""
    _check_secret(account, tenant)
    page = _page(account)
    began = int(now.timestamp())
    link = Link(account.cell.cell, tenant.tenant, uuid.uuid4().hex, began, began + seconds, language)
    try:
        mac = account.keys.generate_mac(
            KeyId=account.cell.names.link_kms_alias, Message=links.message(link), MacAlgorithm=links.MAC_ALGORITHM
        )["Mac"]
        by = account.caller.get_caller_identity()["Arn"]
        issued = Issued(tenant.tenant, tenant.name, tenant.models, language, link.issued, link.expires, by)
        account.buckets.put_object(
            Bucket=account.cell.names.connect_bucket,
            Key=Place.of(link).link,
            Body=issued.to_json().encode(),
            ContentType="application/json",
            IfNoneMatch="*",
        )
    except ClientError as error:
        raise refused(account, error) from None
    return Made(f"{page}#{links.token(link, mac)}", link)


def statuses(account: Account, tenant: str | None, now: datetime, *, counted: bool = False) -> list[LinkStatus]:
    """Every link that is remembered, of one tenant or of all, the newest first; with what the page `counted` of each.
    Raises OperationError."""
    bucket, store = account.cell.names.connect_bucket, account.buckets
    below = f"{tenant}/" if tenant else ""
    try:
        issued = list(_keys(store, bucket, LINKS + below))
        revoked = set(_keys(store, bucket, REVOKED + below))
        handed_in = set(_keys(store, bucket, HANDED_IN + below))
        told = set(_keys(store, bucket, OUTCOMES + below))
        opened = set(_keys(store, bucket, SEEN + below)) if counted else set[str]()

        def status(key: str) -> LinkStatus | None:
            slug, _, name = key.removeprefix(LINKS).partition("/")
            place = Place(slug, name.removesuffix(".json"))
            one = read_as(Issued.from_json, store, bucket, key)
            if one is None:
                return None
            last = read_as(Outcome.from_json, store, bucket, place.outcome) if place.outcome in told else None
            state = state_of(
                one, last, revoked=place.revoked in revoked, handed_in=place.handed_in in handed_in, now=now.timestamp()
            )
            seen = _seen(read(store, bucket, place.seen)) if place.seen in opened else Seen()
            return LinkStatus(place, one, state, last, seen if counted else None)

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = [one for one in pool.map(status, issued) if one]
    except ClientError as error:
        raise refused(account, error) from None
    return sorted(found, key=lambda one: (-one.issued.issued, one.place.tenant, one.place.id))


def _seen(text: str | None) -> Seen | None:
    """None if it is damaged, which stops nothing: only the page reads more of it than counts."""
    try:
        return Seen.from_json(text) if text else Seen()
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def state_of(issued: Issued, outcome: Outcome | None, *, revoked: bool, handed_in: bool, now: float) -> State:
    """Pure. `now` in Unix seconds. A key that was handed in before a link's end is still worked on after it."""
    if outcome is not None and outcome.state == "promoted":
        return "promoted"
    if revoked:
        return "revoked"
    if handed_in:
        return "waiting" if outcome is not None and outcome.state == "waiting" else "handed in"
    if now >= issued.expires:
        return "expired"
    return "refused" if outcome is not None else "open"


def revoke(account: Account, place: Place) -> None:
    """The link is refused from now on. Again is harmless. Raises OperationError."""
    try:
        account.buckets.put_object(Bucket=account.cell.names.connect_bucket, Key=place.revoked, Body=b"")
    except ClientError as error:
        raise refused(account, error) from None


def read_as(form: Callable[[str], Form], store: S3Client, bucket: str, key: str) -> Form | None:
    """None for an object that does not exist. Raises ConnectError for one that is damaged."""
    text = read(store, bucket, key)
    try:
        return None if text is None else form(text)
    except IntakeError as error:
        raise ConnectError(
            f"s3://{bucket}/{key} is damaged: {error}. Delete it, and make a new link. Nothing was changed."
        ) from None


def read(store: S3Client, bucket: str, key: str) -> str | None:
    """None for an object that does not exist."""
    try:
        return store.get_object(Bucket=bucket, Key=key)["Body"].read().decode(errors="replace")
    except ClientError as error:
        if code_of(error) == "NoSuchKey":
            return None
        raise


def refused(account: Account, error: ClientError) -> ConnectError:
    """What AWS's refusal means for the operator."""
    code, cell = code_of(error), account.cell
    if code in ("NoSuchBucket", "NotFoundException", "ResourceNotFoundException"):
        up = f"`myflux-keys up --cell {cell.cell}`"
        switch = f"write `connect: {{enabled: true}}` into cells/{cell.cell}.yaml, then {up}"
        way_out = f"{up} deploys it" if cell.connect.enabled else switch
        return NoPage(f"cell {cell.cell} has no connect page: {way_out}. Nothing was changed.")
    if code in DENIED:
        allowed = ", ".join(cell.deployers)
        return ConnectError(f"AWS refuses ({code}): only the cell's deployers may work with links ({allowed}).")
    return ConnectError(f"AWS refuses: {code}: {error.response.get('Error', {}).get('Message', '')}")


def _check_secret(account: Account, tenant: Tenant) -> None:
    """A link to a place that does not exist would fail in the customer's hands."""
    try:
        answer = account.secrets.describe_secret(SecretId=customer_key.secret_of(account.cell, tenant))
    except ClientError as error:
        if code_of(error) == "ResourceNotFoundException":
            raise ConnectError(f"{tenant.tenant}: {ways_out.no_secret(tenant.tenant)} Nothing was changed.") from None
        if is_deletion(error):
            raise ConnectError(f"{tenant.tenant}: {ways_out.deletion_scheduled(tenant.tenant, minted=False)}") from None
        raise refused(account, error) from None
    if "DeletedDate" in answer:
        raise ConnectError(f"{tenant.tenant}: {ways_out.deletion_scheduled(tenant.tenant, minted=False)}")


def _page(account: Account) -> str:
    """The page's address, which ends with a slash."""
    try:
        name = account.cell.names.function(CONNECT)
        return account.functions.get_function_url_config(FunctionName=name)["FunctionUrl"]
    except ClientError as error:
        raise refused(account, error) from None


def _keys(store: S3Client, bucket: str, prefix: str) -> Iterator[str]:
    for page in store.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            yield item.get("Key", "")
