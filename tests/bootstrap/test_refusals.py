"""What stops a bootstrap: the lock that a killed engine left, and what AWS refuses."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

import tenancy
from ops import journal
from ops.account import Account
from ops.actions.run_bootstrap import Places, in_words
from ops.errors import OperationError
from ops.stacks import backend
from ops.stacks.engine import OperationFailed
from tests.program.rig import ROOT

DIES = """
import os, sys
from pathlib import Path
sys.path.insert(0, os.getcwd())
from ops.stacks import lock_holder
lock_holder.begin(Path(sys.argv[1]), "local")
os._exit(9)
"""


def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    monkeypatch.setenv("MYFLUX_STATE", str(tmp_path))
    monkeypatch.setattr(Places, "kept", "folder")
    return Places(tenancy.load(ROOT, only="").cells["local"], ROOT, cast(Account, SimpleNamespace()))


def locked_by(found: Places, pid: int) -> Path:
    folder = found.folder / ".pulumi" / "locks" / "organization" / backend.BOOTSTRAP / "local"
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "pid": pid,
        "username": "ops",
        "hostname": socket.gethostname(),
        "timestamp": datetime.fromtimestamp(time.time(), UTC).isoformat(),
    }
    path = folder / f"{pid}.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_the_lock_of_a_killed_run_goes_and_that_of_an_engine_that_still_works_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = places(tmp_path, monkeypatch)
    folder = journal.folder(found.cell)
    with subprocess.Popen([sys.executable, "-c", DIES, str(folder)], cwd=ROOT) as dead:
        dead.wait()
    left, held = locked_by(found, dead.pid), locked_by(found, os.getpid())
    with suppress(KeyError), found.at_work():
        assert not left.exists()
        assert held.exists()
        raise KeyError
    assert list((folder / "at-work").iterdir()), "the next run must know it too"
    with found.at_work():
        pass
    assert not list((folder / "at-work").iterdir())


def test_a_lock_without_a_killed_run_of_this_machine_is_not_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = places(tmp_path, monkeypatch)
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        dead.wait()
    lock = locked_by(found, dead.pid)
    with found.at_work():
        assert lock.exists()


def test_a_locked_stack_is_told_with_the_way_to_unlock_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = places(tmp_path, monkeypatch)
    failure = OperationFailed("local", "up", "x", tmp_path, "the stack is currently locked by 1 lock(s).")
    with pytest.raises(OperationError, match="pulumi cancel --yes --stack local"), in_words(found.cell):
        raise failure


def test_a_changed_boundary_is_left_to_an_administrator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = places(tmp_path, monkeypatch)
    for action, way_out in (
        ("CreatePolicyVersion", "an administrator must run it"),
        ("CreateRole", "--policy` prints"),
    ):
        failure = OperationFailed("local", "up", f"AccessDenied: not authorized to perform: iam:{action}", tmp_path)
        with pytest.raises(OperationError, match=way_out), in_words(found.cell):
            raise failure
