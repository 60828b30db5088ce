"""A tenant's key as callers get it, and the checks from a secret's text to a key.

Owns `Key` and the rules for a payload. Leaves out fetching and caching. A secret's text is in local variables only
while it is parsed, and nothing raises meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

from myflux_keys.errors import PayloadError
from myflux_keys.payload import MANAGED, Payload, SecretText
from myflux_keys.payload import PayloadError as MalformedPayload


@dataclass(frozen=True, slots=True)
class Key:
    """One version of a tenant's key. Everything but `api_key` may be logged. Times are aware, in UTC.

    For a customer's own key the ids and `organization_id` are empty, `expires_at` is None, since it is unknown, and
    `minted_at` is when it was stored.

    A key is not pickled: fetch it in the process that needs it.
    """

    tenant: str
    api_key: SecretText
    key_id: str
    project_id: str
    service_account_id: str
    organization_id: str
    base_url: str
    """OpenAI's API, including ``/v1``; https, except on loopback."""
    models: tuple[str, ...]
    """The allow-list, the default model first."""
    minted_at: datetime
    expires_at: datetime | None
    version_id: str
    """The secret's version that holds this key."""
    source: str = MANAGED
    """``managed``: made and rotated by MyFlux Keys. ``customer``: the customer's own."""

    def reveal(self) -> str:
        """The key as text: for an Authorization header, never for a log."""
        return self.api_key.reveal()

    @property
    def default_model(self) -> str | None:
        """The model that the tenant's file names first; None for a key that names no models."""
        return self.models[0] if self.models else None


def parse_key(text: str, tenant: str, version_id: str) -> Key | PayloadError:
    """Returns the error instead of raising it: a traceback that shows local variables would show `text`."""
    try:
        payload = Payload.from_json(text)
    except MalformedPayload as error:
        return _refused(tenant, str(error))
    if payload.tenant != tenant:
        return _refused(tenant, "the secret holds another tenant's payload")
    if not is_safe_base(payload.base_url):
        return _refused(tenant, "the payload's `base_url` must be https, except on loopback: keys are sent to it")
    times: list[datetime] = []
    for field in ("minted_at", "expires_at") if payload.expires_at else ("minted_at",):
        moment = _utc(getattr(payload, field))
        if moment is None:
            return _refused(tenant, f"the payload's `{field}` must be an ISO 8601 time with its offset")
        times.append(moment)
    return Key(
        tenant=tenant,
        api_key=payload.api_key,
        key_id=payload.key_id,
        project_id=payload.project_id,
        service_account_id=payload.service_account_id,
        organization_id=payload.organization_id,
        base_url=payload.base_url,
        models=payload.models,
        minted_at=times[0],
        expires_at=times[1] if payload.expires_at else None,
        version_id=version_id,
        source=payload.source,
    )


def no_text(tenant: str) -> PayloadError:
    """The error for a secret that holds bytes."""
    return _refused(tenant, "the secret holds bytes, but a payload is JSON text")


def _refused(tenant: str, message: str) -> PayloadError:
    return PayloadError(
        message,
        tenant=tenant,
        way_out="Rotate the tenant's secret: the rotation function writes a complete payload. Store a customer's own "
        "key again with `myflux-keys key set`. Write the secret in no other way.",
    )


def is_safe_base(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    if not host or parts.username is not None:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))


def is_openais(url: str) -> bool:
    """Whether OpenAI answers there, or a stand-in on this machine: where alone tokens are sent."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return host.endswith(".openai.com") or is_loopback(host)


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _utc(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None
