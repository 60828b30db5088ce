"""The files that a tenant's stack and a platform's stack are made from, and a stack's fingerprint.

Follows the program's imports without running it. Leaves out what changed (`changed`).
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Final

from functions import packer
from tenancy.loading import ROOT

REQUIREMENTS: Final = "requirements.txt"
_PLATFORM: Final = "components/platform.py"
_TENANT: Final = "components/tenant_key.py"
_FUNCTIONS: Final = "functions/"
_ALWAYS: Final = ("Pulumi.yaml", "__main__.py")
_DATA: Final = ("tenancy/data",)
_PROGRAM: Final = (
    "Pulumi.yaml",
    "__main__.py",
    "program.py",
    REQUIREMENTS,
    "components",
    "functions",
    "myflux_keys",
    "tenancy",
)
_ENGINE: Final = ("pulumi", "pulumi-aws")


@dataclass(frozen=True)
class Code:
    """Files by the kind of stack that is made from them, relative to the product's root. `functions` are in the zips
    that a platform deploys."""

    tenant: frozenset[str]
    platform: frozenset[str]
    functions: frozenset[str]

    def below(self, folder: str) -> Code:
        """The same files, as a repository names them that has the product in `folder` (see `folder_in`)."""
        return Code(*(frozenset(folder + file for file in files) for files in vars(self).values()))


def folder_in(repository: Path, root: Path = ROOT) -> str | None:
    """Where the product is in the repository: empty for its top, else a path that ends with a slash. None where it is
    in another repository."""
    if not root.is_relative_to(repository):
        return None
    folder = root.relative_to(repository).as_posix()
    return "" if folder == "." else f"{folder}/"


def code(root: Path = ROOT) -> Code:
    """A file that only one of the two components imports belongs to that component's stacks; the program's other files
    belong to every stack. Functions and their packer belong to platforms: no tenant's stack deploys one."""
    program = _reached("program.py", root) | set(_ALWAYS)
    program |= {path.relative_to(root).as_posix() for folder in _DATA for path in (root / folder).rglob("*.json")}
    platform, tenant = _reached(_PLATFORM, root), _reached(_TENANT, root)
    functions = {path.as_posix() for kind in packer.KINDS for path in packer.modules(kind)}
    return Code(
        tenant=frozenset(file for file in (program - platform) | tenant if not file.startswith(_FUNCTIONS)),
        platform=frozenset((program - tenant) | platform),
        functions=frozenset(functions),
    )


def _reached(start: str, root: Path) -> set[str]:
    """Python files of the repository that `start` imports, directly or indirectly, and `start` itself."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        file = waiting.pop()
        if file in found or not (root / file).is_file():
            continue
        found.add(file)
        for module in _imports(root / file, (root / file).read_text(encoding="utf-8")):
            base = module.replace(".", "/")
            waiting += [f"{base}.py", f"{base}/__init__.py"]
    return found


@cache
def _imports(path: Path, text: str) -> tuple[str, ...]:
    """Absolute names, since the repository has no relative imports. The program and its components share most files:
    each is parsed once."""
    return tuple(_named(path, text))


def _named(path: Path, text: str) -> Iterator[str]:
    for node in packer.running(ast.parse(text, str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def code_digest(root: Path = ROOT) -> str:
    """Digest of every file that the program may import, and of the installed SDK versions. It includes more files than
    `code`, since it must be quick: each job computes it."""
    digest = hashlib.sha256()
    for file in _files(root):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(root)}\0{len(content)}\0".encode() + content)
    for package in _ENGINE:
        digest.update(f"{package}=={metadata.version(package)}\0".encode())
    return digest.hexdigest()


def _files(root: Path) -> Iterator[Path]:
    for place in _PROGRAM:
        if (root / place).is_file():
            yield root / place
        yield from sorted(path for path in (root / place).rglob("*") if path.suffix in (".py", ".json"))


def fingerprint(stack: str, fleet: Path, code_digest: str) -> str:
    """Changes when the code, or the tenant's or cell's file of `stack`, changes. `fleet` holds tenants/ and cells/."""
    tenant, _, cell = stack.rpartition(".")
    digest = hashlib.sha256(code_digest.encode())
    for file in (fleet / "cells" / f"{cell}.yaml", *([fleet / "tenants" / f"{tenant}.yaml"] if tenant else [])):
        digest.update(file.read_bytes() if file.is_file() else b"none")
    return digest.hexdigest()[:16]
