"""The shipped stacks in a cell whose file has federation, with tenants that have no key, or are on the way."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import tenancy
from policies.guardrails.model import Resource
from program import ROOT
from tenancy import Cell, Tenant
from tests.policies.rehearsed import stack

FEDERATED, SWITCHING = "harbor", "quayside"
KEYLESS = ("local", "acme.local", f"{FEDERATED}.local", f"{SWITCHING}.local")


@cache
def keyless(name: str, deployed: bool = True) -> tuple[Resource, ...]:
    with federated() as root:
        return stack(name, deployed, root)


@cache
def cell_with_federation() -> Cell:
    with federated() as root:
        return tenancy.load(root).cells["local"]


@cache
def tenants_with_federation() -> tuple[Tenant, ...]:
    with federated() as root:
        return tenancy.load(root).tenants_of("local")


@contextmanager
def federated() -> Generator[Path]:
    """The files that ship, with federation, a tenant without a key, and one that is switching to none."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for kind in ("tenants", "cells"):
            shutil.copytree(ROOT / kind, root / kind)
        cell = root / "cells" / "local.yaml"
        cell.write_text(cell.read_text(encoding="utf-8") + "federation: {enabled: true}\n", encoding="utf-8")
        acme = (root / "tenants" / "acme.yaml").read_text(encoding="utf-8")
        for slug, more in ((FEDERATED, ""), (SWITCHING, "switching_from: key\n")):
            text = acme.replace("\ntenant: acme", f"\n{more}credential: federated\ntenant: {slug}")
            (root / "tenants" / f"{slug}.yaml").write_text(text, encoding="utf-8")
        yield root
