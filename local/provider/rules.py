"""Rules for input values. Each returns a function that returns why a value is refused, or None."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from typing import Any, TypeAlias

Rule: TypeAlias = Callable[[Any], str | None]


def between(low: int, high: int, *also: int) -> Rule:
    def rule(value: Any) -> str | None:
        if low <= value <= high or value in also:
            return None
        others = f", or {', '.join(map(str, also))}" if also else ""
        return f"{value} is not between {low} and {high}{others}"

    return rule


def one_of(allowed: Collection[Any]) -> Rule:
    def rule(value: Any) -> str | None:
        return None if value in allowed else f"{value!r} is not one of {', '.join(map(str, allowed))}"

    return rule


def matches(pattern: str, expected: str) -> Rule:
    compiled = re.compile(pattern)

    def rule(value: Any) -> str | None:
        return None if compiled.fullmatch(value) else f"{value!r} is not {expected}"

    return rule


def is_json(value: Any) -> str | None:
    try:
        json.loads(value)
    except ValueError as error:
        return f"is not JSON: {error}"
    return None


is_arn: Rule = matches(r"arn:[\w-]+:[\w-]+:[\w-]*:(\d{12}|aws|aws-managed|third-party|aws-marketplace)?:.+", "an ARN")
"""AWS's own policies have `aws` as their account, as the official provider knows.
https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/verify/validate.go"""
