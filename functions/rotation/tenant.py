"""Whose secret this is, from its name and tags, and whether this rotation may touch it.

Owns reading the tags and the guards before anything is called. Leaves out acting on them. The tags are written by the
tenant's stack and nobody else may change them (the secret's resource policy), yet a tag that disagrees with the
secret's name is refused: it would mint one tenant's key into another tenant's secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from functions.rotation.scopes import SCOPES
from functions.shared.secrets_manager import CURRENT, PENDING, SecretState
from myflux_keys import names

MARGIN_SECONDS: Final = 72 * 3600
"""A key outlives its interval and overlap by this: time for people to act when rotations fail, and then it dies."""
MAX_LIFE_SECONDS: Final = 31_536_000
"""OpenAI's maximum of `expires_in_seconds`."""
MIN_INTERVAL_SECONDS: Final = 4 * 3600
"""AWS rotates at most every four hours."""


class Refused(Exception):
    """This rotation must not run. The message says which rule and what to do; repeating it changes nothing."""


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
    """The customer's, where keys are minted with their admin key; empty for the cell's."""

    @property
    def admin_secret(self) -> str | None:
        """Where the customer's admin key is. By name, not by tag: no tag can lead to another tenant's."""
        return names.customer_admin_secret(self.cell, self.tenant) if self.organization_id else None

    @property
    def scopes(self) -> tuple[str, ...]:
        return SCOPES[self.permission]

    @property
    def life(self) -> int:
        """Seconds from mint to death, were nobody to rotate: the dead man's switch."""
        return min(self.interval + self.overlap + MARGIN_SECONDS, MAX_LIFE_SECONDS)

    def key_name(self, version_id: str) -> str:
        return names.key_name(self.cell, self.tenant, version_id)


def check_name(secret_id: str, cell: str) -> str:
    """The tenant that a secret's ARN or name belongs to. Raises Refused for anything but this cell's tenant secrets."""
    name = secret_id.split(":secret:", 1)[1] if secret_id.startswith("arn:") else secret_id
    before, after = (re.escape(part) for part in names.secret_name(cell, "*").split("*"))
    # Secrets Manager ends an ARN with a hyphen and six characters of its own.
    match = re.fullmatch(f"{before}({names.TENANT_SLUG.pattern}){after}(?:-[A-Za-z0-9]{{6}})?", name)
    if match is None:
        raise Refused(f"{name} is no tenant's secret of cell {cell}: this function rotates those and nothing else")
    return match.group(1)


def check_rotation(state: SecretState, version_id: str) -> None:
    """AWS's template guards likewise. A version without either label is a rotation that is over: acting on it would
    bring an old key back."""
    if not state.rotation_enabled:
        raise Refused(f"rotation is off for {state.name}: `myflux-keys up TENANT` turns it on, with a new key")
    if version_id not in state.stages:
        raise Refused(
            f"{state.name} has no version {version_id}: Secrets Manager makes it before it calls createSecret"
        )
    if not state.stages[version_id] & {PENDING, CURRENT}:
        raise Refused(f"version {version_id} of {state.name} is neither {PENDING} nor {CURRENT}: its rotation is over")


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
        raise Refused(f"{state.name} is tagged {names.TAG_CELL}={tenant.cell}, and this function serves cell {cell}")
    if state.name != names.secret_name(tenant.cell, tenant.tenant):
        raise Refused(
            f"{state.name} is tagged {names.TAG_TENANT}={tenant.tenant}, which is not the tenant of that name"
        )
    if tags.get(names.TAG_MANAGED_BY) != names.MANAGED_BY:
        raise Refused(f"{state.name} is not tagged {names.TAG_MANAGED_BY}={names.MANAGED_BY}: it is somebody else's")
    if tenant.permission not in SCOPES:
        raise Refused(f"tag {names.TAG_PERMISSION}={tenant.permission} is not one of: {', '.join(SCOPES)}")
    if tenant.interval < MIN_INTERVAL_SECONDS or not 0 < tenant.overlap <= tenant.interval:
        raise Refused(
            f"tags {names.TAG_EVERY_DAYS} and {names.TAG_OVERLAP_HOURS} of {state.name} must give at least 4 hours "
            "and an overlap of more than nothing and no more than the interval"
        )
    if tenant.interval + tenant.overlap > MAX_LIFE_SECONDS:
        raise Refused(f"interval and overlap of {state.name} exceed the year that OpenAI lets a key live")
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
