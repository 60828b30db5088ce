"""A release's version stands in one place, and its part of the changelog begins with what an operator must do."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from component_package.plugin import version as of_the_package

ROOT = Path(__file__).resolve().parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
UNRELEASED = "Unreleased"
TITLE = re.compile(r"(\d+)\.(\d+)\.(\d+) - \d{4}-\d\d-\d\d")
OPERATOR = re.compile(r"\s*### What an operator must do\n\n(- |Nothing\.)")


def faults(changelog: str, version: str, tags: Sequence[str]) -> list[str]:
    """`tags` are those of this commit."""
    parts = re.split(r"^## (.+)$", changelog, flags=re.MULTILINE)[1:]
    titles, bodies = parts[::2], parts[1::2]
    released = [title for title in titles if title != UNRELEASED]
    numbers = [tuple(map(int, found.groups())) for title in released if (found := TITLE.fullmatch(title))]
    bare = [title for title, body in zip(titles, bodies, strict=True) if not OPERATOR.match(body)]
    found = [f"{title} does not begin with what an operator must do" for title in bare]
    found += [f"{title} is not VERSION - DATE" for title in released if not TITLE.fullmatch(title)]
    if UNRELEASED in titles[1:]:
        found.append(f"{UNRELEASED} is not at the top")
    if any(newer <= older for newer, older in pairwise(numbers)):
        found.append("versions are not in order")
    if released and not released[0].startswith(f"{version} - "):
        found.append(f"the newest release is {released[0]}, and pyproject.toml has {version}")
    for tag in (tag for tag in tags if re.fullmatch(r"v\d.*", tag)):
        if tag != f"v{version}" or UNRELEASED in titles:
            found.append(f"this commit is {tag}: pyproject.toml has {version}, the changelog begins with {titles[0]}")
    return found


def test_this_changelog_and_version() -> None:
    git = subprocess.run(["git", "tag", "--points-at", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not faults((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), VERSION, git.stdout.split())


def test_the_component_package_has_the_same_version() -> None:
    assert of_the_package() == VERSION


DONE = "\n### What an operator must do\n\n- Deploy the platform.\n\n### Added\n\n- A command.\n"


@pytest.mark.parametrize(
    ("changelog", "tags", "fault"),
    [
        (f"# Changelog\n\n## Unreleased\n{DONE}", [], None),
        (f"## Unreleased\n{DONE}\n## 0.2.0 - 2026-11-30\n{DONE}\n## 0.1.0 - 2026-11-01\n{DONE}", [], None),
        (f"## 0.2.0 - 2026-11-30\n{DONE}", ["v0.2.0", "nightly"], None),
        ("## Unreleased\n\n### What an operator must do\n\nNothing.\n", [], None),
        ("## Unreleased\n\n### Added\n\n- A command.\n", [], "does not begin with what an operator must do"),
        ("## Unreleased\n\n### What an operator must do\n\n### Added\n", [], "does not begin with"),
        (f"## 0.2.0\n{DONE}", [], "is not VERSION - DATE"),
        (f"## 0.3.0 - 2026-11-30\n{DONE}", [], "pyproject.toml has 0.2.0"),
        (f"## 0.2.0 - 2026-11-30\n{DONE}\n## Unreleased\n{DONE}", [], "not at the top"),
        (f"## 0.2.0 - 2026-11-30\n{DONE}\n## 0.10.0 - 2026-11-01\n{DONE}", [], "not in order"),
        (f"## 0.2.0 - 2026-11-30\n{DONE}", ["v0.3.0"], "this commit is v0.3.0"),
        (f"## Unreleased\n{DONE}\n## 0.2.0 - 2026-11-30\n{DONE}", ["v0.2.0"], "begins with Unreleased"),
    ],
)
def test_what_a_release_lacks_is_found(changelog: str, tags: list[str], fault: str | None) -> None:
    found = faults(changelog, "0.2.0", tags)
    assert found == [] if fault is None else any(fault in one for one in found), found
