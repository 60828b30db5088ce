"""Clients for a cell's AWS account, with the caller's own credentials.

Owns the clients, the check that the credentials belong to the cell's account, the reason that CloudTrail records, and
AWS's time. Leaves out every operation. Endpoints and credentials come from AWS's standard variables.

The reason is part of the user agent, because RotateSecret has no field for one, and a tag would be drift for the next
`pulumi up`. CloudTrail records the user agent of each call, and the caller cannot change it later.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote

import boto3
from botocore.config import Config

from myflux_keys.redaction import looks_like_key
from ops import aws_clients
from ops.errors import OperationError
from tenancy import Cell

if TYPE_CHECKING:
    from types_boto3_cloudtrail import CloudTrailClient
    from types_boto3_events import EventBridgeClient
    from types_boto3_iam import IAMClient
    from types_boto3_kms import KMSClient
    from types_boto3_lambda import LambdaClient
    from types_boto3_s3 import S3Client
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sns import SNSClient
    from types_boto3_sts import STSClient

LONGEST_REASON: Final = 200
"""Characters; percent-encoded it stays far below the length at which a user agent is cut."""

_OURS: Final = re.compile(r"myflux-keys/(?P<command>[a-z-]+)(?: reason/(?P<reason>\S*))?")


def checked_reason(reason: str) -> str:
    """`reason` as CloudTrail records it. Raises OperationError for a text that must not be kept for years."""
    text = " ".join(reason.split())
    if looks_like_key(text):
        raise OperationError(
            "the reason contains something that looks like a key, and CloudTrail would record it: remove the key."
        )
    if len(text) > LONGEST_REASON or not text.isprintable():
        raise OperationError(
            f"the reason must be one line of at most {LONGEST_REASON} printable characters: shorten it."
        )
    return text


def user_agent(command: str, reason: str = "") -> str:
    """The addition to the SDK's user agent: ASCII, without spaces inside a part."""
    return f"myflux-keys/{command}" + (f" reason/{quote(reason, safe='')}" if reason else "")


def command_and_reason(agent: str) -> tuple[str, str] | None:
    """(command, reason) from a recorded user agent; None where the call did not come from these commands."""
    match = _OURS.search(agent)
    return (match["command"], unquote(match["reason"] or "")) if match else None


def time_told(answer: Any) -> datetime | None:
    """When AWS answered, by AWS's clock, to the second; None where the answer does not say it."""
    header: str = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    return parsedate_to_datetime(header).astimezone(UTC) if header else None


def aws_time(answer: Any) -> datetime:
    """As `time_told`; this machine's time, which may be wrong, where AWS does not tell its own."""
    return time_told(answer) or datetime.now(UTC)


class Account:
    """Clients for one cell. A `with` closes them."""

    def __init__(self, cell: Cell, command: str, reason: str = "", session: boto3.Session | None = None) -> None:
        """`session` is the caller's default one unless given."""
        self.cell = cell
        self._session = session or boto3.Session()
        self._config = Config(
            user_agent_extra=user_agent(command, reason),
            # LookupEvents allows two calls a second for the whole account, so throttling is normal.
            retries={"mode": "adaptive", "max_attempts": 8},
            read_timeout=60,
        )
        self._clients: dict[str, Any] = {}

    def __enter__(self) -> Account:
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    @property
    def secrets(self) -> SecretsManagerClient:
        return self._client("secretsmanager")

    @property
    def trail(self) -> CloudTrailClient:
        return self._client("cloudtrail")

    @property
    def keys(self) -> KMSClient:
        return self._client("kms")

    def keys_of(self, arn: str) -> KMSClient:
        """For a KMS key that may be in another Region than the cell."""
        return self._client("kms", region=arn.split(":")[3])

    @property
    def roles(self) -> IAMClient:
        return self._client("iam")

    @property
    def buckets(self) -> S3Client:
        return self._client("s3")

    @property
    def rules(self) -> EventBridgeClient:
        return self._client("events")

    @property
    def topics(self) -> SNSClient:
        return self._client("sns")

    @property
    def caller(self) -> STSClient:
        return self._client("sts", Config(read_timeout=aws_clients.FIRST_ANSWER_SECONDS))

    @property
    def callers_region(self) -> str | None:
        """Of the caller's profile or of AWS_DEFAULT_REGION; None where neither names one."""
        return self._session.region_name

    @property
    def functions(self) -> LambdaClient:
        """Its read timeout is longer than the longest run of a function."""
        return self._client("lambda", Config(read_timeout=910, retries={"total_max_attempts": 1}))

    def check(self) -> datetime:
        """AWS's time. Raises OperationError if the credentials belong to another account than the cell's."""
        answer = self.caller.get_caller_identity()
        if answer["Account"] != self.cell.account_id:
            raise OperationError(
                f"cell {self.cell.cell} is in account {self.cell.account_id}, but these credentials belong to account "
                f"{answer['Account']}. Sign in to the cell's account, one cell at a time (--cell). Nothing was changed."
            )
        return aws_time(answer)

    def _client(self, service: str, more: Config | None = None, region: str = "") -> Any:
        region = region or self.cell.region
        name = f"{service} in {region}"
        if name not in self._clients:
            config = self._config.merge(more) if more else self._config
            self._clients[name] = aws_clients.client(service, session=self._session, config=config, region_name=region)
        return self._clients[name]
