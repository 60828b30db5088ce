"""Removes a tenant from a cell: denies reads, turns rotation off, revokes keys, destroys the stack, archives the file.

Owns the order, so that a run that is stopped leaves no access, and the record of finished steps. Leaves out revoking
keys (`kill`) and the engine (`destroy`), which are parameters, and asking the operator. Each step checks the present
state before it changes something, so the same command continues where it was stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

from myflux_keys.identity import TOKEN_SECONDS
from ops import ways_out
from ops.account import Account
from ops.actions.access import Access
from ops.actions.end_keys import Killed, Seen, spoken
from ops.actions.session_access import SessionAccess
from ops.actions.tenant_file import TenantFile
from ops.errors import DENIED, OperationError, code_of
from ops.journal import Journal
from ops.rotation_state import SecretFacts, facts
from tenancy import Cell, Tenant

DENY: Final = "deny"
STOP: Final = "stop"
KILL: Final = "kill"
DESTROY: Final = "destroy"
ARCHIVE: Final = "archive"

_ROUNDS: Final = 5
"""A rotation that already runs may mint one more key while the first round revokes keys."""


class Offboard:
    """Removes one tenant from one cell. `journal` holds the steps that are done."""

    def __init__(
        self,
        account: Account,
        tenant: Tenant,
        journal: Journal,
        *,
        kill: Callable[[str], Killed],
        look: Callable[[str], Seen],
        destroy: Callable[[], str],
        report: Callable[[str], None],
        file: TenantFile | None,
    ) -> None:
        """`kill` revokes every key in the tenant's project, also after its secret is deleted; `look` returns the valid
        keys, and changes nothing; `destroy` destroys the stack and returns a sentence about it. `file` is None where
        the tenant stays in another cell."""
        self._account = account
        self._tenant = tenant
        self._journal = journal
        self._kill = kill
        self._look = look
        self._destroy = destroy
        self._report = report
        self._file = file
        self._names = account.cell.names.tenant(tenant.tenant)
        self._sessions = SessionAccess(account.roles, account.cell, tenant.tenant) if tenant.has_identity else None
        self.may_get_tokens = tenant.has_identity
        """Whether its runtime may get tokens still."""
        self.no_valid_key = False
        """Whether this run, not an earlier one, has checked at OpenAI that the tenant has no valid key."""

    def run(self) -> None:
        found = active_secret(self._account, self._tenant)
        self._step(DENY, self._deny(found))
        self._step(STOP, self._stop(found))
        self._step(KILL, self._kill_all())
        self._step(DESTROY, self._destroy_stack())
        if self._sessions is not None and not self.may_get_tokens and not self._sessions.lift(self._account.check()):
            self._report("AWS does not let you take its denial out of the runtime role; it denies nobody any more")
        if self._file is not None:
            self._file.archive()
            self._step(ARCHIVE, f"the file is in tenants/archive/: the slug {self._tenant.tenant} is never used again")

    def _step(self, step: str, sentence: str) -> None:
        self._journal.mark(step)
        self._report(sentence)

    def _deny(self, found: SecretFacts | None) -> str:
        # The file first: a `pulumi up` that a pipeline starts now must not allow reads again.
        if self._file is not None and self._file.path.exists():
            self._file.set_enabled(False)
        if self._sessions is not None:
            self._report(self._deny_sessions(self._sessions))
        if found is None:
            return "there is no secret, so nobody can read it"
        changed = Access(self._account.secrets, self._account.cell, self._tenant).switch(enabled=False)
        return "reads are denied" if changed else "reads were already denied"

    def _deny_sessions(self, sessions: SessionAccess) -> str:
        try:
            sessions.deny(self._account.check())
        except ClientError as error:
            # A pipeline that deploys tenants changes no role.
            if code_of(error) not in DENIED:
                raise
            return "AWS does not let you deny its runtime's sessions: it may get tokens until its rule is deleted"
        self.may_get_tokens = False
        return "every session of its runtime is denied in IAM: AWS signs it no token"

    def _stop(self, found: SecretFacts | None) -> str:
        if found is None or not found.rotation_enabled:
            return "rotation was already off"
        self._account.secrets.cancel_rotate_secret(SecretId=found.arn)
        return "rotation is off: no new key is made"

    def _kill_all(self) -> str:
        if not self._tenant.minted:
            return "the key is the customer's own and stays valid: ask them to revoke it in their OpenAI account"
        revoked: list[str] = []
        for _ in range(_ROUNDS):
            done = self._kill(self._tenant.tenant)
            if done.failed:
                raise OperationError(self._not_revoked(done.failures))
            revoked += done.revoked
            if not done.revoked:
                break
        else:
            raise OperationError(
                f"each of {_ROUNDS} checks found another valid key in project {self._names.project} at OpenAI "
                f"({', '.join(revoked)} were revoked): somebody makes keys there. Find out who, and run the same "
                f"command again. Reads of {self._tenant.tenant} stay denied, and this run deleted nothing."
            )
        if theirs := [key.sentence for key in done.beyond if not key.customers]:
            # Once the secret is deleted, no function can check these keys at OpenAI.
            raise OperationError(self._not_revoked(theirs))
        for key in done.beyond:
            self._report(f"still valid: {key.sentence}")
        self.no_valid_key = True
        rest = f"not checked: {done.unseen}" if done.unseen else "OpenAI refuses every other key of its secret"
        rest = rest if self._tenant.has_key else "it gets tokens, and has no secret"
        return f"{spoken(revoked)}; project {self._names.project} has no other valid key; {rest}"

    def _not_revoked(self, keys: Sequence[str]) -> str:
        return (
            f"it is not certain that every key is revoked ({'; '.join(keys)}). Delete these on OpenAI's site (the "
            f"tenant's project is {self._names.project}), and run the same command again. Reads of "
            f"{self._tenant.tenant} stay denied, and this run deleted nothing."
        )

    def _destroy_stack(self) -> str:
        try:
            destroyed = self._destroy()
        except OperationError as error:
            raise OperationError(f"{error} {self._keys_still_valid()}".strip()) from None
        if active_secret(self._account, self._tenant) is not None:
            raise OperationError(
                f"the stack is destroyed, but secret {self._names.secret} still exists: somebody made or restored it, "
                "or it was not in the stack's state. Delete it (`aws secretsmanager delete-secret --secret-id "
                f"{self._names.secret}`), and run the same command again."
            )
        return f"{destroyed}; {self._checked_after()}"

    def _checked_after(self) -> str:
        gone = "checked: the secret is deleted"
        if not self._tenant.minted:
            return gone
        if self._tenant.organization_id is not None:
            # The provisioner read back that the project is archived, before the admin key was deleted.
            return f"{gone}; not checked: the customer's OpenAI organization, since their admin key is deleted too"
        seen = self._look(self._tenant.tenant)
        if seen.in_project:
            raise OperationError(self._revoke_first(seen))
        if seen.rules:
            raise OperationError(
                f"the stack is destroyed, but OpenAI still lists {', '.join(seen.rules)}, which gives tokens of "
                f"project {self._names.project}. Delete it on OpenAI's site, and run the same command again."
            )
        if seen.rules is not None:
            self.may_get_tokens = False
            ends = self._account.check() + timedelta(seconds=TOKEN_SECONDS)
            gone = f"{gone}, OpenAI has no federation rule of it ({ways_out.tokens_out(ends).removesuffix('.')})"
        if seen.project == "active":
            raise OperationError(
                f"the stack is destroyed and no key is valid, but project {self._names.project} is still active: it "
                "was not in the stack's state. Archive it on OpenAI's site, and run the same command again."
            )
        return f"{gone}, and project {self._names.project} {'is archived' if seen.project else 'does not exist'}"

    def _keys_still_valid(self) -> str:
        """Which keys are valid now, checked where the stack could not be destroyed."""
        if not self._tenant.minted:
            return ""
        try:
            seen = self._look(self._tenant.tenant)
        except OperationError as error:
            self.no_valid_key = False
            return f"It could not be checked which keys are still valid: {error}"
        if not seen.in_project:
            return "OpenAI was checked just now: the tenant's project has no valid key."
        self.no_valid_key = False
        return self._revoke_first(seen)

    def _revoke_first(self, seen: Seen) -> str:
        return (
            f"These keys in project {self._names.project} are still valid: {', '.join(seen.in_project)}. The same "
            "command revokes them first."
        )


def active_secret(account: Account, tenant: Tenant) -> SecretFacts | None:
    """The tenant's secret; None where there is none, or its deletion is scheduled."""
    return active(account, account.cell.names.tenant(tenant.tenant).secret)


def active(account: Account, secret: str) -> SecretFacts | None:
    """The secret of that name; None where there is none, or its deletion is scheduled."""
    answer = _described(account, secret)
    return None if answer is None or answer.get("DeletedDate") else facts(answer)


def deleted_on(account: Account, secret: str) -> datetime | None:
    """When AWS deletes the secret of that name; None where there is none, or its deletion is not scheduled."""
    answer = _described(account, secret)
    return answer.get("DeletedDate") if answer else None


def _described(account: Account, secret: str) -> Mapping[str, Any] | None:
    try:
        return dict(account.secrets.describe_secret(SecretId=secret))
    except ClientError as error:
        if code_of(error) != "ResourceNotFoundException":
            raise
        return None


def refuse_if_secret_in(others: Iterable[Account], tenant: Tenant) -> list[str]:
    """The cells that AWS does not let the caller look at, as the people's role of a bootstrapped cell sees no other.

    Raises OperationError where the tenant has a secret in another cell too, because a move has not finished. To
    off-board it in one cell and archive its file would leave the other cell serving it, and no file would show that."""
    slug, unseen = tenant.tenant, list[str]()
    for account in others:
        cell = account.cell.cell
        try:
            found = active_secret(account, tenant)
        except ClientError as error:
            if code_of(error) != "AccessDeniedException":
                raise
            unseen.append(cell)
            continue
        if found is not None:
            raise OperationError(
                f"{slug} has a secret in cell {cell} too, because a move has not finished. If it moved away from that "
                f"cell, run `myflux-keys move {slug} --finish --from {cell}`; if it was moving to that cell, `pulumi "
                f"destroy --stack {account.cell.names.tenant(slug).stack}`. Nothing was changed."
            )
    return unseen


def plan(cell: Cell, tenant: Tenant, *, leaves: bool) -> list[str]:
    """The steps in words, for a dry run and for the question. `leaves`: for good, so the file is archived too."""
    names = cell.names.tenant(tenant.tenant)
    deny = "deny its runtime's sessions in IAM" if tenant.has_identity else "deny reads in AWS"
    steps = [
        deny + (", and write `enabled: false` to the tenant's file" if leaves else ""),
        "leave rotation off: it has no key"
        if not tenant.has_key
        else "turn rotation off"
        if tenant.minted
        else "leave rotation off: the key is the customer's own",
        "revoke every key in the tenant's project at OpenAI, also those that MyFlux did not make"
        if tenant.minted
        else "revoke no key: only the customer can, at OpenAI",
        f"destroy stack {names.stack}: its federation rule is deleted first; project {names.project} is archived, "
        "which is final"
        if not tenant.has_key
        else f"destroy stack {names.stack}: its secret can be restored for {cell.recovery_window_days} days, "
        + (
            f"without a valid key; project {names.project} is archived, which is final"
            if tenant.minted
            else "with the customer's key, which is valid until they revoke it"
        ),
    ]
    if leaves:
        steps.append(f"move the file to tenants/archive/{tenant.tenant}.yaml, so that the slug is never used again")
    return steps


def refused_as_protected(stack: str, resources: Sequence[str]) -> str:
    """Why a stack with protected resources is not destroyed without --unprotect."""
    return (
        f"stack {stack} protects {', '.join(resources)} from deletion, because the cell is production and deleting "
        "them cannot be undone. Once you are sure, add --unprotect: the same command then removes the protection of "
        "this stack only, after readers are denied and keys are revoked. Nothing was changed."
    )
