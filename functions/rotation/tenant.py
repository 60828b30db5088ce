"""Whose secret this is, from its name and tags, and whether this rotation may change it.

Owns reading and checking the tags. Leaves out acting on them. Only the tenant's stack may change the tags (the
secret's resource policy), but a tag that does not match the secret's name is refused: it would put one tenant's key
into another tenant's secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from functions.shared.rotation_guard import Refused, match_name, name_in
from functions.shared.scopes import SCOPES
from functions.shared.secrets_manager import SecretState
from myflux_keys import key_life, names

MARGIN_SECONDS: Final = key_life.MARGIN_HOURS * 3600
MIN_INTERVAL_SECONDS: Final = 4 * 3600
"""AWS rotates a secret at most every four hours."""
PROOF_SECONDS: Final = 600
"""A rotation uses a new key within this time to prove it. Later use is by somebody who has the key."""
SLACK_SECONDS: Final = 900
"""Tolerance between promotion, the new expiry of the old key, and the date that AWS stores."""


@dataclass(frozen=True)
class Tenant:
    """What the tags of a tenant's secret say. `models` has the default first; times in seconds."""

    cell: str
    tenant: str
    project_id: str
    service_account_id: str
    permission: str
    models: tuple[str, ...]
    interval: int
    overlap: int
    organization_id: str = ""
    """The customer's, if keys are minted with their admin key; empty for the cell's."""

    @property
    def admin_secret(self) -> str | None:
        """The secret of the customer's admin key. By name: a tag could name another tenant's."""
        return names.customer_admin_secret(self.cell, self.tenant) if self.organization_id else None

    @property
    def scopes(self) -> tuple[str, ...]:
        """OpenAI's scope identifiers for the tenant's permission; an empty list means all."""
        return SCOPES[self.permission]

    @property
    def life(self) -> int:
        """Seconds from mint to expiry, even if nothing rotates the key again."""
        return min(self.interval + self.overlap + MARGIN_SECONDS, key_life.LONGEST_SECONDS)

    def key_name(self, version_id: str) -> str:
        return names.key_name(self.cell, self.tenant, version_id)


def check_name(secret_id: str, cell: str) -> str:
    """The tenant that a secret's ARN or name belongs to. Raises Refused for anything but this cell's tenant secrets."""
    before, after = (re.escape(part) for part in names.secret_name(cell, "*").split("*"))
    match = match_name(secret_id, f"{before}({names.TENANT_SLUG.pattern}){after}")
    if match is None:
        raise Refused(f"{name_in(secret_id)} is no tenant's secret of cell {cell}: this function rotates only those")
    return match.group(1)


def read_tenant(state: SecretState, cell: str) -> Tenant:
    """Raises Refused, naming the tag."""
    tags = state.tags
    tenant = Tenant(
        cell=_text(tags, names.TAG_CELL),
        tenant=_text(tags, names.TAG_TENANT),
        project_id=_text(tags, names.TAG_PROJECT_ID),
        service_account_id=_text(tags, names.TAG_SERVICE_ACCOUNT_ID),
        permission=_text(tags, names.TAG_PERMISSION),
        models=tuple(_text(tags, names.TAG_MODELS).split()),
        interval=_seconds(tags, names.TAG_EVERY_DAYS, 86_400),
        overlap=_seconds(tags, names.TAG_OVERLAP_HOURS, 3600),
        organization_id=tags.get(names.TAG_ORGANIZATION_ID, ""),
    )
    if tenant.cell != cell:
        raise Refused(f"{state.name} has tag {names.TAG_CELL}={tenant.cell}, but this function serves cell {cell}")
    if state.name != names.secret_name(tenant.cell, tenant.tenant):
        raise Refused(f"{state.name} has tag {names.TAG_TENANT}={tenant.tenant}, but its name has another tenant")
    if tags.get(names.TAG_MANAGED_BY) != names.MANAGED_BY:
        raise Refused(f"{state.name} has no tag {names.TAG_MANAGED_BY}={names.MANAGED_BY}: it is not ours")
    if tenant.permission not in SCOPES:
        raise Refused(f"tag {names.TAG_PERMISSION}={tenant.permission} is not one of: {', '.join(SCOPES)}")
    if tenant.interval < MIN_INTERVAL_SECONDS or not 0 < tenant.overlap <= tenant.interval:
        raise Refused(
            f"tags {names.TAG_EVERY_DAYS} and {names.TAG_OVERLAP_HOURS} of {state.name}: the interval must be at least "
            "4 hours, and the overlap above 0 and at most the interval"
        )
    if tenant.interval + tenant.overlap > key_life.LONGEST_SECONDS:
        raise Refused(f"interval and overlap of {state.name} exceed a year, the longest life of an OpenAI key")
    return tenant


def _text(tags: Mapping[str, str], tag: str) -> str:
    value = tags.get(tag, "").strip()
    if not value:
        raise Refused(f"the secret has no tag {tag}: `myflux-keys up TENANT` writes it")
    return value


def _seconds(tags: Mapping[str, str], tag: str, unit: int) -> int:
    text = _text(tags, tag)
    if not re.fullmatch(r"\d{1,6}(\.\d{1,6})?", text, re.ASCII):
        raise Refused(f"tag {tag}={text} is not a number")
    return round(float(text) * unit)
