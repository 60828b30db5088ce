"""Generates the page about access: the matrix of the shipped cell, and the proven claims."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import program
import tenancy
from ops.isolation import Matrix, matrix
from ops.isolation.claims import claims
from ops.isolation.deployment import read
from ops.review.rehearsal import Registered, rehearse
from ops.stacks.order import deploy_order
from tenancy import Cell

_CELL = "local"


@cache
def _shipped() -> tuple[Cell, Sequence[Registered]]:
    fleet = tenancy.load(program.ROOT)
    cell = fleet.cells[_CELL]
    return cell, [resource for stack in deploy_order(fleet, cell) for resource in rehearse(stack)]


@cache
def _matrix() -> Matrix:
    cell, resources = _shipped()
    return matrix(resources, cell)


def picture() -> str:
    return _matrix().svg()


def page() -> str:
    cell, resources = _shipped()
    proven = "".join(f"- `{claim.name}`: {claim.text}\n" for claim in claims(read(resources), cell))
    return f"""# Who may do what with which secret

For the cell `{_CELL}` and its tenants in this repository. Calculated from the documents that are deployed: identity
policies, permissions boundaries, tags and each secret's resource policy.

![Access matrix](access-matrix.svg)

{_matrix().markdown()}
The matrix assumes that a person has every right that an identity policy can give: only the secret's policy denies them.
It shows what Secrets Manager allows. Reading also needs the right to decrypt, so nobody can read more than this.

## What is proven

The matrix shows examples. These claims hold for every possible tenant, principal and tag. A solver proves them in
`make test` and, for the deployed documents, in `make demo` (`isolation-proven`):

{proven}"""
