"""The lengths, ranges, patterns and enumerations of Secrets Manager's API, checked before an operation runs.

Owns the check, made from botocore's model of the service: what AWS publishes about its own API. Leaves out rules that
span several fields. The message is that of AWS's request validation; a sensitive value never appears in it.
"""

from __future__ import annotations

import base64
import binascii
import re
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ListShape, OperationModel, ServiceModel, Shape, StructureShape

from local.aws.secrets.refusals import Refusal

_Failure = tuple[str, str, str | None]
"""(member's path, rule, value to show or None)."""


@cache
def _model() -> ServiceModel:
    return botocore.session.get_session().get_service_model("secretsmanager")


def operations() -> frozenset[str]:
    return frozenset(_model().operation_names)


def check(operation: str, request: dict[str, Any]) -> None:
    """Raises Refusal(ValidationException) listing every constraint that `request` breaks."""
    model: OperationModel = _model().operation_model(operation)
    shape = model.input_shape
    failures = _structure(shape, request, "") if isinstance(shape, StructureShape) else []
    if failures:
        found = "; ".join(_sentence(*failure) for failure in failures)
        plural = "error" if len(failures) == 1 else "errors"
        raise Refusal("ValidationException", f"{len(failures)} validation {plural} detected: {found}")


def _sentence(path: str, rule: str, value: str | None) -> str:
    shown = "Value" if value is None else f"Value '{value}'"
    return f"{shown} at '{path}' failed to satisfy constraint: {rule}"


def _structure(shape: StructureShape, value: Any, path: str) -> list[_Failure]:
    if not isinstance(value, dict):
        raise Refusal("SerializationException", f"{path or 'The request'} must be a JSON object")
    failures: list[_Failure] = [
        (_join(path, name), "Member must not be null", "null")
        for name in shape.required_members
        if value.get(name) is None
    ]
    for name, member in shape.members.items():
        if value.get(name) is not None:
            failures += _member(member, value[name], _join(path, name))
    return failures


def _join(path: str, name: str) -> str:
    camel = name[0].lower() + name[1:]
    return f"{path}.{camel}" if path else camel


_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "blob": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "list": (list,),
    "structure": (dict,),
    "timestamp": (int, float),
}


def _has_type(shape: Shape, value: Any) -> bool:
    # To Python a bool is an int as well.
    return isinstance(value, _TYPES[shape.type_name]) and isinstance(value, bool) == (shape.type_name == "boolean")


def _member(shape: Shape, value: Any, path: str) -> list[_Failure]:
    if not _has_type(shape, value):
        raise Refusal("SerializationException", f"{path} must be a {shape.type_name}")
    if isinstance(shape, StructureShape):
        return _structure(shape, value, path)
    if isinstance(shape, ListShape):
        failures = _bounds(shape, len(value), path, None)
        for index, item in enumerate(value, start=1):
            failures += _member(shape.member, item, f"{path}.{index}.member")
        return failures
    shown = None if shape.metadata.get("sensitive") else str(value)
    if shape.type_name in {"integer", "long"}:
        return _range(shape, value, path, shown)
    if shape.type_name == "blob":
        return _bounds(shape, len(_decoded(value, path)), path, None)
    if shape.type_name == "string":
        return _string(shape, value, path, shown)
    return []


def _string(shape: Shape, value: str, path: str, shown: str | None) -> list[_Failure]:
    # A secret's limit is of bytes; for every other string, ASCII, it makes no difference.
    failures = _bounds(shape, len(value.encode()), path, shown)
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern, value):
        failures.append((path, f"Member must satisfy regular expression pattern: {pattern}", shown))
    enum: list[str] | None = shape.metadata.get("enum")
    if enum and value not in enum:
        failures.append((path, f"Member must satisfy enum value set: [{', '.join(enum)}]", shown))
    return failures


def _bounds(shape: Shape, length: int, path: str, shown: str | None) -> list[_Failure]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and length < least:
        return [(path, f"Member must have length greater than or equal to {least}", shown)]
    if most is not None and length > most:
        return [(path, f"Member must have length less than or equal to {most}", shown)]
    return []


def _range(shape: Shape, value: int, path: str, shown: str | None) -> list[_Failure]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and value < least:
        return [(path, f"Member must have value greater than or equal to {least}", shown)]
    if most is not None and value > most:
        return [(path, f"Member must have value less than or equal to {most}", shown)]
    return []


def _decoded(value: str, path: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        raise Refusal("SerializationException", f"{path} must be base64") from None
