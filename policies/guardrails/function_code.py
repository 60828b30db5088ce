"""The archive, handler, runtime and role of the functions that read keys.

Owns also that nothing else runs as their roles, which trust all of Lambda.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import PurePath
from typing import Any, Final

from . import ownership
from .config import Config
from .model import UNKNOWN, Archive, Finding, Rule, Stack, unknown, violation
from .own_functions import OUR_FUNCTIONS

_ELSEWHERE: Final = (
    "layers",
    "imageUri",
    "imageConfig",
    "s3Bucket",
    "s3Key",
    "s3ObjectVersion",
    "fileSystemConfig",
    "fileSystemConfigs",
)
_RUNTIME_ENDS: Final = {
    "python3.12": date(2028, 10, 31),
    "python3.13": date(2029, 6, 30),
    "python3.14": date(2029, 6, 30),
}
"""The runtimes that our functions may have, and the last day on which AWS updates each.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html"""
_RUNS_AS: Final = {
    ownership.FUNCTION: "role",
    "aws:synthetics/canary:Canary": "executionRoleArn",
}
"""Resource types that Lambda runs, and the property with the role."""
_FOLDERS: Final = {one.kind.rpartition("-")[2]: one.folder for one in OUR_FUNCTIONS}
"""By the last word of a function's name: where its code is."""


def _runs_our_code(stack: Stack, _: Config) -> Iterator[Finding]:
    for function in ownership.functions(stack):
        for path in _ELSEWHERE:
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


def _today() -> date:
    return datetime.now(UTC).date()


def _supported(stack: Stack, config: Config) -> Iterator[Finding]:
    for function in ownership.functions(stack):
        runtime = function.get("runtime")
        end = _RUNTIME_ENDS.get(str(runtime))
        if runtime is UNKNOWN:
            yield unknown(function, "runtime")
        elif end is None:
            yield violation(function, "runtime", f"the runtime is none of {', '.join(_RUNTIME_ENDS)}")
        elif (days := (end - _today()).days) < config.min_runtime_days:
            message = f"AWS updates the runtime until {end}, {days} days; the least is {config.min_runtime_days}"
            yield violation(function, "runtime", message)


def _as_ours_alone(stack: Stack, _: Config) -> Iterator[Finding]:
    ours = {one.text("name") for one in ownership.roles(stack)}
    for resource in stack:
        path = _RUNS_AS.get(resource.type)
        if path is None or ownership.is_ours(resource):
            continue
        role = resource.get(path)
        if role is UNKNOWN:
            found = ownership.sources(stack, resource, path)
            if not found:
                yield unknown(resource, path)
            if any(one.type == ownership.ROLE and ownership.is_ours(one) for one in found):
                yield violation(resource, path, _ANOTHERS)
        elif ownership.role_of(str(role)) or str(role).rpartition("/")[2] in ours:
            yield violation(resource, path, _ANOTHERS)


def _built_here(code: Any, kind: str) -> bool:
    """No property shows the archive's content, which is reviewed as code. The engine shows an archive without its path;
    only a review can check the path."""
    if not isinstance(code, Archive) or code.uri or code.parts:
        return False
    return not code.path or PurePath(code.path).parts[-2:] == (".build", f"{_FOLDERS.get(kind)}.zip")


_ANOTHERS: Final = "code that is not ours would run as a role of ours"


def _role_named(role: str, name: str) -> bool:
    found = ownership.principal(role)
    return role == name or (found is not None and found[1] == name)


CODE_RULES: Final = (
    Rule(
        name="functions-run-our-code",
        severity="critical",
        level="mandatory",
        description="A function runs the archive that is built for it, as its own role, without layers or an image.",
        rationale="Code in a layer or an archive from a bucket may read every key of the cell.",
        fix="Remove layers, image and file system. Give the function what components/key_function.py gives it: its "
        "own role, and the archive and handler of its folder in functions/, where its dependencies belong too.",
        source="https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html",
        check=_runs_our_code,
    ),
    Rule(
        name="functions-runtime-is-supported",
        severity="medium",
        level="mandatory",
        description="AWS still updates the runtime of a function.",
        rationale="Known flaws of a runtime that is past its end stay open in code that reads every key of the cell, "
        "and after some weeks AWS refuses changes of its functions.",
        fix="Set RUNTIME in components/key_function.py to a newer one. A runtime that AWS has added belongs in "
        "policies/guardrails/function_code.py.",
        source="https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html",
        check=_supported,
        scope="resource",
        settings=("min_runtime_days",),
    ),
    Rule(
        name="roles-run-our-functions-alone",
        severity="critical",
        level="mandatory",
        description="No Lambda function or canary that is not ours runs as a role of ours.",
        rationale="A function's role trusts all of Lambda: any function that has it reads every key that ours may "
        "read.",
        fix="Give the function a role of its own.",
        source="https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html",
        check=_as_ours_alone,
    ),
)
