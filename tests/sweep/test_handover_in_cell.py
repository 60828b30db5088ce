"""A rotation of a tenant whose key a person pastes into CINNOX: with the operator on time, late, absent, or wrong.

The deployed functions under the roles that ship, with AWS and OpenAI of a local cell. In each case the calls with the
key that CINNOX holds are made, not reasoned about.
"""

from __future__ import annotations

from typing import Any

import openai
import pytest

from functions.shared.handover import Handover, confirmed, object_name
from functions.sweep import due
from tests.sweep.conftest import OVERLAP_HOURS, Bench

HOUR = 3600
DAY = 24 * HOUR
OVERLAP = OVERLAP_HOURS * HOUR
LONGEST_STEP = 8 * HOUR
"""Between two sweeps of these tests. The schedule's are closer, and closest around an old key's expiry, as here."""
MOST_LIVE = 4


class Cinnox:
    """The consumer: it calls with the key that was pasted into it, whatever the secret holds."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.tenant = bench.tenant("myflux cinnox")
        self.key: dict[str, Any] = {}
        self.record: Handover | None = None
        self.hand_over()

    def paste(self, label: str = "AWSCURRENT") -> None:
        self.key = self.tenant.held(label)

    def confirm(self) -> None:
        """What `myflux-keys handover` writes when a person says "saved"."""
        bench, slug = self.bench, self.tenant.slug
        key_id = self.tenant.held("AWSCURRENT")["key_id"]
        version = next(one for one, labels in self.tenant.stages().items() if "AWSCURRENT" in labels)
        self.record = confirmed(
            self.record,
            tenant=slug,
            consumer="cinnox",
            key_id=key_id,
            version_id=version,
            now=int(bench.now()),
            by="ann",
        )
        bench.s3.put_object(
            Bucket=bench.names.health_bucket, Key=object_name(slug, "cinnox"), Body=self.record.to_json().encode()
        )

    def hand_over(self) -> None:
        self.paste()
        self.confirm()

    def rotate(self) -> None:
        self.tenant.rotate()

    def works(self) -> bool:
        try:
            self.tenant.use(self.key)
        except openai.AuthenticationError:
            return False
        return True

    def sweep(self) -> dict[str, Any] | None:
        """What it found of the key that CINNOX holds. At no time are there more live keys than the bound."""
        told = self.bench.sweep(self.tenant.slug)
        assert not told["failed"]
        assert len(self.tenant.live()) <= MOST_LIVE
        return self.bench.of_key(told, self.key["key_id"])

    def until(
        self,
        seconds: float,
        *,
        calls: bool = True,
    ) -> list[str]:
        """Sweeps until so many seconds are over, and what those found that did something. Every call must work."""
        bench, done = self.bench, list[str]()
        end = bench.now() + seconds
        while (left := end - bench.now()) > 1:
            bench.cell.advance(min(left, LONGEST_STEP, self._to_the_look()))
            if calls:
                assert self.works(), f"{left:.0f} s before the end"
            found = self.sweep()
            assert found
            done += [found["action"]] if found["action"] != "none" else []
        return done

    def _to_the_look(self) -> float:
        """Seconds until an hour before the key in CINNOX expires; at least half an hour."""
        key = self.tenant.live().get(self.key["key_id"])
        return max((key.expires_at or 0) - self.bench.now() - HOUR, HOUR / 2) if key else HOUR

    def ends_after(self) -> float:
        """Days from the rotation to the end of the key that CINNOX holds."""
        last = self.tenant.last_rotated().timestamp()
        return ((self.tenant.live()[self.key["key_id"]].expires_at or 0) - last) / DAY


@pytest.fixture
def cinnox(bench: Bench) -> Cinnox:
    return Cinnox(bench)


def test_on_time_the_old_key_ends_after_its_overlap_though_it_was_used_until_the_change(cinnox: Cinnox) -> None:
    old = cinnox.key["key_id"]
    cinnox.rotate()
    assert cinnox.until(5 * HOUR) == []
    cinnox.hand_over()
    cinnox.until(OVERLAP - 5 * HOUR + 120)
    assert old not in cinnox.tenant.live()
    assert cinnox.works()


def test_three_days_late_the_old_key_has_worked_all_the_time_and_ends_within_an_overlap(cinnox: Cinnox) -> None:
    old = cinnox.key["key_id"]
    cinnox.rotate()
    assert cinnox.until(3 * DAY) == ["extend"] * 3
    cinnox.hand_over()
    assert cinnox.until(DAY + HOUR) == []
    assert old not in cinnox.tenant.live()


def test_with_the_operator_absent_it_works_for_seven_days_and_then_ends(cinnox: Cinnox) -> None:
    cinnox.rotate()
    done = cinnox.until(7 * DAY - 2 * HOUR, calls=False)
    assert done.count("extend") >= 6, "also though nobody was seen to use it"
    assert cinnox.works(), "two hours before the end"
    assert 6.99 <= cinnox.ends_after() <= 7.01
    cinnox.bench.cell.advance(3 * HOUR)
    assert not cinnox.works()


def test_with_another_key_pasted_than_the_new_one_the_key_that_is_used_lives_on(cinnox: Cinnox) -> None:
    cinnox.rotate()
    cinnox.until(5 * HOUR)
    cinnox.paste("AWSPREVIOUS")
    cinnox.confirm()
    assert cinnox.until(2 * DAY) == ["extend"] * 2
    found = cinnox.sweep()
    assert found
    assert "confirmed for cinnox, but this one is still in use" in found["reason"]
    cinnox.hand_over()
    assert cinnox.until(2 * DAY) == []


def test_confirmed_without_saving_the_consumers_next_call_takes_done_back(cinnox: Cinnox) -> None:
    """The old key is not used for half a day, so the hand-over counts as done; then CINNOX calls with it."""
    cinnox.rotate()
    cinnox.confirm()
    assert cinnox.until(12 * HOUR, calls=False) == []
    found = cinnox.sweep()
    assert found
    assert "handed over to cinnox and unused since" in found["reason"]
    assert cinnox.until(2 * DAY) == ["extend"] * 2


def test_after_two_rotations_the_key_in_cinnox_is_the_one_that_lives_on(cinnox: Cinnox) -> None:
    cinnox.rotate()
    cinnox.until(2 * HOUR)
    cinnox.rotate()
    left = (cinnox.tenant.live()[cinnox.key["key_id"]].expires_at or 0) - cinnox.bench.now()
    assert left <= HOUR + 60, "a second rotation leaves it an hour, and the next sweep extends it"
    first = cinnox.sweep()
    assert first
    assert first["action"] == "extend"
    assert cinnox.until(3 * DAY) == ["extend"] * 3
    cinnox.rotate()
    assert len(cinnox.tenant.live()) <= MOST_LIVE
    cinnox.until(2 * DAY)
    assert cinnox.ends_after() <= 7
    cinnox.hand_over()
    assert cinnox.until(DAY + 3 * HOUR) == []


def test_the_schedule_comes_in_time_for_each_extension(cinnox: Cinnox) -> None:
    cinnox.rotate()
    bench, slug = cinnox.bench, cinnox.tenant.slug
    for _ in range(2 * DAY // due.SLOT_SECONDS):
        bench.cell.advance(due.SLOT_SECONDS)
        bench.sweep(due=True)
    assert cinnox.works(), f"{slug} was looked at in time"


def test_a_record_that_nobody_can_read_costs_nobody_a_key_and_is_logged(cinnox: Cinnox) -> None:
    bench, slug = cinnox.bench, cinnox.tenant.slug
    bench.s3.put_object(Bucket=bench.names.health_bucket, Key=object_name(slug, "cinnox"), Body=b"{}")
    cinnox.rotate()
    assert cinnox.until(DAY + HOUR) == ["extend"]
    assert "is not of schema 1" in bench.logged()
