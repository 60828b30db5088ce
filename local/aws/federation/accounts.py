"""Which accounts have outbound web identity federation, and IAM's operations: Enable, Get…Info, Disable.

An account's issuer URL stays the same when federation is disabled and enabled again, and its documents stay published:
tokens that are already out remain valid.
https://docs.aws.amazon.com/IAM/latest/APIReference/API_EnableOutboundWebIdentityFederation.html
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import Any, Final

from ministack.core.responses import get_account_id
from ministack.services import iam as iam_service

from local import addresses
from local.aws.federation.issuer_keys import IssuerKeys
from local.aws.iam.patching import require_shape

_DOMAIN: Final = "tokens.sts.global.api.aws"
PREFIX: Final = "/_issuer/"
"""An issuer's documents on this server: ``/_issuer/HOST/.well-known/…``."""


class Issuer:
    """An account's own issuer, ``https://HOST``."""

    def __init__(self) -> None:
        self.host = f"{uuid.uuid4()}.{_DOMAIN}"
        self.keys = IssuerKeys()
        self.enabled = True

    @property
    def url(self) -> str:
        return f"https://{self.host}"


ISSUERS: Final[dict[str, Issuer]] = {}
"""By account."""


def install(home: Path) -> None:
    """Adds the operations, which MiniStack lacks."""
    require_shape("ministack.services.iam", "_xml", "status, root_tag, inner, ns")
    require_shape("ministack.services.iam", "_error", "status, code, message, ns")
    iam_service._IAM_HANDLERS |= {
        "EnableOutboundWebIdentityFederation": lambda _: _enable(home),
        "GetOutboundWebIdentityFederationInfo": lambda _: _info(),
        "DisableOutboundWebIdentityFederation": lambda _: _disable(),
    }


def enabled(account: str) -> Issuer | None:
    """The account's issuer; None if federation is not enabled."""
    issuer = ISSUERS.get(account)
    return issuer if issuer is not None and issuer.enabled else None


def at_host(host: str) -> Issuer | None:
    """The issuer of any account, also of one that has disabled federation."""
    return next((issuer for issuer in ISSUERS.values() if issuer.host == host), None)


def _enable(home: Path) -> Any:
    account = get_account_id()
    if enabled(account):
        return iam_service._error(
            409, "FeatureEnabled", "Outbound Web Identity Federation is already enabled for this account", ns="iam"
        )
    if account not in ISSUERS:
        ISSUERS[account] = Issuer()
    issuer = ISSUERS[account]
    issuer.enabled = True
    addresses.publish(home, issuer.host, f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}{PREFIX}{issuer.host}")
    return _answer("EnableOutboundWebIdentityFederation", f"<IssuerIdentifier>{issuer.url}</IssuerIdentifier>")


def _info() -> Any:
    issuer = enabled(get_account_id())
    if issuer is None:
        return _disabled()
    return _answer(
        "GetOutboundWebIdentityFederationInfo",
        f"<IssuerIdentifier>{issuer.url}</IssuerIdentifier><JwtVendingEnabled>true</JwtVendingEnabled>",
    )


def _disable() -> Any:
    issuer = enabled(get_account_id())
    if issuer is None:
        return _disabled()
    issuer.enabled = False
    return iam_service._xml(200, "DisableOutboundWebIdentityFederationResponse", "", ns="iam")


def _disabled() -> Any:
    return iam_service._error(
        404, "FeatureDisabled", "Outbound Web Identity Federation is not enabled for this account", ns="iam"
    )


def _answer(operation: str, inner: str) -> Any:
    return iam_service._xml(200, f"{operation}Response", f"<{operation}Result>{inner}</{operation}Result>", ns="iam")
