"""Runs an adoption: takes the lock, opens the account, lets the function check the value, and calls the engine.

Leaves out the conditions and what the function's answer means (`adopt.py`), and the engine's two updates
(`ops/stacks/adoption.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import tenancy
from myflux_keys.aws_names import TenantNames
from ops import journal, selection, ways_out
from ops.account import Account
from ops.actions import functions_client
from ops.actions.adopt import (
    Found,
    claim,
    ends_early,
    inspected,
    is_refused,
    judged,
    new_key,
    plan,
    put_back,
    restore,
    rotate_from_next_slot,
    untouched,
)
from ops.errors import Declined, OperationError
from ops.rotation_state import SecretFacts, facts
from tenancy import Tenant

_OPERATION: Final = "adopt"


@dataclass(frozen=True)
class Planned:
    names: TenantNames
    steps: list[str]
    notices: list[str]


@dataclass(frozen=True)
class Adopted:
    """`changed` counts the stack's resources. `kept` is a sentence on whether readers keep the key that the secret
    held."""

    names: TenantNames
    version: str | None
    key_id: str
    next_rotation: datetime | None
    changed: int
    kept: str
    ends_early: str
    """When its key ends, where that is before the next rotation; else empty."""
    notices: list[str]


class _Adoption:
    """The adoption of one tenant, while this process holds the lock."""

    def __init__(self, root: Path, tenant: Tenant, account: Account) -> None:
        self.root = root
        self.tenant = tenant
        self.account = account
        self.names = account.cell.names.tenant(tenant.tenant)
        self.found: Found = inspected(account, tenant)

    @property
    def steps(self) -> list[str]:
        return plan(self.tenant, self.names, self.found)

    def value(self) -> tuple[dict[str, Any], list[str]]:
        """The function's answer about the secret's value, and notices for the operator."""
        if self.found.facts.current is None:
            return {"key_id": "", "expires_at": "", "proof": "refused"}, ["It holds no value."]
        cell = self.account.cell
        event = {"action": "inspect", "tenant": self.tenant.tenant}
        try:
            answer = functions_client.call(cell, cell.names.sweep_function, event, self.account.functions)
        except OperationError as error:
            if not self.found.untagged:
                raise
            raise OperationError(
                f"{error} A function that was deployed from an older commit looks at no secret without tags: deploy "
                f"the platform, `myflux-keys up --cell {cell.cell}`, then run the same command again."
            ) from None
        return answer, judged(answer, self.tenant, self.names)

    def secret(self) -> SecretFacts:
        return facts(self.account.secrets.describe_secret(SecretId=self.found.facts.arn))

    def import_into_stack(self, answer: dict[str, Any], report: Callable[[str], None]) -> int:
        """Runs the engine; returns how many resources changed."""
        # Loads Pulumi, which takes a second: no other command should pay for it.
        from ops.stacks import adoption
        from ops.stacks.engine import Engine, OperationFailed
        from ops.stacks.interrupting import left_to_the_engine

        engine = Engine(journal.logs(), self.root)
        try:
            with left_to_the_engine():
                return adoption.adopt(
                    engine, self.names.stack, self.found.facts.arn, rotates=self.tenant.minted, report=report
                ).changed
        except OperationFailed as error:
            now = self.secret()
            kept = "The secret holds no valid key." if is_refused(answer) else untouched(answer["version_id"], now)
            raise OperationError(f"{error} {kept} Correct that, then run the same command again.") from None


@contextmanager
def _opened(root: Path, slug: str) -> Generator[_Adoption]:
    fleet = tenancy.load(root)
    tenant = selection.one_tenant(fleet, slug)
    if tenant.has_identity:
        raise OperationError(f"{ways_out.without_a_key(slug, 'no secret is adopted for it')} Nothing was changed.")
    cell = fleet.cell_of(tenant)
    with journal.exclusive_run(cell, f"{_OPERATION}-{slug}"), Account(cell, _OPERATION) as account:
        account.check()
        yield _Adoption(root, tenant, account)


def planned(root: Path, slug: str) -> Planned:
    """Changes nothing, and looks at the value too. Raises OperationError for a secret that cannot be adopted."""
    with _opened(root, slug) as one:
        if one.found.facts.deleted:
            notices = ["Its value was not checked: nobody can read it while the secret's deletion is scheduled."]
        else:
            notices = one.value()[1]
        return Planned(one.names, one.steps, notices)


def adopt(root: Path, slug: str, *, confirmed: Callable[[str], bool], report: Callable[[str], None]) -> Adopted:
    """Reports the steps before it calls `confirmed` with the secret's name.

    Raises OperationError, or Declined; after an OperationError the same call continues.
    """
    with _opened(root, slug) as one:
        account, tenant, found = one.account, one.tenant, one.found
        report("\n".join(f"- {step}" for step in one.steps))
        if not confirmed(one.names.secret):
            raise Declined
        restore(account, found)
        try:
            answer, notices = one.value()
        except OperationError:
            put_back(account, found)
            raise
        claim(account, found)
        refused = is_refused(answer)
        if not refused:
            report(
                f"it holds a payload of {slug}, and keeps its key: {answer['key_id'] or 'the customer knows its id'}"
            )
        rotate_from_next_slot(account, tenant, found)
        changed = one.import_into_stack(answer, report)
        after = one.secret()
        if refused:
            notices.append(new_key(account, tenant, found))
    early = not refused and ends_early(answer["expires_at"], after.next_rotation)
    return Adopted(
        one.names,
        after.current,
        answer["key_id"],
        after.next_rotation,
        changed,
        "Its secret held no valid key." if refused else untouched(answer["version_id"], after),
        answer["expires_at"] if early else "",
        notices,
    )
