"""In which order a run rotates many tenants' keys. Pure.

After a leak the keys in use should end first. AWS tells the day on which a secret was last read; how often it was read,
or how many calls OpenAI counted for its key, is nothing that a command may ask.
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_SecretListEntry.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ops.rotation_state import SecretFacts


def as_given(slugs: Sequence[str], tenants: Sequence[str]) -> list[str]:
    """`tenants` in the order of `slugs`."""
    return sorted(tenants, key=list(slugs).index)


def last_read_first(tenants: Sequence[str], found: Mapping[str, SecretFacts]) -> list[str]:
    """Those whose secret was read today, then those of yesterday, and so on: all that were read in the last 24 hours
    come before the others. Secrets that nobody read come last. `found` has the secrets that exist."""

    def day(tenant: str) -> float:
        accessed = found[tenant].accessed if tenant in found else None
        return accessed.timestamp() if accessed else 0.0

    return sorted(tenants, key=lambda tenant: (-day(tenant), tenant))
