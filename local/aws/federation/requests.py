"""Reads a request for a token, and refuses what AWS's limits do not allow: ValidationError.

Lengths and patterns are botocore's model's. The model names no set of algorithms; AWS's API reference does:
https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import botocore.session
from botocore.model import ListShape, Shape, StructureShape

from local.aws.federation.issuer_keys import ALGORITHMS
from local.aws.iam.request_limits import constraint

OPERATION: Final = "GetWebIdentityToken"
_DEFAULT_SECONDS: Final = 300


class Refused(Exception):
    """`code` is AWS's, `str()` its message, `status` the HTTP status."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True)
class Asked:
    """`tags` as they were given, in their order."""

    audiences: tuple[str, ...]
    algorithm: str
    seconds: int
    tags: tuple[tuple[str, str], ...]


def read(parameters: Mapping[str, Any]) -> Asked:
    """`parameters` are the query protocol's: ``Audience.member.1``, ``Tags.member.1.Key``. Raises Refused."""
    audiences = members(parameters, "Audience")
    pairs = list(_pairs(parameters))
    problems = [*_problems(parameters, audiences, pairs)]
    if problems:
        plural = "error" if len(problems) == 1 else "errors"
        raise Refused(400, "ValidationError", f"{len(problems)} validation {plural} detected: {'; '.join(problems)}")
    tags = tuple((key or "", value or "") for key, value in pairs)
    if len({key.lower() for key, _ in tags}) < len(tags):
        message = "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        raise Refused(400, "InvalidParameterValue", message)
    seconds = int(parameters.get("DurationSeconds") or _DEFAULT_SECONDS)
    return Asked(tuple(audiences), str(parameters["SigningAlgorithm"]), seconds, tags)


def members(parameters: Mapping[str, Any], name: str) -> list[str]:
    """The members of a list of texts, in their order."""
    found: list[str] = []
    while (given := parameters.get(f"{name}.member.{len(found) + 1}")) is not None:
        found.append(str(given))
    return found


def _pairs(parameters: Mapping[str, Any]) -> Iterator[tuple[str | None, str | None]]:
    number = 1
    while any(f"Tags.member.{number}.{part}" in parameters for part in ("Key", "Value")):
        yield parameters.get(f"Tags.member.{number}.Key"), parameters.get(f"Tags.member.{number}.Value")
        number += 1


def _problems(
    parameters: Mapping[str, Any], audiences: list[str], pairs: list[tuple[str | None, str | None]]
) -> Iterator[str]:
    shapes = _shapes()
    yield from _counted("audience", shapes["Audience"], audiences)
    yield from _counted("tags", shapes["Tags"], pairs)
    for number, audience in enumerate(audiences, 1):
        yield from _checked(f"audience.{number}.member", _member(shapes["Audience"]), audience)
    tag = _member(shapes["Tags"])
    assert isinstance(tag, StructureShape)
    for number, (key, value) in enumerate(pairs, 1):
        yield from _checked(f"tags.{number}.member.key", tag.members["Key"], key)
        yield from _checked(f"tags.{number}.member.value", tag.members["Value"], value)
    algorithm = parameters.get("SigningAlgorithm")
    if algorithm not in ALGORITHMS:
        rule = f"Member must satisfy enum value set: [{', '.join(ALGORITHMS)}]" if algorithm else _NOT_NULL
        yield _failure("signingAlgorithm", rule)
    if (seconds := parameters.get("DurationSeconds")) is not None:
        if not re.fullmatch(r"[0-9]{1,9}", str(seconds)):
            yield _failure("durationSeconds", "Member must be an integer")
        else:
            yield from _checked("durationSeconds", shapes["DurationSeconds"], str(seconds))


_NOT_NULL: Final = "Member must not be null"


def _counted(path: str, shape: Shape, given: list[Any]) -> Iterator[str]:
    least, most = shape.metadata.get("min", 0), shape.metadata["max"]
    if len(given) < least:
        yield _failure(path, _NOT_NULL)
    if len(given) > most:
        yield _failure(path, f"Member must have length less than or equal to {most}")


def _checked(path: str, shape: Shape, value: str | None) -> Iterator[str]:
    rule = _NOT_NULL if value is None else constraint(shape, value)
    if rule:
        yield _failure(path, rule)


def _failure(path: str, rule: str) -> str:
    return f"Value at '{path}' failed to satisfy constraint: {rule}"


def _member(shape: Shape) -> Shape:
    assert isinstance(shape, ListShape)
    return shape.member


@cache
def _shapes() -> Mapping[str, Shape]:
    model = botocore.session.get_session().get_service_model("sts")
    shape = model.operation_model(OPERATION).input_shape
    assert isinstance(shape, StructureShape)
    return shape.members
