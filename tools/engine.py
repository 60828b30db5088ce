"""Pulumi's engine for this repository: found on PATH, or installed once into a cache outside it.

Owns the order (PATH, cache, the SDK's installer, a build from Go modules), the cache and its safety. Leaves out the
installing itself (`tools/engine_sources.py`). The cache is ``<cache>/engine/<version>/``, where <cache> is
$MYFLUX_CACHE, or $XDG_CACHE_HOME/myflux-keys, or ~/.cache/myflux-keys. An engine there is complete and tested: it is
made under another name, its version is read, then it is renamed. A lock stops a second caller from doing it too.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools import engine_sources
from tools.engine_step import StepError, say, writing

VERSION: Final = "3.250.0"
"""Installed when none is found, and the oldest that is accepted. The Python SDK and tools/pulumi_build pin the same."""

_ANSWER_SECONDS: Final = 60.0


class EngineError(RuntimeError):
    """There is no engine, and none could be installed. The message has the error of each way, and the ways out."""


@dataclass(frozen=True)
class Engine:
    """`source` is ``path``, ``cache``, ``download`` or ``build``."""

    pulumi: Path
    version: str
    source: str

    @property
    def folder(self) -> Path:
        return self.pulumi.parent


def cache(environment: Mapping[str, str]) -> Path:
    """The folder of engines, by version."""
    if environment.get("MYFLUX_CACHE"):
        return Path(environment["MYFLUX_CACHE"]) / "engine"
    base = environment.get("XDG_CACHE_HOME") or Path(environment.get("HOME") or Path.home()) / ".cache"
    return Path(base) / "myflux-keys" / "engine"


def version_of(pulumi: Path | str) -> str:
    """The output of `pulumi version`, without the leading v. Raises StepError if it is not a version."""
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        answer = subprocess.run(
            [pulumi, "version"], env=environment, capture_output=True, text=True, timeout=_ANSWER_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StepError(f"{pulumi} cannot be run: {error}") from None
    words = answer.stdout.strip()
    if answer.returncode or not re.fullmatch(r"v?\d+\.\d+\.\d+\S*", words):
        said = (words or answer.stderr.strip() or "nothing").splitlines()[0]
        raise StepError(f"`{pulumi} version` printed no version: {said}")
    return words.removeprefix("v")


def new_enough(version: str) -> bool:
    def numbers(text: str) -> tuple[int, ...]:
        return tuple(int(part) for part in re.findall(r"\d+", text)[:3])

    # 3.250.0-alpha.1 comes before 3.250.0.
    return numbers(version) > numbers(VERSION) or (numbers(version) == numbers(VERSION) and "-" not in version)


def on_path(path: str) -> Engine:
    """The engine on `path`. Raises StepError when there is none or it is too old."""
    found = shutil.which("pulumi", path=path)
    if found is None:
        raise StepError("no `pulumi` on PATH")
    version = version_of(found)
    if not new_enough(version):
        raise StepError(f"{found} is version {version}, older than {VERSION}")
    return Engine(Path(found), version, "path")


def cached(folder: Path) -> Engine | None:
    """The engine in `folder`. It was tested before it was put there, so it is not run again."""
    for pulumi in (folder / VERSION / "bin" / "pulumi", folder / VERSION / "pulumi"):
        if os.access(pulumi, os.X_OK) and pulumi.is_file():
            return Engine(pulumi, VERSION, "cache")
    return None


def version_if_cached(pulumi: Path, environment: Mapping[str, str]) -> str | None:
    """The version of `pulumi`, which may be a link, where it is the engine of the cache; None for any other."""
    kept = cached(cache(environment))
    return kept.version if kept and kept.pulumi.resolve() == pulumi.resolve() else None


def locate(environment: Mapping[str, str]) -> Engine | None:
    """The engine that `ensure` would return without installing anything; None when there is none."""
    try:
        return on_path(environment.get("PATH", os.defpath))
    except StepError:
        return cached(cache(environment))


def ensure(environment: Mapping[str, str]) -> Engine:
    """An engine, installed when needed: minutes the first time, with progress on stderr. Raises EngineError."""
    failures: dict[str, str] = {}
    try:
        return on_path(environment.get("PATH", os.defpath))
    except StepError as error:
        failures["PATH"] = str(error)
    folder = cache(environment)
    if kept := cached(folder):
        return kept
    try:
        with writing(folder):
            return _alone_installed(folder, failures, environment)
    except StepError as error:
        raise EngineError(str(error)) from None


def _alone_installed(folder: Path, failures: dict[str, str], environment: Mapping[str, str]) -> Engine:
    with alone(folder):
        if kept := cached(folder):
            return kept
        for source, fetch in (("download", engine_sources.download), ("build", engine_sources.build)):
            try:
                return _install(folder, source, fetch, environment)
            except StepError as error:
                failures[source] = str(error)
                say(f"{source} failed: {failures[source].splitlines()[0]}")
    raise EngineError(_explain(failures, folder))


def _install(
    folder: Path, source: str, fetch: Callable[[Path, str, Mapping[str, str]], Path], environment: Mapping[str, str]
) -> Engine:
    with tempfile.TemporaryDirectory(dir=folder, prefix=".unfinished-") as scratch:
        draft = Path(scratch) / VERSION
        draft.mkdir()
        made = fetch(draft, VERSION, environment)
        version = version_of(made)
        if version != VERSION:
            raise StepError(f"it installed version {version} instead of {VERSION}")
        final = folder / VERSION
        if final.exists():
            # It holds no usable `pulumi`, or `cached` would have returned it.
            shutil.rmtree(final)
        draft.rename(final)
        return Engine(final / made.relative_to(draft), version, source)


@contextmanager
def alone(folder: Path, thing: str = "engine") -> Generator[None]:
    """Waits for another process that installs into `folder`, and keeps others waiting."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another process is installing into {folder}; waiting for it", thing)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _explain(failures: Mapping[str, str], folder: Path) -> str:
    def indented(text: str) -> str:
        return text.replace("\n", "\n      ")

    return f"""this machine has no Pulumi engine {VERSION} or newer, and none could be installed:
  - on PATH: {indented(failures["PATH"])}
  - download by Pulumi's SDK: {indented(failures["download"])}
  - build from Go modules: {indented(failures["build"])}
Any one of these helps:
  1. install Pulumi {VERSION} or newer yourself and put `pulumi` on PATH;
  2. allow HTTPS from this machine to get.pulumi.com, then run `make engine` again;
  3. put Go 1.25 or newer on PATH, with a Go module proxy ($GOPROXY), then run `make engine` again.
Cache: {folder}; $MYFLUX_CACHE sets another folder. Tests that need no engine: `make test ENGINE=none`."""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.engine",
        description=f"Prints the folder of a Pulumi engine, version {VERSION} or newer. Uses the one on PATH, or the "
        "one in the cache, or downloads it with Pulumi's SDK, or builds it from Go modules. "
        "Shows progress on stderr. Exit code 1 if there is none.",
        epilog='Example: export PATH="$(python -m tools.engine):$PATH". $MYFLUX_CACHE sets the cache\'s folder.',
    )
    parser.add_argument("--json", action="store_true", help="print pulumi, folder, version, source, seconds as JSON")
    arguments = parser.parse_args()
    start = time.monotonic()
    try:
        engine = ensure(os.environ)
    except EngineError as error:
        say(str(error))
        return 1
    if arguments.json:
        report = {
            "pulumi": str(engine.pulumi),
            "folder": str(engine.folder),
            "version": engine.version,
            "source": engine.source,
            "seconds": round(time.monotonic() - start, 1),
        }
        sys.stdout.write(json.dumps(report) + "\n")
    else:
        sys.stdout.write(f"{engine.folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
