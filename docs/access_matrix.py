"""Generates the page about access: the matrix of the shipped cell with the connect page and a tenant without a key, and
the proven claims."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import program
import tenancy
from ops.isolation import Matrix, matrix
from ops.isolation.claims import claims
from ops.isolation.deployment import read
from ops.review.rehearsal import Registered, rehearse
from ops.stacks.order import deploy_order
from tenancy import Cell

_CELL = "local"
_WITHOUT_KEY = "harbor"


@cache
def _shipped() -> tuple[Cell, Sequence[Registered]]:
    """With connect and federation, which are off in the shipped file: nobody may do less with them."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for kind in ("tenants", "cells"):
            shutil.copytree(program.ROOT / kind, root / kind)
        file = root / "cells" / f"{_CELL}.yaml"
        more = "connect: {enabled: true}\nfederation: {enabled: true}\n"
        file.write_text(file.read_text(encoding="utf-8") + more, encoding="utf-8")
        acme = (root / "tenants" / "acme.yaml").read_text(encoding="utf-8")
        without_key = acme.replace("\ntenant: acme", f"\ncredential: federated\ntenant: {_WITHOUT_KEY}")
        (root / "tenants" / f"{_WITHOUT_KEY}.yaml").write_text(without_key, encoding="utf-8")
        fleet = tenancy.load(root)
        cell = fleet.cells[_CELL]
        return cell, [resource for stack in deploy_order(fleet, cell) for resource in rehearse(stack, root)]


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

For the cell `{_CELL}` and its tenants in this repository, with the connect page and a tenant without a key,
`{_WITHOUT_KEY}`, which are off unless the cell's file asks for them: `connect` is the page, `promoter` the function
that stores what customers hand in, a token what AWS gives in the place of a key. Calculated from the
documents that are deployed: identity policies, permissions boundaries, tags and each secret's resource policy. Who may
do what with what was handed in: [decision 41](adr/0041-connect.md).

![Access matrix](access-matrix.svg)

{_matrix().markdown()}
The matrix assumes that a person has every right that an identity policy can give: only the secret's policy denies them.
It shows what Secrets Manager allows. Reading also needs the right to decrypt, so nobody can read more than this.

## What is proven

The matrix shows examples. These claims hold for every possible tenant, principal and tag. A solver proves them in
`make test` and, for the deployed documents, in `make demo` (`isolation-proven`):

{proven}"""
