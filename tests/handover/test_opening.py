"""The person's own browser: started where there is a display, and never in the middle of our output."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ops.handover_page import opening

LINK = "http://127.0.0.1:1/#token"
CALL = "import sys; from ops.handover_page import opening; print(opening.opens(sys.argv[1]))"


def run(browser: Path) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return subprocess.run(
        [sys.executable, "-c", CALL, LINK],
        env=clean | {"BROWSER": str(browser)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )


def browser(folder: Path, script: str) -> Path:
    file = folder / "browser"
    file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    file.chmod(stat.S_IRWXU)
    return file


def test_what_the_browser_says_does_not_come_into_our_output(tmp_path: Path) -> None:
    done = run(browser(tmp_path, 'echo "Opening $1 in existing browser session."'))
    assert done.stdout == "True\n"
    assert f"Opening {LINK} in existing" in done.stderr


def test_a_browser_that_fails_is_told_so_that_the_link_is_printed(tmp_path: Path) -> None:
    assert run(browser(tmp_path, "exit 1")).stdout == "False\n"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a display")
def test_without_a_display_no_browser_is_started_in_the_terminal() -> None:
    assert not opening.opens(LINK, {"PATH": os.environ["PATH"]})
