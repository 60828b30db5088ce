"""The shipped stacks in a cell whose file names a pipeline."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Literal

import tenancy
from policies.guardrails.model import Resource
from program import ROOT
from tenancy import Cell
from tests.policies.rehearsed import stack

Mode = Literal["tenants", "everything"]
MODES: tuple[Mode, ...] = ("tenants", "everything")
PIPELINE = """state:
  bucket: myflux-state-local
  kms_key: arn:aws:kms:us-east-1:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab
pipeline:
  github: {{repository: myflux/keys, environment: local}}
  deploys: {deploys}
"""


def of_a_pipeline(file: str, mode: Mode) -> str:
    """The text of a cell's file with a pipeline. One that deploys everything makes no role for people: that is
    refused."""
    kept = file if mode == "tenants" else re.sub(r"(?m)^handover:.*\n", "", file)
    return kept + PIPELINE.format(deploys=mode)


@cache
def with_a_pipeline(name: str, mode: Mode, deployed: bool = True) -> tuple[Resource, ...]:
    with _fleet(mode) as root:
        return stack(name, deployed, root)


@cache
def cell_with_a_pipeline(mode: Mode) -> Cell:
    with _fleet(mode) as root:
        return tenancy.load(root).cells["local"]


@contextmanager
def _fleet(mode: Mode) -> Generator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("tenants", "cells"):
            shutil.copytree(ROOT / kind, Path(folder, kind))
        cell = Path(folder, "cells", "local.yaml")
        cell.write_text(of_a_pipeline(cell.read_text(encoding="utf-8"), mode), encoding="utf-8")
        yield Path(folder)
