"""Which Python a project runs in, and which packages that Python holds.

An option that this host does not implement is refused, so that a program never behaves differently than with the
official host.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from google.protobuf import json_format
from pulumi.runtime.proto import language_pb2

from local.language_host import list_packages

_OFFICIAL: Final = "Pulumi's official language host supports it: install Pulumi and put its folder on PATH"


class UnusableEnvironment(RuntimeError):
    """The project's Python can't be used. The message says why and what to do."""


@dataclass(frozen=True)
class PythonEnvironment:
    """`virtualenv` is None where the project runs in whatever Python is on PATH."""

    python: Path
    virtualenv: Path | None

    def variables(self) -> dict[str, str]:
        """This process's environment with the virtual environment activated."""
        if self.virtualenv is None:
            return dict(os.environ)
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONHOME"}
        path = os.pathsep.join([str(self.virtualenv / "bin"), inherited.get("PATH", os.defpath)])
        return inherited | {"VIRTUAL_ENV": str(self.virtualenv), "PATH": path}

    def ask(self, *arguments: str) -> str:
        """What the environment's Python prints. Raises UnusableEnvironment when it fails."""
        answer = subprocess.run(
            [self.python, *arguments], env=self.variables(), capture_output=True, text=True, check=False
        )
        if answer.returncode:
            raise UnusableEnvironment(f"{self.python} failed: {answer.stderr.strip()}")
        return answer.stdout

    def packages(self) -> list[dict[str, Any]]:
        """`name`, `version`, `requires` and the parsed `pulumi-plugin.json` (`plugin`, or None) of every package."""
        if str(self.python) == sys.executable:
            return list_packages.packages()
        return json.loads(self.ask(list_packages.__file__))


def resolve(info: language_pb2.ProgramInfo, *, must_exist: bool = True) -> PythonEnvironment:
    """The environment that `runtime.options` name. Raises UnusableEnvironment."""
    options: dict[str, Any] = json_format.MessageToDict(info.options)
    virtualenv = options.pop("virtualenv", None)
    toolchain = options.pop("toolchain", "pip")
    if toolchain != "pip":
        raise UnusableEnvironment(f"runtime option `toolchain: {toolchain}`: this host supports only pip. {_OFFICIAL}")
    if options:
        raise UnusableEnvironment(f"runtime options {sorted(options)}: this host does not support them. {_OFFICIAL}")
    if not virtualenv:
        return PythonEnvironment(ambient_python(os.environ), None)
    folder = Path(info.root_directory, virtualenv)
    python = folder / "bin" / "python"
    if must_exist and not python.exists():
        raise UnusableEnvironment(
            f"`virtualenv: {virtualenv}` in {info.root_directory} names {folder}, which has no bin/python. "
            "`pulumi install` creates it"
        )
    return PythonEnvironment(python, folder)


def ambient_python(environment: Mapping[str, str]) -> Path:
    """The Python of a project that names no virtual environment: $PULUMI_PYTHON_CMD, else what PATH has."""
    if wanted := environment.get("PULUMI_PYTHON_CMD"):
        return Path(wanted)
    for name in ("python3", "python"):
        if found := shutil.which(name, path=environment.get("PATH", os.defpath)):
            return Path(found)
    raise UnusableEnvironment("no python3 on PATH: name a virtual environment in `runtime.options.virtualenv`")
