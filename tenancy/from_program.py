"""Builds the models from a Pulumi program's values instead of files, with the same rules, except those between
tenants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeVar, cast

from pydantic import ValidationError

from tenancy import clashes
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
    "A value looks like an API key or an AWS access key; a component's arguments are printed and stored.",
    "remove it, and revoke the key where it came from: it counts as leaked. MyFlux Keys never needs a key.",
)


def cell(values: Mapping[str, Any], place: str) -> Cell:
    """A cell from the fields of a cell's file. `place` names them in errors, like a file. Raises TenancyError."""
    document = _document(values, place)
    model = _model(document, Cell, cell_refusals)
    _refuse(clashes.cell_problems(document, model), place)
    return model


def tenant(values: Mapping[str, Any], place: str, of: Cell) -> Tenant:
    """A tenant of the cell `of` from the fields of a tenant's file but `cell`. Raises TenancyError."""
    document = _document({**values, "cell": of.cell}, place)
    model = _model(document, Tenant, tenant_refusals)
    _refuse(clashes.tenant_problems(document, model, of), place)
    return model


def _document(values: Mapping[str, Any], place: str) -> Document:
    document = Document(Source(place, place, ""), dict(values))
    if any(map(holds_key, _texts(values))):
        # Only this problem, without a field: the text of another one might show what is next to the key.
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
    if given := list(problems):
        raise TenancyError(given, place)
