"""A cell and a tenant as another program hands them over, in the schema's names."""

from __future__ import annotations

from typing import Any

import pytest

from tests.components.conftest import build

__all__ = ["build"]

SHARED = {
    "kmsKeyArn": "arn:aws:kms:eu-central-1:111122223333:key/1",
    "rotationFunctionArn": "arn:aws:lambda:eu-central-1:111122223333:function:myflux-prod-eu1-rotation",
    "provisionerFunction": "myflux-prod-eu1-provisioner",
}


@pytest.fixture
def cell() -> dict[str, Any]:
    return {
        "cell": "prod-eu1",
        "accountId": "111122223333",
        "region": "eu-central-1",
        "production": True,
        "runtimePrincipals": ["arn:aws:iam::111122223333:role/app"],
        "deployerPrincipals": ["arn:aws:iam::111122223333:role/deployer"],
        "alarmEmails": ["oncall@myflux.example"],
        "openai": {"organizationId": "org-1"},
    }


@pytest.fixture
def tenant(cell: dict[str, Any]) -> dict[str, Any]:
    """Numbers are floats, as they are on the wire."""
    return SHARED | {
        "cell": cell,
        "tenant": "acme",
        "name": "Acme Travel",
        "country": "CR",
        "source": "managed",
        "models": ["gpt-5.4-mini"],
        "rateLimits": {"gpt-5.4-mini": {"requestsPerMinute": 500.0, "tokensPerMinute": 200000.0}},
        "budget": {"monthlyUsd": 200.0, "alertPercent": [50.0, 100.0], "emails": ["ops@acme.example"]},
        "rotation": {"everyDays": 30.0, "overlapHours": 24.0},
    }
