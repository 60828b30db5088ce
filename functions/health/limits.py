"""A project's limits as OpenAI holds them: three calls of the Admin API a tenant, so a few tenants a cycle.

Owns the calls and whose turn it is. A tenant whose limit is in question comes first, then whoever was read longest ago.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from functions.health.facts import Limits
from functions.health.history import History
from functions.health.state import TenantState
from functions.shared.openai_admin import AdminAPI
from functions.shared.openai_http import OpenAIError, path
from myflux_keys.declaration import Declaration, RateLimit

TURNS: Final = 4
"""Tenants a cycle and organization: the calls a minute of an endpoint, with some left to the provisioner."""
_IN_QUESTION: Final = frozenset({"project_spend_limit", "limit_raised_waiting", "limit_drift"})


def turns(tenants: Iterable[str], states: Mapping[str, TenantState], histories: Mapping[str, History]) -> list[str]:
    def order(tenant: str) -> tuple[bool, float, str]:
        asked = any(kind in _IN_QUESTION for kind, _ in histories.get(tenant, History()).open)
        return not asked, states.get(tenant, TenantState()).limits_at, tenant

    return sorted(tenants, key=order)[:TURNS]


def read_limits(api: AdminAPI, project_id: str, declaration: Declaration) -> Limits:
    """Raises OpenAIError."""
    base = path("/organization/projects/{project}", project=project_id)
    spend = _there(api, f"{base}/spend_limit")
    allowed = _there(api, f"{base}/model_permissions")
    cents: Any = None if spend is None else spend.get("threshold_amount")
    listed = allowed is not None and allowed.get("mode") == "allow_list"
    rates = {
        str(item.get("model")): item
        for item in (api.pages(f"{base}/rate_limits") if declaration.rate_limits else ())
        if item.get("model") in declaration.rate_limits
    }
    return Limits(
        int(cents) if cents is not None else None,
        frozenset(allowed["model_ids"]) if allowed is not None and listed else None,
        {
            model: RateLimit(int(item["max_requests_per_1_minute"]), int(item["max_tokens_per_1_minute"]))
            for model, item in rates.items()
        },
    )


def _there(api: AdminAPI, target: str) -> dict[str, Any] | None:
    """None if no limit was set."""
    try:
        return api.send("GET", target)
    except OpenAIError as error:
        if error.status == 404:
            return None
        raise
