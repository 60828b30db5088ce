"""The shipped stacks in a cell whose file asks for the connect page."""

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
from tenancy import Cell
from tests.policies.rehearsed import stack


@cache
def with_a_page(name: str, deployed: bool = True) -> tuple[Resource, ...]:
    with connected() as root:
        return stack(name, deployed, root)


@cache
def cell_with_a_page() -> Cell:
    with connected() as root:
        return tenancy.load(root).cells["local"]


@contextmanager
def connected() -> Generator[Path]:
    """The files that ship, with connect."""
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("tenants", "cells"):
            shutil.copytree(ROOT / kind, Path(folder, kind))
        cell = Path(folder, "cells", "local.yaml")
        cell.write_text(cell.read_text(encoding="utf-8") + "connect: {enabled: true}\n", encoding="utf-8")
        yield Path(folder)
