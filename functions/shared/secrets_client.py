"""The Secrets Manager client, apart from `secrets_manager.py` so that the provisioner's bundle has no code that
writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient


def new_client() -> SecretsManagerClient:
    """Region, credentials and endpoint come from the function's environment. Makes no call."""
    config = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 4})
    # The stubs cover a few services only, so the overloads of `client` are partly unknown.
    return boto3.client("secretsmanager", config=config)  # pyright: ignore[reportUnknownMemberType]
