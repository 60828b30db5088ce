"""Lists by cursor: `after`, `before`, `limit`, `order`, and the page object that the SDK follows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from local.openai import errors
from local.openai.fields import Query

T = TypeVar("T")


def page(
    items: Sequence[T],
    query: Query,
    render: Callable[[T], dict[str, Any]],
    identify: Callable[[T], str],
    *,
    default: int = 20,
    maximum: int = 100,
    order: str | None = None,
    before: bool = False,
    keep: Callable[[T], bool] = lambda _: True,
) -> dict[str, Any]:
    """Reads the paging fields from `query`, refuses all other fields, and returns one page.

    `items` are oldest first. Items for which `keep` is false are not returned, but are valid as a cursor. `order` is
    the default order of endpoints that have the parameter. An `after` or `before` that is not in the list is refused,
    so that a caller never mistakes a wrong page for the end of the list.
    """
    limit = query.integer("limit", minimum=1, maximum=maximum) or default
    after = query.text("after")
    first_after = query.text("before") if before else None
    direction = query.choice("order", ("asc", "desc"), order) if order else "asc"
    query.done()
    listed = list(items) if direction == "asc" else list(reversed(items))
    ids = [identify(item) for item in listed]
    start, end = 0, len(listed)
    if after is not None:
        start = _position(ids, after, "after") + 1
    if first_after is not None:
        end = _position(ids, first_after, "before")
    kept = [item for item in listed[start:end] if keep(item)]
    shown = kept[-limit:] if first_after is not None else kept[:limit]
    more = len(kept) > len(shown)
    return {
        "object": "list",
        "data": [render(item) for item in shown],
        "first_id": identify(shown[0]) if shown else None,
        "last_id": identify(shown[-1]) if shown else None,
        "has_more": more,
    }


def _position(ids: list[str], cursor: str, name: str) -> int:
    try:
        return ids.index(cursor)
    except ValueError:
        raise errors.invalid_value(name, f"no object with id '{cursor}' in this list.") from None
