"""The page function's zip: all that the page is made of, and nothing that reaches a secret or mints a key."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

from functions import packer


def test_the_zip_starts_by_itself_and_has_the_page(tmp_path: Path) -> None:
    """From the zip alone, as Lambda unpacks it, with the packages of its runtime."""
    zipped = packer.build("connect", tmp_path / "connect.zip")
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(tmp_path / "task")
    starts = "import functions.connect.handler as h; print(h.of_page('', body=True)['statusCode'], h.__file__)"

    done = subprocess.run(
        [sys.executable, "-c", starts],
        cwd=tmp_path / "task",
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path / "task")},
        capture_output=True,
        text=True,
        check=True,
    )

    status, where = done.stdout.split()
    assert status == "200"
    assert Path(where).is_relative_to(tmp_path / "task")


def test_the_zip_holds_no_code_of_secrets_and_none_that_mints() -> None:
    names = {path.as_posix() for path in packer.modules("connect")}

    assert {"functions/connect/page/page.html", "functions/connect/page/es.json"} <= names
    assert not [name for name in names if "secrets" in name or "mint" in name]


def test_another_functions_zip_has_nothing_of_the_page() -> None:
    assert not [path for path in packer.modules("health") if "connect" in path.parts]
