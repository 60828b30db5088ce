"""Which plugins a set of Python packages asks for."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import pytest

from local.language_host import list_packages
from local.language_host.list_packages import describe
from local.language_host.packages import Parameterization, Requirement, plugin_version, required


@pytest.mark.parametrize(
    ("python", "plugin"),
    [
        ("7.51.1", "7.51.1"),
        ("1.2", "1.2.0"),
        ("3", "3.0.0"),
        ("1.2.3a4", "1.2.3-alpha.4"),
        ("1.2.3b4", "1.2.3-beta.4"),
        ("1.2.3rc4", "1.2.3-rc.4"),
        ("1.2.3.post4", "1.2.3+post4"),
        ("1.2.3.post4.dev5", "1.2.3+post4dev5"),
        ("1!1.2.3", None),
        ("1.2.3+local", None),
    ],
)
def test_a_package_version_maps_to_its_plugins(python: str, plugin: str | None) -> None:
    assert plugin_version(python) == plugin


def test_metadata_is_read_as_the_standard_librarys_own_parser_reads_it(tmp_path: Path) -> None:
    """Field names in any case, folded lines, a README that looks like fields; a broken installation is no package."""
    folder = tmp_path / "pulumi_odd-1.2.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(
        "Metadata-Version: 2.1\nname: Pulumi_Odd\nVERSION:\n 1.2\nrequires-dist: Pulumi>=3\nRequires-Dist: six ;\n"
        " python_version < '4'\nSummary: one\n  Name: folded\n\nName: readme\nRequires-Dist: readme\n",
        encoding="utf-8",
    )
    (tmp_path / "broken-1.0.dist-info").mkdir()
    found = {one["name"]: one for path in tmp_path.iterdir() if (one := describe(metadata.PathDistribution(path)))}
    assert found == {
        "pulumi-odd": {"name": "pulumi-odd", "version": "1.2", "requires": ["pulumi", "six"], "plugin": None}
    }


def package(name: str, version: str, plugin: Mapping[str, object] | None) -> dict[str, object]:
    return {"name": name, "version": version, "plugin": plugin, "requires": []}


def test_a_plugin_file_decides_and_a_name_stands_in_for_it() -> None:
    found = required(
        [
            package("pulumi-aws", "7.51.1", {"resource": True, "name": "aws", "version": "7.51.1"}),
            package("pulumi-old", "1.2", None),
            package("pulumi-policy", "1.21.0", {"resource": False}),
            package("acme-cloud", "1.0.0", {"resource": True, "name": "acme", "server": "https://plugins.example"}),
            package("requests", "2.0.0", None),
        ]
    )
    assert found == [
        Requirement("aws", "v7.51.1", "", None),
        Requirement("old", "v1.2.0", "", None),
        Requirement("acme", "v1.0.0", "https://plugins.example", None),
    ]


def test_a_parameterized_package_carries_what_makes_it_one() -> None:
    value = base64.b64encode(b"anything").decode()
    plugin = {
        "resource": True,
        "name": "terraform-provider",
        "version": "1.0.0",
        "parameterization": {"name": "acme", "version": "2.0.0", "value": value},
    }
    (found,) = required([package("pulumi-acme", "2.0.0", plugin)])
    assert found.parameterization == Parameterization("acme", "2.0.0", b"anything")


def test_the_listing_sees_this_environment() -> None:
    listing = subprocess.run(
        [sys.executable, list_packages.__file__], capture_output=True, text=True, check=True
    ).stdout
    packages = {entry["name"]: entry for entry in json.loads(listing)}
    assert packages["pulumi-aws"]["plugin"]["name"] == "aws"
    assert packages["pulumi-aws"]["version"] == "7.51.1"
    assert "pulumi" in packages["pulumi-aws"]["requires"]
