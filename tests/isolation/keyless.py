"""The files that ship, in a cell with federation, with two tenants more: without a key, and on the way to that."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from program import ROOT

FEDERATED, SWITCHING = "harbor", "quayside"
STACKS = ("local", "acme.local", f"{FEDERATED}.local", f"{SWITCHING}.local")


@contextmanager
def federated() -> Generator[Path]:
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
