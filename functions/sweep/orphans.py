"""Which of the cell's secrets have no OpenAI project, and which projects have no secret: a pure decision.

Owns the kinds of orphans and the rules. Leaves out listing both (`gather_cell.py`). Every rule starts from the union
of the two lists: one list never shows what is missing in it. Nothing here revokes a key (docs/adr/0032).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from functions.sweep.tenants import ListedSecret
from myflux_keys import names
from myflux_keys.payload import iso

Kind = Literal["SecretDeleted", "SecretMissing", "SecretMistagged", "ProjectMissing", "FederationLeft"]
"""`SecretDeleted`: its deletion is scheduled, but its keys are valid. `SecretMissing`: OpenAI has the tenant's project,
but no secret names it. `SecretMistagged`: its tags do not match its name. `ProjectMissing`: the project in its tags is
archived or missing. `FederationLeft`: a rule that no tenant should have as it is (`rules.py`). Each is a metric,
an alarm and a section of the runbook, with the same name."""
KINDS: Final[tuple[Kind, ...]] = (
    "SecretDeleted",
    "SecretMissing",
    "SecretMistagged",
    "ProjectMissing",
    "FederationLeft",
)

SETTLING_SECONDS: Final = 900
"""The secret of a younger project may still be being created, or not yet listed: ListSecrets may lag five minutes."""


@dataclass(frozen=True)
class Project:
    """A project that is not archived. `created_at` is Unix seconds by OpenAI's clock. `admin_secret` holds the admin
    key of its organization; None for the cell's own."""

    id: str
    name: str
    created_at: float
    admin_secret: str | None = None


@dataclass(frozen=True)
class Orphan:
    """`tenant` is a slug, or the name of a secret that is no tenant's. `deletion` is AWS's date, in Unix seconds.
    `keys` are the ids of the valid keys in `project_id`; None: they were not listed."""

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
    cell: str,
    secrets: Iterable[ListedSecret],
    projects: Iterable[Project] | None,
    now: float,
    federated: Collection[str] = (),
) -> list[Orphan]:
    """Orphans by secrets and projects only, without their keys. `projects` None: OpenAI did not answer, so only tags
    are checked. `federated`: tenants that need no secret, so that theirs may be gone or going."""
    listed = list(secrets)
    secrets = [secret for secret in listed if not _admin(secret, cell)]
    mistagged = [secret for secret in secrets if secret.deletion is None and _is_mistagged(secret, cell)]
    if projects is None:
        return [_mistagged(secret, cell, None) for secret in mistagged]
    admin_secrets = {secret.name for secret in listed if _admin(secret, cell) and secret.deletion is None}
    both = _SecretsAndProjects(cell, secrets, list(projects), admin_secrets, federated)
    found = [_mistagged(secret, cell, both.project_of(secret)) for secret in mistagged]
    for secret in secrets:
        if secret.tenant is None or secret in mistagged:
            continue
        found += both.deleted(secret) if secret.deletion is not None else both.not_deleted(secret)
    return sorted([*found, *both.unnamed(found, now)], key=lambda orphan: (orphan.tenant, orphan.kind))


def is_orphan(suspect: Orphan, declared: Collection[str] = ()) -> bool:
    """Needs the list of its keys: a deleted secret without a valid key is what off-boarding leaves, and so is a project
    without secret and key what a disabled tenant without a key has. `declared`: tenants' slugs."""
    if suspect.kind == "SecretDeleted" or (suspect.kind == "SecretMissing" and suspect.tenant in declared):
        return suspect.keys is None or bool(suspect.keys)
    return True


def _admin(secret: ListedSecret, cell: str) -> bool:
    """The secret of an admin key, the cell's or a customer's: it has our tags, and is no tenant's."""
    return secret.name.startswith(names.admin_secrets_prefix(cell))


def _is_mistagged(secret: ListedSecret, cell: str) -> bool:
    """Any other name with the cell's prefix, without our tags, is not ours."""
    misfits = secret.misfits(cell)
    return bool(misfits) if secret.tenant else not misfits.keys() & {names.TAG_CELL, names.TAG_MANAGED_BY}


def _mistagged(secret: ListedSecret, cell: str, project: Project | None) -> Orphan:
    misfits = ", ".join(
        f"no tag {tag}" if value is None else f"tag {tag}={value}" for tag, value in secret.misfits(cell).items()
    )
    reason = (
        f"its secret {secret.name} has {misfits}: rotation and sweep look for its tags, and skip it"
        if secret.tenant
        else f"{secret.name} has the tags of cell {cell}, but its name is not a tenant's: no command uses it"
    )
    return Orphan(
        secret.tenant or secret.name,
        "SecretMistagged",
        reason,
        secret.name,
        project.id if project else None,
        project.admin_secret if project else None,
    )


@dataclass(frozen=True)
class _SecretsAndProjects:
    cell: str
    secrets: list[ListedSecret]
    projects: list[Project]
    admin_secrets: set[str]
    federated: Collection[str]

    def deleted(self, secret: ListedSecret) -> Iterator[Orphan]:
        project = self.project_of(secret)
        if project is not None and secret.tenant not in self.federated:
            reason = f"deletion of its secret {secret.name} is scheduled, but its project {project.id} is not archived"
            yield Orphan(
                secret.tenant or "",
                "SecretDeleted",
                reason,
                secret.name,
                project.id,
                project.admin_secret,
                secret.deletion,
            )

    def not_deleted(self, secret: ListedSecret) -> Iterator[Orphan]:
        """For a secret whose tags match its name."""
        tenant, named = secret.tenant or "", secret.tags.get(names.TAG_PROJECT_ID)
        if secret.tags.get(names.TAG_ORGANIZATION_ID):
            return
        if named is None and (project := self._called(tenant)):
            reason = f"its secret names no project, but OpenAI has {project.name} ({project.id})"
            yield Orphan(tenant, "SecretMistagged", reason, secret.name, project.id)
        elif named is not None and all(project.id != named for project in self.projects):
            reason = f"its secret names project {named}, which is archived or does not exist: its keys are invalid"
            yield Orphan(tenant, "ProjectMissing", reason, secret.name, named, keys=())

    def unnamed(self, found: Iterable[Orphan], now: float) -> Iterator[Orphan]:
        """Projects named like ours that no secret and no other orphan names."""
        known = {secret.tags.get(names.TAG_PROJECT_ID) for secret in self.secrets}
        known |= {orphan.project_id for orphan in found}
        for project in self.projects:
            tenant = tenant_of(project.name, self.cell)
            if (
                tenant is None
                or tenant in self.federated
                or project.id in known
                or project.created_at > now - SETTLING_SECONDS
            ):
                continue
            has = next((secret for secret in self.secrets if secret.tenant == tenant), None)
            reason = f"OpenAI has project {project.name} ({project.id}), but " + (
                f"the secret {has.name} names another one" if has else "there is no secret of that tenant"
            )
            yield Orphan(tenant, "SecretMissing", reason, has.name if has else None, project.id, project.admin_secret)

    def project_of(self, secret: ListedSecret) -> Project | None:
        """The project that its tag names, else the one with its tenant's project name. In a customer's organization
        the tag is not checked: their projects are not listed while the tenant has a secret. There it is None if the
        admin key that they gave is deleted too, as after an off-boarding.
        """
        named = secret.tags.get(names.TAG_PROJECT_ID)
        if secret.tenant and secret.tags.get(names.TAG_ORGANIZATION_ID):
            admin_secret = names.customer_admin_secret(self.cell, secret.tenant)
            return Project(named, "", 0, admin_secret) if named and admin_secret in self.admin_secrets else None
        by_id = next((project for project in self.projects if project.id == named), None)
        return by_id or (self._called(secret.tenant) if secret.tenant else None)

    def _called(self, tenant: str) -> Project | None:
        return next((project for project in self.projects if tenant_of(project.name, self.cell) == tenant), None)


def tenant_of(project: str, cell: str) -> str | None:
    """By the name of a project, or of a federation rule."""
    start = names.project_name(cell, "")
    slug = project.removeprefix(start)
    return slug if project.startswith(start) and names.TENANT_SLUG.fullmatch(slug) else None
