"""What is built for other people's machines, the sdist and the wheel: the reader, and nothing of who runs it."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

from tests.architecture.test_import_direction import REPOSITORY

METADATA = {".gitignore", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml"}
"""hatchling puts them into every sdist: a wheel is built from them."""

READER = {f"myflux_keys/{file.name}" for file in (REPOSITORY / "myflux_keys").iterdir() if file.is_file()}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    return folder


def sdist(folder: Path) -> set[str]:
    (file,) = folder.glob("*.tar.gz")
    with tarfile.open(file) as archive:
        return {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}


def wheel(folder: Path) -> tuple[set[str], Message]:
    (file,) = folder.glob("*.whl")
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        (metadata,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        about = Parser().parsestr(archive.read(metadata).decode())
    return {name for name in names if ".dist-info/" not in name}, about


def test_the_sdist_holds_the_reader_and_metadata_alone(built: Path) -> None:
    """A fork's cells/ and tenants/ name its accounts and its customers."""
    assert len(READER) > 15, "hardly a file of the reader was found: nothing was checked"
    assert sdist(built) == READER | METADATA


def test_the_wheel_holds_the_reader_alone(built: Path) -> None:
    names, _ = wheel(built)
    assert names == READER


def test_the_wheel_says_where_it_comes_from_and_what_it_runs_on(built: Path) -> None:
    _, about = wheel(built)
    urls = dict(str(each).split(", ", 1) for each in about.get_all("Project-URL", []))
    assert set(urls) == {"Repository", "Changelog"}
    assert all(url.startswith("https://") for url in urls.values())
    assert "Typing :: Typed" in about.get_all("Classifier", [])
    assert (REPOSITORY / "myflux_keys" / "py.typed").is_file()
    assert about["License-Expression"] == "Apache-2.0"
