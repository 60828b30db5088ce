"""A throwaway project that runs under the real engine and this repository's language host."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.commands.plugins import plain
from tests.engine.tiny_project import PROJECT, Project
from tools import engine


@pytest.fixture(scope="session")
def engine_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH with the engine and, whatever else is installed, this repository's language host in front."""
    found = engine.locate(os.environ)
    assert found is not None, "no Pulumi engine on this machine: `make engine` gets one, ENGINE=none does without"
    folder = tmp_path_factory.mktemp("bin")
    plain(folder / "pulumi-language-python", "local.language_host")
    # Named by the environment's packages, so without it the engine would go looking on the network. No program uses it.
    plain(folder / "pulumi-resource-aws", "local.provider")
    return os.pathsep.join([str(folder), str(found.folder), os.environ.get("PATH", os.defpath)])


@pytest.fixture
def project(tmp_path: Path, engine_path: str) -> Project:
    # A name that an address must quote: the engine reads what `local env` and the review write.
    state = tmp_path / "s%20p"
    environment = {
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
        "PATH": engine_path,
        "PULUMI_BACKEND_URL": f"file://{quote(str(state))}",
        "PULUMI_CONFIG_PASSPHRASE": "not a secret: the state dies with the test",
        "PULUMI_HOME": str(tmp_path / "pulumi"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    state.mkdir()
    made = Project(tmp_path / "project", environment, state)
    made.write(
        "Pulumi.yaml",
        f"""\
        name: {PROJECT}
        runtime:
          name: python
          options:
            virtualenv: {sys.prefix}
        """,
    )
    made.write("__main__.py", "import pulumi\n")
    made.pulumi("stack", "init", "dev")
    return made
