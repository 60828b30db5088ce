"""The pause between two tenants of a sweep, within the cell's budget of Admin API calls
(`myflux_keys/admin_budget.py`)."""

from __future__ import annotations

from collections.abc import Iterable

from functions.sweep.services import Services
from functions.sweep.tenants import TenantSecret, tenant_secrets
from myflux_keys.admin_budget import CALLS_PER_MINUTE, WINDOW_SECONDS, counts_against_budget, sweeps_a_minute
from myflux_keys.version_labels import pending_version


class Pace:
    """`secrets` are the cell's, just listed; `tenants` is how many the whole sweep inspects, earlier calls included.

    If all fit into one minute's budget, there is no pause. Otherwise tenants are evenly paced, so that several calls,
    each with a part of them, keep to the budget together.
    """

    def __init__(self, services: Services, secrets: Iterable[TenantSecret], tenants: int) -> None:
        self._services = services
        self._tenants = tenants
        self._count(secrets)

    def wait(self, *, keep: float) -> bool:
        """Waits before the next tenant. False, without waiting, if less than `keep` seconds would be left."""
        deadline = self._services.deadline
        if deadline.now() - self._counted >= WINDOW_SECONDS:
            self._count(tenant_secrets(self._services.secrets, self._services.environment.cell))
        if self._tenants + self._rotations <= CALLS_PER_MINUTE:
            return True
        return deadline.pause(WINDOW_SECONDS / sweeps_a_minute(self._rotations), keep=keep)

    def _count(self, secrets: Iterable[TenantSecret]) -> None:
        self._counted = self._services.deadline.now()
        self._rotations = sum(_counts(secret, self._services.now()) for secret in secrets)


def _counts(secret: TenantSecret, now: float) -> bool:
    pending = pending_version(secret.state.stages) is not None
    return counts_against_budget(
        pending=pending, changed_at=secret.state.changed_at, rotated_at=secret.last_rotated, now=now
    )
