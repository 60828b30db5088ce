"""What one side has and another has not, between the cell's secrets and OpenAI's projects: a pure decision.

Owns the kinds of orphans and the rules. Leaves out gathering both sides (`gather_cell.py`). Every rule starts from the
union of the sides: a list of one side never shows what is missing in it. Nothing here ends a key (docs/adr/0032).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from functions.rotation.version import iso
from functions.sweep.tenants import ListedSecret
from myflux_keys import names

Kind = Literal["SecretDeleted", "SecretMissing", "SecretMistagged", "ProjectMissing"]
"""`SecretDeleted`: its deletion is scheduled, and its keys live. `SecretMissing`: OpenAI has the tenant's project, and
no secret names it. `SecretMistagged`: its tags do not fit its name, and nothing finds it by them. `ProjectMissing`: the
project that it names is archived or gone. Each is a metric, an alarm and a section of the runbook, of one name."""
KINDS: Final[tuple[Kind, ...]] = ("SecretDeleted", "SecretMissing", "SecretMistagged", "ProjectMissing")

SETTLING_SECONDS: Final = 900
"""A project so young may be one whose secret is being made, or is not listed yet: ListSecrets may lag five minutes."""


@dataclass(frozen=True)
class Project:
    """A project that is not archived. `created_at` is Unix seconds by OpenAI's clock. `admin_secret` is where the admin
    key of its organization lies; None for the cell's own."""

    id: str
    name: str
    created_at: float
    admin_secret: str | None = None


@dataclass(frozen=True)
class Orphan:
    """`tenant` is a slug, or the name of a secret that is no tenant's. `deletion` is AWS's date, in Unix seconds.
    `keys` are the ids of the living keys in `project_id`; None: they were not looked at."""

    tenant: str
    kind: Kind
    reason: str
    secret: str | None = None
    project_id: str | None = None
    admin_secret: str | None = None
    deletion: float | None = None
    keys: tuple[str, ...] | None = None

    def shown(self) -> dict[str, Any]:
        """For the answer and the log: names, ids and times in ISO 8601."""
        return {
            "tenant": self.tenant,
            "kind": self.kind,
            "reason": self.reason,
            "secret": self.secret,
            "project_id": self.project_id,
            "deletion": None if self.deletion is None else iso(int(self.deletion)),
            "keys": None if self.keys is None else list(self.keys),
        }


def suspects(
    cell: str, secrets: Iterable[ListedSecret], projects: Iterable[Project] | None, now: float
) -> list[Orphan]:
    """Orphans by secrets and projects alone, their keys not looked at. `projects` None: OpenAI could not be asked, and
    nothing is told that would need its answer."""
    listed = list(secrets)
    secrets = [secret for secret in listed if not _admin(secret, cell)]
    told = [secret for secret in secrets if secret.deletion is None and _is_mistagged(secret, cell)]
    if projects is None:
        return [_mistagged(secret, cell, None) for secret in told]
    admin_secrets = {secret.name for secret in listed if _admin(secret, cell) and secret.deletion is None}
    sides = _Sides(cell, secrets, list(projects), admin_secrets)
    found = [_mistagged(secret, cell, sides.project_of(secret)) for secret in told]
    for secret in secrets:
        if secret.tenant is None or secret in told:
            continue
        found += sides.deleted(secret) if secret.deletion is not None else sides.standing(secret)
    return sorted([*found, *sides.unnamed(found, now)], key=lambda orphan: (orphan.tenant, orphan.kind))


def is_orphan(suspect: Orphan) -> bool:
    """Once its keys were looked at. A deleted secret without any living key is what off-boarding leaves."""
    return suspect.kind != "SecretDeleted" or suspect.keys is None or bool(suspect.keys)


def _admin(secret: ListedSecret, cell: str) -> bool:
    """The place of an admin key, the cell's or a customer's: tagged as ours, and no tenant's."""
    return secret.name.startswith(names.admin_secrets_prefix(cell))


def _is_mistagged(secret: ListedSecret, cell: str) -> bool:
    """Another name of the cell's prefix, without our tags, is nobody's that we know of."""
    misfits = secret.misfits(cell)
    return bool(misfits) if secret.tenant else not misfits.keys() & {names.TAG_CELL, names.TAG_MANAGED_BY}


def _mistagged(secret: ListedSecret, cell: str, project: Project | None) -> Orphan:
    misfits = ", ".join(
        f"no tag {tag}" if value is None else f"tag {tag}={value}" for tag, value in secret.misfits(cell).items()
    )
    reason = (
        f"its secret {secret.name} has {misfits}: rotation and sweep find it by its tags, and pass it over"
        if secret.tenant
        else f"{secret.name} carries the tags of cell {cell}, and its name is no tenant's: no command works on it"
    )
    return Orphan(
        secret.tenant or secret.name, "SecretMistagged", reason, secret.name, project.id if project else None,
        project.admin_secret if project else None,
    )  # fmt: skip


@dataclass(frozen=True)
class _Sides:
    cell: str
    secrets: list[ListedSecret]
    projects: list[Project]
    admin_secrets: set[str]

    def deleted(self, secret: ListedSecret) -> Iterator[Orphan]:
        project = self.project_of(secret)
        if project is not None:
            reason = f"deletion of its secret {secret.name} is scheduled, and its project {project.id} is not archived"
            yield Orphan(
                secret.tenant or "", "SecretDeleted", reason, secret.name, project.id, project.admin_secret,
                secret.deletion,
            )  # fmt: skip

    def standing(self, secret: ListedSecret) -> Iterator[Orphan]:
        """Of a secret whose tags fit."""
        tenant, named = secret.tenant or "", secret.tags.get(names.TAG_PROJECT_ID)
        if secret.tags.get(names.TAG_ORGANIZATION_ID):
            return
        if named is None and (project := self._called(tenant)):
            reason = f"its secret names no project, and OpenAI has {project.name} ({project.id})"
            yield Orphan(tenant, "SecretMistagged", reason, secret.name, project.id)
        elif named is not None and all(project.id != named for project in self.projects):
            reason = f"its secret names project {named}, which OpenAI has archived or does not know: its keys are dead"
            yield Orphan(tenant, "ProjectMissing", reason, secret.name, named, keys=())

    def unnamed(self, found: Iterable[Orphan], now: float) -> Iterator[Orphan]:
        """Projects called as ours are that no secret leads to and no other orphan is about."""
        known = {secret.tags.get(names.TAG_PROJECT_ID) for secret in self.secrets}
        known |= {orphan.project_id for orphan in found}
        for project in self.projects:
            tenant = _tenant_of(project.name, self.cell)
            if tenant is None or project.id in known or project.created_at > now - SETTLING_SECONDS:
                continue
            has = next((secret for secret in self.secrets if secret.tenant == tenant), None)
            reason = f"OpenAI has project {project.name} ({project.id}), and " + (
                f"the secret {has.name} names another one" if has else "there is no secret of that tenant"
            )
            yield Orphan(tenant, "SecretMissing", reason, has.name if has else None, project.id, project.admin_secret)

    def project_of(self, secret: ListedSecret) -> Project | None:
        """The one that its tag names, else the one that is called as its tenant's. In a customer's organization the tag
        is believed: their projects are not listed as long as the tenant has a secret. None there once the admin key
        that they gave is gone too, as after an off-boarding: nobody is left to ask.
        """
        named = secret.tags.get(names.TAG_PROJECT_ID)
        if secret.tenant and secret.tags.get(names.TAG_ORGANIZATION_ID):
            admin_secret = names.customer_admin_secret(self.cell, secret.tenant)
            return Project(named, "", 0, admin_secret) if named and admin_secret in self.admin_secrets else None
        by_id = next((project for project in self.projects if project.id == named), None)
        return by_id or (self._called(secret.tenant) if secret.tenant else None)

    def _called(self, tenant: str) -> Project | None:
        return next((project for project in self.projects if _tenant_of(project.name, self.cell) == tenant), None)


def _tenant_of(project: str, cell: str) -> str | None:
    start = names.project_name(cell, "")
    slug = project.removeprefix(start)
    return slug if project.startswith(start) and names.TENANT_SLUG.fullmatch(slug) else None
