"""What AWS charges a month for what is asked for.

Owns the prices of what a tenant adds, and the counting. Leaves out what depends on use (requests, log volume, function
time): cents at these rates, and not a matter of the files. Prices of the AWS Regions whose price is the usual one:
https://aws.amazon.com/secrets-manager/pricing/ and https://aws.amazon.com/kms/pricing/
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, cast

from ops.review.registered import Registered

SECRET_MONTH: Final = Decimal("0.40")
"""USD for a secret, and again for each replica of it."""
KEY_MONTH: Final = Decimal("1.00")
"""USD for a customer-managed KMS key, before any rotation of its material adds to it."""


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
