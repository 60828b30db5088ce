"""What is remembered of one link: how often it was opened, which keys were checked, and which one was handed in.

Pure: each change takes the record and gives the next one, or refuses. Keys are known by their digest alone
(`intake.digest`). The store writes a record only over the one that was read, so that of two requests at once the second
decides anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from functions.connect.checks import Answered, Checked
from functions.shared.intake import MOST_CHECKS

FREELY: Final = 10
"""Checks of a link before a pause is asked for between two."""
PAUSE_SECONDS: Final = 10
LONGEST_CHECK_SECONDS: Final = 45
"""Longer than an invocation: a check that is older has ended, whatever became of it."""


class Refused(Exception):
    """`reason`: ``busy`` (another check runs), ``slow_down``, ``too_many`` (checks), ``not_checked``, ``saved`` (this
    very key was handed in), ``another`` (key was). `seconds` to wait, where waiting helps."""

    def __init__(self, reason: str, seconds: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.seconds = seconds


@dataclass(frozen=True)
class Known:
    """One key, by its digest: whether its latest check passed, and what OpenAI's billed answer showed, if there was
    one."""

    passed: bool = False
    answered: Answered | None = None


@dataclass(frozen=True)
class Seen:
    """Times in Unix seconds, 0 for never. `running_since`: a check began and has not ended. `handed_in` is a digest;
    `after` is the `at` of the promoter's refusal that it followed, empty for a link's first. `written`: its ciphertext
    is in the intake. Until then a Save is on its way, or the function ended in the middle of it. `by` is the mark of
    the request that wrote this record."""

    opens: int = 0
    checks: int = 0
    checked_at: int = 0
    running_since: int = 0
    keys: Mapping[str, Known] = field(default_factory=dict[str, Known])
    handed_in: str = ""
    handed_in_at: int = 0
    last_four: str = ""
    after: str = ""
    written: bool = False
    by: str = ""

    def to_json(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Seen:
        """The page alone writes it, so another form is a fault of its own: ValueError, TypeError, KeyError."""
        fields: dict[str, Any] = json.loads(text)
        keys: dict[str, Any] = fields.pop("keys")
        return cls(**fields, keys={digest: _known(one) for digest, one in keys.items()})

    def known(self, digest: str) -> Known:
        return self.keys.get(digest, Known())


def _known(fields: dict[str, Any]) -> Known:
    answered: dict[str, Any] | None = fields["answered"]
    return Known(fields["passed"], Answered(**answered) if answered else None)


def opened(seen: Seen) -> Seen:
    return replace(seen, opens=seen.opens + 1)


def held(seen: Seen, refused_at: str) -> str:
    """The digest of the key that keeps others out; empty if there is none. `refused_at` is when the promoter refused
    one, empty if its outcome is no refusal: a refused key does not end its link."""
    return "" if refused_at and refused_at != seen.after else seen.handed_in


def begin_check(seen: Seen, digest: str, now: int, refused_at: str) -> Seen:
    """One check at a time, so that a second tab does not have the same key billed twice. Raises Refused."""
    if holder := held(seen, refused_at):
        if holder != digest:
            raise Refused("another")
        if seen.written:
            raise Refused("saved")
    if seen.running_since and now - seen.running_since < LONGEST_CHECK_SECONDS:
        raise Refused("busy", 2)
    if seen.checks >= MOST_CHECKS:
        raise Refused("too_many")
    if seen.checks >= FREELY and (wait := PAUSE_SECONDS - (now - seen.checked_at)) > 0:
        raise Refused("slow_down", wait)
    return replace(seen, checks=seen.checks + 1, checked_at=now, running_since=now)


def end_check(seen: Seen, digest: str, checked: Checked) -> Seen:
    answered = checked.answered or seen.known(digest).answered
    known = {**seen.keys, digest: Known(checked.passed, answered)}
    return replace(seen, running_since=0, keys=known)


def drop_check(seen: Seen) -> Seen:
    """A check that ended by a fault of ours."""
    return replace(seen, running_since=0)


def hand_in(seen: Seen, digest: str, now: int, last_four: str, refused_at: str, *, written: bool) -> Seen:
    """Unchanged if this key was handed in before. `written`: its ciphertext is in the intake already. Raises Refused:
    the first key that passed its check stays, until the promoter refuses it."""
    holder = held(seen, refused_at)
    if holder == digest:
        return seen
    if holder:
        raise Refused("another")
    if not seen.known(digest).passed:
        raise Refused("not_checked")
    return replace(
        seen, handed_in=digest, handed_in_at=now, last_four=last_four, after=refused_at or seen.after, written=written
    )


def wrote(seen: Seen, digest: str) -> Seen:
    """The ciphertext of this key is in the intake."""
    return replace(seen, written=True) if seen.handed_in == digest else seen
