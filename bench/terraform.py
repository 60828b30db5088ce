"""The peer: Terraform with the real AWS provider, every tenant in one state, on the same emulator as ours.

Owns the search for both on this machine, and a working folder with a given number of tenants. Leaves out the
comparison. Nothing is downloaded: the provider is taken from MYFLUX_BENCH_TERRAFORM_PLUGINS, from the mirrors in the
CLI configuration, or from Terraform's own plugin folders. Otherwise the peer is not available, and the reason is
reported.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

PROVIDER: Final = "5.100.0"
PLUGINS: Final = "MYFLUX_BENCH_TERRAFORM_PLUGINS"
"""The path of a filesystem mirror, in the layout that `terraform providers mirror` writes."""

PROGRAM: Final = Path(__file__).with_name("peer.tf")

_MIRROR: Final = re.compile(r"""^\s*(?:path|plugin_cache_dir)\s*=\s*"([^"]+)\"""", re.MULTILINE)
_LIMIT_SECONDS: Final = 600


class NotThere(Exception):
    """Terraform or its provider is not on this machine. The message names which, and how to install it."""


@dataclass(frozen=True)
class Terraform:
    command: str
    version: str
    plugins: Path

    def __str__(self) -> str:
        return f"Terraform {self.version}, AWS provider {PROVIDER}"


def find(environment: Mapping[str, str]) -> Terraform:
    """Finds Terraform and the provider. Raises NotThere."""
    command = shutil.which("terraform", path=environment.get("PATH", os.defpath))
    if command is None:
        raise NotThere("no terraform on PATH")
    folders = list(places(environment))
    plugins = next((place for place in folders if holds_provider(place)), None)
    if plugins is None:
        raise NotThere(
            f"terraform is there, its AWS provider {PROVIDER} is in none of {len(folders)} plugin folders: "
            f"name a filesystem mirror in {PLUGINS}"
        )
    answer = subprocess.run([command, "version", "-json"], capture_output=True, text=True, check=False, timeout=60)
    if answer.returncode:
        raise NotThere(f"`terraform version` failed: {answer.stderr.strip()}")
    return Terraform(command, json.loads(answer.stdout)["terraform_version"], plugins)


def places(environment: Mapping[str, str]) -> Iterator[Path]:
    """Folders that may contain plugins, in order of precedence."""
    if environment.get(PLUGINS):
        yield Path(environment[PLUGINS])
    home = Path(environment.get("HOME") or Path.home())
    configuration = Path(environment.get("TF_CLI_CONFIG_FILE") or home / ".terraformrc")
    if configuration.is_file():
        yield from (Path(found).expanduser() for found in _MIRROR.findall(configuration.read_text(encoding="utf-8")))
    if environment.get("TF_PLUGIN_CACHE_DIR"):
        yield Path(environment["TF_PLUGIN_CACHE_DIR"])
    # https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories
    yield home / ".terraform.d" / "plugins"
    yield Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share") / "terraform" / "plugins"
    yield Path("/usr/local/share/terraform/plugins")
    yield Path("/usr/share/terraform/plugins")


def holds_provider(folder: Path) -> bool:
    """Whether `folder` has the provider for this machine, unpacked or as a zip, from any registry."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    target = f"{platform.system().lower()}_{machine}"
    patterns = (
        f"*/hashicorp/aws/{PROVIDER}/{target}/terraform-provider-aws*",
        f"*/hashicorp/aws/terraform-provider-aws_{PROVIDER}_{target}.zip",
    )
    return any(next(folder.glob(pattern), None) is not None for pattern in patterns)


class Workspace:
    """A working folder with `count` tenants: each has a secret, its policy, a value and its rotation (`peer.tf`)."""

    def __init__(self, terraform: Terraform, folder: Path, environment: Mapping[str, str], settings: Mapping[str, Any]):
        folder.mkdir(parents=True)
        self._terraform = terraform
        self._folder = folder
        self._environment = {
            **{name: value for name, value in environment.items() if not name.startswith("TF_")},
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
        }
        shutil.copy(PROGRAM, folder / "main.tf")
        (folder / "settings.auto.tfvars.json").write_text(json.dumps(settings), encoding="utf-8")
        self._run("init", f"-plugin-dir={terraform.plugins}")

    def apply(self, count: int) -> None:
        """Applies `count` tenants. Raises RuntimeError with Terraform's error."""
        self._run("apply", "-auto-approve", f"-var=tenants={count}")

    def tenants(self) -> int:
        """The number of tenants in the state, to check an apply."""
        state = json.loads((self._folder / "terraform.tfstate").read_text(encoding="utf-8"))
        rotations = (item for item in state["resources"] if item["type"] == "aws_secretsmanager_secret_rotation")
        return sum(len(item["instances"]) for item in rotations)

    def _run(self, verb: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._terraform.command, verb, "-input=false", "-no-color", *arguments],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=_LIMIT_SECONDS,
        )
        if done.returncode:
            raise RuntimeError(f"terraform {verb} failed: {(done.stderr or done.stdout).strip()[-2000:]}")
