"""AWS's monthly prices for a tenant's resources, in US dollars, in the Regions with the usual price."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

SECRET_MONTH: Final = Decimal("0.40")
"""One secret, and each copy of it: https://aws.amazon.com/secrets-manager/pricing/"""
KEY_MONTH: Final = Decimal("1.00")
"""One customer managed KMS key, without rotated material: https://aws.amazon.com/kms/pricing/"""
