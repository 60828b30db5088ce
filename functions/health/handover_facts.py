"""The facts about one tenant's hand-overs, and what is remembered of them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from functions.shared.handover import LONGEST_SECONDS, Current, Handover, OldKey, Standing, standing
from functions.shared.old_keys import Versions
from myflux_keys.version_labels import PREVIOUS, version_with


@dataclass(frozen=True)
class Recorded:
    """What AWS has. `records` by consumer; `open_until`: when no old key can live any more (Unix seconds). `readable`:
    we mint the keys, so that their use can be read."""

    tenant: str
    records: Mapping[str, Handover | None]
    versions: Versions
    open_until: float
    readable: bool
    project_id: str = ""
    service_account_id: str = ""

    @property
    def current(self) -> Current:
        """The live version; it is live since it was stored, but for minutes."""
        version = self.versions.current or ""
        return Current(version, self.versions.made.get(version))

    @property
    def was_replaced(self) -> bool:
        """Whether there was a key before the current one, which the consumer may have had."""
        return version_with(PREVIOUS, self.versions.labels) is not None

    def last_day(self, record: Handover | None) -> float | None:
        """When the key that was handed over last, or else the one before the current, ends at the latest."""
        labels, current = self.versions.labels, self.versions.current
        handed = record.version_id if record is not None and record.version_id != current else None
        replaced = self.versions.replaced_at(handed or version_with(PREVIOUS, labels))
        return None if replaced is None else replaced + LONGEST_SECONDS

    def handings(self, old: Collection[OldKey], now: float) -> tuple[Handing, ...]:
        """`old`: its old keys as OpenAI listed them just now."""
        return tuple(self._handing(consumer, old, now, looked=True) for consumer in self.records)

    def not_looked(self, now: float) -> tuple[Handing, ...]:
        """From AWS alone. Where no old key can live any more, there is nothing to look at."""
        is_over = self.readable and not self.is_open(now)
        old = () if is_over else None
        return tuple(self._handing(consumer, old, now, looked=is_over) for consumer in self.records)

    def _handing(self, consumer: str, old: Collection[OldKey] | None, now: float, *, looked: bool) -> Handing:
        record, current = self.records[consumer], self.current
        held = standing(record, current, old, now, readable=self.readable)
        return Handing(consumer, held, current.version_id, looked, self.last_day(record), self.was_replaced)

    def is_open(self, now: float) -> bool:
        confirmed = all(one is not None and one.version_id == self.current.version_id for one in self.records.values())
        return self.readable and (not confirmed or now < self.open_until)


@dataclass(frozen=True)
class Handing:
    """One consumer's hand-over. `looked`: the old keys' use was read in this cycle. `last_day`: when the old key ends
    at the latest, by AWS alone. `was_replaced`: there was a key before the current one."""

    consumer: str
    standing: Standing
    version: str
    looked: bool
    last_day: float | None = None
    was_replaced: bool = True

    @property
    def ends(self) -> float | None:
        """When the old key ends if nobody hands the new one over."""
        return self.standing.old.ends if self.standing.old else None if self.looked else self.last_day


@dataclass(frozen=True)
class HandoverSeen:
    """What is remembered of it, for those who show it. Unix seconds. `version`: the live one then. `ends`: when the old
    key that the consumer may hold ends at the latest; `used_at`: when it was used last. None: unknown, or none.
    `is_used`: when nobody should have used it."""

    state: str
    version: str
    since: float | None = None
    connected_since: float | None = None
    ends: float | None = None
    used_at: float | None = None
    is_used: bool = False


def remembered(before: Mapping[str, HandoverSeen], now: Iterable[Handing]) -> dict[str, HandoverSeen]:
    """A hand-over that was done stays so until somebody looks again, or another key is live."""
    found: dict[str, HandoverSeen] = {}
    for one in now:
        held, known = one.standing, before.get(one.consumer)
        if not one.looked and known is not None and known.version == one.version and held.extends:
            state = known.state if known.state in ("saved", "done") and held.state == "saved" else held.state
            found[one.consumer] = replace(
                known, state=state, since=held.since, connected_since=held.connected_since, version=one.version
            )
            continue
        ends = one.ends if held.extends else None
        old = held.old
        found[one.consumer] = HandoverSeen(
            held.state,
            one.version,
            held.since,
            held.connected_since,
            ends,
            used_at=old.last_used_at if old else None,
            is_used=old is not None and held.is_used(old),
        )
    return found


def shown(seen: Mapping[str, HandoverSeen]) -> dict[str, Any]:
    return {consumer: dict(one.__dict__) for consumer, one in seen.items()}


def read_seen(stored: Any) -> dict[str, HandoverSeen]:
    """Raises TypeError or AttributeError. Fields of a later version are ignored."""
    known = HandoverSeen.__dataclass_fields__
    by_consumer = cast("Mapping[str, Mapping[str, Any]]", stored or {})
    return {
        consumer: HandoverSeen(**{name: value for name, value in fields.items() if name in known})
        for consumer, fields in by_consumer.items()
    }
