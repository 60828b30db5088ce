"""What one more rotation takes from the keys before it, while the previous key is still on its overlap.

Owns the sentences. Leaves out asking, and the rule, which the rotation function enforces for every rotation
(`functions/rotation/keys.py`). AWS's record has no key's expiry, so the overlap is counted from its last rotation.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from myflux_keys import version_labels
from myflux_keys.aws_names import CellNames
from myflux_keys.consumers import CONSUMERS
from myflux_keys.key_life import READER_CACHE_SECONDS
from myflux_keys.names import TAG_CONSUMERS, TAG_OVERLAP_HOURS
from ops.actions.pace import spoken
from ops.actions.rotate import command_of
from ops.errors import code_of
from ops.rotation_state import SecretFacts, facts, tenant_secrets

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

_CACHE: Final = timedelta(seconds=READER_CACHE_SECONDS)


def by_tenant(
    client: SecretsManagerClient,
    names: CellNames,
    slugs: Collection[str],
    listed: Mapping[str, SecretFacts] | None = None,
) -> Iterator[str]:
    """A sentence for each tenant of `slugs` from whose keys a rotation now takes something. `listed` are the cell's
    secrets, where they were listed just before."""
    for tenant, found in _secrets(client, names, slugs) if listed is None else listed.items():
        sentence = cut_short(tenant, found) if tenant in slugs else None
        if sentence is not None:
            yield sentence


def cut_short(tenant: str, found: SecretFacts) -> str | None:
    """None if a rotation now shortens no key's life."""
    overlap = found.tags.get(TAG_OVERLAP_HOURS, "")
    previous = version_labels.version_with(version_labels.PREVIOUS, found.stages)
    if previous is None or found.last_rotated is None or not overlap.isdecimal():
        return None
    if found.current and command_of(found.current) == "revoke":
        # It revoked every key before the one that it made.
        return None
    now, rotated = found.answered_at, found.last_rotated
    end = rotated + timedelta(hours=int(overlap))
    parts: list[str] = []
    if end > now + _CACHE:
        parts.append(
            f"its previous key stays valid until {end:%Y-%m-%d %H:%M} UTC, and another rotation leaves it one hour, "
            "which is the longest that readers cache it."
        )
        used = found.tags.get(TAG_CONSUMERS, "").split()
        parts += [f"{one.hint} within that hour." for one in CONSUMERS if one.name in used and one.hint]
    if rotated > now - _CACHE:
        parts.append("A key from before the previous one, if one is still valid, ends at once.")
    if not parts:
        return None
    return f"{tenant} rotated {spoken((now - rotated).total_seconds())} ago: {' '.join(parts)}"


def _secrets(
    client: SecretsManagerClient, names: CellNames, slugs: Collection[str]
) -> Iterator[tuple[str, SecretFacts]]:
    if len(slugs) != 1:
        yield from tenant_secrets(client, names)
        return
    (tenant,) = slugs
    try:
        yield tenant, facts(client.describe_secret(SecretId=names.tenant(tenant).secret))
    except ClientError as error:
        # The rotation itself says what is missing, and the way out.
        if code_of(error) != "ResourceNotFoundException":
            raise
