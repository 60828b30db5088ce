"""Rotating many tenants' keys at a pace that OpenAI's Admin API takes, to the end, across interruptions.

Owns what is started, in which order, and when a rotation counts as over. Leaves out whose keys (`selection`), the
budget (`pace`), the record (`journal`) and the rotation itself, which is Secrets Manager's and the function's. Every
start is safe to repeat: its token is on record before the call, and RotateSecret with a known token starts nothing new.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from ops import ways_out
from ops.account import Account, aws_time
from ops.actions.pace import Budget, Pace
from ops.actions.trail import TrailEvent, rotation_failures
from ops.errors import code_of, explain
from ops.journal import Entry, Journal
from ops.rotation_state import SecretFacts, facts, tenant_secrets

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

POLL_SECONDS: Final = 2.0
FAILURES_SECONDS: Final = 5.0
"""Between two looks into CloudTrail, which allows two a second for the whole account."""
OTHERS_SECONDS: Final = 10.0
"""Between two counts of the rotations that others have begun: a page for each hundred secrets of the cell."""
GIVE_UP_SECONDS: Final = 1800.0
"""A rotation that is neither done nor reported as failed by then. CloudTrail may be a quarter of an hour late."""


@dataclass(frozen=True)
class Progress:
    """`seconds_left` assumes that nothing goes wrong from here."""

    total: int
    succeeded: int
    started: int
    failed: int
    seconds_left: float


@dataclass(frozen=True)
class Waiting:
    """How a command passes the time. Tests bring their own."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    give_up_seconds: float = GIVE_UP_SECONDS


def new_token(command: str) -> str:
    """Becomes the version's id and a part of the key's name at OpenAI, so that both tell for ever who asked."""
    return f"{command}-{uuid.uuid4()}"


class Rotate:
    """One run over the tenants of `journal`."""

    def __init__(
        self,
        account: Account,
        journal: Journal,
        *,
        follow: bool,
        tell: Callable[[Progress], None],
        waiting: Waiting | None = None,
        budget: Budget | None = None,
    ) -> None:
        """`follow` waits until each rotation is over; without it the run ends once the last was accepted."""
        self._account = account
        self._journal = journal
        self._follow = follow
        self._tell = tell
        self._waiting = waiting or Waiting()
        self._budget = budget or Budget()
        recent = [entry.started for entry in journal.entries.values() if entry.started]
        self._pace = Pace(self._budget, recent, now=self._waiting.now, sleep=self._waiting.sleep)
        self._looked = 0.0
        self._counted = 0.0

    def run(self) -> Journal:
        """Starts what has not been started, and follows. Ends with every entry's outcome known, or with Ctrl-C, after
        which the record holds all there is to go on with."""
        self._account.check()
        queue = self._left()
        while True:
            self._tell(self.progress())
            if queue and self._pace.delay() == 0 and not self._is_crowded_out():
                self._start(queue.pop(0))
                continue
            if self._follow:
                self._look()
            if not queue and not (self._follow and self._under_way()):
                self._tell(self.progress())
                return self._journal
            pause = min(self._pace.delay(), POLL_SECONDS) if queue else POLL_SECONDS
            self._waiting.sleep(max(pause, 0.05))

    def progress(self) -> Progress:
        outcomes = [entry.outcome for entry in self._journal.entries.values()]
        return Progress(
            total=len(outcomes),
            succeeded=outcomes.count("succeeded"),
            started=outcomes.count("started"),
            failed=outcomes.count("failed"),
            seconds_left=self._budget.seconds_for(outcomes.count(""), self._pace.in_window()),
        )

    def _is_crowded_out(self) -> bool:
        """Counts the rotations that others have begun, and whether they leave no turn now. One tenant never waits."""
        now = self._waiting.now()
        if len(self._journal.entries) > 1 and now - self._counted >= OTHERS_SECONDS:
            self._counted = now
            secrets = tenant_secrets(self._account.secrets, self._account.cell.names)
            self._pace.others = sum(found.weighs for tenant, found in secrets if tenant not in self._journal.entries)
        return self._pace.delay() > 0

    def _left(self) -> list[str]:
        """Not begun, failed, or begun in a secret that knows nothing of it: that record is of a cell since reset."""
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
            # Whoever goes on after a Ctrl-C in the call looks for failures from before it on.
            entry.accepted = found.told_at.isoformat()
            entry.started = self._pace.take()
            self._journal.save()
            started = start(self._account.secrets, found, entry.version)
            entry.version, entry.accepted = started.version, started.at.isoformat()
            if started.problem:
                self._end(tenant, "failed", started.problem)
                return
        self._end(tenant, "started", "")

    def _look(self) -> None:
        """Every rotation under way: is it over, has it failed, has it taken too long?"""
        now = self._waiting.now()
        failures: list[TrailEvent] = []
        if self._under_way() and now - self._looked >= FAILURES_SECONDS:
            self._looked = now
            begun = [self._journal.entries[tenant].accepted for tenant in self._under_way()]
            failures = rotation_failures(self._account.trail, datetime.fromisoformat(min(begun)))
        for tenant in self._under_way():
            entry = self._journal.entries[tenant]
            found = self._describe(tenant)
            if found is None:
                self._end(tenant, "failed", "the secret is gone: somebody has deleted it meanwhile.")
            elif found.has_finished(entry.version):
                self._end(tenant, "succeeded", "")
            elif entry.version not in found.stages:
                self._end(
                    tenant, "failed", "another rotation or a person has replaced this version: look at `history`."
                )
            elif why := failure_of(found.arn, datetime.fromisoformat(entry.accepted), failures):
                self._end(tenant, "failed", f"{why} {self._way_out(tenant)}")
            elif now - entry.started > self._waiting.give_up_seconds:
                late = f"not over after {self._waiting.give_up_seconds / 60:.0f} minutes."
                self._end(tenant, "failed", f"{late} {self._way_out(tenant)}")

    def _way_out(self, tenant: str) -> str:
        log = self._account.cell.names.log_group(self._account.cell.names.rotation_function)
        return f"The key from before is still live. Why stands in {log}; then `myflux-keys rotate {tenant}` again."

    def _end(self, tenant: str, outcome: str, detail: str) -> None:
        entry = self._journal.entries[tenant]
        entry.outcome, entry.detail = outcome, detail
        self._journal.save()


def not_startable(found: SecretFacts | None, slug: str) -> str | None:
    """Why RotateSecret would not do what is wanted; None when it would."""
    if found is None:
        return ways_out.no_secret(slug)
    if found.deleted:
        return ways_out.deletion_scheduled(slug, found.deleted)
    if not found.rotation_enabled:
        return ways_out.rotation_off(slug)
    return None


@dataclass(frozen=True)
class Started:
    """RotateSecret's answer: the version to follow, when by AWS's clock, and what is wrong, if anything."""

    version: str
    at: datetime
    problem: str = ""


def start(client: SecretsManagerClient, found: SecretFacts, token: str) -> Started:
    """A rotation that is under way, or that failed and left AWSPENDING, is taken up by AWS instead of a new one: then
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
    """AWS's own words on why the rotation of `arn` that began at `since` failed."""
    for event in failures:
        if event.secret == arn and event.at >= since:
            return f"{event.name}: {event.error}." if event.error else f"{event.name}."
    return None


def is_incomplete(error: ClientError) -> bool:
    """AWS's answer while an earlier rotation has not come to its end; it takes that one up again by itself."""
    message = error.response.get("Error", {}).get("Message", "").lower()
    return code_of(error) == "InvalidRequestException" and "previous rotation" in message
