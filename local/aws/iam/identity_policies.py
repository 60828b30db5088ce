"""What IAM checks of an identity policy before it stores one: MalformedPolicyDocument.

Owns the grammar of inline and managed policies. Leaves out trust policies (`trust_policies`), sizes (`policy_sizes`),
and what a policy allows (`decision`).
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
The texts are those that AWS's users report, e.g. https://github.com/trussworks/terraform-aws-s3-anti-virus/issues/21,
https://repost.aws/knowledge-center/iam-malformed-policy-errors
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final
from xml.sax.saxutils import escape

from ministack.services import iam as iam_service

from local.aws.iam import conditions
from local.aws.iam.patching import replace_operation
from local.aws.iam.policy import listed

_OPERATIONS: Final = ("PutRolePolicy", "PutUserPolicy", "PutGroupPolicy", "CreatePolicy", "CreatePolicyVersion")
_SYNTAX: Final = "Syntax errors in policy."
_VERSIONS: Final = ("2012-10-17", "2008-10-17")
_DOCUMENT: Final = frozenset({"Version", "Id", "Statement"})
_STATEMENT: Final = frozenset({"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"})
_SID: Final = re.compile(r"[0-9A-Za-z]*", re.ASCII)
_ACTION: Final = re.compile(r"\*|[a-zA-Z0-9-]+:[a-zA-Z0-9*?]+", re.ASCII)
_ARN: Final = re.compile(r"arn:[^:]*:[^:]*:[^:]*:[^:]*:.+", re.DOTALL)


def install() -> None:
    for operation in _OPERATIONS:
        replace_operation(operation, _checked)


def _checked(original: Callable[..., Any]) -> Callable[..., Any]:
    def handler(p: dict[str, Any]) -> Any:
        problem = problem_of(iam_service._p(p, "PolicyDocument"))
        if problem:
            return iam_service._error(400, "MalformedPolicyDocument", escape(problem), ns="iam")
        return original(p)

    return handler


def problem_of(text: str) -> str | None:
    """IAM's text for the first thing that is wrong; None for a policy that it stores."""
    try:
        document: Any = json.loads(text)
    except ValueError:
        return _SYNTAX
    if not isinstance(document, dict) or set(document) - _DOCUMENT:
        return _SYNTAX
    if document.get("Version", _VERSIONS[1]) not in _VERSIONS:
        return "The policy must contain a valid version string"
    statements = listed(document.get("Statement"))
    if not statements or not all(isinstance(one, dict) for one in statements):
        return _SYNTAX
    sids = [one["Sid"] for one in statements if one.get("Sid")]
    if len(set(map(str, sids))) < len(sids):
        return "Statement IDs (SID) in a single policy must be unique."
    return next((problem for one in statements for problem in _problems(one)), None)


def _problems(statement: dict[str, Any]) -> Iterator[str]:
    if "Principal" in statement or "NotPrincipal" in statement:
        yield "Policy document should not specify a principal."
    if set(statement) - _STATEMENT or statement.get("Effect") not in ("Allow", "Deny"):
        yield _SYNTAX
    if not _SID.fullmatch(str(statement.get("Sid", ""))):
        yield (
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression "
            "[0-9A-Za-z]*"
        )
    for element, missing in (("Action", "actions"), ("Resource", "resources")):
        both = [statement[name] for name in (element, f"Not{element}") if name in statement]
        values = [one for held in both for one in listed(held)]
        if not values:
            yield f"Policy statement must contain {missing}."
        if len(both) > 1 or not all(isinstance(one, str) for one in values):
            yield _SYNTAX
        for value in map(str, values):
            yield from _action(value) if element == "Action" else _resource(value)
    yield from _conditions(statement.get("Condition", {}))


def _action(value: str) -> Iterator[str]:
    if ":" not in value and value != "*":
        yield "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
    elif not _ACTION.fullmatch(value):
        yield _SYNTAX


def _resource(value: str) -> Iterator[str]:
    if value == "*":
        return
    if not value.startswith("arn:"):
        yield f'Resource {value} must be in ARN format or "*".'
    elif not _ARN.fullmatch(value):
        yield "The policy failed legacy parsing"
    elif set(value.split(":")[2]) & set("*?"):
        yield "Resource vendor must be fully qualified and cannot contain regexes."


def _conditions(condition: Any) -> Iterator[str]:
    if not isinstance(condition, dict):
        yield _SYNTAX
        return
    for operator, keys in condition.items():
        if not conditions.known(operator):
            yield f"Invalid Condition type : {operator}."
        elif not isinstance(keys, dict):
            yield _SYNTAX
        elif any(":" not in key for key in keys):
            yield "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
