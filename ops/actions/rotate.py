"""Rotates many tenants' keys within OpenAI's Admin API limit, and continues after an interruption.

Owns which rotation starts when, and when a rotation has ended. Leaves out whose keys (`selection`), the budget
(`pace`), the record (`journal`) and the rotation, which Secrets Manager and the function do. Every start is safe to
repeat: its token is recorded before the call, and RotateSecret with a known token starts nothing new.
"""

from __future__ import annotations

import re
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from myflux_keys.names import TAG_ORGANIZATION_ID
from ops import ways_out
from ops.account import Account, aws_time
from ops.actions.pace import Budget, Pace, Paces
from ops.actions.trail import TrailEvent, rotation_failures
from ops.errors import code_of, explain
from ops.journal import Entry, Journal
from ops.rotation_state import SecretFacts, facts, tenant_secrets

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

POLL_SECONDS: Final = 2.0
FAILURES_SECONDS: Final = 5.0
"""Between two calls to CloudTrail, which allows two a second for the whole account."""
OTHERS_SECONDS: Final = 10.0
"""Between two counts of the rotations that others started: a page for each hundred secrets of the cell."""
GIVE_UP_SECONDS: Final = 1800.0
"""After this a rotation without a result counts as failed. CloudTrail may be a quarter of an hour late."""
_OUR_TOKEN: Final = re.compile(r"(rotate|revoke)-[0-9a-f-]{36}")


@dataclass(frozen=True)
class Progress:
    """`seconds_left` assumes that no further rotation fails."""

    total: int
    succeeded: int
    started: int
    failed: int
    seconds_left: float


@dataclass(frozen=True)
class Waiting:
    """Clock, sleep and time limit of a command; tests use their own."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    give_up_seconds: float = GIVE_UP_SECONDS


def new_token(command: str) -> str:
    """Becomes the version's id and a part of the key's name at OpenAI, so that both show which command made the key."""
    return f"{command}-{uuid.uuid4()}"


def command_of(version: str) -> str:
    """``rotate`` or ``revoke``; empty for a version whose id is not by `new_token`."""
    token = _OUR_TOKEN.fullmatch(version)
    return token[1] if token else ""


class Rotate:
    """One run over the tenants of `journal`."""

    def __init__(
        self,
        account: Account,
        journal: Journal,
        *,
        follow: bool,
        report: Callable[[Progress], None],
        waiting: Waiting | None = None,
        budget: Budget | None = None,
        organizations: Mapping[str, str] | None = None,
    ) -> None:
        """`follow` waits until each rotation has ended; without it the run ends once AWS accepted the last.
        `organizations`: see `Paces`."""
        self._account = account
        self._journal = journal
        self._follow = follow
        self._report = report
        self._waiting = waiting or Waiting()
        self._budget = budget or Budget()
        self._paces = Paces(self._new_pace, journal.entries, organizations or {})
        self._failures_read_at = 0.0
        self._others_counted_at = 0.0

    def run(self) -> Journal:
        """Starts the rotations that are left, and follows them. Returns once every entry has an outcome; after Ctrl-C
        the record holds all that the next run needs."""
        self._account.check()
        queue = self._left()
        while True:
            self._report(self.progress())
            if queue and self._paces.delay(queue) == 0:
                self._count_others()
                tenant = self._paces.next(queue)
                if tenant is not None:
                    queue.remove(tenant)
                    self._start(tenant)
                    continue
            if self._follow:
                self._check_running()
            if not queue and not (self._follow and self._under_way()):
                self._report(self.progress())
                return self._journal
            pause = min(self._paces.delay(queue), POLL_SECONDS) if queue else POLL_SECONDS
            self._waiting.sleep(max(pause, 0.05))

    def progress(self) -> Progress:
        outcomes = [entry.outcome for entry in self._journal.entries.values()]
        return Progress(
            total=len(outcomes),
            succeeded=outcomes.count("succeeded"),
            started=outcomes.count("started"),
            failed=outcomes.count("failed"),
            seconds_left=self._paces.seconds_for(
                [tenant for tenant, entry in self._journal.entries.items() if not entry.outcome], self._budget
            ),
        )

    def _new_pace(self, tenants: Iterable[str]) -> Pace:
        started = [self._journal.entries[tenant].started for tenant in tenants]
        return Pace(self._budget, filter(None, started), now=self._waiting.now, sleep=self._waiting.sleep)

    def _count_others(self) -> None:
        """Leaves their turns to rotations that others started. A run of one tenant never waits."""
        now = self._waiting.now()
        if len(self._journal.entries) > 1 and now - self._others_counted_at >= OTHERS_SECONDS:
            self._others_counted_at = now
            secrets = tenant_secrets(self._account.secrets, self._account.cell.names)
            self._paces.leave_to_others(
                Counter(
                    found.tags.get(TAG_ORGANIZATION_ID, "")
                    for tenant, found in secrets
                    if tenant not in self._journal.entries and found.counts_against_budget
                )
            )

    def _left(self) -> list[str]:
        """Not started, failed, or started in a cell that was reset since: then the secret has no such version."""
        queue: list[str] = []
        for tenant, entry in self._journal.entries.items():
            if entry.outcome in ("started", "succeeded"):
                found = self._describe(tenant)
                if found is not None and entry.version in found.stages:
                    continue
            if entry.outcome:
                self._journal.entries[tenant] = Entry()
            queue.append(tenant)
        self._journal.save()
        return queue

    def _under_way(self) -> list[str]:
        return [tenant for tenant, entry in self._journal.entries.items() if entry.outcome == "started"]

    def _describe(self, tenant: str) -> SecretFacts | None:
        try:
            return facts(self._account.secrets.describe_secret(SecretId=self._secret(tenant)))
        except ClientError as error:
            if code_of(error) == "ResourceNotFoundException":
                return None
            raise

    def _secret(self, tenant: str) -> str:
        return self._account.cell.names.tenant(tenant).secret

    def _start(self, tenant: str) -> None:
        entry = self._journal.entries[tenant]
        found = self._describe(tenant)
        refusal = not_startable(found, tenant)
        if found is None or refusal:
            self._end(tenant, "failed", refusal or "")
            return
        if entry.version not in found.stages:
            entry.version = entry.version or new_token(self._journal.operation)
            # After Ctrl-C during the call, the next run searches for failures from before the call on.
            entry.accepted = found.answered_at.isoformat()
            entry.started = self._paces.of(tenant).take()
            self._journal.save()
            started = start(self._account.secrets, found, entry.version)
            entry.version, entry.accepted = started.version, started.at.isoformat()
            if started.problem:
                self._end(tenant, "failed", started.problem)
                return
        self._end(tenant, "started", "")

    def _check_running(self) -> None:
        """Records the outcome of each running rotation that has ended, has failed or has taken too long."""
        now = self._waiting.now()
        failures: list[TrailEvent] = []
        if self._under_way() and now - self._failures_read_at >= FAILURES_SECONDS:
            self._failures_read_at = now
            begun = [self._journal.entries[tenant].accepted for tenant in self._under_way()]
            failures = rotation_failures(self._account.trail, datetime.fromisoformat(min(begun)))
        for tenant in self._under_way():
            entry = self._journal.entries[tenant]
            found = self._describe(tenant)
            if found is None:
                self._end(tenant, "failed", "the secret was deleted during the rotation.")
            elif found.has_finished(entry.version):
                self._end(tenant, "succeeded", "")
            elif entry.version not in found.stages:
                self._end(tenant, "failed", "another rotation or a person has replaced this version: see `history`.")
            elif why := failure_of(found.arn, datetime.fromisoformat(entry.accepted), failures):
                self._end(tenant, "failed", f"{why} {self._way_out(tenant)}")
            elif now - entry.started > self._waiting.give_up_seconds:
                late = f"it has not ended after {self._waiting.give_up_seconds / 60:.0f} minutes."
                self._end(tenant, "failed", f"{late} {self._way_out(tenant)}")

    def _way_out(self, tenant: str) -> str:
        log = self._account.cell.names.log_group(self._account.cell.names.rotation_function)
        return (
            f"The old key is still live. The reason is in {log}; correct it, then `myflux-keys rotate {tenant}` again."
        )

    def _end(self, tenant: str, outcome: str, detail: str) -> None:
        entry = self._journal.entries[tenant]
        entry.outcome, entry.detail = outcome, detail
        self._journal.save()


def not_startable(found: SecretFacts | None, slug: str) -> str | None:
    """Why a rotation of a tenant whose keys are minted cannot start; None when it can."""
    if found is None:
        return ways_out.no_secret(slug)
    if found.deleted:
        return ways_out.deletion_scheduled(slug, found.deleted, minted=True)
    if not found.rotation_enabled:
        return ways_out.rotation_off(slug)
    return None


@dataclass(frozen=True)
class Started:
    """RotateSecret's answer: the version to follow, the time by AWS's clock, and the problem, empty for none."""

    version: str
    at: datetime
    problem: str = ""


def start(client: SecretsManagerClient, found: SecretFacts, token: str) -> Started:
    """While a rotation runs, or after one failed and left AWSPENDING, AWS continues that one instead of a new one: then
    its version is the one to follow."""
    try:
        answer = client.rotate_secret(SecretId=found.arn, ClientRequestToken=token, RotateImmediately=True)
    except ClientError as error:
        at = aws_time(error.response)
        if not is_incomplete(error):
            return Started(token, at, explain(error))
        pending = facts(client.describe_secret(SecretId=found.arn)).pending
        if pending is None:
            return Started(token, at, "another rotation has just ended: run the command again.")
        return Started(pending, at)
    return Started(token, aws_time(answer))


def failure_of(arn: str, since: datetime, failures: list[TrailEvent]) -> str | None:
    """AWS's reason why the rotation of `arn` that started at `since` failed; None where it has not failed."""
    for event in failures:
        if event.secret == arn and event.at >= since:
            return f"{event.name}: {event.error}." if event.error else f"{event.name}."
    return None


def is_incomplete(error: ClientError) -> bool:
    """Whether AWS refused because an earlier rotation has not finished; AWS continues that one by itself."""
    message = error.response.get("Error", {}).get("Message", "").lower()
    return code_of(error) == "InvalidRequestException" and "previous rotation" in message
