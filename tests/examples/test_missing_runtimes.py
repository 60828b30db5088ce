"""What `make examples` says of a runtime that this machine lacks, and with which runtime an example ran."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.examples.example import EXAMPLES, Example, how_to_get
from tests.program.rig import ROOT
from tools import engine

BY_NAME = {example.name: example for example in EXAMPLES}


def program(folder: Path, name: str, answer: str = "") -> None:
    (folder / name).write_text(f"#!/bin/sh\necho {answer}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("typescript", ["pulumi-language-nodejs", "node", "npm"]),
        ("go", ["pulumi-language-go", "go"]),
        ("yaml", ["pulumi-language-yaml"]),
    ],
)
def test_a_machine_without_a_runtime_is_told_how_to_get_each_part(
    name: str, missing: list[str], tmp_path: Path
) -> None:
    program(tmp_path, "pulumi")
    assert BY_NAME[name].missing({"PATH": str(tmp_path)}) == missing
    told = how_to_get(missing).split("; ")
    assert [each.partition(": ")[0] for each in told] == missing
    host, *others = told
    assert f"put release {engine.VERSION} or newer on PATH" in host, "a release holds the hosts of all languages"
    assert "built from Pulumi's source" in host, "where a release cannot be had"
    assert all("install" in each or "comes with" in each for each in others)


def test_the_version_of_node_is_the_one_that_the_example_asks_for() -> None:
    package = json.loads((ROOT / "examples" / "typescript" / "package.json").read_text(encoding="utf-8"))
    assert f"Node.js {package['engines']['node'].removeprefix('>=')} or newer" in how_to_get(["node"])


def test_a_host_is_found_beside_the_engine_or_anywhere_on_path(tmp_path: Path) -> None:
    beside, elsewhere, bare = (tmp_path / name for name in ("beside", "elsewhere", "bare"))
    for folder in (beside, elsewhere, bare):
        folder.mkdir()
    for name in ("pulumi", "pulumi-language-go"):
        program(beside, name)
    program(elsewhere, "pulumi-language-go")
    program(bare, "go")
    (bare / "pulumi").symlink_to(beside / "pulumi")
    go = BY_NAME["go"]
    assert go.missing({"PATH": str(bare)}) == [], "the release's folder is found through a link"
    (bare / "pulumi").unlink()
    program(bare, "pulumi")
    assert go.missing({"PATH": str(bare)}) == ["pulumi-language-go"]
    assert go.missing({"PATH": os.pathsep.join([str(bare), str(elsewhere)])}) == []


@pytest.mark.parametrize(
    ("example", "said"),
    [
        (BY_NAME["typescript"], ["node v22.1.0", "npm v22.1.0"]),
        (BY_NAME["go"], ["go 1.25.11 linux/amd64"]),
        (BY_NAME["python"], []),
    ],
)
def test_an_example_that_ran_says_with_what(example: Example, said: list[str], tmp_path: Path) -> None:
    for name in example.programs:
        program(tmp_path, name, "go version go1.25.11 linux/amd64" if name == "go" else "v22.1.0")
    assert example.versions({"PATH": str(tmp_path)}) == said
