"""A tenant leaves a cell: readers out, rotation off, keys dead, then everything taken away, then its file put away.

Owns the order, in which stopping anywhere leaves nothing open, and a record on disk of what is done. Leaves out what
needs the admin key (`kill`) or Pulumi's engine (`destroy`), which are given, and asking the operator. Each step looks
before it acts, so the same command goes on wherever it was stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from botocore.exceptions import ClientError

from ops.account import Account
from ops.actions.access import Access
from ops.actions.end_keys import Killed, Seen, spoken
from ops.actions.tenant_file import TenantFile
from ops.errors import OperationError, code_of
from ops.journal import Journal
from ops.rotation_state import SecretFacts, facts
from tenancy import Cell, Tenant

DENY: Final = "deny"
STOP: Final = "stop"
KILL: Final = "kill"
DESTROY: Final = "destroy"
ARCHIVE: Final = "archive"

_ROUNDS: Final = 5
"""A rotation that was under way may mint one more key while the first round of killing goes on."""


class Offboard:
    """One tenant's leaving of one cell, as far as `journal` says and on from there."""

    def __init__(
        self,
        account: Account,
        tenant: Tenant,
        journal: Journal,
        *,
        kill: Callable[[str], Killed],
        look: Callable[[str], Seen],
        destroy: Callable[[], str],
        tell: Callable[[str], None],
        file: TenantFile | None,
    ) -> None:
        """`kill` ends every key in the project of the tenant that it is given, also once its secret is deleted; `look`
        tells which live, and changes nothing; `destroy` takes the stack away and says what it did. `file` is None where
        the tenant lives on in another cell."""
        self._account = account
        self._tenant = tenant
        self._journal = journal
        self._kill = kill
        self._look = look
        self._destroy = destroy
        self._tell = tell
        self._file = file
        self._names = account.cell.names.tenant(tenant.tenant)
        self.shown_dead = False
        """Whether this run, not an earlier one, has looked at OpenAI and seen no key of the tenant alive."""

    def run(self) -> None:
        found = living_secret(self._account, self._tenant)
        self._step(DENY, self._deny(found))
        self._step(STOP, self._stop(found))
        self._step(KILL, self._kill_all())
        self._step(DESTROY, self._take_away())
        if self._file is not None:
            self._file.archive()
            self._step(ARCHIVE, f"the file is in tenants/archive/: the slug {self._tenant.tenant} is never used again")

    def _step(self, step: str, told: str) -> None:
        if step not in self._journal.done:
            self._journal.done.append(step)
            self._journal.save()
        self._tell(told)

    def _deny(self, found: SecretFacts | None) -> str:
        # The file first: a `pulumi up` at this moment, of a pipeline for example, must not let the readers in again.
        if self._file is not None and self._file.path.exists():
            self._file.set_enabled(False)
        if found is None:
            return "nobody can read: there is no secret"
        changed = Access(self._account.secrets, self._account.cell, self._tenant).switch(enabled=False)
        return "reads are denied" if changed else "reads were already denied"

    def _stop(self, found: SecretFacts | None) -> str:
        if found is None or not found.rotation_enabled:
            return "rotation was already off"
        self._account.secrets.cancel_rotate_secret(SecretId=found.arn)
        return "rotation is off: no new key is made"

    def _kill_all(self) -> str:
        if not self._tenant.minted:
            return "the key is the customer's own and stays valid: ask them to revoke it in their OpenAI account"
        dead: list[str] = []
        for _ in range(_ROUNDS):
            done = self._kill(self._tenant.tenant)
            if done.failed:
                raise OperationError(self._stubborn([f"{key}: {why}" for key, why in done.failed.items()]))
            dead += done.revoked
            if not done.revoked:
                break
        else:
            raise OperationError(
                f"each of {_ROUNDS} checks found another valid key in project {self._names.project} at OpenAI "
                f"({', '.join(dead)} were revoked): somebody makes keys there. Find out who, and run the same command "
                f"again. Reads of {self._tenant.tenant} stay denied, and this run deleted nothing."
            )
        if theirs := [key.told() for key in done.beyond if not key.customers]:
            # Once the secret is gone nothing of ours can ask OpenAI about these any more.
            raise OperationError(self._stubborn(theirs))
        for key in done.beyond:
            self._tell(f"still valid: {key.told()}")
        self.shown_dead = True
        looked = f"not checked: {done.unseen}" if done.unseen else "OpenAI refuses every other key of its secret"
        return f"{spoken(dead)}; project {self._names.project} has no other valid key; {looked}"

    def _stubborn(self, told: Sequence[str]) -> str:
        return (
            f"it is not certain that every key is revoked ({'; '.join(told)}). Delete these on OpenAI's site (the "
            f"tenant's project is {self._names.project}), and run the same command again. Reads of "
            f"{self._tenant.tenant} stay denied, and this run deleted nothing."
        )

    def _take_away(self) -> str:
        try:
            told = self._destroy()
        except OperationError as error:
            raise OperationError(f"{error} {self._standing()}".strip()) from None
        if living_secret(self._account, self._tenant) is not None:
            raise OperationError(
                f"the stack is destroyed, but secret {self._names.secret} still exists: somebody made or restored it, "
                "or it was not in the stack's state. Delete it (`aws secretsmanager delete-secret --secret-id "
                f"{self._names.secret}`), and run the same command again."
            )
        return f"{told}; {self._afterwards()}"

    def _afterwards(self) -> str:
        gone = "checked: the secret is deleted"
        if not self._tenant.minted:
            return gone
        if self._tenant.organization_id is not None:
            # The provisioner has seen the project archived, before the key it saw that with went.
            return f"{gone}; not checked: the customer's OpenAI organization, since their admin key is deleted too"
        seen = self._look(self._tenant.tenant)
        if seen.in_project:
            raise OperationError(self._alive(seen))
        if seen.project == "active":
            raise OperationError(
                f"the stack is destroyed and no key is valid, but project {self._names.project} is still active: it "
                "was not in the stack's state. Archive it on OpenAI's site, and run the same command again."
            )
        return f"{gone}, and project {self._names.project} {'is archived' if seen.project else 'does not exist'}"

    def _standing(self) -> str:
        """What lives where the stack could not be taken away: a look, not a memory."""
        if not self._tenant.minted:
            return ""
        try:
            seen = self._look(self._tenant.tenant)
        except OperationError as error:
            self.shown_dead = False
            return f"It could not be checked which keys are still valid: {error}"
        if not seen.in_project:
            return "OpenAI was checked just now: the tenant's project has no valid key."
        self.shown_dead = False
        return self._alive(seen)

    def _alive(self, seen: Seen) -> str:
        return (
            f"These keys in project {self._names.project} are still valid: {', '.join(seen.in_project)}. The same "
            "command revokes them first."
        )


def living_secret(account: Account, tenant: Tenant) -> SecretFacts | None:
    """The tenant's secret; None where there is none, or its deletion is scheduled already."""
    return living(account, account.cell.names.tenant(tenant.tenant).secret)


def living(account: Account, secret: str) -> SecretFacts | None:
    """Any secret of the account, by its name, as `living_secret` finds a tenant's."""
    try:
        answer = account.secrets.describe_secret(SecretId=secret)
    except ClientError as error:
        if code_of(error) != "ResourceNotFoundException":
            raise
        return None
    return None if answer.get("DeletedDate") else facts(answer)


def elsewhere(tenant: Tenant, others: Iterable[Account]) -> None:
    """Raises OperationError where the tenant has a secret in another cell too: a move that has not come to its end. To
    end it in one cell and put its file away would leave the other open, with nobody to know of it."""
    slug = tenant.tenant
    for account in others:
        if living_secret(account, tenant) is not None:
            cell = account.cell.cell
            raise OperationError(
                f"{slug} has a secret in cell {cell} too, because a move has not finished. If it moved away from that "
                f"cell, run `myflux-keys move {slug} --finish --from {cell}`; if it was moving to that cell, `pulumi "
                f"destroy --stack {account.cell.names.tenant(slug).stack}`. Nothing was changed."
            )


def plan(cell: Cell, tenant: Tenant, *, leaves: bool) -> list[str]:
    """The steps in words, for a dry run and for the person who is asked. `leaves`: for good, the file goes too."""
    names = cell.names.tenant(tenant.tenant)
    told = [
        "deny reads in AWS" + (", and write `enabled: false` to the tenant's file" if leaves else ""),
        "turn rotation off" if tenant.minted else "leave rotation off: the key is the customer's own",
        "revoke every key in the tenant's project at OpenAI, also those that MyFlux did not make"
        if tenant.minted
        else "revoke no key: only the customer can, at OpenAI",
        f"destroy stack {names.stack}: its secret can be restored for {cell.recovery_window_days} days, without a "
        "valid key" + (f"; project {names.project} is archived, which is final" if tenant.minted else ""),
    ]
    if leaves:
        told.append(f"move the file to tenants/archive/{tenant.tenant}.yaml, so that the slug is never used again")
    return told


def guarded(stack: str, resources: Sequence[str]) -> str:
    """Why a stack with protected resources is not taken away without its own word."""
    return (
        f"stack {stack} protects {', '.join(resources)} from deletion, because the cell is production and deleting "
        "them cannot be undone. Once you are sure, add --unprotect: the same command then removes the protection of "
        "this stack only, after readers are denied and keys are revoked. Nothing was changed."
    )
