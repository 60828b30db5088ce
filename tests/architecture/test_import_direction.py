"""Imports flow down the list of places in the design, and only down.

Parsed, not run, so that an import inside a function or behind TYPE_CHECKING counts too.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

LOW_TO_HIGH = (
    "myflux_keys",
    "functions",
    "components",
    "tenancy",
    "program",
    "bootstrap",
    "component_package",
    "ops",
    "ops.stacks",
    "ops.isolation",
    "ops.handover_page",
    "ops.actions",
    "ops.page",
    "ops.review",
    "ops.cli",
    "ops.ci",
    "demo",
)
"""A place imports itself and what stands before it. `ops` alone is its small base: the files of the folder itself.
`__main__.py` of the root is the program's other half."""

ALONE = ("policies", "local", "tools")
"""Places beside the list. Nothing crosses over, except what stands in ALLOWED_ACROSS."""

ALLOWED_ACROSS = {
    ("demo", "local"): "the demonstration watches the local cell from inside",
    ("local", "tools"): "the local cell puts the engine on PATH",
    ("ops.ci", "tools"): "a job finds the engine",
    ("ops.cli", "local"): "the command starts and stops the local cell",
    ("ops.stacks", "tools"): "the version of a cached engine is known",
    ("ops.review", "policies"): "a review asks the pack's rules",
    ("tools", "myflux_keys"): "the guard on commits knows a key's shape",
    ("tools", "policies"): "the guard on commits knows the encodings of a key",
}

IN_THE_FUNCTION_ZIP = {
    "myflux_keys.cell_functions",  # of the packer, which is in no zip
    "myflux_keys.admin_budget",
    "myflux_keys.consumers",
    "myflux_keys.declaration",
    "myflux_keys.identity",
    "myflux_keys.key_life",
    "myflux_keys.names",
    "myflux_keys.payload",
    "myflux_keys.redaction",
    "myflux_keys.role_names",
    "myflux_keys.version_labels",
}
IN_THE_LAMBDA_RUNTIME = {"boto3", "botocore", "urllib3"}
PULUMI = {"pulumi", "pulumi_aws", "pulumi_policy"}

PLACES = (*LOW_TO_HIGH, *ALONE)

ABOVE_ALL = {"tests", "bench", "docs"}
"""They may import anything; nothing that is shipped imports them."""


def place(file: Path) -> str:
    parts = file.relative_to(REPOSITORY).parts
    return "program" if parts[0] in {"__main__.py", "program.py"} else _place_of(parts[:-1])


def _place_of(parts: Sequence[str]) -> str:
    """The longest beginning of a dotted name that is a place of the list; its first part if none is."""
    return next((".".join(parts[:size]) for size in (2, 1) if ".".join(parts[:size]) in PLACES), parts[0])


def product_files() -> list[Path]:
    folders = [name for name in PLACES if (REPOSITORY / name).is_dir()]  # those of `ops` are found below it
    files = [file for name in folders for file in sorted((REPOSITORY / name).rglob("*.py"))]
    return files + [file for file in (REPOSITORY / "__main__.py", REPOSITORY / "program.py") if file.exists()]


def imports(file: Path) -> Iterator[tuple[int, str]]:
    """Line and absolute dotted name of every module or name that `file` imports, wherever in the file it does so."""
    package = list(file.relative_to(REPOSITORY).with_suffix("").parts[:-1])
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                yield node.lineno, f"{base}.{alias.name}"


def refusal(source: str, name: str) -> str | None:
    """Why a file of `source` must not import `name`; None when it may."""
    target = _place_of(name.split("."))
    if target in ABOVE_ALL:
        return f"{source} is part of the product, {target} looks at it"
    if target not in PLACES or target == source or (source, target) in ALLOWED_ACROSS:
        return None
    if source in ALONE or target in ALONE:
        return f"{source} and {target} stand apart"
    if LOW_TO_HIGH.index(target) > LOW_TO_HIGH.index(source):
        return f"{target} stands above {source}"
    return None


@pytest.mark.parametrize(
    ("source", "name", "allowed"),
    [
        ("ops.cli", "ops.stacks.run", True),
        ("ops.stacks", "ops.cli.main", False),
        ("ops.stacks", "ops.actions.rotate", False),
        ("ops.actions", "ops.stacks.engine", True),
        ("ops.cli", "ops.page.page", True),
        ("ops.actions", "ops.page.page", False),
        ("ops.actions", "ops.handover_page.server", True),
        ("ops.handover_page", "ops.actions.handover", False),
        ("ops.isolation", "ops.errors", True),
        ("ops", "ops.stacks.engine", False),
        ("ops.cli", "demo.play", False),
        ("components", "tenancy.cell", False),
        ("components", "tools.engine", False),
        ("tenancy", "myflux_keys.names", True),
        ("myflux_keys", "functions.rotation", False),
        ("functions", "local.clock", False),
        ("local", "myflux_keys.names", False),
        ("ops.cli", "local.cell", True),
        ("program", "local.cell", False),
        ("policies", "components.iam.identity", False),
        ("local", "tools.engine", True),
        ("tools", "local.cell", False),
        ("ops.cli", "tests.cell", False),
        ("ops.cli", "boto3", True),
    ],
)
def test_the_rule_itself_knows_up_from_down(source: str, name: str, allowed: bool) -> None:
    assert (refusal(source, name) is None) == allowed, f"{source} importing {name}"


def test_relative_and_nested_imports_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "REPOSITORY", tmp_path)
    file = tmp_path / "ops" / "stacks" / "plan.py"
    file.parent.mkdir(parents=True)
    file.write_text(
        "from . import near\nfrom ..over import it\ndef later():\n    import ops.cli.main\n", encoding="utf-8"
    )
    found = {name for _, name in imports(file)}
    assert found == {"ops.stacks.near", "ops.over.it", "ops.cli.main"}, "a hidden import would escape the rule"


def test_every_place_of_the_design_was_looked_at() -> None:
    looked_at = {place(file) for file in product_files()}
    missing = sorted(set(PLACES) - looked_at)
    assert not missing, f"no Python file was found in {missing}: this test would pass without checking them"
    assert len(product_files()) > 50, "the product has more files than that: the search is broken"


def test_no_folder_escapes_the_list() -> None:
    known = {*PLACES, *ABOVE_ALL}
    folders = [*REPOSITORY.iterdir(), *(REPOSITORY / "ops").iterdir()]
    strays = sorted(
        name
        for path in folders
        if path.is_dir() and not path.name.startswith(".") and any(path.glob("*.py"))
        if (name := ".".join(path.relative_to(REPOSITORY).parts)) not in known
    )
    assert not strays, f"{strays} hold Python but have no place in the order of imports: give them one above"


def test_imports_only_go_down() -> None:
    wrong = [
        f"{file.relative_to(REPOSITORY)}:{line} imports {name}: {reason}"
        for file in product_files()
        for line, name in imports(file)
        if (reason := refusal(place(file), name))
    ]
    assert not wrong, "\n".join(wrong)


def test_every_allowance_across_is_used() -> None:
    used = {(place(file), _place_of(name.split("."))) for file in product_files() for _, name in imports(file)}
    idle = sorted(set(ALLOWED_ACROSS) - used)
    assert not idle, f"nothing imports that way any more, so the allowance goes: {idle}"


def test_functions_need_nothing_that_lambda_does_not_have() -> None:
    checked = 0
    wrong: list[str] = []
    for file in sorted((REPOSITORY / "functions").rglob("*.py")):
        for line, name in imports(file):
            checked += 1
            top = name.split(".")[0]
            ours = top == "functions" or any(name == m or name.startswith(f"{m}.") for m in IN_THE_FUNCTION_ZIP)
            typing_only = top.startswith(("types_boto3", "mypy_boto3")) or top == "typing_extensions"
            if typing_only:
                typing_only = name in under_type_checking(file)
            if not (ours or typing_only or top in sys.stdlib_module_names or top in IN_THE_LAMBDA_RUNTIME):
                wrong.append(f"{file.relative_to(REPOSITORY)}:{line} imports {name}")
    assert checked > 20, "hardly an import was found in functions/: nothing was checked"
    assert not wrong, "\n".join(wrong)


def under_type_checking(file: Path) -> set[str]:
    """Names imported under ``if TYPE_CHECKING:``, which Lambda never runs."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for inner in node.body:
                if isinstance(inner, ast.ImportFrom):
                    found |= {f"{inner.module}.{alias.name}" for alias in inner.names}
                elif isinstance(inner, ast.Import):
                    found |= {alias.name for alias in inner.names}
    return found


@pytest.mark.parametrize("folder", ["tenancy", "functions", "myflux_keys", "ops/cli"])
def test_pulumi_is_imported_only_where_resources_are_made(folder: str) -> None:
    files = sorted((REPOSITORY / folder).rglob("*.py"))
    wrong = [
        f"{file.relative_to(REPOSITORY)}:{line} imports {name}"
        for file in files
        for line, name in imports(file)
        if name.split(".")[0] in PULUMI
    ]
    assert files, f"{folder}/ holds no Python: nothing was checked"
    assert not wrong, "\n".join(wrong)
