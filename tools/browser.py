"""A Chromium or Chrome for the tests of pages: found on the machine, or installed once.

Owns the order (PATH, the places of macOS, the cache, Debian's package, npm's package, Playwright's download) and the
look at what was found. Leaves out the installing itself (`tools/browser_sources.py`). Debian's package is the
machine's; the other two are put into ``<cache>/browser/``, under another name until they have told their version.
`tools/engine.py` says where <cache> is.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools import browser_sources, engine
from tools.engine_step import StepError, say, writing

OLDEST: Final = 123
"""The first with the CSS function light-dark(), March 2024."""

NAMES: Final = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser", "chrome")
MACOS: Final = (
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
)

_ANSWER_SECONDS: Final = 60.0


class BrowserError(RuntimeError):
    """There is no browser, and none could be installed. The message has the error of each way, and the ways out."""


@dataclass(frozen=True)
class Browser:
    """`version` is the major one. `source` is ``machine``, ``cache``, ``debian``, ``npm`` or ``download``."""

    executable: Path
    version: int
    source: str

    @property
    def headless(self) -> Path:
        """What to start where neither a window nor a profile is needed: the headless build beside it, if there is one
        of the same version. The browsers of npm and of Playwright's download are such builds themselves."""
        beside = self.executable.with_name(browser_sources.DEBIAN_HEADLESS)
        try:
            return beside if beside.is_file() and version_of(beside) == self.version else self.executable
        except StepError:
            return self.executable


def cache(environment: Mapping[str, str]) -> Path:
    return engine.cache(environment).parent / "browser"


def version_of(executable: Path) -> int:
    """The major version that the browser tells. Raises StepError if it does not start, or is too old."""
    try:
        answer = subprocess.run(
            [executable, "--version"], capture_output=True, text=True, timeout=_ANSWER_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StepError(f"{executable} cannot be run: {error}") from None
    found = re.search(r"Chrom\w+\D* (\d+)\.\d+\.\d+", answer.stdout)
    if answer.returncode or found is None:
        # Ubuntu's `chromium-browser` is a script that asks for a snap.
        said = (answer.stderr.strip() or answer.stdout.strip() or "nothing").splitlines()[-1]
        raise StepError(f"`{executable} --version` told no version: {said}")
    if int(found[1]) < OLDEST:
        raise StepError(f"{executable} is version {found[1]}, older than {OLDEST}")
    return int(found[1])


def on_machine(path: str, also: tuple[Path, ...] = MACOS) -> Browser:
    """The first browser on `path`, or in `also`, that does. Raises StepError, with each that does not."""
    named = [Path(found) for name in NAMES if (found := shutil.which(name, path=path))]
    faults: list[str] = []
    for executable in (*named, *(each for each in also if each.is_file())):
        try:
            return Browser(executable, version_of(executable), "machine")
        except StepError as error:
            faults.append(str(error))
    raise StepError("\n".join(faults) or f"no {', '.join(NAMES[:-1])} or {NAMES[-1]} on PATH")


def cached(folder: Path) -> Browser | None:
    """The browser in `folder`. It told its version before it was put there; the machine may have changed since."""
    for link in sorted(folder.glob("*/browser")):
        try:
            return Browser(link, version_of(link), "cache")
        except StepError:
            continue
    return None


def ensure(environment: Mapping[str, str]) -> Browser:
    """A browser, installed when needed: a minute the first time, with progress on stderr. Raises BrowserError."""
    failures: dict[str, str] = {}
    folder = cache(environment)
    try:
        return on_machine(environment.get("PATH", os.defpath))
    except StepError as error:
        failures["on this machine"] = str(error)
    if kept := cached(folder):
        return kept
    try:
        with writing(folder), engine.alone(folder, "browser"):
            return _installed(folder, failures, environment)
    except StepError as error:
        raise BrowserError(str(error)) from None


def _installed(folder: Path, failures: dict[str, str], environment: Mapping[str, str]) -> Browser:
    # Another process may have installed it while this one waited.
    try:
        return on_machine(environment.get("PATH", os.defpath))
    except StepError:
        if kept := cached(folder):
            return kept
    for source, get in (
        ("debian", lambda: _debian(environment)),
        ("npm", lambda: _into(folder, "npm", browser_sources.npm, environment)),
        ("download", lambda: _into(folder, "download", browser_sources.download, environment)),
    ):
        try:
            return get()
        except StepError as error:
            failures[source] = str(error)
    raise BrowserError(_explain(failures, folder))


def _debian(environment: Mapping[str, str]) -> Browser:
    executable = browser_sources.debian(environment)
    return Browser(executable, version_of(executable), "debian")


def _into(
    folder: Path, source: str, fetch: Callable[[Path, Mapping[str, str]], Path], environment: Mapping[str, str]
) -> Browser:
    with tempfile.TemporaryDirectory(dir=folder, prefix=".unfinished-") as scratch:
        draft = Path(scratch) / source
        draft.mkdir()
        made = fetch(draft, environment)
        version = version_of(made)
        # A relative link, so that it still holds after the folder is renamed.
        (draft / "browser").symlink_to(made.relative_to(draft))
        final = folder / source
        if final.exists():
            # It holds no usable browser, or `cached` would have returned it.
            shutil.rmtree(final)
        draft.rename(final)
        return Browser(final / "browser", version, source)


def _explain(failures: Mapping[str, str], folder: Path) -> str:
    names = {"debian": "Debian's package", "npm": "npm's package", "download": "Playwright's download"}
    tried = "\n".join(f"  - {names.get(way, way)}: " + text.replace("\n", "\n      ") for way, text in failures.items())
    return f"""this machine has no Chromium or Chrome {OLDEST} or newer, and none could be installed:
{tried}
Any one of these helps:
  1. install Chromium or Chrome yourself and put `chromium` or `google-chrome` on PATH;
  2. on Debian, run `make browser` as root;
  3. on Linux on x86_64, put npm and node on PATH, then run `make browser` again;
  4. allow HTTPS from this machine to cdn.playwright.dev, then run `make browser` again.
Cache: {folder}; $MYFLUX_CACHE sets another folder. Tests that need no browser: `make test BROWSER=none`."""


def main() -> int:
    argparse.ArgumentParser(
        prog="python -m tools.browser",
        description=f"Prints the path of a Chromium or Chrome, version {OLDEST} or newer. Uses the one on this "
        "machine, or the one in the cache, or installs Debian's package (as root), or npm's, or Playwright's download. "
        "Shows progress on stderr. Exit code 1 if there is none.",
        epilog="$MYFLUX_CACHE sets the cache's folder.",
    ).parse_args()
    try:
        browser = ensure(os.environ)
    except BrowserError as error:
        say(str(error), "browser")
        return 1
    sys.stdout.write(f"{browser.executable}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
