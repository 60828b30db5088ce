"""The naming scheme that all parts share: tags, slugs, and names derived from cell and tenant.

Leaves out names that need an account or a Region (`aws_names`), and the validation of tenant files (tenancy/). Slugs
hold only ``a-z 0-9 -``, so ``/``, ``.`` and ``_`` separate cell from tenant without ambiguity: no two (cell, tenant)
pairs share a name in AWS or a stack. The names of OpenAI projects and keys separate them by ``-`` and are unique within
a cell, which has its own organization.
"""

from __future__ import annotations

import re

MANAGED_BY = "myflux-keys"

TAG_TENANT = "tenant"
TAG_CELL = "cell"
TAG_MANAGED_BY = "managed-by"
TAG_PROJECT_ID = "myflux:project-id"
TAG_SERVICE_ACCOUNT_ID = "myflux:service-account-id"
TAG_PERMISSION = "myflux:permission"
TAG_MODELS = "myflux:models"
"""The allow-list joined by one space, the default model first. A tag value holds at most 256 characters."""
TAG_EVERY_DAYS = "myflux:every-days"
TAG_OVERLAP_HOURS = "myflux:overlap-hours"
TAG_ORGANIZATION_ID = "myflux:organization-id"
"""On a tenant's secret: its keys are minted in this OpenAI organization, the customer's, with the admin key that they
gave. Without the tag: in the cell's."""
TAG_CONSUMERS = "myflux:consumers"
"""The names of `consumers.CONSUMERS` that use the key, joined by one space; alarms about an old key name them."""

METRICS = "MyFluxKeys"
"""The CloudWatch namespace of the functions' metrics."""

PLATFORM_TENANT = "_platform"
"""The `tenant` tag of resources that a cell's tenants share. It is no slug, so no tenant's session tag equals it."""

SERVICE_ACCOUNT = "myflux-runtime"

TENANT_SLUG = re.compile(r"[a-z][a-z0-9-]{2,31}", re.ASCII)
ORGANIZATION_ID = re.compile(r"org-[A-Za-z0-9-]{1,64}", re.ASCII)
"""An OpenAI organization's id."""
CELL_SLUG = re.compile(r"[a-z][a-z0-9-]{2,19}", re.ASCII)
"""Shorter than a tenant's: the longest name built on it alone must fit IAM's and Lambda's 64 characters."""


def tenant_secrets_prefix(cell: str) -> str:
    """How the name of each tenant's secret begins."""
    return f"myflux/{cell}/"


def admin_secrets_prefix(cell: str) -> str:
    return f"myflux-admin/{cell}/"


def admin_secret(cell: str) -> str:
    """Outside ``myflux/<cell>/``, so that no pattern for tenants' secrets matches it."""
    return f"{admin_secrets_prefix(cell)}openai"


def secret_name(cell: str, tenant: str) -> str:
    """The name of a tenant's secret."""
    return f"{tenant_secrets_prefix(cell)}{tenant}/openai"


def project_name(cell: str, tenant: str) -> str:
    """The tenant's project at OpenAI."""
    return f"myflux-{cell}-{tenant}"


def customer_admin_secret(cell: str, tenant: str) -> str:
    return f"{admin_secrets_prefix(cell)}{tenant}/openai"


_ADMIN_SECRET = re.compile(r"myflux-admin/(?P<cell>[a-z0-9-]+)/(?:(?P<tenant>[a-z0-9-]+)/)?openai", re.ASCII)


def store_admin_key(secret_name: str) -> str:
    """The command that stores an admin key in the secret of that name, the cell's own or a customer's."""
    found = _ADMIN_SECRET.fullmatch(secret_name)
    options = [f"--{kind} {slug}" for kind in ("tenant", "cell") if found and (slug := found[kind])]
    return " ".join(["myflux-keys admin-key set", *options])


def key_name(cell: str, tenant: str, client_request_token: str) -> str:
    return f"myflux-{cell}-{tenant}-{client_request_token}"


def admin_key_name(cell: str, client_request_token: str) -> str:
    """The name of an admin key that a rotation made. The underscore, which no slug has, makes it different from the
    name of any tenant's key and of another cell's admin key."""
    return f"myflux-{cell}_admin-{client_request_token}"
