"""What AWS charges a month for a stack's resources.

Owns the counting. Leaves out the prices (`tenancy.aws_prices`), and what depends on use (requests, log volume, function
time): cents at these rates, and not in the files.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from ops.review.registered import Registered
from tenancy.aws_prices import KEY_MONTH, SECRET_MONTH


@dataclass(frozen=True)
class Cost:
    secrets: int = 0
    replicas: int = 0
    keys: int = 0

    @property
    def usd(self) -> Decimal:
        return (self.secrets + self.replicas) * SECRET_MONTH + self.keys * KEY_MONTH


def cost(resources: Iterable[Registered]) -> Cost:
    found = list(resources)
    secrets = [one for one in found if one.type == "aws:secretsmanager/secret:Secret"]
    return Cost(
        secrets=len(secrets),
        replicas=sum(len(cast(Sequence[Any], one.inputs.get("replicas") or ())) for one in secrets),
        keys=sum(one.type == "aws:kms/key:Key" for one in found),
    )
