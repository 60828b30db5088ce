"""Two ways to get a Pulumi engine that is not on the machine: the SDK's own installer, and a build from Go modules.

Each fills an empty folder, or raises StepError.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tools.engine_step import StepError, run

MODULE: Final = Path(__file__).parent / "pulumi_build"
"""Our Go module, which holds only the pinned versions and checksums of the engine's modules."""

REACH_SECONDS: Final = 15.0
DOWNLOAD_SECONDS: Final = 600.0
BUILD_SECONDS: Final = 2400.0

_INSTALLER_URL: Final = "https://get.pulumi.com/install.sh"
"""The first URL of the SDK's installer. It is requested first with a time limit, since the SDK waits without one."""

_REACH: Final = "import sys, urllib.request as u; u.urlopen(u.Request(sys.argv[1], method='HEAD'), timeout=10).close()"
_INSTALL: Final = (
    "import sys; from semver import VersionInfo; from pulumi.automation import PulumiCommand;"
    "PulumiCommand.install(root=sys.argv[1], version=VersionInfo.parse(sys.argv[2]))"
)


def download(folder: Path, version: str, env: Mapping[str, str]) -> Path:
    """Installs the official release by `pulumi.automation.PulumiCommand.install`; returns the executable."""
    try:
        run(
            [sys.executable, "-c", _REACH, _INSTALLER_URL],
            "checking that Pulumi's download can be reached",
            REACH_SECONDS,
            env,
        )
    except StepError as error:
        reason = str(error).splitlines()[-1]
        raise StepError(f"{_INSTALLER_URL} cannot be reached: {reason}") from None
    run([sys.executable, "-c", _INSTALL, str(folder), version], f"downloading Pulumi {version}", DOWNLOAD_SECONDS, env)
    return folder / "bin" / "pulumi"


def build_command(go: str, version: str, target: Path) -> list[str]:
    """The `go build` that makes `target`. It links the version in: providers and SDKs refuse an engine without one."""
    stamp = f"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{version}"
    package = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
    return [
        go,
        "build",
        "-mod=readonly",
        "-buildvcs=false",
        "-ldflags",
        f"-s -w -X {stamp}",
        "-o",
        str(target),
        package,
    ]


def build(folder: Path, version: str, env: Mapping[str, str]) -> Path:
    """Builds the engine from the modules that `tools/pulumi_build` pins; returns the executable."""
    go = shutil.which("go", path=env.get("PATH", os.defpath))
    if go is None:
        raise StepError("no `go` on PATH")
    target = folder / "pulumi"
    # The caller's own flags and workspace would change what is built, or stop it.
    clean = {name: value for name, value in env.items() if name != "GOFLAGS"} | {"GOWORK": "off"}
    run(
        build_command(go, version, target),
        f"building Pulumi {version} from Go modules (1 to 5 minutes, once)",
        BUILD_SECONDS,
        clean,
        cwd=MODULE,
    )
    return target
