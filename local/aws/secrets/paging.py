"""Pages of a list, by MaxResults and NextToken."""

from __future__ import annotations

import base64
import binascii
from typing import Any, TypeVar

from local.aws.secrets.refusals import Refusal

Item = TypeVar("Item")

MOST = 100


def page(items: list[Item], request: dict[str, Any]) -> tuple[list[Item], dict[str, str]]:
    """One page, and {"NextToken": …} when there is another."""
    start = _position(request.get("NextToken"))
    end = start + request.get("MaxResults", MOST)
    more = {"NextToken": base64.b64encode(str(end).encode()).decode()} if end < len(items) else {}
    return items[start:end], more


def _position(token: str | None) -> int:
    if token is None:
        return 0
    try:
        position = int(base64.b64decode(token, validate=True))
    except (binascii.Error, ValueError):
        position = -1
    if position < 0:
        raise Refusal("InvalidNextTokenException", "The NextToken value is invalid.")
    return position
