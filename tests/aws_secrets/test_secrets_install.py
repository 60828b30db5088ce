"""Installing the rules on a MiniStack of another shape fails, and says so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def install(before: str) -> subprocess.CompletedProcess[str]:
    """Runs ``install()`` in a process of its own, after `before` has changed MiniStack."""
    program = f"""
import ministack.app
from ministack.services import eventbridge, kms, lambda_svc, secretsmanager
{before}
from local.aws import secrets
secrets.install()
print("installed")
"""
    return subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=180)


def test_the_pinned_version_is_what_is_expected() -> None:
    found = install("")
    assert found.stdout == "installed\n", found.stderr


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("del secretsmanager._sync_replicas", "_sync_replicas"),
        ("secretsmanager._rotate_secret = lambda data, extra: None", "_rotate_secret"),
        ("secretsmanager.handle_request = lambda scope: None", "handle_request"),
        ("lambda_svc._get_func_record_for_ref_in_scope = lambda ref: None", "_get_func_record_for_ref_in_scope"),
        ("eventbridge._dispatch_event = None", "_dispatch_event"),
        ("del kms._check_key_state", "_check_key_state"),
        ("import importlib.metadata as m; m.version = lambda name: '1.6.0'", "1.6.0"),
    ],
)
def test_another_shape_fails_and_names_what_differs(change: str, named: str) -> None:
    found = install(change)
    assert found.returncode != 0
    assert "UnexpectedShape" in found.stderr
    assert named in found.stderr
