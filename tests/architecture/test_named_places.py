"""What docstrings, comments and pages name in backticks exists: after a move they would lead nowhere.

ADRs are left out: each says what was true when it was decided.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.test_import_direction import ABOVE_ALL, PLACES, REPOSITORY, product_files

FOLDERS = {place.split(".")[0] for place in (*PLACES, *ABOVE_ALL)}
QUOTED = re.compile(r"`([A-Za-z0-9_./-]+)`")


def python_files() -> list[Path]:
    seen = [file for name in sorted(ABOVE_ALL) for file in sorted((REPOSITORY / name).rglob("*.py"))]
    return [*product_files(), *seen]


def pages() -> list[Path]:
    found = [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("*.md")]
    return [page for page in found if page.name != "CHANGELOG.md"]


def prose(file: Path) -> Iterator[tuple[int, str]]:
    """Line and text of every docstring and comment; of a page, all of its lines."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".md":
        yield from enumerate(text.splitlines(), 1)
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and token.string.startswith('"""')):
            for further, line in enumerate(token.string.splitlines()):
                yield token.start[0] + further, line


def is_missing(name: str, beside: Path) -> bool:
    """Whether `name` is a Python file or a dotted name of ours that does not exist. `beside` is where it is named."""
    if name.endswith(".py"):
        # Named in full, or from the folder of the file that names it or one above.
        return not any((folder / name).is_file() for folder in beside.parents if folder.is_relative_to(REPOSITORY))
    parts = name.split(".")
    if "/" in name or len(parts) < 2 or parts[0] not in FOLDERS or "" in parts:
        return False
    for size in range(len(parts), 0, -1):
        base = REPOSITORY.joinpath(*parts[:size])
        file = next((one for one in (base.with_suffix(".py"), base / "__init__.py") if one.is_file()), None)
        if file is not None:
            return size < len(parts) and not re.search(rf"\b{re.escape(parts[size])}\b", file.read_text("utf-8"))
        if base.is_dir():
            return size < len(parts)
    return True


def test_the_search_sees_what_is_missing() -> None:
    here = REPOSITORY / "functions" / "rotation" / "steps.py"
    there = ("making.py", "rotation/making.py", "functions.rotation.steps.Rotation", "program.deploy", "ops.stacks")
    gone = ("gone.py", "rotation/gone.py", "functions.gone.x", "functions.rotation.steps.Gone", "local.gone")
    assert not [name for name in there if is_missing(name, here)]
    assert [name for name in gone if is_missing(name, here)] == list(gone)


def test_every_file_and_module_that_prose_names_exists() -> None:
    looked_at = 0
    wrong: list[str] = []
    for file in (*python_files(), *pages()):
        for line, text in prose(file):
            for name in QUOTED.findall(text):
                looked_at += 1
                if is_missing(name, file):
                    wrong.append(f"{file.relative_to(REPOSITORY)}:{line} names {name}, which does not exist")
    assert looked_at > 500, "hardly a name was found: the search is broken"
    assert not wrong, "\n".join(wrong)
