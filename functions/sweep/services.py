"""The clients of a sweep, and the time by OpenAI's clock, which decides when keys expire."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from functions.shared.admin_key import AdminKey
from functions.shared.deadline import Deadline
from functions.shared.environment import Environment
from functions.shared.handover_store import HandoverStore
from functions.shared.openai_admin import AdminAPI
from functions.sweep.declared import Declared

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_iam import IAMClient
    from types_boto3_secretsmanager import SecretsManagerClient


@dataclass(frozen=True)
class Services:
    environment: Environment
    secrets: SecretsManagerClient
    metrics: CloudWatchClient
    roles: IAMClient
    admin_key: AdminKey
    api: AdminAPI
    deadline: Deadline
    handovers: HandoverStore
    declared: Declared = field(default_factory=Declared)

    def now(self) -> float:
        """Unix seconds by OpenAI's clock; by the function's own until an answer of OpenAI has a time."""
        return self.api.http.server_time or time.time()
