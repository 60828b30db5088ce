"""A report that asks nothing of Pulumi does not load its SDK: a third of a second of each `status`."""

from __future__ import annotations

import subprocess
import sys

from tests.cli.conftest import ROOT

REPORTS = ("status", "sweep", "history", "capacity", "verify", "usage")


def test_the_reports_do_not_load_pulumi() -> None:
    code = f"""
import sys
from importlib import import_module
from ops.cli.commands import PLACES
for report in {REPORTS}:
    import_module(PLACES[report].partition(":")[0])
print(sorted(name for name in sys.modules if name.partition(".")[0] in ("pulumi", "pulumi_aws")))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
