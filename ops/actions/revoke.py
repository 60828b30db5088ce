"""A key has leaked: shut the readers out, kill every key, make a new one, let the readers in.

Owns the order, and that stopping anywhere leaves nothing open: the door is shut first and opened last, and a record on
disk says how far it came. Leaves out killing keys, which only a function with the admin key can do, and asking the
operator. Each step is safe to repeat.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from botocore.exceptions import ClientError

from ops.account import Account, aws_time
from ops.actions.access import Access, is_open
from ops.actions.end_keys import Killed, Seen, spoken
from ops.actions.rotate import Waiting, failure_of, is_incomplete, new_token, not_startable
from ops.actions.trail import rotation_failures
from ops.errors import OperationError
from ops.journal import Journal
from ops.rotation_state import SecretFacts, facts
from tenancy import Tenant

DENY: Final = "deny"
KILL: Final = "kill"
MINT: Final = "mint"
ENABLE: Final = "enable"

_POLL_SECONDS: Final = 1.0
_FAILURES_EVERY: Final = 5
_GOES_ON: Final = timedelta(days=1)


def ready(account: Account, tenant: Tenant) -> bool:
    """Whether readers are let in now. Raises OperationError for whatever could stand in the way later: nothing has been
    changed then."""
    account.check()
    names = account.cell.names.tenant(tenant.tenant)
    policy = Access(account.secrets, account.cell, tenant).policy()
    refusal = not_startable(facts(account.secrets.describe_secret(SecretId=names.secret)), tenant.tenant)
    if refusal:
        raise OperationError(f"{tenant.tenant}: {refusal} Nothing was changed.")
    return is_open(policy)


def goes_on(journal: Journal, *, opened: bool, now: datetime) -> bool:
    """Whether a stopped revocation is taken up where it was left, instead of from the start.

    Only while the door has stayed shut, and for a day: a key that somebody could read since may be the one that has
    leaked now, and must not be taken for the new one.
    """
    return bool(journal.done) and not opened and now - datetime.fromisoformat(journal.begun) < _GOES_ON


@dataclass(frozen=True)
class Revoked:
    """`readable`: the readers are let in at the end. `seen` is the last look at OpenAI, after the new key was live."""

    readable: bool
    seen: Seen


class Revoke:
    """One tenant's revocation, as far as `journal` says and on from there."""

    def __init__(
        self,
        account: Account,
        tenant: Tenant,
        journal: Journal,
        *,
        kill: Callable[[str], Killed],
        look: Callable[[str], Seen],
        tell: Callable[[str], None],
        waiting: Waiting | None = None,
    ) -> None:
        """`kill` ends every key of the tenant that it is given; `look` tells which live, and changes nothing."""
        self._account = account
        self._tenant = tenant
        self._journal = journal
        self._kill = kill
        self._look = look
        self._tell = tell
        self._waiting = waiting or Waiting()
        self._names = account.cell.names.tenant(tenant.tenant)
        self._access = Access(account.secrets, account.cell, tenant)

    def run(self) -> Revoked:
        """Readers of a tenant whose file says `enabled: false` stay shut out at the end. Raises OperationError."""
        # Also when going on: a `pulumi up` may have opened the door a moment ago.
        changed = self._access.switch(enabled=False)
        self._step(DENY, "reads are denied" if changed else "reads were denied already")
        for step, act in ((KILL, self._kill_all), (MINT, self._mint)):
            if step not in self._journal.done:
                self._step(step, act())
        seen = self._checked()
        if self._tenant.enabled:
            self._access.switch(enabled=True)
            self._step(ENABLE, "reads are allowed again, with the new key")
        else:
            self._step(ENABLE, "reads stay denied, as the tenant's file says (enabled: false)")
        return Revoked(self._tenant.enabled, seen)

    def _step(self, step: str, told: str) -> None:
        if step not in self._journal.done:
            self._journal.done.append(step)
            self._journal.save()
        self._tell(told)

    def _kill_all(self) -> str:
        done = self._kill(self._tenant.tenant)
        if done.failed:
            told = "; ".join(f"{key}: {why}" for key, why in done.failed.items())
            raise OperationError(
                f"not every key is seen to be dead ({told}). Reads of {self._tenant.tenant} stay denied. Delete these "
                f"on OpenAI's site, in project {self._names.project}, then run the same command again."
            )
        return f"{spoken(done.revoked)}, and every key of its secret's versions that is in its project is refused"

    def _checked(self) -> Seen:
        """The look that the last sentence stands on. Raises OperationError, and the next run ends keys again: what
        lives besides the new key may have been minted between the two looks."""
        seen = self._look(self._tenant.tenant)
        if seen.current is not None and not seen.others:
            self._tell(f"looked again: key {seen.current} lives, and no other of {self._tenant.tenant}")
            return seen
        self._journal.done = [step for step in self._journal.done if step not in (KILL, MINT)]
        self._journal.entries[self._tenant.tenant].version = ""
        self._journal.save()
        others = f"these keys live: {', '.join(seen.others)}" if seen.others else "no key lives"
        new = (
            f"besides the new one, {seen.current}" if seen.current else "and OpenAI does not list the new one as alive"
        )
        raise OperationError(
            f"{self._tenant.tenant}: {others} {new}. Reads stay denied. Run the same command again: it ends them and "
            "makes another key."
        )

    def _mint(self) -> str:
        """A rotation of our own: one that ran already may hold a key that has just been killed, so it is waited for."""
        entry = self._journal.entries[self._tenant.tenant]
        if not entry.version or (entry.accepted and entry.version not in self._facts().stages):
            # Asked for by an earlier run and gone since: its rotation failed for good, and its token is used up.
            entry.version = new_token(self._journal.operation)
        entry.accepted = ""
        self._journal.save()
        give_up = self._waiting.now() + self._waiting.give_up_seconds
        looks = 0
        while not (found := self._facts()).has_finished(entry.version):
            if self._waiting.now() > give_up:
                raise OperationError(self._unfinished("the new key is not there yet."))
            if not entry.accepted:
                self._ask(found)
            looks += 1
            if entry.accepted and looks % _FAILURES_EVERY == 0:
                since = datetime.fromisoformat(entry.accepted)
                why = failure_of(found.arn, since, rotation_failures(self._account.trail, since))
                if why:
                    raise OperationError(self._unfinished(f"the rotation failed. {why}"))
            self._waiting.sleep(_POLL_SECONDS)
        return f"a new key is live, version {entry.version}"

    def _ask(self, found: SecretFacts) -> None:
        """RotateSecret; asked again later while AWS is busy with an earlier rotation."""
        entry = self._journal.entries[self._tenant.tenant]
        try:
            answer = self._account.secrets.rotate_secret(SecretId=found.arn, ClientRequestToken=entry.version)
        except ClientError as error:
            if not is_incomplete(error):
                raise
        else:
            entry.accepted = aws_time(answer).isoformat()
            self._journal.save()

    def _unfinished(self, why: str) -> str:
        log = self._account.cell.names.log_group(self._account.cell.names.rotation_function)
        return (
            f"{self._tenant.tenant}: {why} The old keys were seen to be dead, and reads stay denied. Why stands in "
            f"{log}; run the same command again to go on."
        )

    def _facts(self) -> SecretFacts:
        return facts(self._account.secrets.describe_secret(SecretId=self._names.secret))


def consequences(tenant: Tenant) -> list[str]:
    """What a revocation breaks, for the person who is asked."""
    told = [
        "Every key of this tenant dies at once, also one that only an old version of its secret holds: calls in flight "
        "fail, and so do calls until the new key is live, usually within half a minute.",
        "Readers are refused until then. They fetch the new key by themselves.",
    ]
    told.extend(one.when_revoked for one in tenant.consumers.used if one.when_revoked)
    if not tenant.enabled:
        told.append("The tenant's file says `enabled: false`, so reads stay denied afterwards.")
    return told
