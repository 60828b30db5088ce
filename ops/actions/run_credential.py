"""Runs a switch between a key and tokens: takes the lock, opens the account, and calls the file, engine and functions.

Leaves out the order (`credential.py`). The record notes only when a phase was complete: without it a wait begins anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import tenancy
from ops import journal, selection
from ops.account import Account, checked_reason
from ops.actions import credential, functions_client
from ops.actions.credential import KEY, Phase, Switch, Target
from ops.actions.end_keys import Keys, Seen
from ops.actions.offboard import active_secret, deleted_on
from ops.actions.rotate import Waiting, new_token, start
from ops.actions.tenant_file import TenantFile
from ops.errors import Declined, OperationError
from ops.journal import Journal
from ops.rotation_state import SecretFacts
from tenancy import Cell, Tenant

OPERATION: Final = "credential"
WAIT_SECONDS: Final = 7200.0


@dataclass(frozen=True)
class Prepared:
    root: Path
    cell: Cell
    tenant: Tenant
    target: Target
    reason: str

    @property
    def steps(self) -> list[str]:
        return credential.plan(self.cell, self.tenant, self.target)


def prepare(root: Path, slug: str, target: Target, reason: str) -> Prepared:
    """Changes nothing. Raises OperationError, and TenancyError for a file that may not say what the switch needs."""
    why = checked_reason(reason)
    fleet = tenancy.load(root)
    tenant = selection.one_tenant(fleet, slug)
    refusal = credential.refused(tenant, target)
    if refusal:
        raise OperationError(refusal)
    if target == "federated":
        tenancy.load(root, only=slug, draft=text_of(TenantFile(root, slug), credential.TOKENS))
    return Prepared(root, fleet.cell_of(tenant), tenant, target, why)


def text_of(file: TenantFile, phase: Phase) -> str:
    """The file's text in this phase: without both fields where it has a key alone, as before."""
    name, before = phase
    return file.with_fields({"credential": None if phase == KEY else name, "switching_from": before})


def switch(
    prepared: Prepared,
    *,
    confirmed: Callable[[], bool],
    report: Callable[[str], None],
    waiting: Waiting | None = None,
) -> None:
    """Reports the steps before it calls `confirmed`. Raises OperationError, or Declined; then the same call goes on."""
    cell, tenant = prepared.cell, prepared.tenant
    with (
        journal.exclusive_run(cell, f"{OPERATION}-{tenant.tenant}") as place,
        Account(cell, OPERATION, prepared.reason) as account,
    ):
        account.check()
        functions_client.refuse_other_version(cell, account.functions)
        run = journal.unfinished(place, OPERATION, [tenant.tenant])
        # One that is turned back is another switch, and is asked about.
        if run is None or run.entries[tenant.tenant].version != prepared.target:
            report(credential.in_words(prepared.steps))
            if not confirmed():
                raise Declined
            run = journal.begin(place, OPERATION, cell, [tenant.tenant], prepared.reason)
            run.entries[tenant.tenant].version = prepared.target
            run.save()
        else:
            report(f"Continuing the switch that {run.by} started on {run.begun}.")
        means = _Means(prepared, account, run, report)
        one = Switch(
            tenant, credential.phase_of(tenant), means, report, waiting or Waiting(give_up_seconds=WAIT_SECONDS)
        )
        if prepared.target == "federated":
            one.to_tokens()
        else:
            one.to_key()
        run.finish()


@dataclass
class _Means:
    prepared: Prepared
    account: Account
    run: Journal
    report: Callable[[str], None]

    @property
    def _slug(self) -> str:
        return self.prepared.tenant.tenant

    @property
    def _stack(self) -> str:
        return self.account.cell.names.tenant(self._slug).stack

    def aws_now(self) -> datetime:
        return self.account.check()

    def write(self, phase: Phase) -> None:
        file = TenantFile(self.prepared.root, self._slug)
        text = text_of(file, phase)
        tenancy.load(self.prepared.root, only=self._slug, draft=text)
        file.write(text)

    def up(self, *, unprotect: bool) -> int:
        # Loads Pulumi, which takes a second: no other command should pay for it.
        from ops.stacks import adoption, check_secrets
        from ops.stacks.ending import protected, state_of
        from ops.stacks.engine import Engine, OperationFailed
        from ops.stacks.interrupting import left_to_the_engine
        from ops.stacks.settling import settled
        from program import ADOPT

        root, stack = self.prepared.root, self._stack
        engine = Engine(journal.logs(), root)
        self.report(f"pulumi up --stack {stack} …")
        try:
            with left_to_the_engine():
                refresh = settled(engine, stack)
                state = state_of(engine, stack)
                if unprotect and protected(state):
                    engine.unprotect(stack)
                secret = active_secret(self.account, self.prepared.tenant)
                if secret is None or unprotect:
                    return engine.up(stack, refresh=refresh).changed
                self._take_up(secret)
                # A restored secret is not in the state: the stack takes it in instead of making it.
                if not adoption.imported(state, secret.arn, rotates=True):
                    return engine.up(stack, refresh=refresh, environment={ADOPT: secret.arn}).changed
                # `stop_rotation` of a switch that is turned back: the state alone still says that it rotates.
                return engine.up(stack, refresh=refresh or not secret.rotation_enabled).changed
        except OperationFailed as error:
            raise OperationError(
                f"{check_secrets.explained(root, error)} What the tenant's calls used before works still. Correct "
                "that, then run the same command again."
            ) from None

    def restore(self) -> bool:
        name = self.account.cell.names.tenant(self._slug).secret
        if deleted_on(self.account, name) is None:
            return False
        self.account.secrets.restore_secret(SecretId=name)
        return True

    def secret_is_there(self) -> bool:
        return active_secret(self.account, self.prepared.tenant) is not None

    def look(self) -> Mapping[str, Any]:
        return functions_client.look_at(self.account.cell, self._slug, self.account.functions)

    def keys(self) -> Seen:
        return Keys(self.account, self.prepared.tenant).look(self._slug)

    def last_use(self) -> Mapping[str, datetime | None]:
        cell = self.account.cell
        event = {"action": "sweep", "tenants": [self._slug], "dry_run": True}
        answer = functions_client.call(cell, cell.names.sweep_function, event, self.account.functions)
        if answer["failed"] or not answer["done"]:
            why = "; ".join(answer["failed"].values()) or "OpenAI's Admin API is busy"
            raise OperationError(f"the keys' use could not be read: {why}. Nothing was ended: run it again.")
        return {
            one["key_id"]: None if one["last_used_at"] is None else datetime.fromisoformat(one["last_used_at"])
            for one in answer["plan"]
            if one["found"] != "foreign"
        }

    def is_rotating(self) -> bool:
        secret = active_secret(self.account, self.prepared.tenant)
        return secret is not None and secret.pending is not None

    def mint(self) -> str:
        secret = active_secret(self.account, self.prepared.tenant)
        if secret is None:
            return "the secret is not there"
        return start(self.account.secrets, secret, new_token("credential")).problem

    def stop_rotation(self) -> bool:
        secret = active_secret(self.account, self.prepared.tenant)
        if secret is not None and secret.pending is None and secret.rotation_enabled:
            self.account.secrets.cancel_rotate_secret(SecretId=secret.arn)
            # Read again: one may have begun in between.
            secret = active_secret(self.account, self.prepared.tenant)
        if secret is None:
            return True
        self._take_up(secret)
        return secret.pending is None and not secret.rotation_enabled

    def _take_up(self, secret: SecretFacts) -> None:
        """A rotation that began after the look and before the cancel: AWS goes on with it by its own token alone."""
        if secret.pending is not None and not secret.rotation_enabled:
            start(self.account.secrets, secret, secret.pending)

    def since(self, phase: Phase) -> datetime | None:
        entry = self.run.entries[self._slug]
        return datetime.fromisoformat(entry.accepted) if entry.detail == credential.spoken(phase) else None

    def note(self, phase: Phase, at: datetime) -> None:
        entry = self.run.entries[self._slug]
        entry.detail, entry.accepted = credential.spoken(phase), at.isoformat()
        self.run.save()
