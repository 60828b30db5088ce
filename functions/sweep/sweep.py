"""One sweep: chooses tenants, and for each gathers facts, decides and acts, until all are done or the time is over.

Owns the order and the result. Leaves out the pace (`pace.py`) and the rules (`decide_keys.py`, `due.py`). A tenant that
cannot be inspected does not stop the others. With `next` in the result a caller continues where this sweep stopped.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from functions.rotation.tenant import Tenant, read_tenant
from functions.shared import cloudwatch, log
from functions.shared.admin_key import AdminKeyMissing
from functions.shared.admin_keys import DAY_SECONDS, list_admin_keys, own_key
from functions.shared.cloudwatch import Datum
from functions.shared.openai_admin import AdminAPI, ProjectKeys
from functions.shared.openai_http import OpenAIError
from functions.shared.rotation_guard import Refused
from functions.sweep import due, governance, metrics
from functions.sweep.act import Result, carry_out
from functions.sweep.decide_keyless import decide_keyless
from functions.sweep.decide_keys import decide
from functions.sweep.gather_cell import Compared, Comparer
from functions.sweep.gather_facts import gather
from functions.sweep.locate_tenant import find
from functions.sweep.pace import Pace
from functions.sweep.request import SweepRequest
from functions.sweep.services import Services
from functions.sweep.tenants import TenantSecret, by_tenant, stored_at, tenant_secrets
from functions.sweep.trust import DeadTrust, dead_trust
from myflux_keys import role_names

TENANT_NEEDS_SECONDS: Final = 30.0


@dataclass(frozen=True)
class Keyless:
    """A tenant with an identity and without a secret: no key of its own should live."""

    tenant: str
    managed: bool = True
    in_our_organization: bool = True


@dataclass
class Sweep:
    """One invocation's work. `results`, `late` and `failed` fill up while it runs."""

    request: SweepRequest
    services: Services
    results: list[Result] = field(default_factory=list[Result])
    late: dict[str, str] = field(default_factory=dict[str, str])
    failed: dict[str, str] = field(default_factory=dict[str, str])
    customers_days: dict[str, float] = field(default_factory=dict[str, float])
    """Days until customers' admin keys expire, by tenant."""
    trust: list[DeadTrust] = field(default_factory=list[DeadTrust])
    data: list[Datum] = field(default_factory=list[Datum])

    def run(self) -> dict[str, Any]:
        """Raises Refused for a tenant that is not in the cell, AdminKeyMissing, OpenAIError, or botocore's errors."""
        request, services = self.request, self.services
        cell = services.environment.cell
        # A command requests the comparison itself (`OrphansRequest`), once before its calls.
        compared = Comparer(services).compare(by_schedule=True) if request.due else None
        secrets = compared.secrets if compared else tenant_secrets(services.secrets, cell)
        keyless = sorted(services.declared.federated - {secret.tenant for secret in secrets})
        if request.tenants is not None:
            secrets = list(by_tenant(secrets, [slug for slug in request.tenants if slug not in keyless]))
            keyless = [slug for slug in keyless if slug in request.tenants]
        managed = [secret for secret in secrets if secret.managed]
        days_left = self._admin_key_days(managed)
        now = services.now()
        self.late = {secret.tenant: why for secret in secrets if (why := due.overdue(secret, now))}
        for tenant, why in self.late.items():
            log.line("sweep.overdue", level=logging.WARNING, tenant=tenant, reason=why)
        chosen: list[TenantSecret | Keyless] = [
            secret for secret in secrets if not request.due or due.is_due(secret, cell, now)
        ]
        chosen += [Keyless(slug) for slug in keyless if not request.due or due.is_slot(f"{cell}/{slug}", now)]
        chosen.sort(key=lambda one: one.tenant)
        listings = compared.listings if compared else 0
        pace = Pace(services, secrets, sum(secret.managed for secret in chosen) + listings)
        chosen = [one for one in chosen if request.after is None or one.tenant > request.after]
        if request.after is None:
            self._trust(role_names.runtime_role(cell))
        reached = self._each(chosen, pace)
        refused = self._governance(managed, now)
        answer = {
            "plan": [result.shown() for result in self.results],
            "orphans": [orphan.shown() for orphan in compared.orphans] if compared else None,
            "rotation_overdue": self.late,
            "failed": self.failed,
            "trust": [one.shown() for one in self.trust],
            "governance": refused,
            "admin_key_days_left": days_left,
            "customers_admin_key_days_left": self.customers_days,
            "tenants": reached,
            "calls": services.api.http.calls,
            "done": reached == len(chosen),
            "next": chosen[reached - 1].tenant if 0 < reached < len(chosen) else request.after,
        }
        self._put_metrics(len(chosen) - reached, days_left, compared)
        return answer | ({"next": None} if answer["done"] else {})

    def _each(self, chosen: list[TenantSecret | Keyless], pace: Pace) -> int:
        """How many of `chosen` were inspected, or failed."""
        deadline = self.services.deadline
        for reached, secret in enumerate(chosen):
            # The first one is always done, so that repeated calls make progress.
            short = deadline.remaining() < TENANT_NEEDS_SECONDS
            if reached and (short or (secret.managed and not pace.wait(keep=TENANT_NEEDS_SECONDS))):
                return reached
            try:
                self._keyless(secret) if isinstance(secret, Keyless) else self._one(secret)
            except OpenAIError as error:
                if error.status == 429 and secret.in_our_organization:
                    # There is no time for another wait: the next call does the rest.
                    return reached
                self._failed(secret.tenant, error)
            except (AdminKeyMissing, Refused, ClientError, BotoCoreError) as error:
                self._failed(secret.tenant, error)
        return len(chosen)

    def _trust(self, role: str, tenant: str | None = None) -> None:
        try:
            found = dead_trust(self.services.roles, role, tenant)
        except (ClientError, BotoCoreError) as error:
            self._failed(tenant or role, error)
            return
        if found is not None:
            log.line("sweep.trust", level=logging.ERROR, **found.shown())
            self.trust.append(found)

    def _keyless(self, one: Keyless) -> None:
        self._trust(role_names.dedicated_role(self.services.environment.cell, one.tenant), one.tenant)
        target = find(one.tenant, self.services)
        if target.project_id is None or target.archived:
            raise Refused(f"{one.tenant} has an identity, but no project at OpenAI: `myflux-keys up {one.tenant}`")
        keys = ProjectKeys(target.api, target.project_id)
        found = decide_keyless(one.tenant, keys.all(), target.service_account_id, self.services.now())
        self.results += [carry_out(finding, keys, dry_run=self.request.dry_run) for finding in found]

    def _one(self, secret: TenantSecret) -> None:
        self._trust(role_names.dedicated_role(self.services.environment.cell, secret.tenant), secret.tenant)
        if not secret.managed:
            stored = stored_at(self.services.secrets, secret)
            if stored is not None:
                age = (self.services.now() - stored) / DAY_SECONDS
                self.data += [Datum("CustomerKeyAgeDays", age, by) for by in (None, ("Tenant", secret.tenant))]
            return
        facts = gather(secret, self.services)
        api = self.services.api.at(facts.tenant.admin_secret)
        keys = ProjectKeys(api, facts.tenant.project_id)
        self.results += [carry_out(finding, keys, dry_run=self.request.dry_run) for finding in decide(facts)]
        if facts.tenant.admin_secret is not None:
            self._customers_admin_key(facts.tenant, facts.tenant.admin_secret, api)

    def _customers_admin_key(self, tenant: Tenant, admin_secret: str, api: AdminAPI) -> None:
        own = own_key(list_admin_keys(api), self.services.admin_key.at(admin_secret).get())
        days = own.days_left(self.services.now()) if own else None
        if days is not None:
            self.customers_days[tenant.tenant] = days
            self.data += [Datum("AdminKeyDaysLeft", days, by) for by in (None, ("Tenant", tenant.tenant))]

    def _failed(self, what: str, error: Exception) -> None:
        """`what` is a tenant or a role."""
        self.failed[what] = log.failure_text(error)
        log.line("sweep.failed", level=logging.ERROR, tenant=what, error=self.failed[what])

    def _admin_key_days(self, managed: list[TenantSecret]) -> float | None:
        """Also the first answer from OpenAI, which has its time. None: no expiry, or our key was not identified."""
        try:
            value = self.services.admin_key.get()
        except AdminKeyMissing:
            if managed:
                raise
            return None
        own = own_key(list_admin_keys(self.services.api), value)
        days = own.days_left(self.services.now()) if own else None
        log.line("sweep.admin_key", key_id=own.id if own else None, days_left=days)
        return days

    def _governance(self, managed: list[TenantSecret], now: float) -> str | None:
        """OpenAI's refusal of a key such as ours, tested once a day for each organization; None if it grants one, or
        was not asked."""
        cell, asked = self.services.environment.cell, self.request.governance
        if self.request.dry_run or not (asked or (self.request.due and due.is_slot(cell, now))):
            return None
        tenants: list[Tenant] = []
        for secret in managed:
            try:
                tenants.append(read_tenant(secret.state, cell))
            except Refused as error:
                self._failed(secret.tenant, error)
        refusals: list[str] = []
        for organization in sorted({tenant.organization_id for tenant in tenants}):
            theirs = [tenant for tenant in tenants if tenant.organization_id == organization]
            tenant = governance.strictest(theirs, int(now // DAY_SECONDS))
            if tenant is None:
                continue
            try:
                refused = governance.refusal(self.services.api.at(tenant.admin_secret), tenant)
            except (AdminKeyMissing, OpenAIError) as error:
                self._failed(tenant.tenant, error)
                continue
            self.data.append(Datum("GovernanceChanged", 0 if refused is None else 1))
            refusals += [refused] if refused else []
        return "; ".join(refusals) or None

    def _put_metrics(self, left: int, days_left: float | None, compared: Compared | None) -> None:
        """Logs the end and puts metrics. A sweep of only some tenants puts no metrics about the cell's schedule."""
        undone = len(self.failed) + sum(result.failed for result in self.results)
        undone += compared is not None and compared.failed is not None
        log.line("sweep.done", findings=len(self.results), late=len(self.late), undone=undone, left=left)
        if self.request.dry_run:
            return
        data = [*metrics.of_results(self.results), *self.data]
        if days_left is not None:
            data.append(Datum("AdminKeyDaysLeft", days_left))
        if compared is not None and compared.failed is None:
            data += metrics.of_orphans(compared.orphans)
        if self.request.tenants is None:
            data += [Datum("RotationOverdue", len(self.late)), Datum("SweepUnfinished", undone + left)]
            data += [Datum("RotationOverdue", 1, ("Tenant", tenant)) for tenant in self.late]
            data.append(Datum("TrustedPrincipalGone", len(self.trust)))
            data += [Datum("TrustedPrincipalGone", 1, ("Tenant", one.tenant)) for one in self.trust if one.tenant]
        cloudwatch.put(self.services.metrics, self.services.environment.cell, data)
