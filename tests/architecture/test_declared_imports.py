"""What our code imports is declared where it is installed from: a package that comes along with another may be gone, or
be another version, once that one is updated.

Parsed, not run, so that an import inside a function counts too. What is imported for annotations alone is never run.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.architecture.test_import_direction import (
    ABOVE_ALL,
    PLACES,
    REPOSITORY,
    imports,
    product_files,
    under_type_checking,
)

BESIDE_THE_PRODUCT = {"local", *ABOVE_ALL}
"""Needed for the local cell, tests, pages and measurements alone: requirements-dev.in declares what they import."""

OURS = {place.split(".")[0] for place in (*PLACES, *ABOVE_ALL)} | {"guardrails"}
"""`guardrails` is imported from the folder of the policy pack, in which Pulumi starts it."""


def declared(text: str) -> dict[str, Requirement]:
    """Distribution to its line of a `requirements*.in`, those that its extras name too. Another file is not read."""
    found: dict[str, Requirement] = {}
    for line in text.splitlines():
        stated = line.partition("#")[0].strip()
        if not stated or stated.startswith("-r"):
            continue
        requirement = Requirement(stated)
        found[canonicalize_name(requirement.name)] = requirement
        for extra in requirement.extras:
            for more in map(Requirement, requires(requirement.name) or []):
                if more.marker and more.marker.evaluate({"extra": extra}):
                    found[canonicalize_name(more.name)] = more
    return found


def of(name: str) -> dict[str, Requirement]:
    return declared((REPOSITORY / name).read_text(encoding="utf-8"))


def wheel() -> dict[str, Requirement]:
    stated = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    return declared("\n".join(stated["project"]["dependencies"]))


@cache
def distributions() -> Mapping[str, list[str]]:
    return packages_distributions()


def provider(module: str) -> set[str]:
    """The installed distributions that may hold `module`, a dotted name."""
    top = module.split(".")[0]
    return {canonicalize_name(name) for name in distributions().get(top, [])} or {canonicalize_name(top)}


def foreign(files: Iterable[Path], *, run_only: bool) -> dict[str, str]:
    """Imported module to the first place that imports it: neither ours nor the standard library's. With `run_only`
    without what is imported for annotations."""
    found: dict[str, str] = {}
    for file in files:
        annotating = under_type_checking(file) if run_only else set[str]()
        for line, name in imports(file):
            top = name.split(".")[0]
            if top in OURS or top in sys.stdlib_module_names or name in annotating:
                continue
            found.setdefault(top, f"{file.relative_to(REPOSITORY)}:{line}")
    return found


def undeclared(found: Mapping[str, str], names: Iterable[str]) -> list[str]:
    known = set(names)
    return [f"{place} imports {module}" for module, place in found.items() if not provider(module) & known]


def files_of(*, beside: bool) -> list[Path]:
    seen = [file for name in sorted(ABOVE_ALL) for file in sorted((REPOSITORY / name).rglob("*.py"))]
    every = [*product_files(), *seen]
    return [file for file in every if (file.relative_to(REPOSITORY).parts[0] in BESIDE_THE_PRODUCT) == beside]


@pytest.mark.parametrize(
    ("module", "text", "missing"),
    [
        ("yaml", "pyyaml==6.0.3", False),
        ("yaml", "# pyyaml\npydantic==2.14.3", True),
        ("google.protobuf", "protobuf", False),
        ("pydantic_core", "pydantic==2.14.3", True),
        ("pydantic_core", "pydantic-core  # follows pydantic", False),
        ("types_boto3_s3", "types-boto3[s3,sqs]", False),
        ("types_boto3_s3", "types-boto3[sqs]", True),
    ],
)
def test_the_rule_itself_knows_declared_from_undeclared(module: str, text: str, missing: bool) -> None:
    assert bool(undeclared({module: "here"}, declared(text))) == missing


def test_what_the_product_imports_stands_in_requirements_in() -> None:
    found = foreign(files_of(beside=False), run_only=True)
    assert len(found) > 10, "hardly a package is imported: the search is broken"
    assert not undeclared(found, of("requirements.in"))


def test_what_the_local_cell_and_the_tests_import_stands_in_a_requirements_file() -> None:
    found = foreign(files_of(beside=True), run_only=False) | foreign(files_of(beside=False), run_only=False)
    assert len(found) > 20, "hardly a package is imported: the search is broken"
    assert not undeclared(found, of("requirements.in") | of("requirements-dev.in"))


def test_nothing_is_installed_for_operators_that_no_code_imports() -> None:
    found = foreign([*files_of(beside=False), *files_of(beside=True)], run_only=False)
    used = {name for module in found for name in provider(module)}
    assert not set(of("requirements.in")) - used


def test_the_wheel_declares_exactly_what_it_imports() -> None:
    found = foreign(sorted((REPOSITORY / "myflux_keys").rglob("*.py")), run_only=True)
    assert not undeclared(found, wheel())
    assert not set(wheel()) - {name for module in found for name in provider(module)}, "declared, and not imported"


def test_the_wheel_takes_no_next_major_version_of_a_package() -> None:
    """A major version may take away what the reader uses: httpx2's and urllib3's classes, openai's options."""
    locked = of_lock("requirements.txt")
    for name, requirement in wheel().items():
        above = [Version(one.version) for one in requirement.specifier if one.operator == "<"]
        assert [one.release for one in above] == [(locked[name].major + 1,)], f"{name} needs <{locked[name].major + 1}"
        assert requirement.specifier.contains(locked[name]), f"the tests run with {name} {locked[name]}"
        assert requirement.specifier != SpecifierSet(f"<{above[0]}"), f"{name} has no lower bound"


def of_lock(name: str) -> dict[str, Version]:
    pins = [line.split()[0] for line in (REPOSITORY / name).read_text("utf-8").splitlines() if line[:1].isalnum()]
    return {canonicalize_name(pin.partition("==")[0]): Version(pin.partition("==")[2]) for pin in pins}


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_what_is_declared_is_locked(name: str) -> None:
    locked = of_lock(f"{name}.txt")
    wrong = [
        f"{package} is {locked.get(package)} in {name}.txt"
        for package, requirement in of(f"{name}.in").items()
        if package not in locked or not requirement.specifier.contains(locked[package])
    ]
    assert len(locked) > 40, "hardly a package is locked: the search is broken"
    assert not wrong, "run `make lock`"
