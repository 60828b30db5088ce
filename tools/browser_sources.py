"""Three ways to get a Chromium that is not on the machine: Debian's package, npm's package, Playwright's download.

Each returns the executable, or raises StepError.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import platform
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from tools.engine_step import StepError, run

NPM_PACKAGE: Final = "@sparticuz/chromium"
NPM_VERSION: Final = "153.0.0"
NPM_INTEGRITY: Final = "jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA=="
"""SHA-512 of the package, in npm's form. npm compares it with what its registry says at the time, this with our pin."""

DEBIAN_HEADLESS: Final = "chromium-headless-shell"
"""The same Chromium without windows and profiles, as package and as command: it takes two fifths of the CPU time."""

_APT_SECONDS: Final = 600.0
_NPM_SECONDS: Final = 300.0
_DOWNLOAD_SECONDS: Final = 600.0
_OS_RELEASE: Final = Path("/etc/os-release")
# Without a font, every letter is an empty box.
_DEBIAN_PACKAGES: Final = ("chromium", "fonts-liberation")
_DEBIAN_EXECUTABLE: Final = Path("/usr/bin/chromium")
_UNPACK: Final = (
    "const fs = require('fs'), zlib = require('zlib'), [from, to] = process.argv.slice(1);"
    "fs.writeFileSync(to, zlib.brotliDecompressSync(fs.readFileSync(from)))"
)
_WRAPPER: Final = """#!/bin/sh
# The libraries and the font beside it: a machine without a desktop has none.
here=$(dirname "$(readlink -f "$0")")
LD_LIBRARY_PATH="$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" FONTCONFIG_PATH="$here" exec "$here/headless" "$@"
"""
_FONTS: Final = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir prefix="relative">fonts</dir><dir>/usr/share/fonts</dir></fontconfig>
"""


def debian(env: Mapping[str, str]) -> Path:
    """Debian's `chromium`, installed for the whole machine. Only as root, and only on Debian: Ubuntu's is a snap."""
    if os.geteuid() != 0:
        raise StepError("only root can install Debian's package")
    release = _OS_RELEASE.read_text(encoding="utf-8").splitlines() if _OS_RELEASE.is_file() else []
    if "ID=debian" not in release:
        raise StepError("this is not Debian")
    apt = shutil.which("apt-get", path=env.get("PATH", os.defpath))
    if apt is None:
        raise StepError("no `apt-get` on PATH")
    quiet = {**env, "DEBIAN_FRONTEND": "noninteractive"}
    _run([apt, "update", "--quiet"], "reading Debian's list of packages", _APT_SECONDS, quiet)
    install = [apt, "install", "--quiet", "--yes", "--no-install-recommends"]
    about = "installing Debian's chromium (about a minute, once)"
    _run([*install, *_DEBIAN_PACKAGES], about, _APT_SECONDS, quiet)
    # An older Debian has none, and the other one does the same in more time.
    with suppress(StepError):
        _run([*install, DEBIAN_HEADLESS], "installing its headless build", _APT_SECONDS, quiet)
    return _DEBIAN_EXECUTABLE


def npm(folder: Path, env: Mapping[str, str]) -> Path:
    """The headless build inside npm's `@sparticuz/chromium`, with the libraries and the font that it brings along."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise StepError(f"{NPM_PACKAGE} has a browser for Linux on x86_64 alone")
    tools = {name: shutil.which(name, path=env.get("PATH", os.defpath)) for name in ("npm", "node")}
    if missing := [name for name, path in tools.items() if path is None]:
        raise StepError(f"no `{missing[0]}` on PATH")
    package = f"{NPM_PACKAGE}@{NPM_VERSION}"
    _run([str(tools["npm"]), "pack", "--silent", package], f"downloading {package}", _NPM_SECONDS, env, cwd=folder)
    (archive,) = folder.glob("*.tgz")
    found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if found != NPM_INTEGRITY:
        raise StepError(f"{package} is not the one that was pinned: its SHA-512 is {found}, not {NPM_INTEGRITY}")
    _extract(archive, folder, env)
    packed = folder / "package" / "bin"
    for source, target in (("chromium.br", "headless"), ("al2023.tar.br", "lib.tar"), ("fonts.tar.br", "fonts.tar")):
        unpack = [str(tools["node"]), "-e", _UNPACK, str(packed / source), str(folder / target)]
        _run(unpack, f"unpacking {source}", _NPM_SECONDS, env)
    for inner in ("lib.tar", "fonts.tar"):
        _extract(folder / inner, folder, env)
        (folder / inner).unlink()
    archive.unlink()
    shutil.rmtree(folder / "package")
    (folder / "fonts.conf").write_text(_FONTS, encoding="utf-8")
    wrapper = folder / "chromium"
    wrapper.write_text(_WRAPPER, encoding="utf-8")
    for executable in (folder / "headless", wrapper):
        executable.chmod(0o755)
    return wrapper


def download(folder: Path, env: Mapping[str, str]) -> Path:
    """Playwright's own download of its headless Chromium."""
    own = {**env, "PLAYWRIGHT_BROWSERS_PATH": str(folder)}
    command = [sys.executable, "-m", "playwright", "install", "chromium-headless-shell"]
    _run(command, "downloading Chromium with Playwright", _DOWNLOAD_SECONDS, own)
    names = ("chrome-headless-shell", "headless_shell")
    found = [path for name in names for path in folder.glob(f"*/*/{name}") if os.access(path, os.X_OK)]
    if not found:
        there = json.dumps(sorted(path.name for path in folder.iterdir()))
        raise StepError(f"`playwright install` ended well and left no browser, only {there}")
    return found[0]


def _run(command: list[str], what: str, limit: float, env: Mapping[str, str], cwd: Path | None = None) -> None:
    run(command, what, limit, env, cwd, thing="browser")


def _extract(archive: Path, folder: Path, env: Mapping[str, str]) -> None:
    _run(["tar", "-xf", str(archive), "-C", str(folder)], f"unpacking {archive.name}", _NPM_SECONDS, env)
