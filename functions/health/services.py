"""The clients of a cycle, and the time by OpenAI's clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from functions.health.settings import Settings
from functions.health.store import Store
from functions.shared.admin_key import AdminKey
from functions.shared.deadline import Deadline
from functions.shared.federated_token import FederatedTokens
from functions.shared.openai_admin import AdminAPI

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sns import SNSClient


def new_topic_client() -> SNSClient:
    config = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 4})
    return boto3.client("sns", config=config)  # pyright: ignore[reportUnknownMemberType]


@dataclass
class Services:
    """`wall` is AWS's clock, by which invocations exclude each other; `server_time` OpenAI's, once it has answered."""

    settings: Settings
    secrets: SecretsManagerClient
    metrics: CloudWatchClient
    topics: SNSClient
    store: Store
    admin_key: AdminKey
    api: AdminAPI
    deadline: Deadline
    tokens: FederatedTokens
    wall: Callable[[], float] = time.time
    server_time: float | None = None

    def now(self) -> float:
        """Unix seconds by OpenAI's clock; by the function's own until an answer of OpenAI has a time."""
        times = [one for one in (self.server_time, self.api.http.server_time) if one is not None]
        return max(times) if times else self.wall()
