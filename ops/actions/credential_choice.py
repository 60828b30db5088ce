"""Which of the four credentials a new tenant had best have, and the reason in one sentence: docs/credentials.md.

Owns the advice. Leaves out what may be combined, which `tenancy` checks, and asking.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, cast

import tenancy
from myflux_keys.consumers import PASTED
from myflux_keys.payload import CUSTOMER
from tenancy import Fleet, TenancyError, Tenant
from tenancy.federation import most_tenants

Kind = Literal["key", "customers-organization", "brought", "federated"]

NAMES: Final[Mapping[Kind, str]] = {
    "key": "a key",
    "customers-organization": "a key in the customer's organization",
    "brought": "a key that the customer brings",
    "federated": "no key (`credential: federated`)",
}
_NO_FLEET: Final = Fleet({}, {})


@dataclass(frozen=True)
class Advice:
    """`why` goes on after "since"."""

    kind: Kind
    why: str


def advice(fields: Mapping[str, Any], root: Path) -> Advice:
    """For the tenant of these fields, finished or not. `root` holds cells/ and tenants/."""
    return advise(fields, _read(root))


def advise(fields: Mapping[str, Any], fleet: Fleet) -> Advice:
    """Pure."""
    kind = kind_of(fields)
    if kind == "customers-organization":
        return Advice(kind, "the customer gives an admin key: OpenAI bills them, and keys rotate all the same.")
    if kind == "brought":
        return Advice(kind, "the customer gives one key: OpenAI bills them, and only they can replace it.")
    cell = fleet.cells.get(str(fields.get("cell")))
    if cell is None or not cell.federation.enabled:
        return Advice("key", "the cell has no `federation: {enabled: true}`, without which each tenant needs one.")
    consumers: Any = fields.get("consumers") or {}
    pasted = [name for name in PASTED if consumers.get(name)]
    if pasted:
        return Advice("key", f"a person pastes it for {' and '.join(pasted)}.")
    if fields.get("isolation") == "dedicated":
        return Advice("key", "`isolation: dedicated` encrypts a key, and without one there is nothing to encrypt.")
    organization = cell.openai.organization_id
    sharing = [one for one in fleet.cells.values() if one.openai.organization_id == organization]
    federated = Counter(tenant.cell for one in sharing for tenant in fleet.tenants_of(one) if tenant.has_identity)
    taken, most = federated[cell.cell], most_tenants(cell.cell, federated)
    if taken >= most:
        return Advice("key", f"its cell has {taken:,} federated tenants, and OpenAI's limits leave it {most:,}.")
    return Advice("federated", "nothing is stored that could leak or must be rotated.")


def kind_of(fields: Mapping[str, Any]) -> Kind:
    if fields.get("source") == CUSTOMER:
        return "customers-organization" if fields.get("organization_id") else "brought"
    return "federated" if fields.get("credential") == "federated" else "key"


def sentence(tenant: Tenant, given: Advice) -> str:
    kind = kind_of(tenant.model_dump())
    if kind == given.kind:
        return f"Credential: {NAMES[kind]}, since {given.why}"
    return f"Credential: {NAMES[kind]}. Recommended is {NAMES[given.kind]}, since {given.why}"


def _read(root: Path) -> Fleet:
    """All that can be read: another tenant's invalid file must not stop a new one."""
    everything, cells_alone = None, cast("tuple[str, ...]", ())
    for only in (everything, cells_alone):
        try:
            return tenancy.load(root, only=only)
        except TenancyError:
            continue
    return _NO_FLEET
