"""The base model and the field types of tenant and cell files, and how a rule refuses a value.

Owns immutability: models are frozen, lists are tuples, mappings are `FrozenMapping`. Leaves out which fields there are.
Numbers and booleans are strict: ``"30"`` and ``yes`` are text and are refused where a number or a boolean is needed.
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
    """Immutable. Refuses unknown fields. Its errors never hold the input."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, field_title_generator=lambda name, _: name
    )


class FrozenMapping(Mapping[K, V], Generic[K, V]):
    """An immutable, hashable mapping that, unlike MappingProxyType, can be pickled."""

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
    """Raises one pydantic error of type ``refused`` that holds `refusals`; does nothing if there are none."""
    given = tuple(refusals)
    if given:
        reasons = " ".join(refusal.reason for refusal in given)
        raise PydanticCustomError("refused", "{reasons}", {"reasons": reasons, "refusals": given})


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
            "A tenant's slug must be 3 to 32 of a-z, 0-9 and -, and start with a letter: it is part of names in AWS.",
            "choose such a slug; write the name for people in `name`.",
        )
    return text


def _cell_slug(text: str) -> str:
    if not CELL_SLUG.fullmatch(text):
        refused(
            "bad-slug",
            "A cell's slug must be 3 to 20 of a-z, 0-9 and -, and start with a letter: it is part of names in AWS.",
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
    refuse(Refusal("repeated", "This value is in the list already.", way_out, (place,)) for place, _ in repeated)
    return values


def _not_empty(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if not values:
        refused("empty-list", "The list must not be empty.", "write at least one value.")
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
"""For a tuple: no value occurs twice."""
