"""The archive, handler and role of the functions that read keys."""

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
                yield violation(function, path, "the function runs code from elsewhere than its archive")
        kind = function.text("name").rpartition("-")[2]
        code = function.get("code")
        if code is UNKNOWN:
            yield unknown(function, "code")
        elif not code:
            yield violation(function, "code", "the function has no archive")
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
            yield violation(function, "role", "the role is not the function's own")


def _built_here(code: Any, kind: str) -> bool:
    """No property shows the archive's content, which is reviewed as code. The engine shows an archive without its path;
    only a review can check the path."""
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
        description="A function runs the archive that is built for it, as its own role, without layers.",
        rationale="Code in a layer or an archive from a bucket may read every key of the cell.",
        fix="Create functions with components/key_function.py.",
        source="https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html",
        check=_runs_our_code,
    ),
)
