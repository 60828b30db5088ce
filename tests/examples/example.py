"""One example under `examples/`: what it takes to run, and one run of it from an empty cell to an empty cell.

Owns the steps that the example's own header names, in that order, and what must be true after each. Leaves out which
examples are run, and telling about it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from demo.leaks import files, search
from local import commands
from local.cell import LocalCell
from local.provider.registry import VERSION
from myflux_keys import KeyReader
from tests.component_package.plugin_folder import plugin_folder
from tests.program.rig import CELL, ROOT, Rig
from tools import engine, go_program

STACK = "dev"
_TRUSTED = ("venv", "node_modules")
"""What package managers fetched: large, and not written by a run."""


@dataclass(frozen=True)
class Example:
    """`host` is the runtime in its Pulumi.yaml; `programs` must be on PATH beside the language host."""

    name: str
    host: str
    programs: tuple[str, ...]
    tenant: str
    managed: bool = True
    sdk: bool = True
    """Whether the language needs one: Pulumi YAML reads the schema, and the plugin here has nothing to install."""

    def missing(self, environment: Mapping[str, str]) -> list[str]:
        """The programs that this machine lacks."""
        engine = shutil.which("pulumi", path=environment["PATH"])
        beside = str(Path(engine).resolve().parent) if engine else ""
        path = os.pathsep.join([environment["PATH"], beside])
        return [name for name in (f"pulumi-language-{self.host}", *self.programs) if not shutil.which(name, path=path)]

    def versions(self, environment: Mapping[str, str]) -> list[str]:
        """What its programs call themselves, e.g. ``node v22.23.5`` and ``go 1.25.11 linux/amd64``. They are there."""
        return [f"{name} {_version(name, environment)}" for name in self.programs]


EXAMPLES = (
    Example("yaml", "yaml", (), "initech", managed=False, sdk=False),
    Example("python", "python", (), "acme"),
    Example("typescript", "nodejs", ("node", "npm"), "acme"),
    Example("go", "go", ("go",), "acme"),
)


_INSTALLED = {"node": "install Node.js 22 or newer", "npm": "it comes with Node.js", "go": "install Go 1.25 or newer"}


def how_to_get(missing: Iterable[str]) -> str:
    """One sentence for each program that `Example.missing` names."""
    return "; ".join(f"{name}: {_INSTALLED.get(name) or _HOST}" for name in missing)


_HOST = (
    f"Pulumi's own release has it beside `pulumi`, so put release {engine.VERSION} or newer on PATH "
    "(https://www.pulumi.com/docs/install/), or the folder of a host built from Pulumi's source of that version"
)


def _version(name: str, environment: Mapping[str, str]) -> str:
    asked = [name, "version" if name == "go" else "--version"]
    said = subprocess.run(asked, env=dict(environment), capture_output=True, text=True, check=True).stdout
    return said.strip().removeprefix("go version go")


class ExampleRig(Rig):
    """The engine in a copy of the example, with a home of its own for plugins."""

    def environment(self, fleet: Path | None = None) -> dict[str, str]:
        environment = super().environment(fleet)
        found = [environment["PATH"], str(self.said / "hosts")]
        return environment | {"PULUMI_HOME": str(self.said.parent / "home"), "PATH": os.pathsep.join(found)}


def rig(example: Example, folder: Path, cell: LocalCell) -> ExampleRig:
    """A copy of the example that finds its plugin and the stand-in for AWS's without asking the network for either."""
    made = ExampleRig(cell, ROOT, folder / "said", project=folder / "project", patience=1200)
    (made.said / "hosts").mkdir(parents=True)
    shutil.copytree(ROOT / "examples" / example.name, made.project)
    description = made.project / "Pulumi.yaml"
    text = description.read_text(encoding="utf-8")
    assert text.count("../../component_package") == 1, f"{description.name} has to name the package once, by its place"
    description.write_text(
        text.replace("../../component_package", str(plugin_folder(folder / "plugin"))), encoding="utf-8"
    )
    kept = folder / "home" / "plugins" / f"resource-aws-v{VERSION}"
    kept.mkdir(parents=True)
    commands.stub(kept / "pulumi-resource-aws", "local.provider")
    if example.host == "yaml" and example.missing(made.environment()):
        (made.said / "hosts" / "pulumi-language-yaml").symlink_to(go_program.ensure(go_program.YAML_HOST, os.environ))
    return made


def run(example: Example, rig: ExampleRig) -> None:
    """Raises AssertionError when something is not as the example says."""
    if example.sdk:
        rig.pulumi("install")
    rig.up(STACK)
    rig.store_admin_key()
    if example.managed:
        rig.pulumi("config", "set", "--stack", STACK, "adminKeyStored", "true")
        rig.up(STACK)
        rig.await_first_key(example.tenant)
        _answers(example, rig)
    again = rig.up(STACK)
    assert not again.changed, f"a second up changed {again.changed}"
    told = json.loads(rig.pulumi("stack", "output", "--stack", STACK, "--json").out)
    assert told["secretArn"] == rig.describe(example.tenant)["ARN"], "the program's output names another secret"
    if example.managed:
        assert [told["projectId"]] == [project.id for project in rig.projects(example.tenant)]
    rig.destroy(STACK)
    assert not rig.live_keys(example.tenant), "a key outlived its tenant"
    _no_key_is_written(rig)


def _answers(example: Example, rig: ExampleRig) -> None:
    """The runtime, with its own credentials, finds the key that was minted."""
    reader = KeyReader(CELL, session=rig.cell.session("runtime"))
    try:
        assert [reader.get(example.tenant).key_id] == rig.live_keys(example.tenant)
    finally:
        reader.close()


def _no_key_is_written(rig: ExampleRig) -> None:
    keys = {key.id: key.value for key in rig.cell.openai.minted()}
    assert keys, "no key was ever minted: there was nothing to look for"
    folder = rig.said.parent
    written = [path for path in folder.rglob("*") if not set(path.relative_to(folder).parts) & set(_TRUSTED)]
    leaks = [f"{leak.where} ({leak.encoding})" for leak in search(files(written), keys)]
    assert not leaks, f"keys stand in {leaks}"
