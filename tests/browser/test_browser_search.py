"""Where the browser comes from, with stand-ins for `chromium`, `apt-get` and `npm`."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tools import browser, browser_sources
from tools.browser import OLDEST, Browser, BrowserError
from tools.engine_step import StepError

DOWNLOAD = browser_sources.download
REPOSITORY = Path(__file__).resolve().parents[2]


def executable(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def chrome(path: Path, answer: str = "Google Chrome 156.0.8078.114 ") -> Path:
    return executable(path, f"echo '{answer}'")


def refused(folder: Path, environment: object) -> Path:
    """In place of Playwright's download, which tries five times."""
    raise StepError("refused")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A machine without a browser, npm or network, which is not Debian. ``bin`` is its PATH, ``cache`` its cache."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setattr(browser, "MACOS", ())
    monkeypatch.setattr(browser_sources, "_OS_RELEASE", tmp_path / "os-release")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(browser_sources, "download", refused)
    environment = {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path), "MYFLUX_CACHE": str(tmp_path / "cache")}
    return environment | {"PLAYWRIGHT_DOWNLOAD_HOST": "http://127.0.0.1:1"}


@pytest.mark.parametrize(
    ("told", "version"),
    [
        ("Chromium 156.0.8078.114 built on Debian GNU/Linux 12 (bookworm)", 156),
        ("Google Chrome 140.0.7339.80 ", 140),
        ("Google Chrome for Testing 159.0.8154.6", 159),
        ("HeadlessChrome 153.0.1.2", 153),
        (f"Chromium {OLDEST}.0.1.2", OLDEST),
    ],
)
def test_the_version_is_read_from_what_each_build_tells(tmp_path: Path, told: str, version: int) -> None:
    assert browser.version_of(chrome(tmp_path / "chromium", told)) == version


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo Chromium 99.0.4844.51", f"is version 99, older than {OLDEST}"),
        ("echo 'requires the chromium snap to be installed' >&2; exit 1", "requires the chromium snap"),
        ("echo hello", "told no version: hello"),
    ],
)
def test_a_browser_that_does_not_do_gives_way_to_the_next(
    tmp_path: Path, machine: dict[str, str], script: str, reason: str
) -> None:
    executable(tmp_path / "bin" / "chromium", script)
    with pytest.raises(StepError, match=reason):
        browser.on_machine(machine["PATH"])
    good = chrome(tmp_path / "bin" / "google-chrome")
    assert browser.ensure(machine) == Browser(good, 156, "machine")


def test_chrome_is_found_where_macos_has_it(tmp_path: Path, machine: dict[str, str]) -> None:
    good = chrome(tmp_path / "Google Chrome.app" / "Google Chrome")
    assert browser.on_machine(machine["PATH"], (tmp_path / "none", good)).executable == good


def test_the_cache_serves_when_the_machine_has_none(tmp_path: Path, machine: dict[str, str]) -> None:
    kept = chrome(tmp_path / "cache" / "browser" / "npm" / "browser")
    assert browser.ensure(machine) == Browser(kept, 156, "cache")
    executable(kept, "exit 127")
    with pytest.raises(BrowserError):
        browser.ensure(machine)


def test_on_debian_root_installs_the_package(
    tmp_path: Path, machine: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "os-release").write_text('NAME="Debian GNU/Linux"\nID=debian\n', encoding="utf-8")
    executable(tmp_path / "bin" / "apt-get", f'echo "$DEBIAN_FRONTEND $*" >> {tmp_path}/calls')
    monkeypatch.setattr(browser_sources, "_DEBIAN_EXECUTABLE", chrome(tmp_path / "usr" / "chromium"))
    assert browser.ensure(machine) == Browser(tmp_path / "usr" / "chromium", 156, "debian")
    assert (tmp_path / "calls").read_text(encoding="utf-8").splitlines() == [
        "noninteractive update --quiet",
        "noninteractive install --quiet --yes --no-install-recommends chromium fonts-liberation",
        "noninteractive install --quiet --yes --no-install-recommends chromium-headless-shell",
    ]
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(BrowserError, match="only root can install Debian's package"):
        browser.ensure(machine)


def test_a_debian_without_the_headless_build_gets_the_browser_all_the_same(
    tmp_path: Path, machine: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "os-release").write_text("ID=debian\n", encoding="utf-8")
    executable(tmp_path / "bin" / "apt-get", 'case "$*" in *chromium-headless-shell) exit 100;; esac')
    monkeypatch.setattr(browser_sources, "_DEBIAN_EXECUTABLE", chrome(tmp_path / "usr" / "chromium"))
    assert browser.ensure(machine).headless == tmp_path / "usr" / "chromium"


@pytest.mark.parametrize(
    ("beside", "taken"),
    [
        ("echo Chromium 156.0.8078.114", "chromium-headless-shell"),
        ("echo Chromium 150.0.1.2", "chromium"),
        ("exit 127", "chromium"),
    ],
)
def test_without_windows_the_headless_build_of_the_same_version_is_taken(
    tmp_path: Path, machine: dict[str, str], beside: str, taken: str
) -> None:
    chrome(tmp_path / "bin" / "chromium", "Chromium 156.0.8078.114 built on Debian")
    executable(tmp_path / "bin" / "chromium-headless-shell", beside)
    assert browser.ensure(machine).headless == tmp_path / "bin" / taken


def test_a_package_of_npm_that_is_not_the_pinned_one_is_refused(tmp_path: Path, machine: dict[str, str]) -> None:
    for name in ("npm", "node"):
        executable(tmp_path / "bin" / name, "echo other > other.tgz")
    with pytest.raises(BrowserError, match=r"is not the one that was pinned: its SHA-512 is \S+==, not jiGWqSv"):
        browser.ensure(machine)
    left = [path.name for path in (tmp_path / "cache" / "browser").iterdir()]
    assert left == [".lock"], "half a browser in the cache would be taken for one next time"


def test_two_at_once_install_once(tmp_path: Path, machine: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Path] = []

    def install(folder: Path, environment: object) -> Path:
        calls.append(folder)
        return chrome(folder / "chromium")

    monkeypatch.setattr(browser_sources, "npm", install)
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(browser.ensure, [machine, machine]))
    assert len(calls) == 1
    assert sorted(each.source for each in made) == ["cache", "npm"]
    assert {each.executable for each in made} == {tmp_path / "cache" / "browser" / "npm" / "browser"}


def test_when_nothing_works_the_error_says_what_was_tried_and_the_ways_out(
    machine: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser_sources, "download", DOWNLOAD)
    with pytest.raises(BrowserError) as refusal:
        browser.ensure(machine)
    text = str(refusal.value)
    for tried in ("no chromium, google-chrome", "this is not Debian", "no `npm` on PATH", "Failed to install browsers"):
        assert tried in text
    for way in ("1. install Chromium", "2. on Debian", "3. on Linux", "4. allow HTTPS", "make test BROWSER=none"):
        assert way in text


def test_a_cache_that_cannot_be_written_is_told_with_the_variable(machine: dict[str, str]) -> None:
    with pytest.raises(BrowserError, match=r"/proc/nope.* set \$MYFLUX_CACHE to another folder"):
        browser.ensure(machine | {"MYFLUX_CACHE": "/proc/nope"})


def test_the_command_prints_the_path_and_nothing_else(tmp_path: Path, machine: dict[str, str]) -> None:
    found = chrome(tmp_path / "bin" / "chromium")
    answer = subprocess.run(
        [sys.executable, "-m", "tools.browser"],
        env=machine,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout == f"{found}\n"
