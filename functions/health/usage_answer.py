"""The answer to a command that asks for usage and costs: grouped rows, newest days first.

Owns how many days one answer has. Each call of the Admin API covers all tenants of an organization; an answer makes no
more of them than a minute allows, and `next` says where the following one continues. The command waits in between, so
that a cycle of this function is held up for seconds only. Nothing is written.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from functions.health.roster import Organization, roster
from functions.health.services import Services
from functions.health.usage import AT_ONCE
from functions.health.usage_request import MOST_DAYS, UsageRequest, read_usage_request
from functions.health.usage_rows import Rows, read_rows, window_days
from functions.shared import log
from functions.shared.admin_key import AdminKeyMissing
from functions.shared.admin_keys import list_admin_keys
from functions.shared.openai_admin import AdminAPI
from functions.shared.openai_http import OpenAIError
from functions.sweep.tenants import listed_secrets

T = TypeVar("T")
MOST_BYTES: Final = 5_500_000
"""Of all rows. Lambda's limit is 6 MB: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
MOST_NAMED: Final = 50
"""Projects that a query names. For more of them all are asked for, since an address must not get too long."""
_ORGANIZATIONS_AT_ONCE: Final = 8
_KEEP_SECONDS: Final = 60.0
_UNKNOWN: Final = "it has no secret and no identity with a project in this cell"
_CUSTOMERS: Final = "its key is the customer's own, so its usage and costs are in the customer's OpenAI account"


@dataclass
class Asked:
    """An organization as it is asked. `wanted`: its projects whose rows are kept; None for all. `failed` is why it did
    not answer: then it is not asked again."""

    organization: Organization
    wanted: list[str] | None
    rows: Rows = field(default_factory=Rows)
    failed: str | None = None

    @property
    def projects(self) -> int:
        """How many may have a row."""
        return len(self._named or self.organization.projects)

    @property
    def _named(self) -> list[str]:
        return self.wanted if self.wanted is not None and len(self.wanted) <= MOST_NAMED else []

    def ask(self, services: Services, question: Callable[[AdminAPI], T]) -> T | None:
        """The answer with the first admin key that works; None if none does."""
        if self.failed is None:
            for secret in self.organization.admin_secrets or (None,):
                try:
                    answer = question(services.api.at(secret))
                except (OpenAIError, AdminKeyMissing, ClientError, BotoCoreError) as error:
                    self.failed, organization = log.failure_text(error), self.organization.id
                    log.line("health.usage_failed", level=logging.ERROR, organization=organization, error=self.failed)
                else:
                    self.failed = None
                    return answer
        return None

    def read(self, services: Services, by: str | None, first: date, before: date, today: date) -> Rows:
        rows = self.ask(services, lambda api: read_rows(api, services.deadline, first, before, by, self._named, today))
        if rows is None:
            return Rows()
        if self.wanted is not None:
            rows.keep(self.wanted)
        return rows


def answer_usage(services: Services, event: Mapping[str, Any]) -> dict[str, Any]:
    """``as_of`` (Unix seconds by OpenAI's clock), ``since``, ``next`` (the day before which nothing was read yet, or
    null), ``left_out`` (rows of the oldest days that did not fit), ``without`` (why there is nothing of a tenant), and
    for each organization its ``id``, ``projects`` (tenant by project id), ``failed``, and the fields of `Rows`. Raises
    RequestError or botocore's errors."""
    request = read_usage_request(event)
    asked, without = _whom(services, request)
    for one in asked:
        # Any answer tells OpenAI's time, by which the days are counted.
        if services.api.http.server_time is None:
            one.ask(services, list_admin_keys)
    today = datetime.fromtimestamp(services.now(), UTC).date()
    since = max(request.since or today.replace(day=1), today - timedelta(days=MOST_DAYS))
    before, left_out = _rows(services, asked, request.by, since, request.before or today + timedelta(days=1), today)
    log.line("health.usage", organizations=len(asked), back_to=before.isoformat(), calls=services.api.http.calls)
    return {
        "as_of": int(services.now()),
        "since": since.isoformat(),
        "next": before.isoformat() if before > since else None,
        "left_out": left_out,
        "without": without,
        "organizations": [
            {
                "id": one.organization.id,
                "projects": {project: tenant for tenant, project in one.organization.projects.items()},
                "failed": one.failed,
                **vars(one.rows),
            }
            for one in asked
        ],
    }


def _rows(
    services: Services, asked: list[Asked], by: str | None, since: date, before: date, today: date
) -> tuple[date, int]:
    """Fills the rows of `asked`, from `before` back to `since` at most. The day before which nothing was read, and how
    many rows were left out: only where even the first call has more than an answer holds."""
    days, left_out = window_days(max((one.projects for one in asked), default=1)), 0
    for _ in range(AT_ONCE):
        first = max(since, before - timedelta(days=days))
        if first >= before or services.deadline.remaining() < _KEEP_SECONDS:
            break

        def read(one: Asked, first: date = first, before: date = before) -> Rows:
            return one.read(services, by, first, before, today)

        with ThreadPoolExecutor(_ORGANIZATIONS_AT_ONCE) as workers:
            found = list(workers.map(read, asked))
        room = MOST_BYTES - sum(one.rows.size() for one in asked)
        if sum(rows.size() for rows in found) > room:
            if any(one.rows.days for one in asked):
                break
            left_out = sum(rows.cut(room // len(found)) for rows in found)
        for one, rows in zip(asked, found, strict=True):
            one.rows.add(rows)
        before = first
    return before, left_out


def _whom(services: Services, request: UsageRequest) -> tuple[list[Asked], dict[str, str]]:
    """The organizations, and why others of the tenants that were asked for have no costs."""
    common = services.settings.common
    with ThreadPoolExecutor(_ORGANIZATIONS_AT_ONCE) as workers:
        identities = services.store.identities(common.cell, workers)
    found = roster({}, listed_secrets(services.secrets, common.cell), identities)
    every = found.organizations(common.cell, common.organization_id)
    if request.tenants is None:
        own = [] if every and not every[0].admin_secrets else [Organization(common.organization_id, {})]
        every = [*own, *every]
    with_costs = {tenant for one in every for tenant in one.projects}
    tenants = found.tenants if request.tenants is None else request.tenants
    without = {
        tenant: _CUSTOMERS if tenant in found.tenants else _UNKNOWN for tenant in tenants if tenant not in with_costs
    }
    asked: list[Asked] = []
    for one in every:
        mine = [project for tenant, project in one.projects.items() if tenant in tenants]
        # Of a customer's organization only their own tenants' rows are asked for.
        wanted = mine if request.tenants is not None or one.admin_secrets else None
        if mine or wanted is None:
            asked.append(Asked(one, wanted))
    return asked, without
