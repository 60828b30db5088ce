"""The record of a hand-over, and the state that follows from it and from the old key's use (docs/adr/0042-handover.md).

Owns the object's name and form, which old key a person's consumer may hold, and the five states. Leaves out the calls,
and who extends the old key (`functions/sweep`). Pure. A record holds no key and no part of one.

MyFlux and the consumer share the tenant's key, so the new key's use proves nothing about the consumer. Done means that
a person confirmed "saved" and that the old key is unused since.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Literal, cast

from myflux_keys.consumers import PASTED
from myflux_keys.key_life import READER_CACHE_SECONDS
from myflux_keys.names import TENANT_SLUG
from myflux_keys.redaction import redact

HANDOVERS: Final = "handovers/"
"""How the keys of all records begin, in the cell's health bucket."""
LONGEST_SECONDS: Final = 7 * 86_400
"""An old key ends this long after its replacement, handed over or not."""

AFTER_SAVED_SECONDS: Final = 600
"""A consumer may use the old key so long after "saved" without a doubt: it finishes what it began, or caches."""

State = Literal["not_used", "due", "saved", "done", "unknown"]
"""`due`: nobody confirmed the current key. `saved`: somebody did, but the old key is or may be used since. `done`: it
is unused since, or has ended. `unknown`: nobody can read its use."""

_SCHEMA: Final = 1
_LATEST: Final = 10**11
"""The year 5138: milliseconds are above it."""
_KEY_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
_VERSION_ID: Final = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
_BY: Final = re.compile(r"[ -~]{1,128}", re.ASCII)


class HandoverError(ValueError):
    """An object is no record of schema 1. The message names the field and the rule, and shows no value."""


def object_name(tenant: str, consumer: str) -> str:
    return f"{HANDOVERS}{tenant}/{consumer}.json"


@dataclass(frozen=True)
class Handover:
    """A person, `by`, confirmed at `confirmed_at` that the consumer has the key of the secret's version `version_id`.

    `connected_since` is the time of the tenant's first confirmation for this consumer. Both in Unix seconds. `key_id`
    is OpenAI's; empty for a customer's own key.
    """

    tenant: str
    consumer: str
    key_id: str
    version_id: str
    confirmed_at: int
    connected_since: int
    by: str

    def to_json(self) -> str:
        """Raises HandoverError for what `read` would refuse."""
        _check(asdict(self))
        return json.dumps({"schema": _SCHEMA, **asdict(self)}, separators=(",", ":"))

    @classmethod
    def read(cls, text: str, name: str) -> Handover:
        """The record in the object `name`. Raises HandoverError, also for another tenant's or consumer's record."""
        try:
            parsed: Any = json.loads(text)
        except (ValueError, RecursionError):
            raise HandoverError("the record is not JSON") from None
        if not isinstance(parsed, dict):
            raise HandoverError("the record is not a JSON object")
        found = cast(dict[str, Any], parsed)
        if type(found.get("schema")) is not int or found["schema"] != _SCHEMA:
            raise HandoverError(f"the record is not of schema {_SCHEMA}, the only one that this code knows")
        known = {"schema", *(field.name for field in fields(cls))}
        if found.keys() != known:
            raise HandoverError(f"the record must have exactly these fields: {', '.join(sorted(known))}")
        record = {field: value for field, value in found.items() if field != "schema"}
        _check(record)
        made = cls(**record)
        if object_name(made.tenant, made.consumer) != name:
            raise HandoverError("the record is of another tenant or consumer than its object's name")
        return made


def confirmed(
    before: Handover | None, *, tenant: str, consumer: str, key_id: str, version_id: str, now: int, by: str
) -> Handover:
    """The record after a person said "saved". `before` is the one that it replaces."""
    since = now if before is None else min(before.connected_since, now)
    return Handover(tenant, consumer, key_id, version_id, now, since, by)


def _check(record: dict[str, Any]) -> None:
    _text(record, "tenant", TENANT_SLUG, "a tenant's slug")
    if record["consumer"] not in list(PASTED):
        raise HandoverError(f"`consumer` must be one that a person serves: {', '.join(PASTED)}")
    if record["key_id"] != "":
        _text(record, "key_id", _KEY_ID, "the id of a key")
    _text(record, "version_id", _VERSION_ID, "the id of a secret's version")
    _text(record, "by", _BY, "a name of at most 128 printable characters")
    for field in ("confirmed_at", "connected_since"):
        if type(record[field]) is not int or not 0 < record[field] < _LATEST:
            raise HandoverError(f"`{field}` must be a time in whole Unix seconds")
    if record["connected_since"] > record["confirmed_at"]:
        raise HandoverError("`connected_since` must not be after `confirmed_at`")


def _text(record: dict[str, Any], field: str, pattern: re.Pattern[str], what: str) -> None:
    value = record[field]
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise HandoverError(f"`{field}` must be {what}")
    if redact(value) != value:
        raise HandoverError(f"`{field}` looks like a key, and a record holds none")


@dataclass(frozen=True)
class Current:
    """The live version, and when it became live (Unix seconds; None if unknown)."""

    version_id: str
    promoted_at: float | None


@dataclass(frozen=True)
class OldKey:
    """A valid key of the tenant's that is not the current one. Unix seconds; None: unknown, or never.

    `replaced_at` is when the next version was stored.
    """

    id: str
    replaced_at: float | None
    expires_at: float | None
    last_used_at: float | None

    @property
    def last_day(self) -> float | None:
        """When it ends at the latest; None if that is unknown, so that nothing extends it."""
        return None if self.replaced_at is None else self.replaced_at + LONGEST_SECONDS

    @property
    def ends(self) -> float | None:
        """When it ends if nobody hands a new one over: the sweep extends it until its last day."""
        return max((one for one in (self.expires_at, self.last_day) if one is not None), default=None)

    def used_since(self, moment: float) -> bool:
        """Whether anybody but a reader with a cache used it after `moment`. Only a reader that cached it just before
        its replacement uses it in the hour after, and so may a probe of the health function."""
        if self.replaced_at is None or self.last_used_at is None:
            return False
        return self.last_used_at > max(moment, self.replaced_at + READER_CACHE_SECONDS)


@dataclass(frozen=True)
class Standing:
    """One consumer's hand-over now. Unix seconds; None: unknown, or none.

    `since`: for `due` when the current key became live, for `saved` and `done` the confirmation. `old`: the old key
    that the consumer may hold.
    """

    state: State
    since: float | None = None
    connected_since: float | None = None
    old: OldKey | None = None

    @property
    def extends(self) -> bool:
        """Whether the old key's life is to be extended."""
        return self.state in ("due", "saved")

    def is_used(self, key: OldKey) -> bool:
        """Whether an old key was used at a time when nobody should have: for `saved` and `done` since the confirmation,
        for `due` since its replacement."""
        return key.used_since(_after(self.since) if self.state in ("saved", "done") else 0)


def standing(
    record: Handover | None,
    current: Current,
    old: Collection[OldKey] | None,
    now: float,
    *,
    enabled: bool = True,
    readable: bool = True,
) -> Standing:
    """`old`: the tenant's other valid keys, first the one of AWSPREVIOUS; None if nobody looked. `readable`: whether
    keys' use can be read, as it cannot for a customer's own key."""
    if not enabled:
        return Standing("not_used")
    since = record.connected_since if record else None
    if not readable:
        return Standing("unknown", connected_since=since)
    if record is None or record.version_id != current.version_id:
        return Standing("due", current.promoted_at, since, _held(record, old or (), after=0))
    holder = _held(record, old or (), after=_after(record.confirmed_at))
    is_over = old is not None and (holder is None or _is_unused(holder, record.confirmed_at, now))
    return Standing("done" if is_over else "saved", record.confirmed_at, since, holder)


def _is_unused(key: OldKey, confirmed_at: float, now: float) -> bool:
    # OpenAI shows a use late, and readers may use the old key for an hour.
    settled = max(confirmed_at, key.replaced_at or 0) + READER_CACHE_SECONDS
    return now >= settled and key.replaced_at is not None and not key.used_since(_after(confirmed_at))


def _after(confirmed_at: float | None) -> float:
    return (confirmed_at or 0) + AFTER_SAVED_SECONDS


def _held(record: Handover | None, old: Collection[OldKey], after: float) -> OldKey | None:
    """The old key that the consumer may hold: the one that was used last, since readers replace theirs by themselves;
    if none is used, the one that was handed over last, or else the previous one."""
    used = [key for key in old if key.used_since(after)]
    if used:
        return max(used, key=lambda key: key.last_used_at or 0)
    handed = [key for key in old if record is not None and key.id == record.key_id]
    return next(iter([*handed, *old]), None)
