"""The promoter's code as it is deployed: what its zip holds, its settings, and how it fails."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from functions import packer
from functions.promoter import handler
from functions.promoter.handler import PromoterFailed
from functions.promoter.settings import BUCKET, INTAKE_KEY, LINK_KEY, read_settings
from functions.shared.environment import SettingError

VARIABLES = {
    "MYFLUX_CELL": "local",
    "MYFLUX_ADMIN_SECRET": "myflux-admin/local/openai",
    "OPENAI_BASE_URL": "https://api.openai.com/v1",
    "MYFLUX_ORGANIZATION_ID": "org-local",
    BUCKET: "a-bucket",
    INTAKE_KEY: "arn:aws:kms:us-east-1:000000000000:key/1",
    LINK_KEY: "arn:aws:kms:us-east-1:000000000000:key/2",
}


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 300_000


def test_the_bundle_runs_alone_and_cannot_mint_or_read_an_admin_key(tmp_path: Path) -> None:
    held = {path.as_posix() for path in packer.modules("promoter")}
    assert not [path for path in held if "mint" in path or "admin_key" in path or "/provisioner" in path]
    archive = packer.build("promoter", tmp_path / "promoter.zip")
    with zipfile.ZipFile(archive) as file:
        file.extractall(tmp_path / "task")
    script = "import functions.promoter.handler as h; print(h.__file__)"
    environment = {"PYTHONPATH": str(tmp_path / "task"), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(str(tmp_path / "task"))


@pytest.mark.parametrize("name", [BUCKET, INTAKE_KEY, LINK_KEY])
def test_a_missing_setting_is_named_before_any_call(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings(VARIABLES).bucket == "a-bucket"
    with pytest.raises(SettingError, match=name):
        read_settings(VARIABLES | {name: " "})
    for variable, value in (VARIABLES | {name: ""}).items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(PromoterFailed, match=name) as caught:
        handler.handler({}, Context())
    assert caught.value.__cause__ is None
