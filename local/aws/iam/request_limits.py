"""The lengths, ranges and patterns of IAM's parameters and tags: ValidationError.

Owns the check, made from botocore's model of IAM: what AWS publishes about its own API. Leaves out how long a policy
may be (`policy_sizes`), and what it may say. The text is that of AWS's request validation, as its users report it:
https://github.com/aws/eks-hybrid/pull/113
https://github.com/ministryofjustice/cloud-platform-environments/pull/22667
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from typing import Any, Final
from xml.sax.saxutils import escape

import botocore.session
from botocore.model import ListShape, ServiceModel, Shape, StructureShape
from ministack.services import iam as iam_service

from local.aws.iam.patching import replace_operation

_JAVA: Final = r"\p{L}\p{Z}\p{N}"
"""Letters, separators and numbers: the only classes of IAM's patterns that Python's expressions do not have."""
_PYTHON: Final = r"\w \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"


def install() -> None:
    for operation in _model().operation_names:
        if operation in iam_service._IAM_HANDLERS and _shapes(operation):
            replace_operation(operation, partial(_checked, operation))


@cache
def _model() -> ServiceModel:
    return botocore.session.get_session().get_service_model("iam")


@cache
def _shapes(operation: str) -> Mapping[str, Shape]:
    shape = _model().operation_model(operation).input_shape
    return shape.members if isinstance(shape, StructureShape) else {}


def _checked(operation: str, original: Callable[..., Any]) -> Callable[..., Any]:
    def handler(p: dict[str, Any]) -> Any:
        failures = [f"Value at '{path}' failed to satisfy constraint: {rule}" for path, rule in _broken(operation, p)]
        if failures:
            plural = "error" if len(failures) == 1 else "errors"
            message = f"{len(failures)} validation {plural} detected: {'; '.join(failures)}"
            return iam_service._error(400, "ValidationError", escape(message), ns="iam")
        return original(p)

    return handler


def _broken(operation: str, p: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The path of each parameter that is refused, and the constraint that it breaks."""
    for name, shape in _shapes(operation).items():
        path = name[0].lower() + name[1:]
        if name in p and (rule := constraint(shape, str(iam_service._p(p, name)))):
            yield path, rule
        if isinstance(shape, ListShape) and isinstance(shape.member, StructureShape):
            for given in sorted(p):
                found = re.fullmatch(rf"{name}\.member\.(\d+)\.(\w+)", given)
                inner = shape.member.members.get(found[2]) if found else None
                if found and inner and (rule := constraint(inner, str(iam_service._p(p, given)))):
                    yield f"{path}.{found[1]}.member.{found[2][0].lower()}{found[2][1:]}", rule


def constraint(shape: Shape, value: str) -> str:
    """The constraint that `value` breaks; empty if there is none."""
    least, most, pattern = (shape.metadata.get(one) for one in ("min", "max", "pattern"))
    if shape.type_name == "integer":
        measure, number = "value", int(value) if re.fullmatch(r"-?\d+", value) else None
    else:
        measure, number = "length", len(value) if shape.type_name == "string" else None
    if number is not None and least is not None and number < least:
        return f"Member must have {measure} greater than or equal to {least}"
    if number is not None and most is not None and number > most:
        return f"Member must have {measure} less than or equal to {most}"
    if pattern and not re.fullmatch(pattern.replace(_JAVA, _PYTHON), value, 0 if _JAVA in pattern else re.ASCII):
        return f"Member must satisfy regular expression pattern: {pattern}"
    return ""
