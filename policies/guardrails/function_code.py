"""What the functions that read keys run.

Owns a function's archive, its handler, and the role that it runs as. Leaves out who calls it (`functions`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any, Final

from . import ownership
from .config import Config
from .model import UNKNOWN, Archive, Finding, Rule, Stack, unknown, violation
from .own_functions import OUR_FUNCTIONS

_FOLDERS: Final = {one.kind.rpartition("-")[2]: one.folder for one in OUR_FUNCTIONS}
"""By the last word of a function's name: where its code is."""


def _runs_our_code(stack: Stack, _: Config) -> Iterator[Finding]:
    for function in ownership.functions(stack):
        for path in ("layers", "imageUri", "s3Bucket", "fileSystemConfig", "fileSystemConfigs"):
            value = function.get(path)
            if value is UNKNOWN:
                yield unknown(function, path)
            elif value not in (None, "", [], {}):
                yield violation(function, path, "the function runs code that is not the archive built here")
        kind = function.text("name").rpartition("-")[2]
        code = function.get("code")
        if code is UNKNOWN:
            yield unknown(function, "code")
        elif not code:
            yield violation(function, "code", "the function has no archive that was built here")
        elif not _built_here(code, kind):
            yield violation(
                function, "code", "the function runs another archive than the one that is built here for it"
            )
        if function.text("handler") != f"functions.{_FOLDERS.get(kind)}.handler.handler":
            yield violation(function, "handler", "the function starts something else than its own handler")
        role = function.get("role")
        if role is UNKNOWN:
            found = ownership.comes_from(stack, function, "role", ownership.ROLE)
            role = found[0].text("name") if len(found) == 1 else UNKNOWN
        if role is UNKNOWN:
            yield unknown(function, "role")
        elif not _role_named(str(role), function.text("name")):
            yield violation(function, "role", "the function runs as another role than its own")


def _built_here(code: Any, kind: str) -> bool:
    """What is in the archive no property tells: it is reviewed as code. The engine shows a pack an archive without its
    path, as one of no files; then its path is judged in a review alone."""
    if not isinstance(code, Archive) or code.uri or code.parts:
        return False
    return not code.path or PurePath(code.path).parts[-2:] == (".build", f"{_FOLDERS.get(kind)}.zip")


def _role_named(role: str, name: str) -> bool:
    found = ownership.principal(role)
    return role == name or (found is not None and found[1] == name)


CODE_RULES: Final = (
    Rule(
        name="functions-run-our-code",
        severity="critical",
        level="mandatory",
        description="A function of ours runs the archive that was built here, by its own role, and no layer.",
        rationale="A layer, or an archive from a bucket, runs with the right to read every key of the cell.",
        fix="Make functions by components/key_function.py.",
        source="https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html",
        check=_runs_our_code,
    ),
)
