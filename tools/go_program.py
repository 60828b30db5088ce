"""Go programs that the examples need, built once from pinned modules into the cache.

Each is built only if the official one is missing, and never by `make test`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools import engine
from tools.engine_sources import BUILD_SECONDS
from tools.engine_step import StepError, run, writing

_TOOLS: Final = Path(__file__).resolve().parent


@dataclass(frozen=True)
class GoProgram:
    """`module` is the folder with go.mod; `package` what is built in it; `stamp` the variable of its version."""

    name: str
    version: str
    module: Path
    package: str
    stamp: str = ""

    @property
    def linking(self) -> str:
        return f"-s -w -X {self.stamp}=v{self.version}" if self.stamp else "-s -w"


PYTHON_SDK: Final = GoProgram("python_sdk", engine.VERSION, _TOOLS / "pulumi_build", "./python_sdk")
YAML_HOST: Final = GoProgram(
    "pulumi-language-yaml",
    "1.25.0",
    _TOOLS / "pulumi_yaml_build",
    "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml",
    "github.com/pulumi/pulumi-yaml/pkg/version.Version",
)


def ensure(program: GoProgram, environment: Mapping[str, str]) -> Path:
    """The executable; the first build takes minutes, with progress on stderr. Raises StepError with the way out."""
    folder = engine.cache(environment).parent / "go" / f"{program.name}-{program.version}"
    kept = folder / program.name
    if kept.is_file():
        return kept
    go = shutil.which("go", path=environment.get("PATH", os.defpath))
    if go is None:
        raise StepError(
            f"this machine has no {program.name}, and no `go` on PATH to build it: install Pulumi itself, "
            "or Go 1.25 or newer"
        )
    with writing(folder), engine.alone(folder):
        if not kept.is_file():
            with tempfile.TemporaryDirectory(dir=folder, prefix=".unfinished-") as scratch:
                draft = Path(scratch) / program.name
                command = [go, "build", "-mod=readonly", "-buildvcs=false", "-ldflags", program.linking]
                clean = {name: value for name, value in environment.items() if name != "GOFLAGS"} | {"GOWORK": "off"}
                what = f"building {program.name} from Go modules (1 to 3 minutes, once)"
                run([*command, "-o", str(draft), program.package], what, BUILD_SECONDS, clean, cwd=program.module)
                draft.replace(kept)
    return kept
