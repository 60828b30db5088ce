"""Moves a tenant to another cell: deploys it there, waits for its first key, then changes `cell` in its file.

Owns the order and the wait for the first key. Leaves out Pulumi (`deploy` is a parameter) and leaving the old cell,
which serves the tenant until `move --finish` off-boards it there (`offboard.py`). There is no record: while the file
names the old cell, the move has not finished, and the same command continues it. Only the new cell's account is called,
so the two cells may be in two accounts. A customer's own admin key cannot be read here, so it cannot be copied: the
first run makes the secret for it, and the move continues once the customer has given the key again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from ops import ways_out
from ops.account import Account
from ops.actions.offboard import active, active_secret, deleted_on
from ops.actions.rotate import Waiting, failure_of, new_token, start
from ops.actions.tenant_file import TenantFile
from ops.actions.trail import rotation_failures
from ops.errors import OperationError
from tenancy import Fleet, Tenant

_POLL_SECONDS: Final = 1.0
_FAILURES_EVERY: Final = 5


@contextmanager
def drafted(fleet: Path, tenant: str, text: str) -> Generator[Path]:
    """A temporary fleet folder for the new stack: the cells of `fleet`, and one tenant whose file holds `text`."""
    with tempfile.TemporaryDirectory(prefix="myflux-keys-") as made:
        root = Path(made)
        (root / "cells").symlink_to((fleet / "cells").resolve())
        (root / "tenants").mkdir()
        (root / "tenants" / f"{tenant}.yaml").write_text(text, encoding="utf-8", newline="")
        yield root


def destination(fleet: Fleet, tenant: Tenant, cell: str) -> None:
    """Raises OperationError where `tenant` cannot move to `cell`."""
    if cell not in fleet.cells:
        raise OperationError(
            f"there is no cell `{cell}`: cells/ has {', '.join(sorted(fleet.cells))}. Nothing was changed."
        )
    if not tenant.enabled:
        raise OperationError(
            f"{tenant.tenant} is disabled, so nobody could check that its readers work in the new cell: run "
            f"`myflux-keys enable {tenant.tenant}` first. Nothing was changed."
        )


def origin(fleet: Fleet, tenant: Tenant, cell: str) -> Tenant:
    """`tenant` as it was in `cell`, which it left. Raises OperationError where its file still names that cell."""
    if cell not in fleet.cells:
        raise OperationError(
            f"there is no cell `{cell}`: cells/ has {', '.join(sorted(fleet.cells))}. Nothing was changed."
        )
    if tenant.cell == cell:
        raise OperationError(
            f"{tenant.tenant}'s file still names cell {cell}, so it has not moved: run `myflux-keys move "
            f"{tenant.tenant} --to CELL` first; to end the tenant for good, `myflux-keys offboard`. Nothing was "
            "changed."
        )
    return tenant.model_copy(update={"cell": cell})


class Move:
    """The first half of a move, until the new cell serves the tenant. `account` is the new cell's."""

    def __init__(
        self,
        account: Account,
        tenant: Tenant,
        file: TenantFile,
        text: str,
        *,
        deploy: Callable[[str], int],
        report: Callable[[str], None],
        waiting: Waiting | None = None,
    ) -> None:
        """`text` is the file's new text; `deploy` deploys the new stack from a file's text and returns how many
        resources changed."""
        self._account = account
        self._tenant = tenant
        self._file = file
        self._text = text
        self._deploy = deploy
        self._report = report
        self._waiting = waiting or Waiting()
        self._names = account.cell.names.tenant(tenant.tenant)

    def run(self) -> str | None:
        """The first key's version in the new cell; None where the tenant uses the customer's own key. Raises
        OperationError where no admin key or no first key is there yet: the file then still names the old cell."""
        began = self._account.check()
        self._names_are_free()
        if _with_their_admin_key(self._tenant) and not self._has_their_admin_key():
            self._deploy(self._file.without_keys(self._text))
            raise OperationError(awaited(self._tenant, self._account.cell.cell))
        changed = self._deploy(self._text)
        self._report(f"stack {self._names.stack} is deployed, {changed} resources changed")
        version = self._first_key(began, again=not changed) if self._tenant.minted else None
        if version:
            self._report(f"its first key is live, version {version}")
        self._file.write(self._text)
        self._report(f"{self._file.path}: cell: {self._account.cell.cell}")
        return version

    def _names_are_free(self) -> None:
        """Raises OperationError where AWS would refuse one of the new secrets' names in the middle of the update."""
        cell, slug = self._account.cell.cell, self._tenant.tenant
        again = f"myflux-keys move {slug} --to {cell}"
        for secret in (self._names.secret, self._names.admin_secret):
            ends = deleted_on(self._account, secret)
            if ends is None:
                continue
            way_out = ways_out.restored(secret, again)
            if secret == self._names.secret and not self._tenant.minted:
                way_out = ways_out.made_anew(secret, again)
            elif secret == self._names.secret:
                way_out = (
                    f"if {slug} was in cell {cell} before, its OpenAI project there is archived for ever: move it to "
                    f"another cell. Else {way_out}"
                )
            raise OperationError(f"{ways_out.name_blocked(secret, way_out, ends)} Nothing was changed.")

    def _has_their_admin_key(self) -> bool:
        found = active(self._account, self._names.admin_secret)
        return found is not None and found.current is not None

    def _first_key(self, since: datetime, *, again: bool) -> str:
        """Secrets Manager starts the first rotation when the stack is made. `again`: an earlier run made the stack, so
        a rotation that failed then is started again, and one that runs is followed."""
        give_up = self._waiting.now() + self._waiting.give_up_seconds
        polls = 0
        while True:
            found = active_secret(self._account, self._tenant)
            if found is None:
                raise OperationError(self._unfinished("the new secret was deleted."))
            if found.current and found.has_finished(found.current):
                return found.current
            why = start(self._account.secrets, found, new_token("move")).problem if again and not polls else None
            polls += 1
            if polls % _FAILURES_EVERY == 0:
                why = failure_of(found.arn, since, rotation_failures(self._account.trail, since))
            if why or self._waiting.now() > give_up:
                raise OperationError(self._unfinished(f"there is no first key yet. {why or ''}".strip()))
            self._waiting.sleep(_POLL_SECONDS)

    def _unfinished(self, why: str) -> str:
        log = self._account.cell.names.log_group(self._account.cell.names.rotation_function)
        return (
            f"{self._tenant.tenant} in cell {self._account.cell.cell}: {why} The old cell still serves the tenant, and "
            f"the file still names it. The reason is in {log}; correct it, then run the same command again."
        )


def _with_their_admin_key(tenant: Tenant) -> bool:
    """Whether its keys are minted in the customer's own organization, by an admin key that they gave."""
    return tenant.minted and tenant.organization_id is not None


def plan(tenant: Tenant, to: str, stack: str) -> list[str]:
    key = (
        "wait until its first key is live"
        if tenant.minted
        else "wait for no key: the customer's key is stored afterwards"
    )
    theirs = f"if cell {to} has no admin key of the customer yet, make its secret there and stop until it is stored"
    return [
        *([theirs] if _with_their_admin_key(tenant) else []),
        f"run pulumi up --stack {stack}: a project, a secret and a rotation in cell {to}",
        key,
        f"write `cell: {to}` to the tenant's file",
        f"leave cell {tenant.cell} unchanged, for the readers that still use it",
    ]


def awaited(tenant: Tenant, to: str) -> str:
    """Why a move waits: the new cell has no admin key of the customer yet."""
    slug = tenant.tenant
    return (
        f"keys of {slug} are minted with the customer's own admin key. Cell {to} does not have it yet, and nobody can "
        f"read the one in cell {tenant.cell}. The secret for it is deployed: ask the customer for an admin key, store "
        f"it with `myflux-keys admin-key set --tenant {slug} --cell {to}`, and run the same command again. The old "
        "cell still serves the tenant, and the file still names it."
    )


def next_step(tenant: Tenant, to: str) -> str:
    """What is left to do by hand once the new cell serves the tenant."""
    slug = tenant.tenant
    stored = "" if tenant.minted else f"Store the customer's key there: `myflux-keys key set {slug}`. "
    return (
        f'{stored}Commit the file, and let the readers use the new cell: KeyReader("{to}"). The old cell serves the '
        f"tenant until `myflux-keys move {slug} --finish --from {tenant.cell}`."
    )
