"""AWS clients with which one tenant's things can be read and no other's.

Owns AssumeRole with the session tag `tenant`, which role that is, the credentials of assumed sessions and their
renewal. One session serves all reads of a tenant. Leaves out what is read (`secret_source`, `identity_source`).
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, TypeGuard, TypeVar, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from myflux_keys.aws_connections import renew_client, renew_session
from myflux_keys.aws_errors import EXPIRED_TOKEN
from myflux_keys.aws_names import CellNames
from myflux_keys.errors import ConfigurationError, KeyReaderError, UnavailableError
from myflux_keys.forks import in_each_child
from myflux_keys.names import TAG_TENANT
from myflux_keys.payload import SecretText
from myflux_keys.quiet import quiet
from myflux_keys.redaction import redact
from myflux_keys.web_token import regional

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sts import STSClient

RoleArn = str | Callable[[str], str] | None
Service = Literal["s3", "secretsmanager", "sts"]
Found = TypeVar("Found")

SESSION_SECONDS: Final = 3600
"""The longest that AWS allows when a role assumes a role, and within every role's MaxSessionDuration."""
RENEW_BEFORE: Final = 300.0
"""A session is replaced this many seconds before its expiry: clocks differ, and calls take time."""

_ROLE_ARN: Final = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+", re.ASCII)
CALL_LIMITS: Final = Config(
    connect_timeout=2,
    read_timeout=4,
    retries={"mode": "standard", "total_max_attempts": 3},
    user_agent_extra="myflux-keys",
)
"""A call takes at most three attempts of six seconds."""


@dataclass(frozen=True, slots=True)
class _Session:
    """Credentials of an assumed role session. `expires_at` in seconds since the epoch."""

    access_key_id: str
    secret_access_key: SecretText
    session_token: SecretText
    expires_at: float


class TenantSessions:
    """Of one cell. Thread-safe; clients are made at the first call and closed by `close`."""

    def __init__(
        self,
        cell: str,
        clock: Callable[[], float],
        *,
        session: boto3.Session | None = None,
        region: str | None = None,
        role_arn: RoleArn = None,
        assume: bool = True,
        sts: STSClient | None = None,
        secretsmanager: SecretsManagerClient | None = None,
    ) -> None:
        """Raises ValueError for arguments that exclude each other, ConfigurationError for a missing Region and for an
        AWS profile that cannot be read."""
        if not assume and (role_arn is not None or sts is not None):
            raise ValueError("assume=False reads with the process's own credentials: leave out role_arn and sts")
        if assume and secretsmanager is not None:
            raise ValueError("a given secretsmanager client has one set of credentials: pass assume=False with it")
        self.cell: Final = cell
        self.clock: Final = clock
        self._given_session = session
        # boto3 reads AWS_DEFAULT_REGION alone; every other SDK of AWS and Lambda itself have AWS_REGION.
        region = region or (session.region_name if session else None) or os.environ.get("AWS_REGION") or None
        self._session: boto3.Session | None = session or new_session(region)
        self.region: Final = region or self._session.region_name
        if not self.region and secretsmanager is None:
            raise ConfigurationError(
                "no AWS Region", way_out="Pass region=, or set AWS_REGION or AWS_DEFAULT_REGION to the cell's Region."
            )
        self._role_arn = role_arn if role_arn is None or callable(role_arn) else checked_role(role_arn)
        self._assume = assume
        self._given: dict[str, Any] = {
            name: client for name, client in (("sts", sts), ("secretsmanager", secretsmanager)) if client is not None
        }
        self._own = dict(self._given)
        """The clients with the process's own credentials, by service."""
        self.has_credentials: Final = secretsmanager is None
        """Whether clients of every service can be made: what a given client's credentials are is not known."""
        self._sessions: dict[str, _Session] = {}
        self._caller: tuple[str, str] | None = None
        self._making = threading.Lock()
        self._lost = False
        """Whether a given client cannot be used, since it was made before this process was forked."""
        in_each_child(self, TenantSessions._start_anew)

    def check(self, tenant: str) -> None:
        """Raises KeyReaderError in a forked process that inherited a client from the application."""
        if self._lost:
            raise KeyReaderError(
                "the AWS client was given before this process was forked, and its connections cannot be replaced: the"
                " parent process would get this process's answers",
                tenant=tenant,
                way_out="Make the client and the KeyReader after the fork.",
            )

    def holds(self, tenant: str) -> bool:
        """Whether something can be read for the tenant: its role was assumed, or the process's own credentials are
        used."""
        return not self._assume or tenant in self._sessions

    def is_assumed(self, tenant: str) -> bool:
        """Whether a session of the tenant's role is held."""
        return tenant in self._sessions

    def attempt(self, tenant: str, once: Callable[[], Found | KeyReaderError]) -> Found | KeyReaderError:
        """`once()`, and again with a new session if it was a cached one that AWS called expired."""
        held = tenant in self._sessions
        outcome = once()
        if not isinstance(outcome, KeyReaderError) or outcome.code not in EXPIRED_TOKEN:
            return outcome
        self.forget(tenant)
        return once() if held else outcome

    @contextmanager
    def client(self, tenant: str, service: Service, role: str, lasting: float = 0.0) -> Generator[Any]:
        """A client with the tenant's session, which lives `lasting` seconds more; with the process's own credentials if
        `role` is "", which `role_of` says."""
        if not role:
            yield self._own_client(service)
            return
        held = self._session_for(tenant, role, lasting)
        # A client of its own for each read: thousands of tenants' clients, each idle for minutes, would cost memory
        # and dead connections, and one client for all would have to switch credentials between calls.
        with self._making:
            client = self._make(service, held)
        try:
            yield client
        finally:
            client.close()

    def role_of(self, tenant: str) -> str:
        """The role to assume; "" if the process's own credentials read."""
        if not self._assume:
            return ""
        if callable(self._role_arn):
            return _role_for(tenant, self._role_arn)
        if self._role_arn:
            return self._role_arn
        partition, account = self._called_by()
        return CellNames(self.cell, account, self.region or "", partition).runtime_role_arn

    def account_of(self, role: str) -> str:
        """The 12 digits of the account in which the tenant is read."""
        return role.split(":")[4] if role else self._called_by()[1]

    def forget(self, tenant: str) -> None:
        """Drops the tenant's assumed session; the next read assumes the role anew."""
        self._sessions.pop(tenant, None)

    def close(self) -> None:
        """Drops the sessions and closes the clients made here, not the given ones. Nobody may be reading."""
        self._sessions.clear()
        made = [client for service, client in self._own.items() if service not in self._given]
        self._own = dict(self._given)
        for client in made:
            client.close()

    def _start_anew(self) -> None:
        """In a forked process: clients, and the session with the lock on its credentials, are made again."""
        self._making = threading.Lock()
        self._own = dict(self._given)
        self._session = self._given_session
        if self._given_session is not None:
            renew_session(self._given_session)
        self._lost = not all(renew_client(client) for client in self._given.values())

    def _session_for(self, tenant: str, role: str, lasting: float) -> _Session:
        held = self._sessions.get(tenant)
        if held is None or held.expires_at - RENEW_BEFORE - lasting <= self.clock():
            self.forget(tenant)
            with quiet():
                answer = self._own_client("sts").assume_role(
                    RoleArn=role,
                    RoleSessionName=f"myflux-keys-{tenant}",
                    DurationSeconds=SESSION_SECONDS,
                    Tags=[{"Key": TAG_TENANT, "Value": tenant}],
                )["Credentials"]
            held = _Session(
                answer["AccessKeyId"],
                SecretText(answer["SecretAccessKey"]),
                SecretText(answer["SessionToken"]),
                answer["Expiration"].timestamp(),
            )
            self._sessions[tenant] = held
        return held

    def _called_by(self) -> tuple[str, str]:
        """Partition and account of the process's own credentials."""
        if self._caller is None:
            with quiet():
                caller = self._own_client("sts").get_caller_identity()
            self._caller = caller["Arn"].split(":")[1], caller["Account"]
        return self._caller

    def _own_client(self, service: Service) -> Any:
        with self._making:
            client = self._own.get(service)
            if client is None:
                client = self._own[service] = self._make(service)
            return client

    def _make(self, service: Service, held: _Session | None = None) -> Any:
        """Under the lock: boto3 sessions are not thread-safe, clients are. And of two that make the same, one would be
        closed by nobody."""
        credentials = (
            {
                "aws_access_key_id": held.access_key_id,
                "aws_secret_access_key": held.secret_access_key.reveal(),
                "aws_session_token": held.session_token.reveal(),
            }
            if held
            else {}
        )
        if self._session is None:
            self._session = new_session(self.region)
        session = cast("Any", self._session)
        make = partial(session.client, service, region_name=self.region, config=CALL_LIMITS, **credentials)
        return regional(make, self.region) if service == "sts" and (held or not self._assume) else make()


def new_session(region: str | None) -> boto3.Session:
    try:
        return boto3.Session(region_name=region)
    except BotoCoreError as error:
        raise ConfigurationError(
            f"boto3 makes no session: {redact(str(error)).rstrip('.')}",
            code=type(error).__name__,
            way_out="Correct or unset AWS_PROFILE and AWS_CONFIG_FILE, or pass session=.",
        ) from None


def _role_for(tenant: str, role_arn: Callable[[str], object]) -> str:
    """The role that the application's function names. Its own errors may pass, as those of a database; that it names
    no role may mean that the tenant is not to be read."""
    try:
        named = role_arn(tenant)
    except Exception as error:  # noqa: BLE001 - the application's own, of any kind
        raise UnavailableError(
            f"the role_arn function raised {type(error).__name__} for tenant {tenant!r}: {redact(str(error))}",
            tenant=tenant,
            code=type(error).__name__,
            way_out="Correct the function: it must return the ARN of an IAM role for each tenant that is read.",
        ) from None
    if not _is_role(named):
        raise KeyReaderError(
            f"the role_arn function returned {_shown(named)} for tenant {tenant!r}, not the ARN of an IAM role",
            tenant=tenant,
            way_out="It must return arn:aws:iam::<account>:role/<name> for each tenant that is read: the cell's runtime"
            " role for tenants without a role of their own.",
        )
    return named


def checked_role(arn: str) -> str:
    """`arn` if it is a role's; else raises ValueError with the expected form."""
    if not _is_role(arn):
        raise ValueError(
            f"role_arn {_shown(arn)} is not the ARN of an IAM role: write arn:aws:iam::<account>:role/<name>"
        )
    return arn


def _is_role(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and _ROLE_ARN.fullmatch(value) is not None


def _shown(value: object) -> str:
    return redact(repr(value))[:120]
