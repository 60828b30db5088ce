"""From a tenant's file to its declaration: what scheduled functions get to know of it, which cannot read files."""

from __future__ import annotations

from myflux_keys import declaration
from myflux_keys.declaration import Declaration
from tenancy.tenant import Tenant


def declared(tenant: Tenant) -> Declaration:
    """Without e-mail addresses: OpenAI sends the budget's alerts, and no function needs them."""
    budget = tenant.budget
    return Declaration(
        tenant=tenant.tenant,
        cell=tenant.cell,
        name=tenant.name,
        country=tenant.country,
        source=tenant.source,
        models=tenant.models,
        permission=tenant.permission,
        enabled=tenant.enabled,
        minted=tenant.minted,
        organization_id=tenant.organization_id,
        budget=declaration.Budget(budget.monthly_usd, budget.hard, budget.alert_percent) if budget else None,
        rate_limits={
            model: declaration.RateLimit(limit.requests_per_minute, limit.tokens_per_minute)
            for model, limit in tenant.rate_limits.items()
        },
        credential=tenant.credential,
        switching_from=tenant.switching_from,
    )
