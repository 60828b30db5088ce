"""Stores an admin key or a customer's key, and starts an admin key's rotation, each with the cell's AWS account.

Leaves out the checks and the write (`admin_key.py`, `customer_key.py`) and the prompt (`read`): it is called last,
after every check that needs no key.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import tenancy
from myflux_keys.payload import SecretText
from ops.account import Account
from ops.actions import admin_key, customer_key
from ops.selection import cells, files_of, one_tenant
from tenancy import Tenant
from tenancy.address import openai_base_url


@dataclass(frozen=True)
class StoredAdminKey:
    cell: str
    stored: admin_key.Stored


@dataclass(frozen=True)
class Rotation:
    """A rotation of a cell's admin key, to `version` of `secret`."""

    secret: str
    version: str


def store_admin_key(
    root: Path, cell: str | None, tenant: str | None, local_openai_url: str | None, read: Callable[[], str]
) -> StoredAdminKey:
    """`tenant`: the tenant whose customer gave the admin key; `cell` is then the cell that it moves to, or None. `read`
    returns the key.

    Raises OperationError, TenancyError and AddressError.
    """
    fleet = tenancy.load(root)
    customer = one_tenant(fleet, tenant) if tenant is not None else None
    (chosen,) = cells(fleet, cell or (customer.cell if customer else None))
    base_url = openai_base_url(chosen, local_openai_url)
    with Account(chosen, "admin-key-set") as account:
        account.check()
        admin_key.place_of(chosen, customer)
        key = SecretText(read().strip())
        return StoredAdminKey(chosen.cell, admin_key.store(chosen, key, base_url, account.secrets, customer))


def rotate_admin_key(root: Path, cell: str, *, wait: bool, report: Callable[[str], None]) -> Rotation:
    """`wait` returns once the new key is live. Raises OperationError."""
    (chosen,) = cells(tenancy.load(root), cell)
    secret = chosen.names.admin_secret
    with Account(chosen, "admin-key-rotate") as account:
        account.check()
        version = admin_key.rotate(chosen, account.secrets)
        if wait:
            report(f"Secrets Manager rotates {secret} to version {version} ...")
            admin_key.wait(chosen, account.secrets, version)
    return Rotation(secret, version)


def admin_key_rotation(root: Path, cell: str) -> list[str]:
    """The steps of `rotate_admin_key` in words, after its own checks. Changes nothing. Raises OperationError."""
    (chosen,) = cells(tenancy.load(root), cell)
    with Account(chosen, "admin-key-rotate") as account:
        account.check()
        version = admin_key.live_version(chosen, account.secrets)
    return [
        f"rotate {chosen.names.admin_secret}: {chosen.names.admin_rotation_function} makes a new admin key at OpenAI, "
        "proves it, and makes it live",
        f"delete the admin key of version {version} at OpenAI a day later, unless it is still used then",
    ]


def store_customer_key(
    root: Path, slug: str, local_openai_url: str | None, read: Callable[[Tenant], str]
) -> customer_key.Stored:
    """`read` returns the tenant's key. Raises OperationError, TenancyError and AddressError."""
    fleet = files_of(root, [slug])
    tenant = one_tenant(fleet, slug)
    cell = fleet.cell_of(tenant)
    customer_key.secret_of(cell, tenant)
    base_url = openai_base_url(cell, local_openai_url)
    with Account(cell, "key-set") as account:
        account.check()
        key = SecretText(read(tenant).strip())
        return customer_key.store(cell, tenant, key, base_url, account.secrets)


def customer_key_statuses(root: Path, slugs: Sequence[str]) -> dict[str, customer_key.KeyStatus]:
    """By tenant; with no `slugs`, of every tenant that uses the customer's own key. Raises OperationError."""
    fleet = tenancy.load(root)
    chosen = (
        [one_tenant(fleet, slug) for slug in dict.fromkeys(slugs)]
        if slugs
        else sorted((t for t in fleet.tenants.values() if not t.minted), key=lambda t: t.tenant)
    )
    found: dict[str, customer_key.KeyStatus] = {}
    for tenant in chosen:
        cell = fleet.cell_of(tenant)
        customer_key.secret_of(cell, tenant)
        with Account(cell, "key-status") as account:
            account.check()
            found[tenant.tenant] = customer_key.key_status(cell, tenant, account.secrets)
    return found
