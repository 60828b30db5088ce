"""What the Admin API says about all tenants of an organization: costs, usage, and the limits of some.

Owns which calls a cycle makes and what they change in the tenants' states. An organization that does not answer, or
whose admin key is missing, leaves its tenants' costs as they were and their usage unknown.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from functions.health.facts import Limits
from functions.health.forecast import WINDOW_DAYS
from functions.health.handover_facts import Handing, Recorded, remembered
from functions.health.handovers import look_at
from functions.health.handovers import turns as turns_of
from functions.health.history import History
from functions.health.limits import read_limits, turns
from functions.health.roster import Organization
from functions.health.services import Services
from functions.health.state import TenantState
from functions.health.usage import DAY_SECONDS, HOUR_SECONDS, Costs, read_costs, read_requests
from functions.shared import log
from functions.shared.admin_key import AdminKeyMissing
from functions.shared.admin_keys import list_admin_keys
from functions.shared.openai_admin import AdminAPI
from functions.shared.openai_http import OpenAIError
from myflux_keys.declaration import Declaration

T = TypeVar("T")
KEEP_SECONDS: Final = 90.0
"""What a cycle keeps of its time for its tenants, and to decide, save and send. Then nothing more is asked here."""
KEEP_DAYS: Final = WINDOW_DAYS + 7
RESTATED_DAYS: Final = 2
"""Days before today whose costs are read again in each cycle; the whole month is once a day."""


def read_money(
    organization: Organization, states: Mapping[str, TenantState], services: Services, as_of: float
) -> dict[str, TenantState]:
    """The states of the organization's tenants with costs and usage. `as_of`: when costs were last read. Once a day
    they are read from KEEP_DAYS ago on."""
    before = {tenant: states.get(tenant, TenantState()) for tenant in organization.projects}
    # Of a customer's organization only their own tenants' rows are asked for.
    only = list(organization.projects.values()) if organization.admin_secrets else []

    def ask(api: AdminAPI) -> tuple[Costs, dict[str, int]]:
        if services.api.http.server_time is None:
            # Any answer tells OpenAI's time, by which the days are counted.
            list_admin_keys(api)
        now = services.now()
        # A tenant whose costs were never read, as a new one, gets its whole month too.
        whole = _day(as_of) != _day(now) or any(one.days is None for one in before.values())
        since = now - (KEEP_DAYS if whole else RESTATED_DAYS) * DAY_SECONDS
        costs = read_costs(api, services.deadline, since, now, only, len(before))
        return costs, read_requests(api, services.deadline, now, only, len(before))

    answer = _with_any_key("health.costs_failed", organization, services, ask)
    if answer is None:
        return {tenant: replace(one, requests=None) for tenant, one in before.items()}
    costs, requests = answer
    now = services.now()
    nobodys = str(costs.unattributed)
    log.line("health.costs", organization=organization.id, days=len(costs.days), not_attributed_usd=nobodys)
    oldest = _day(now) - timedelta(days=KEEP_DAYS)
    found: dict[str, TenantState] = {}
    for tenant, project in organization.projects.items():
        days = {day: usd for day, usd in costs.of(project, before[tenant].days).items() if day >= oldest}
        # This function's own call is no traffic. There is one a day at most, so one in these two hours.
        called = (before[tenant].called_at or 0) >= now - 2 * HOUR_SECONDS
        found[tenant] = replace(before[tenant], days=days, requests=max(requests.get(project, 0) - called, 0))
    return found


def read_some_limits(
    organization: Organization,
    declared: Mapping[str, Declaration],
    states: Mapping[str, TenantState],
    histories: Mapping[str, History],
    services: Services,
) -> dict[str, Limits]:
    found: dict[str, Limits] = {}

    def ask(api: AdminAPI) -> None:
        for tenant in turns((slug for slug in organization.projects if slug in declared), states, histories):
            if tenant not in found:
                found[tenant] = read_limits(api, organization.projects[tenant], declared[tenant])

    _with_any_key("health.limits_failed", organization, services, ask)
    return found


def read_some_handovers(
    organization: Organization,
    recorded: Mapping[str, Recorded],
    states: Mapping[str, TenantState],
    services: Services,
) -> dict[str, tuple[Handing, ...]]:
    found: dict[str, tuple[Handing, ...]] = {}
    cell, now = services.settings.common.cell, services.now()
    those = [recorded[tenant] for tenant in organization.projects if tenant in recorded]
    looked_at = {tenant: one.handovers_at for tenant, one in states.items()}

    def ask(api: AdminAPI) -> None:
        for one in turns_of(those, looked_at, now):
            if one.tenant not in found:
                found[one.tenant] = look_at(api, cell, one, services.now())

    if those:
        _with_any_key("health.handovers_failed", organization, services, ask)
    return found


def _with_any_key(event: str, organization: Organization, services: Services, ask: Callable[[AdminAPI], T]) -> T | None:
    """The answer with the first admin key that works. None if none does, or if there is no time to ask: then everything
    stays as it is known."""
    for secret in organization.admin_secrets or (None,):
        if services.deadline.remaining() < KEEP_SECONDS:
            log.line(event, level=logging.WARNING, organization=organization.id, error="no time is left")
            return None
        try:
            return ask(services.api.at(secret))
        except (OpenAIError, AdminKeyMissing, ClientError, BotoCoreError) as error:
            text = log.failure_text(error)
            log.line(event, level=logging.ERROR, organization=organization.id, secret=secret, error=text)
    return None


def with_limits(state: TenantState, limits: Limits | None, now: float) -> TenantState:
    """Remembers the spend limit, and when it was seen to go up."""
    if limits is None:
        return state
    before, cents = state.spend_limit_cents, limits.spend_limit_cents
    raised = before is not None and (cents is None or cents > before)
    return replace(
        state,
        spend_limit_cents=cents,
        limit_raised_at=now if raised else state.limit_raised_at,
        limits_at=now,
    )


def with_handovers(state: TenantState, handings: tuple[Handing, ...] | None, now: float) -> TenantState:
    """Remembers what is known of the hand-overs, and when old keys' use was read."""
    if handings is None:
        return state
    looked = any(one.looked for one in handings)
    seen = remembered(state.handovers, handings)
    return replace(state, handovers=seen, handovers_at=now if looked else state.handovers_at)


def _day(now: float) -> date:
    return datetime.fromtimestamp(now, UTC).date()
