"""The Python SDK of a local component package: written, and made part of a project's requirements."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools import go_program
from tools.engine_step import StepError


def write(directory: Path, schema: str, loader: str, extra: Mapping[str, bytes]) -> None:
    """Fills `directory`. Raises StepError with what the generator said."""
    generator = go_program.ensure(go_program.PYTHON_SDK, os.environ)
    answer = subprocess.run([generator, directory, loader], input=schema, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise StepError(f"the SDK could not be written: {answer.stderr.strip()}")
    for name, content in extra.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def link(requirements: Path, paths: Sequence[str]) -> None:
    """Adds each path that isn't there yet, as pip reads it: relative to where the engine installs from."""
    lines = requirements.read_text(encoding="utf-8").splitlines() if requirements.exists() else []
    present = {line.strip().removeprefix("./") for line in lines}
    missing = [path for path in paths if path.removeprefix("./") not in present]
    if missing:
        requirements.write_text("\n".join([*lines, *missing, ""]), encoding="utf-8")
