"""From values that another program hands over to the same models, with the same refusals as for a file.

Owns the order of the checks. Leaves out where values come from, and the rules that take other tenants to know: who
hands over one cell and one tenant has no folder of neighbours. A problem's place is named like a file's, without line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeVar, cast

from pydantic import ValidationError

from tenancy import fleet
from tenancy.cell import Cell, cell_refusals
from tenancy.document import Document
from tenancy.fields import Model
from tenancy.loading import Rules, field_problems
from tenancy.problems import Problem, Refusal, TenancyError, holds_key
from tenancy.source import Source
from tenancy.tenant import Tenant, tenant_refusals

M = TypeVar("M", bound=Model)

_KEY_SHAPED: Final = Refusal(
    "key-shaped",
    "Something in here is shaped like an API key or an access key, and what a component is told is printed and kept.",
    "take it out, and revoke the key where it came from: it counts as leaked. MyFlux Keys never needs a key.",
)


def cell(values: Mapping[str, Any], place: str) -> Cell:
    """`values` are what a cell's file says. `place` is what an error calls them. Raises TenancyError."""
    document = _document(values, place)
    found = _model(document, Cell, cell_refusals)
    _refuse(fleet.cell_problems(document, found), place)
    return found


def tenant(values: Mapping[str, Any], place: str, of: Cell) -> Tenant:
    """`values` are what a tenant's file says, without its cell, which is `of`. Raises TenancyError."""
    document = _document({**values, "cell": of.cell}, place)
    found = _model(document, Tenant, tenant_refusals)
    _refuse(fleet.tenant_problems(document, found, of), place)
    return found


def _document(values: Mapping[str, Any], place: str) -> Document:
    document = Document(Source(place, place, ""), dict(values))
    if any(map(holds_key, _texts(values))):
        # Alone and without a field: another problem's text might carry what the key stands next to.
        raise TenancyError([document.source.problem(_KEY_SHAPED)], place)
    return document


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, inner in cast(Mapping[str, Any], value).items():
            yield name
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in cast(list[Any], value):
            yield from _texts(inner)


def _model(document: Document, model: type[M], rules: Rules) -> M:
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        raise TenancyError(field_problems(document, model, error, rules), document.source.file) from None


def _refuse(problems: Iterator[Problem], place: str) -> None:
    if found := list(problems):
        raise TenancyError(found, place)
