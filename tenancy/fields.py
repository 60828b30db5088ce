"""The building blocks of both kinds of file: a base model, field types, and the way a rule refuses.

Owns immutability: models are frozen, lists are tuples, mappings are `FrozenMapping`. Leaves out which fields there are.
Numbers and booleans are strict: a file that says ``"30"`` or ``yes`` says something else than its author means.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Final, Generic, NoReturn, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr
from pydantic_core import PydanticCustomError

from myflux_keys.names import CELL_SLUG, TENANT_SLUG
from tenancy.problems import Refusal

K = TypeVar("K")
V = TypeVar("V")


class Model(BaseModel):
    """Immutable; refuses fields it doesn't know; its errors never hold the input."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, field_title_generator=lambda name, _: name
    )


class FrozenMapping(Mapping[K, V], Generic[K, V]):
    """A mapping that cannot change, can be hashed, and, unlike MappingProxyType, can go to another process."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[K, V]) -> None:
        self._items = dict(items)

    def __getitem__(self, key: K) -> V:
        return self._items[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return f"FrozenMapping({self._items!r})"


def refuse(refusals: Iterable[Refusal]) -> None:
    """Raises what pydantic reports as one error of type ``refused``, unless there is nothing to refuse."""
    found = tuple(refusals)
    if found:
        reasons = " ".join(refusal.reason for refusal in found)
        raise PydanticCustomError("refused", "{reasons}", {"reasons": reasons, "refusals": found})


def refused(rule: str, reason: str, way_out: str) -> NoReturn:
    refuse([Refusal(rule, reason, way_out)])
    raise AssertionError("unreachable: one refusal was given")


_DOT_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL: Final = re.compile(rf"(?=.{{1,64}}@){_DOT_ATOM}@(?:{_LABEL}\.)+{_LABEL}", re.ASCII)


def _tenant_slug(text: str) -> str:
    if not TENANT_SLUG.fullmatch(text):
        refused(
            "bad-slug",
            "A tenant's slug is 3 to 32 of a-z, 0-9 and -, and starts with a letter: it becomes part of names in AWS.",
            "choose such a slug; `name` holds the name that people read.",
        )
    return text


def _cell_slug(text: str) -> str:
    if not CELL_SLUG.fullmatch(text):
        refused(
            "bad-slug",
            "A cell's slug is 3 to 20 of a-z, 0-9 and -, and starts with a letter: it becomes part of names in AWS.",
            "choose such a slug, for example prod-eu1.",
        )
    return text


def _email(text: str) -> str:
    if len(text) > 254 or not _EMAIL.fullmatch(text):
        refused("bad-email", "This is not an e-mail address.", "write one address, for example ops@acme.example.")
    return text


def _unique(values: tuple[Any, ...]) -> tuple[Any, ...]:
    repeated = [(place, value) for place, value in enumerate(values) if value in values[:place]]
    way_out = "delete the second one."
    refuse(Refusal("repeated", "This stands in the list already.", way_out, (place,)) for place, _ in repeated)
    return values


def _not_empty(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if not values:
        refused("empty-list", "The list must not be empty.", "write at least one.")
    return values


Text = StrictStr
Flag = StrictBool
Whole = StrictInt
TenantSlug = Annotated[
    StrictStr, AfterValidator(_tenant_slug), Field(json_schema_extra={"pattern": f"^{TENANT_SLUG.pattern}$"})
]
CellSlug = Annotated[
    StrictStr, AfterValidator(_cell_slug), Field(json_schema_extra={"pattern": f"^{CELL_SLUG.pattern}$"})
]
Email = Annotated[StrictStr, AfterValidator(_email), Field(json_schema_extra={"format": "email"})]
NotEmpty = AfterValidator(_not_empty)
Unique = AfterValidator(_unique)
"""For a tuple: no value stands twice."""
