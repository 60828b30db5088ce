"""A cell's identity providers at OpenAI and their federation rules: where they are, and which are the cell's.

Owns paths, names and reading the rules. Leaves out what must be there: the provisioner makes it, the sweep compares it.
https://developers.openai.com/api/docs/guides/workload-identity-federation
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from functions.shared.openai_admin import AdminAPI
from functions.shared.openai_http import OpenAIError, path

PROVIDERS: Final = "/organization/workload_identity_providers"
TENANT: Final = "openai.tenant"
TRANSFORMATIONS: Final = [
    {"attribute": TENANT, "expression": 'assertion["https://sts.amazonaws.com/"]["principal_tags"]["tenant"]'}
]
"""CEL. Fails where the session has no tag, and with it the exchange."""


def provider_path(provider_id: str) -> str:
    return PROVIDERS + path("/{provider}", provider=provider_id)


def rules_path(provider_id: str) -> str:
    return f"{provider_path(provider_id)}/federation_rules"


def number_of(provider: Mapping[str, Any], cell: str) -> int | None:
    """Of a provider of the cell, which is called ``myflux-<cell>-<number>``; None for any other."""
    found = re.fullmatch(rf"myflux-{re.escape(cell)}-([1-9][0-9]{{0,3}})", str(provider.get("name")), re.ASCII)
    return int(found[1]) if found else None


def rules_of(api: AdminAPI, provider_id: str) -> list[Mapping[str, Any]]:
    """The oldest first; none of a provider that is gone. Raises OpenAIError."""
    try:
        return list(api.pages(rules_path(provider_id), {"order": "asc"}))
    except OpenAIError as error:
        if error.status == 404:
            return []
        raise
