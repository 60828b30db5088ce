"""What one invocation works with."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.promoter.intake import Intake
from functions.promoter.secret import TenantSecret
from functions.promoter.settings import Settings
from functions.shared.deadline import Deadline
from functions.shared.openai_http import OpenAIHTTP
from myflux_keys.names import secret_name

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient


@dataclass
class Services:
    """`wall` is the time in Unix seconds."""

    settings: Settings
    intake: Intake
    secrets: SecretsManagerClient
    http: OpenAIHTTP
    deadline: Deadline
    wall: Callable[[], float] = time.time

    def secret(self, tenant: str) -> TenantSecret:
        return TenantSecret(self.secrets, secret_name(self.settings.common.cell, tenant))
