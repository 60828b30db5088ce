"""What a cell puts on PATH, which depends on what is missing there."""

from __future__ import annotations

import os
import subprocess
from importlib import metadata
from pathlib import Path

import pytest

from local import commands
from tools import engine


def executable(path: Path, text: str = "#!/bin/sh\nexit 0\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """An environment without any Pulumi."""
    (tmp_path / "empty").mkdir()
    return {"PATH": str(tmp_path / "empty"), "HOME": str(tmp_path / "home"), "MYFLUX_CACHE": str(tmp_path / "cache")}


def pulumi(path: Path, version: str = engine.VERSION) -> Path:
    return executable(path, f"#!/bin/sh\necho v{version}\n")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_bare_machine_gets_everything(tmp_path: Path, machine: dict[str, str]) -> None:
    kept = pulumi(tmp_path / "cache" / "engine" / engine.VERSION / "pulumi")
    folder = tmp_path / "bin"
    path = commands.path(folder, machine)
    assert path == f"{folder}{os.pathsep}{machine['PATH']}"
    assert names(folder) == {"pulumi", "pulumi-language-python", "pulumi-resource-aws"}
    assert (folder / "pulumi").resolve() == kept


def test_a_machine_with_pulumi_and_its_plugin_gets_nothing(tmp_path: Path, machine: dict[str, str]) -> None:
    pulumi(tmp_path / "official" / "pulumi")
    executable(tmp_path / "official" / "pulumi-language-python")
    plugin = f"resource-aws-v{metadata.version('pulumi-aws')}"
    executable(tmp_path / "home" / ".pulumi" / "plugins" / plugin / "pulumi-resource-aws")
    commands.path(tmp_path / "bin", machine | {"PATH": str(tmp_path / "official")})
    assert names(tmp_path / "bin") == set(), "nothing of ours may stand before the official ones"


def test_a_language_host_beside_a_cached_engine_is_official(tmp_path: Path, machine: dict[str, str]) -> None:
    kept = tmp_path / "cache" / "engine" / engine.VERSION / "bin"
    pulumi(kept / "pulumi")
    executable(kept / "pulumi-language-python")
    commands.path(tmp_path / "bin", machine)
    assert names(tmp_path / "bin") == {"pulumi", "pulumi-resource-aws"}


def test_a_plugin_of_another_version_does_not_count(tmp_path: Path, machine: dict[str, str]) -> None:
    executable(tmp_path / "home" / ".pulumi" / "plugins" / "resource-aws-v6.0.0" / "pulumi-resource-aws")
    commands.path(tmp_path / "bin", machine)
    assert "pulumi-resource-aws" in names(tmp_path / "bin"), "the engine asks for the SDK's version and no other"


def test_what_was_installed_since_then_replaces_ours(tmp_path: Path, machine: dict[str, str]) -> None:
    folder = tmp_path / "bin"
    first = commands.path(folder, machine)
    executable(tmp_path / "empty" / "pulumi-resource-aws")
    second = commands.path(folder, machine | {"PATH": first})
    assert "pulumi-resource-aws" not in names(folder)
    assert second == first, "the folder stands on PATH once, however often the shell is set up"


def test_without_an_engine_the_command_says_how_to_get_one(tmp_path: Path, machine: dict[str, str]) -> None:
    commands.path(tmp_path / "bin", machine)
    answer = subprocess.run([tmp_path / "bin" / "pulumi", "up"], capture_output=True, text=True, check=False)
    assert answer.returncode == 127
    assert "make engine" in answer.stderr


def test_a_command_of_ours_runs_from_anywhere_and_leaves_no_trace_in_the_environment(tmp_path: Path) -> None:
    target = tmp_path / "with space" / "probe"
    target.parent.mkdir()
    commands.stub(target, "tools.engine")
    bare = {"PATH": os.defpath, "PYTHONPATH": ""}
    answer = subprocess.run([target, "--help"], cwd=tmp_path, env=bare, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert "MYFLUX_CACHE" in answer.stdout
