"""The history of a tenant's key from AWS: when each version was minted, promoted and replaced, by whom and why.

Joins versions, tags and CloudTrail's events. Leaves out values, which a deployer cannot read, and OpenAI: a key's end
is calculated from the secret's tags by the rotation's rule. CloudTrail keeps 90 days; for older versions only the
version id shows what made them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from functions.rotation.tenant import MARGIN_SECONDS
from myflux_keys.key_life import LONGEST_SECONDS, READER_CACHE_SECONDS
from myflux_keys.names import TAG_EVERY_DAYS, TAG_OVERLAP_HOURS
from myflux_keys.version_labels import CURRENT, PENDING, PREVIOUS
from ops.account import Account, command_and_reason
from ops.actions.rotate import command_of
from ops.actions.trail import KEPT_DAYS, TrailEvent, events
from ops.rotation_state import SecretFacts, facts

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

BEFORE: Final = timedelta(minutes=5)
AFTER: Final = timedelta(hours=5)
"""Before and after a version was made: a rotation window is four hours, and clocks differ a little."""

_ROTATE: Final = "RotateSecret"
_PUT: Final = "PutSecretValue"
_MOVED: Final = "UpdateSecretVersionStage"
_ENDED: Final = ("RotationFailed", "RotationAbandoned")


@dataclass(frozen=True)
class Version:
    """`labels` are Secrets Manager's staging labels."""

    id: str
    made: datetime
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Life:
    """One version. `state` is ``current``, ``previous``, ``pending``, ``replaced`` or ``failed``. `by` is ``schedule``,
    ``rotate``, ``revoke``, ``pulumi``, ``person`` or ``unknown``; `expires` is calculated, not read from OpenAI."""

    version: str
    state: str
    minted: datetime
    promoted: datetime | None
    expires: datetime | None
    by: str
    who: str
    reason: str
    problem: str


def versions(client: SecretsManagerClient, secret: str) -> list[Version]:
    """Every version that Secrets Manager still keeps, also those without a label, oldest first."""
    found: list[Version] = []
    token: str | None = None
    while True:
        more = {"NextToken": token} if token else {}
        page = client.list_secret_version_ids(SecretId=secret, IncludeDeprecated=True, **more)  # pyright: ignore[reportArgumentType]
        for entry in page["Versions"]:
            if "VersionId" in entry and "CreatedDate" in entry:
                labels = tuple(entry.get("VersionStages", ()))
                found.append(Version(entry["VersionId"], entry["CreatedDate"], labels))
        token = page.get("NextToken")
        if not token:
            return sorted(found, key=lambda version: version.made)


def windows(made: Iterable[datetime], now: datetime) -> list[tuple[datetime, datetime]]:
    """Periods to search in CloudTrail, joined where they overlap; none older than CloudTrail keeps."""
    oldest = now - timedelta(days=KEPT_DAYS)
    found: list[tuple[datetime, datetime]] = []
    for moment in sorted(made):
        if moment < oldest:
            continue
        start, end = max(moment - BEFORE, oldest), moment + AFTER
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def history(account: Account, tenant: str) -> list[Life]:
    """Oldest first. Raises botocore's errors."""
    now = account.check()
    secret = account.cell.names.tenant(tenant).secret
    held = facts(account.secrets.describe_secret(SecretId=secret))
    made = versions(account.secrets, secret)
    seen = [
        event
        for start, end in windows((version.made for version in made), now)
        for name in (_ROTATE, _PUT, _MOVED, *_ENDED)
        for event in events(account.trail, name, start, end)
        if event.secret in (held.arn, held.name)
    ]
    return lives(held, made, seen, account.cell.names.rotation_function)


def lives(held: SecretFacts, made: Sequence[Version], seen: Sequence[TrailEvent], rotation_role: str) -> list[Life]:
    """One entry a version, from AWS's answers. Pure."""
    found: list[Life] = []
    for place, version in enumerate(made):
        after = made[place + 1 :]
        promoted = _promoted(version, seen)
        problem = "" if promoted else _problem(version, seen)
        if promoted is None and place == 0 and not problem and PENDING not in version.labels:
            # AWS makes the first value of an empty secret the live one, without moving a label.
            promoted = version.made
        state = _state(version, promoted, problem)
        by, who, reason = _by(version, seen, rotation_role)
        live = [other for other in after if _promoted(other, seen)]
        # What a person stores replaces the live key, but only a rotation shortens the lives of older ones.
        rotations = [other for other in live[1:] if _by(other, seen, rotation_role)[0] != "person"]
        replaced = [other.made for other in (*live[:1], *rotations)]
        killed = next((o.made for o in after if _by(o, seen, rotation_role)[0] == "revoke"), None)
        expires = None if state in ("failed", "pending") else _ends(held, version.made, replaced, killed)
        found.append(Life(version.id, state, version.made, promoted, expires, by, who, reason, problem))
    return found


def _ends(held: SecretFacts, made: datetime, replaced: list[datetime], killed: datetime | None) -> datetime | None:
    """By the rotation's rule: a key is valid for interval + overlap + margin; once replaced, only for the overlap; once
    replaced twice, for an hour; a third rotation, or a revocation, ends it at once. `replaced` is when, oldest first.
    None for a key that MyFlux did not mint."""
    every, overlap = _seconds(held, TAG_EVERY_DAYS, 86_400), _seconds(held, TAG_OVERLAP_HOURS, 3600)
    if every is None or overlap is None:
        return None
    ends = [made + timedelta(seconds=min(every + overlap + MARGIN_SECONDS, LONGEST_SECONDS))]
    ends += [
        at + timedelta(seconds=left) for at, left in zip(replaced, (overlap, READER_CACHE_SECONDS, 0), strict=False)
    ]
    if killed is not None:
        ends.append(killed)
    return min(ends)


def _seconds(held: SecretFacts, tag: str, unit: int) -> int | None:
    text = held.tags.get(tag)
    return round(float(text) * unit) if text else None


def _promoted(version: Version, seen: Sequence[TrailEvent]) -> datetime | None:
    """When AWSCURRENT moved to it, or when it was made, for the first value of a secret."""
    for event in sorted(seen, key=lambda event: event.at):
        if event.version != version.id or event.error:
            continue
        if event.name == _MOVED and event.stage == CURRENT:
            return event.at
    return version.made if {CURRENT, PREVIOUS} & set(version.labels) else None


def _problem(version: Version, seen: Sequence[TrailEvent]) -> str:
    failures = [e for e in seen if e.name in _ENDED and version.made - BEFORE <= e.at <= version.made + AFTER]
    return f"{failures[0].name}: {failures[0].error}".rstrip(": ") if failures else ""


def _state(version: Version, promoted: datetime | None, problem: str) -> str:
    if CURRENT in version.labels:
        return "current"
    if PENDING in version.labels:
        return "failed" if problem else "pending"
    if PREVIOUS in version.labels:
        return "previous"
    return "failed" if problem and not promoted else "replaced"


def _by(version: Version, seen: Sequence[TrailEvent], rotation_role: str) -> tuple[str, str, str]:
    """(by what, who, reason)."""
    mine = [event for event in seen if event.version == version.id and not event.error]
    started = next((event for event in mine if event.name == _ROTATE), None)
    if started is not None:
        ours = command_and_reason(started.user_agent)
        if ours is not None:
            return ours[0], started.who, ours[1]
        return ("pulumi" if "pulumi" in started.user_agent.lower() else "person"), started.who, ""
    if command := command_of(version.id):
        return command, "", ""
    put = next((event for event in mine if event.name == _PUT), None)
    if put is None:
        return "unknown", "", ""
    if f":assumed-role/{rotation_role}/" in put.who:
        return "schedule", "", ""
    return "person", put.who, ""
