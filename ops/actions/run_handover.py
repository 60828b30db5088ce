"""Hands one tenant's key over to a person: checks, the role with MFA, the key, the page, the record.

Owns the order: whatever can be refused is refused before the key is read, since each read is told to the alarms.
Leaves out the calls (`handover.py`), the page (`ops/handover_page/`) and printing.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from functions.shared.handover import Handover, Standing, confirmed
from myflux_keys.consumers import Consumer
from ops import journal, selection
from ops.account import Account
from ops.actions import handover, handover_standing
from ops.actions.handover import Person
from ops.errors import OperationError, explain
from ops.handover_page import clipboard
from ops.handover_page.held import HeldKey, keep_memory_private
from ops.handover_page.server import serving
from ops.handover_page.visit import End, Shown, Test, Visit
from ops.journal import Journal
from tenancy import Tenant

_OPERATION: Final = "handover"
READ: Final = "read"
CONFIRMED: Final = "confirmed"


@dataclass(frozen=True)
class Asked:
    slug: str
    consumer: str
    mfa_serial: str | None = None
    user_profile: str | None = None
    """AWS's profile of the person, where the command's credentials are those of a role that deploys."""


@dataclass(frozen=True)
class Talk:
    """How the person is asked and told. `code` gets the device's serial number; `show` gets the link, which opens the
    page once."""

    report: Callable[[str], None]
    code: Callable[[str], str]
    show: Callable[[str], None]


@dataclass
class Done:
    """`record` None: nothing was confirmed, so the hand-over is still due. `lines` say what holds now."""

    tenant: str
    consumer: str
    cell: str
    version_id: str
    end: End = "stopped"
    test: Test | None = None
    record: Handover | None = None
    standing: Standing | None = None
    lines: Sequence[str] = ()
    clipboard: str = ""
    """What became of the system's clipboard: ``cleared``, ``other``, ``no_tool``; empty where nothing was copied."""


@dataclass(frozen=True)
class _Key:
    """The key that was read, and the ids that are recorded of it."""

    held: HeldKey
    id: str
    version_id: str


@dataclass
class _Run:
    """After everything was checked."""

    account: Account
    tenant: Tenant
    consumer: Consumer
    person: Person
    talk: Talk

    def hand_over(self, key: _Key, record: Journal) -> Done:
        tenant, cell = self.tenant, self.account.cell
        done = Done(tenant.tenant, self.consumer.name, cell.cell, key.version_id)
        visit = Visit(
            Shown(tenant.tenant, tenant.name, cell.cell, self.consumer.name, self.consumer.steps),
            key.held,
            clipboard.find(),
            saved=lambda test: self._saved(test, key, record, done),
            told=self.talk.report,
            now=time.monotonic,
        )
        with serving(visit) as server:
            self.talk.show(server.link)
            # Ctrl-C is one of the ways to end a visit: what was confirmed before stays.
            with suppress(KeyboardInterrupt):
                server.wait()
        done.end, done.clipboard = visit.end or "stopped", visit.clipboard_outcome or ""
        return done

    def _saved(self, test: Test, key: _Key, record: Journal, done: Done) -> Sequence[str]:
        """Raises OperationError only if nothing was recorded."""
        try:
            # Read now: somebody else may have confirmed while the page was open.
            made = confirmed(
                handover.read_record(self.account, self.tenant.tenant, self.consumer.name),
                tenant=self.tenant.tenant,
                consumer=self.consumer.name,
                key_id=key.id,
                version_id=key.version_id,
                now=int(self.account.check().timestamp()),
                by=self.person.name,
            )
            done.record, done.test = handover.write_record(self.account, made), test
        except (BotoCoreError, ClientError) as error:
            raise OperationError(explain(error)) from None
        record.done.append(CONFIRMED)
        try:
            record.save()
        except OSError as error:
            self.talk.report(f"It is recorded at AWS, but not on this machine: {error}.")
        done.standing, done.lines = handover_standing.now(self.account, self.tenant, done.record)
        return done.lines


def run(root: Path, asked: Asked, talk: Talk) -> Done:
    """Raises OperationError, TenancyError, or botocore's errors."""
    fleet = selection.files_of(root, [asked.slug])
    tenant = selection.one_tenant(fleet, asked.slug)
    cell = fleet.cell_of(tenant)
    consumer = handover.consumer_of(cell, tenant, asked.consumer)
    own = handover.own_session(asked.user_profile, cell.region)
    with Account(cell, _OPERATION) as account, Account(cell, _OPERATION, session=own) as theirs:
        account.check()
        person = handover.allowed(cell, theirs.caller.get_caller_identity()["Arn"])
        handover.described(account, tenant, consumer)
        # A damaged record is told before the key is read.
        handover.read_record(account, tenant.tenant, consumer.name)
        operation = f"{_OPERATION}-{consumer.name}"
        with journal.exclusive_run(cell, f"{operation}-{tenant.tenant}") as place:
            device = handover.mfa_device(theirs, person, asked.mfa_serial)
            code = handover.checked_code(talk.code(device)) if device else None
            keep_memory_private()
            session = handover.session(theirs, tenant, person, device, code)
            if stopped := journal.unfinished(place, operation, [tenant.tenant]):
                stopped.finish()
            record = journal.begin(place, operation, cell, [tenant.tenant], f"hand-over by {person.name}")
            entry = record.entries[tenant.tenant]
            entry.started, entry.outcome = time.time(), "failed"
            try:
                with _ended_as_by_ctrl_c():
                    key = _read(session, account, tenant)
                    entry.version = key.version_id
                    record.done.append(READ)
                    record.save()
                    done = _Run(account, tenant, consumer, person, talk).hand_over(key, record)
                entry.outcome, entry.detail = "succeeded" if done.record else "failed", done.end
            finally:
                record.finish()
    return done


@contextmanager
def _ended_as_by_ctrl_c() -> Generator[None]:
    """A terminal that is closed, and `kill`, end the visit as Ctrl-C does: the clipboard is emptied, the key dropped.
    What the caller ignores, as below `nohup`, stays ignored."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    numbers = [one for one in (signal.SIGHUP, signal.SIGTERM) if signal.getsignal(one) != signal.SIG_IGN]
    before = {one: signal.signal(one, interrupt) for one in numbers}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _read(session: boto3.Session, account: Account, tenant: Tenant) -> _Key:
    with Account(account.cell, _OPERATION, session=session) as reader:
        found = handover.read_key(reader.secrets, account.cell, tenant)
    return _Key(HeldKey(found.reveal()), found.key_id, found.version_id)
