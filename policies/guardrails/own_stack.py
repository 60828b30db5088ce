"""A tenant's stack holds that tenant's resources, and no other tenant's.

Owns the comparison of a stack's name, `<tenant>.<cell>`, with its resources. Leaves out whether each is right for its
tenant (`secrets`, `tenant_file`). A stack of another program has any name, so of it only that its secrets are of one
cell is checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from . import ownership
from .config import Config
from .model import UNKNOWN, Finding, Resource, Rule, Stack, violation
from .outside_types import CHANGERS

_STACK: Final = re.compile(r"urn:pulumi:(?P<tenant>[a-z][a-z0-9-]{2,31})\.(?P<cell>[a-z][a-z0-9-]{2,19})::.*", re.ASCII)
_CUSTOMERS: Final = re.compile(r"myflux-admin/(?P<cell>[a-z][a-z0-9-]+)/(?P<tenant>[a-z][a-z0-9-]+)/openai", re.ASCII)
_OF_A_SECRET: Final = {
    ownership.RESOURCE_POLICY: "secretArn",
    ownership.ROTATION: "secretId",
    ownership.VERSION: "secretId",
    **{one.type: one.path[0] for one in CHANGERS if one.of == ownership.A_SECRET},
}


def _one_tenant(stack: Stack, _: Config) -> Iterator[Finding]:
    cells: set[str] = set()
    for resource in stack:
        whose = _whose(stack, resource)
        if whose is None:
            continue
        if own := _STACK.fullmatch(resource.urn):
            if whose != ownership.Place(own["cell"], own["tenant"]):
                message = f"it is of {_called(whose)}, and the stack is of tenant {own['tenant']} of cell {own['cell']}"
                yield violation(resource, "", message)
        elif resource.type == ownership.A_SECRET:
            cells.add(whose.cell)
            if len(cells) > 1:
                yield violation(resource, "", "the stack has secrets of another cell too")


def _called(whose: ownership.Place) -> str:
    return f"cell {whose.cell}" if whose.admin else f"tenant {whose.tenant} of cell {whose.cell}"


def _whose(stack: Stack, resource: Resource) -> ownership.Place | None:
    """None for what is not ours, or whose tenant nothing says."""
    if resource.type == ownership.A_SECRET:
        return _of_secret(resource.text("name"))
    if resource.type in _OF_A_SECRET:
        secret = ownership.secret_behind(stack, resource, _OF_A_SECRET[resource.type])
        return _of_secret(secret.text("name") if isinstance(secret, Resource) else secret or "")
    if resource.type == ownership.INVOCATION:
        return _of_project(resource)
    if resource.type == ownership.OBJECT:
        return ownership.declared_place(resource)
    if resource.type == ownership.KEY and ownership.is_ours(resource):
        tenant, cell = resource.text("tags", "tenant"), resource.text("tags", "cell")
        return ownership.Place(cell, tenant) if tenant and cell else None
    if resource.type == ownership.ROLE and (role := ownership.role_of(resource.text("name"))):
        return ownership.Place(role.cell, role.tenant or ownership.PLATFORM)
    return None


def _of_secret(name: str) -> ownership.Place | None:
    if found := _CUSTOMERS.fullmatch(name):
        return ownership.Place(found["cell"], found["tenant"])
    return ownership.place_of(name)


def _of_project(call: Resource) -> ownership.Place | None:
    if call.get("input") is UNKNOWN:
        return None
    asked = ownership.request(call)
    if not str(asked.get("project", "")).startswith("myflux-"):
        return None
    return ownership.Place(str(asked.get("cell")), str(asked.get("tenant")))


OWN_STACK_RULES: Final = (
    Rule(
        name="stack-of-one-tenant",
        severity="high",
        level="mandatory",
        description="The stack `<tenant>.<cell>` holds secrets, roles, KMS keys and projects of that tenant only; no "
        "stack holds secrets of two cells.",
        rationale="Whoever may deploy one tenant's stack changes another tenant's secret, policy or rotation, and the "
        "other tenant's own stack does not show it.",
        fix="Remove it here: each tenant's file is deployed by the stack of its own name.",
        source="https://www.pulumi.com/docs/iac/concepts/stacks/",
        check=_one_tenant,
    ),
)
