"""Whom a cycle watches: the tenants that are declared, have a secret or an identity, and the organizations of their
keys and tokens. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from functions.sweep.tenants import ListedSecret
from myflux_keys import names
from myflux_keys.declaration import Declaration
from myflux_keys.identity import TenantIdentity


@dataclass(frozen=True)
class Organization:
    """One whose costs we may read. `projects`: tenants' project ids. `admin_secrets`: of the admin keys that a customer
    gave, one a tenant, any of which may be used; empty for the cell's own organization."""

    id: str
    projects: Mapping[str, str]
    admin_secrets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Roster:
    declared: Mapping[str, Declaration]
    secrets: Mapping[str, ListedSecret]
    identities: Mapping[str, TenantIdentity] = field(default_factory=dict[str, TenantIdentity])

    @property
    def tenants(self) -> list[str]:
        """Sorted. A secret in its deletion window without a declaration is what off-boarding leaves."""
        live = {slug for slug, one in self.secrets.items() if one.deletion is None}
        return sorted(self.declared.keys() | live | self.identities.keys())

    def project_of(self, tenant: str) -> str | None:
        if (identity := self.identities.get(tenant)) is not None:
            return identity.project_id
        one = self.secrets.get(tenant)
        return None if one is None or one.secret is None else one.tags.get(names.TAG_PROJECT_ID)

    def organization_of(self, tenant: str, cells_own: str) -> str | None:
        """None for a customer's key of which no organization is known."""
        declared, secret = self.declared.get(tenant), self.secrets.get(tenant)
        if secret is not None and (theirs := secret.tags.get(names.TAG_ORGANIZATION_ID)):
            return theirs
        if declared is not None and declared.source == "customer":
            return declared.organization_id
        return cells_own

    def organizations(self, cell: str, cells_own: str) -> list[Organization]:
        """The cell's own first. Tenants of one customer's organization are asked for together."""
        ours: dict[str, str] = {}
        theirs: dict[str, dict[str, str]] = {}
        for tenant in self.tenants:
            project = self.project_of(tenant)
            if project is None:
                continue
            secret = self.secrets.get(tenant)
            organization = None if secret is None else secret.tags.get(names.TAG_ORGANIZATION_ID)
            if organization:
                theirs.setdefault(organization, {})[tenant] = project
            else:
                ours[tenant] = project
        own = [Organization(cells_own, ours)] if ours else []
        return own + [
            Organization(one, projects, tuple(names.customer_admin_secret(cell, tenant) for tenant in projects))
            for one, projects in theirs.items()
        ]


def roster(
    declared: Mapping[str, Declaration], listed: list[ListedSecret], identities: Mapping[str, TenantIdentity]
) -> Roster:
    return Roster(declared, {one.tenant: one for one in listed if one.tenant is not None}, identities)
