"""Gathers the cell's secrets from AWS, its projects from OpenAI, and the keys of those that do not match.

Owns the calls, their pace, and the report. Leaves out deciding (`orphans.py`). One call lists a hundred projects; keys
are listed only for projects and secrets that do not match, and for a few of them in one run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from functions.shared import cloudwatch, log
from functions.shared.admin_key import AdminKeyMissing
from functions.shared.openai_admin import AdminAPI, ProjectKeys
from functions.shared.openai_http import OpenAIError
from functions.shared.openai_projects import PROJECTS, is_archived
from functions.sweep import metrics
from functions.sweep.decide_keys import is_expired
from functions.sweep.due import is_slot
from functions.sweep.orphans import Orphan, Project, is_orphan, suspects
from functions.sweep.rules import Tenants, left_over, read_providers
from functions.sweep.tenants import ListedSecret, TenantSecret, listed_secrets
from myflux_keys import names
from myflux_keys.admin_budget import CALLS_PER_MINUTE, WINDOW_SECONDS, sweeps_a_minute

if TYPE_CHECKING:
    from functions.sweep.request import OrphansRequest
    from functions.sweep.services import Services

_AT_ONCE: Final = sweeps_a_minute(rotations=1)
"""Pages of projects in a minute: one call is left to a provisioner, which lists them too."""
_MOST_LISTINGS: Final = CALLS_PER_MINUTE
"""Orphans whose keys are listed in one run. If there are more, they have one cause, which key ids do not show."""
_KEEP_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Compared:
    """`failed`: why OpenAI's projects could not be listed, so that only tags were checked; None if they were.
    `listings`: how many projects' keys were listed."""

    orphans: list[Orphan]
    secrets: list[TenantSecret]
    failed: str | None
    listings: int


class Comparer:
    """Compares the cell's secrets with its projects."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._listings = 0

    def compare(self, *, by_schedule: bool = False) -> Compared:
        """`by_schedule`: federation rules only once a day. Raises AdminKeyMissing if a tenant's keys are minted but the
        cell has no admin key, or botocore's errors."""
        cell = self._services.environment.cell
        secrets = listed_secrets(self._services.secrets, cell)
        failed: str | None = None
        projects: list[Project] | None = None
        try:
            projects = self._projects(secrets)
        except OpenAIError as error:
            failed = log.failure_text(error)
            log.line("sweep.projects_failed", level=logging.ERROR, error=failed)
        known, now = self._services.declared, self._services.now()
        found = [self._with_keys(one) for one in suspects(cell, secrets, projects, now, known.federated)]
        orphans = [one for one in found if is_orphan(one, known.tenants)]
        if failed is None and (not by_schedule or is_slot(f"{cell}/rules", now)):
            try:
                orphans += self._left_over(secrets)
            except (AdminKeyMissing, OpenAIError) as error:
                log.line("sweep.rules_failed", level=logging.WARNING, error=log.failure_text(error))
        for orphan in orphans:
            log.line("sweep.orphan", level=logging.WARNING, **orphan.shown())
        usable = [one.secret for one in secrets if one.secret is not None]
        return Compared(orphans, sorted(usable, key=lambda one: one.tenant), failed, self._listings)

    def _left_over(self, secrets: Iterable[ListedSecret]) -> list[Orphan]:
        known, now = self._services.declared, self._services.now()
        with_secret = {one.tenant for one in secrets if one.tenant is not None}
        tenants = Tenants(known.tenants | known.federated | with_secret, known.federated | known.switching(now))
        return left_over(self._services.environment.cell, read_providers(self._services), tenants, now)

    def _projects(self, secrets: Iterable[ListedSecret]) -> list[Project]:
        """Those of the cell's organization, and of customers who gave an admin key and whose tenant has no secret."""
        cell, api = self._services.environment.cell, self._services.api
        listed = list(secrets)
        try:
            found = self._listed(api, None)
        except AdminKeyMissing:
            if any(names.TAG_PROJECT_ID in one.tags for one in listed):
                raise
            found = []
        have = {one.tenant for one in listed}
        for one in listed:
            slug = one.tags.get(names.TAG_TENANT, "")
            if slug not in have and one.name == names.customer_admin_secret(cell, slug) and one.deletion is None:
                try:
                    theirs = self._listed(api.at(one.name), one.name)
                except AdminKeyMissing:
                    # A secret for a key that the customer has not given yet.
                    continue
                found += [project for project in theirs if project.name == names.project_name(cell, slug)]
        return found

    def _listed(self, api: AdminAPI, admin_secret: str | None) -> list[Project]:
        return [
            Project(str(item["id"]), str(item.get("name") or ""), float(item["created_at"]), admin_secret)
            for item in api.pages(PROJECTS, between=self._turn())
            if not is_archived(item)
        ]

    def _turn(self) -> Callable[[int], None]:
        def turn(pages: int) -> None:
            if pages % _AT_ONCE == 0:
                self._services.deadline.pause(WINDOW_SECONDS, keep=_KEEP_SECONDS)

        return turn

    def _with_keys(self, suspect: Orphan) -> Orphan:
        """With the ids of the valid keys in its project; unchanged if they cannot be listed."""
        if suspect.project_id is None or suspect.keys is not None or self._listings >= _MOST_LISTINGS:
            return suspect
        self._listings += 1
        try:
            listed = ProjectKeys(self._services.api.at(suspect.admin_secret), suspect.project_id).all()
        except (AdminKeyMissing, OpenAIError) as error:
            if isinstance(error, OpenAIError) and error.status == 404:
                return replace(suspect, keys=())
            log.line("sweep.keys_failed", level=logging.WARNING, tenant=suspect.tenant, error=log.failure_text(error))
            return suspect
        now = self._services.now()
        return replace(suspect, keys=tuple(key.id for key in listed if not is_expired(key, now)))


def orphans_answer(compared: Compared, services: Services, request: OrphansRequest) -> dict[str, Any]:
    """The answer to "orphans". `tenants` are those whose secret is correct, or who need none, so that a sweep can
    inspect their keys."""
    wanted = None if request.tenants is None else set(request.tenants)
    if wanted is None and not request.dry_run and compared.failed is None:
        cloudwatch.put(services.metrics, services.environment.cell, metrics.of_orphans(compared.orphans))
    return {
        "orphans": [one.shown() for one in compared.orphans if wanted is None or one.tenant in wanted],
        "projects_failed": compared.failed,
        "tenants": [slug for slug in _inspected(compared, services) if wanted is None or slug in wanted],
        "calls": services.api.http.calls,
    }


def _inspected(compared: Compared, services: Services) -> list[str]:
    return sorted({one.tenant for one in compared.secrets} | services.declared.federated)
