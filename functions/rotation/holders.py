"""Which of OpenAI's keys the labelled versions of a tenant's secret hold: those must not be ended.

A version that a rotation made is found by its key's name, without reading the value. What a person stored is read, and
searched for keys' ids and values: it may be any text.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from functions.rotation.tenant import Tenant
from functions.shared.openai_admin import Key
from functions.shared.redacted_value import shows
from functions.shared.secrets_manager import SecretStore
from myflux_keys.payload import SecretText
from myflux_keys.redaction import KEY_SHAPE


def held(keys: Collection[Key], versions: Iterable[str | None], tenant: Tenant, store: SecretStore) -> frozenset[str]:
    """Ids of those of `keys` that a version of `versions` holds. Raises botocore's errors."""
    found: set[str] = set()
    unknown: list[str] = []
    for version in filter(None, versions):
        named = [key.id for key in keys if key.name == tenant.key_name(version)]
        # Of two with one name, a try that failed made one: the value shows which is not it.
        if len(named) == 1:
            found.update(named)
        else:
            unknown.append(version)
    if any(key.id not in found for key in keys):
        texts = [text for version in unknown if (text := store.value(version)) is not None]
        found.update(key.id for key in keys if any(_holds(text, key) for text in texts))
    return frozenset(found)


def _holds(text: SecretText, key: Key) -> bool:
    value = text.reveal()
    shaped = (SecretText(match.group()) for match in KEY_SHAPE.finditer(value))
    return key.id in value or any(shows(key.redacted_value, one) for one in shaped)
