"""The functions' zips: the same bytes from the same sources, on every machine, at any time.

Owns which modules a function needs and how they are packed. Leaves out deploying. The modules are found by parsing
imports from the handler, so that a zip holds what its function needs and nothing else (the provisioner's must not hold
the minting call). Entries are sorted and not compressed, since zlib's output depends on its version; their times and
permissions are fixed, and their line ends are LF.
"""

from __future__ import annotations

import ast
import hashlib
import os
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from myflux_keys.cell_functions import ALL_FUNCTIONS

KINDS: Final = tuple(one.kind for one in ALL_FUNCTIONS)
ROOT: Final = Path(__file__).resolve().parent.parent
OURS: Final = ("functions", "myflux_keys")
IN_THE_RUNTIME: Final = frozenset({"boto3", "botocore"})
"""Packages of AWS Lambda's Python runtime, besides the standard library."""
DATA: Final = ("connect/page",)
"""Folders of files, below this one, that are no Python and that a function reads; a zip of their function has them."""
_TIME: Final = (1980, 1, 1, 0, 0, 0)
_MODE: Final = 0o100644


class BundleError(Exception):
    """A module that a function may not import, or that does not exist. The message names the importing file."""


def build(kind: str, out: Path) -> Path:
    """Writes the zip to the file `out`, replacing an older one in one move, and returns `out`. Raises BundleError."""
    out.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=out.parent, suffix=".zip")
    with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(modules(kind), key=str):
            entry = zipfile.ZipInfo(path.as_posix(), _TIME)
            entry.create_system = 3
            entry.external_attr = _MODE << 16
            archive.writestr(entry, (ROOT / path).read_bytes().replace(b"\r\n", b"\n"))
    Path(name).chmod(0o644)
    return Path(name).replace(out)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def modules(kind: str) -> set[Path]:
    """The files, relative to the repository's root, that ``functions.<kind>.handler`` needs. Raises BundleError."""
    found: set[Path] = set()
    seen: set[str] = set()
    waiting = [f"functions.{kind}.handler"]
    while waiting:
        module = waiting.pop()
        # Most modules are named by many others.
        if module in seen:
            continue
        seen.add(module)
        path = _file(module)
        if path is None or path in found:
            continue
        found.add(path)
        for parent in path.parents:
            package = parent / "__init__.py"
            if parent != Path() and package not in found:
                waiting.append(".".join(parent.parts))
        for name in _imports(path, (ROOT / path).read_text(encoding="utf-8")):
            top = name.split(".", 1)[0]
            if top in OURS:
                waiting.append(name)
            elif top not in IN_THE_RUNTIME and top not in sys.stdlib_module_names:
                raise BundleError(f"{path} imports {name}: a function may import only the standard library and boto3")
    folders = [ROOT / "functions" / folder for folder in DATA if folder.split("/")[0] == kind]
    return found | {file.relative_to(ROOT) for folder in folders for file in folder.iterdir()}


def _file(module: str) -> Path | None:
    """None for a name that `from … import` takes from a module and that is no module."""
    base = Path(*module.split("."))
    for candidate in (base.with_suffix(".py"), base / "__init__.py"):
        if (ROOT / candidate).is_file():
            return candidate
    if _file_of_parent(base):
        return None
    raise BundleError(f"{module} is imported, but there is no such file below {ROOT}")


def _file_of_parent(base: Path) -> bool:
    return (ROOT / base.parent).with_suffix(".py").is_file() or (ROOT / base.parent / "__init__.py").is_file()


@cache
def _imports(path: Path, text: str) -> tuple[str, ...]:
    """Every module that `path`, with this `text`, may import while it runs, as dotted names. The functions share most
    files: each is parsed once."""
    return tuple(_named(path, text))


def _named(path: Path, text: str) -> Iterator[str]:
    for node in running(ast.parse(text, str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = path.parent.parts
            parts = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*parts, *([node.module] if node.module else [])))
            yield base
            if base.split(".", 1)[0] in OURS:
                yield from (f"{base}.{alias.name}" for alias in node.names)


def running(node: ast.AST) -> Iterator[ast.AST]:
    """Nodes outside `if TYPE_CHECKING` and outside a module's `__getattr__`, whose imports are found in the modules
    that use them."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
            continue
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            yield from (inner for branch in child.orelse for inner in (branch, *running(branch)))
            continue
        if isinstance(child, ast.FunctionDef) and child.name == "__getattr__":
            continue
        yield child
        yield from running(child)


def main() -> None:
    """Builds all zips in the folder given, or in ``.build``; prints hashes and paths as sha256sum does."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / ".build"
    for kind in KINDS:
        path = build(kind, out / f"{kind}.zip")
        print(f"{sha256(path)}  {path}")


if __name__ == "__main__":
    main()
