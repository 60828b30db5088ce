"""Access to AWS: a session per provider instance, a client per service, AWS's errors as text.

Owns clients, the caller's identity, the check of the account and deadlines. Leaves out the calls (`services/`). boto3
is imported with the first client, so that a request for the schema or a check does not load it. Endpoints come from the
provider's `endpoints` or from AWS_ENDPOINT_URL, which botocore reads itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import boto3

    from local.provider.configuration import Configuration

GONE = frozenset(
    {
        "AWS.SimpleQueueService.NonExistentQueue",
        "NoSuchEntity",
        "NotFound",
        "NotFoundException",
        "QueueDoesNotExist",
        "ResourceNotFound",
        "ResourceNotFoundException",
    }
)
"""The error codes of the services in use for a resource that does not exist."""

CONNECT_SECONDS = 5
READ_SECONDS = 60
INVOKE_SECONDS = 930
"""A synchronous Lambda call may take 15 minutes; its response arrives at most half a minute later."""


class Refused(Exception):
    """An error that a person must fix; the message gives the fault, its reason and the remedy."""


class OutOfTime(Exception):
    """The time in a resource's `customTimeouts` was over between two calls."""


@dataclass(frozen=True)
class Identity:
    account_id: str
    arn: str
    user_id: str


@dataclass
class _Shared:
    """Shared by all views of one provider instance: botocore is slow to load and its sessions are not thread-safe."""

    session: boto3.Session | None = None
    clients: dict[tuple[str, str, float], Any] = field(default_factory=dict)
    identity: Identity | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)


@dataclass(frozen=True)
class Aws:
    """A view of AWS for one operation: its Region and, where `customTimeouts` is given, its deadline."""

    configuration: Configuration
    region: str
    seconds: float = 0
    deadline: float = 0
    shared: _Shared = field(default_factory=_Shared, repr=False)

    def view(self, region: str | None, seconds: float) -> Aws:
        """A view for one operation that may take `seconds` (0: no limit)."""
        return replace(
            self,
            region=region or self.region,
            seconds=seconds,
            deadline=time.monotonic() + seconds if seconds else 0,
        )

    def client(self, service: str) -> Any:
        """The boto3 client of `service` (botocore's name). Raises OutOfTime once the deadline has passed."""
        self.check_deadline()
        longest = INVOKE_SECONDS if service == "lambda" else READ_SECONDS
        read_timeout = min(longest, self.seconds) if self.seconds else longest
        key = (service, self.region, read_timeout)
        with self.shared.lock:
            if key not in self.shared.clients:
                self.shared.clients[key] = self._build(service, read_timeout)
            return self.shared.clients[key]

    def check_deadline(self) -> None:
        if self.deadline and time.monotonic() > self.deadline:
            raise OutOfTime(f"the {self.seconds:g} s of customTimeouts are over; AWS may still be working")

    def _build(self, service: str, read_timeout: float) -> Any:
        import boto3
        from botocore.config import Config

        known = self.configuration
        if self.shared.session is None:
            self.shared.session = boto3.Session(
                aws_access_key_id=known.access_key,
                aws_secret_access_key=known.secret_key,
                aws_session_token=known.token,
                profile_name=known.profile,
            )
        return self.shared.session.client(  # pyright: ignore[reportCallIssue]
            service,  # pyright: ignore[reportArgumentType]
            region_name=self.region,
            endpoint_url=known.endpoints.get(service),
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=read_timeout,
                # A function may have run although no response arrived: an invocation is never sent twice.
                retries={"total_max_attempts": 1 if service == "lambda" else known.max_attempts, "mode": "standard"},
                max_pool_connections=32,
            ),
        )

    def identity(self) -> Identity:
        """The caller's identity, from AWS. Raises Refused if AWS does not accept the credentials."""
        with self.shared.lock:
            if self.shared.identity is None:
                from botocore.exceptions import BotoCoreError, ClientError

                try:
                    answer = self.client("sts").get_caller_identity()
                except (BotoCoreError, ClientError) as error:
                    raise Refused(
                        f"AWS did not accept the credentials: {explain(error)}. Set credentials by AWS_PROFILE, "
                        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the provider's `profile`"
                    ) from None
                self.shared.identity = Identity(answer["Account"], answer["Arn"], answer["UserId"])
            return self.shared.identity

    def guard(self) -> None:
        """Raises Refused unless the provider's settings allow the caller's account."""
        allowed, forbidden = self.configuration.allowed_account_ids, self.configuration.forbidden_account_ids
        if self.configuration.skip_credentials_validation and not allowed and not forbidden:
            return
        account = self.identity().account_id
        if allowed and account not in allowed:
            raise Refused(
                f"AWS account ID not allowed: {account}. The provider's allowedAccountIds are {', '.join(allowed)}: "
                "nothing was changed; use credentials of an allowed account"
            )
        if account in forbidden:
            raise Refused(
                f"AWS account ID not allowed: {account}. The provider's forbiddenAccountIds are "
                f"{', '.join(forbidden)}: nothing was changed; use credentials of another account"
            )

    @property
    def account_id(self) -> str:
        return self.identity().account_id

    @property
    def partition(self) -> str:
        return partition_of(self.region)


def partition_of(region: str) -> str:
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def code_of(error: Exception) -> str:
    """AWS's error code, or an empty string if the error is not from AWS."""
    response: Mapping[str, Any] = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def is_gone(error: Exception) -> bool:
    return code_of(error) in GONE


def explain(error: Exception) -> str:
    """AWS's operation, code and message in one line; for other errors their text. Never contains credentials."""
    code = code_of(error)
    if not code:
        return str(error) or type(error).__name__
    response: Mapping[str, Any] = getattr(error, "response", {})
    message = response.get("Error", {}).get("Message", "no message")
    return f"{getattr(error, 'operation_name', 'call')}: {code}: {message}"
