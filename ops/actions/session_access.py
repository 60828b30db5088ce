"""Denies the runtime's sessions of one tenant at once, and allows new ones again.

Owns the inline policy of the runtime role (`components/iam/denied_sessions.py`): written, and read back from IAM. A
tenant without a key has no secret whose policy could deny it, and its rule at OpenAI takes a deployment to delete.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from components.iam import denied_sessions
from components.iam.denied_sessions import ALL, LONGEST, POLICY
from ops.errors import DENIED, OperationError, code_of, none_if_absent
from tenancy import Cell

if TYPE_CHECKING:
    from types_boto3_iam import IAMClient


def denied_tenants(client: IAMClient, cell: Cell) -> frozenset[str]:
    """Slugs of the cell's tenants whose every session is denied, those that begin later too: one call for all of them,
    and none in a cell where no tenant gets tokens. Raises botocore's errors."""
    if not cell.federation.enabled:
        return frozenset()
    denials = denied_sessions.denials(_held(client, cell.names.runtime_role))
    return frozenset(slug for slug, before in denials.items() if before == ALL)


def _held(client: IAMClient, role: str) -> Mapping[str, Any] | None:
    answer = none_if_absent(lambda: client.get_role_policy(RoleName=role, PolicyName=POLICY))
    return answer["PolicyDocument"] if answer else None


class SessionAccess:
    """Of one tenant. Methods raise OperationError, and botocore's errors: who may not write it is refused by AWS."""

    def __init__(self, client: IAMClient, cell: Cell, tenant: str) -> None:
        self._client = client
        self._cell = cell
        self._tenant = tenant
        self._role = cell.names.runtime_role

    def denied_before(self) -> datetime | None:
        """When a session must have begun to be allowed; ALL where none is; None where all are."""
        return denied_sessions.denials(_held(self._client, self._role)).get(self._tenant)

    def deny(self, now: datetime) -> bool:
        """Every session, from now on. False where all were denied already."""
        if self.denied_before() == ALL:
            return False
        self._write(ALL, now)
        return True

    def refuse_to_deny(self, now: datetime) -> None:
        """What `deny` would refuse, and nothing is written. Raises OperationError."""
        if self.denied_before() != ALL:
            self._document(ALL, now)

    def allow_from(self, now: datetime) -> None:
        """Only sessions that begin from `now` on, by AWS's clock: those before it stay denied until they have ended."""
        self._write(now, now)

    def lift(self, now: datetime) -> bool:
        """Of a tenant that is no more. False where a denial stays, since a pipeline that deploys tenants changes no
        role."""
        if self.denied_before() is not None:
            try:
                self._write(None, now)
            except ClientError as error:
                if code_of(error) not in DENIED:
                    raise
                return False
        return True

    def gets_token(self, begun: datetime) -> bool | None:
        """Whether AWS signs a token for a session that began then, by its evaluation logic on the documents that IAM
        has; None where that depends on what the model does not know. Raises CannotJudgeError."""
        # Loads the solver, which takes half a second: a command that only denies should not pay for it.
        from ops.actions.verify_access import documents
        from ops.isolation.concrete import asks_for_token, tagged

        return asks_for_token(
            tagged(documents(self._client, self._role), self._tenant, begun), self._cell.names.identity_audience
        )

    def _write(self, before: datetime | None, now: datetime) -> None:
        wanted = self._document(before, now)
        if wanted["Statement"]:
            self._client.put_role_policy(RoleName=self._role, PolicyName=POLICY, PolicyDocument=_compact(wanted))
        else:
            none_if_absent(lambda: self._client.delete_role_policy(RoleName=self._role, PolicyName=POLICY))
        found = self.denied_before()
        if found != (before.replace(microsecond=0) if before not in (None, ALL) else before):
            raise OperationError(
                f"policy {POLICY} of {self._role} was written, but IAM returns another one: somebody else changed it "
                "at the same time. Run the same command again."
            )

    def _document(self, before: datetime | None, now: datetime) -> Mapping[str, Any]:
        wanted = denied_sessions.changed(_held(self._client, self._role), self._tenant, before, now)
        length = len(_compact(wanted))
        if length > LONGEST:
            raise OperationError(
                f"policy {POLICY} of {self._role} would have {length} characters, and AWS takes {LONGEST}: so many "
                "tenants' sessions are denied already. Deny those of all tenants in IAM (the role's page, Revoke "
                f"sessions), delete {POLICY}, and run the same command again. Nothing was changed."
            )
        return wanted


def _compact(document: Mapping[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))


def spoken(before: datetime | None, now: datetime) -> str:
    """What a denial means at `now`, as a clause."""
    if before is None:
        return "none is denied"
    if before == ALL:
        return "every one is denied"
    ends = before + denied_sessions.LONGEST_SESSION
    at = f"{before.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"
    if now >= ends:
        return f"those that began before {at} were denied, and have ended"
    return f"those that began before {at} are denied; the last of them ends at {ends.astimezone(UTC):%H:%M:%S}Z"
