"""From pydantic's errors to problems that a person can act on.

Owns the words for types, ranges and unknown fields. Leaves out the rules' own words, which come as `Refusal`s inside
the errors. Pydantic's messages and inputs are never passed on: they may hold what must not be printed.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, Final, cast, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from tenancy.document import Document, Place, dotted
from tenancy.problems import Problem, Refusal

_YAML_11: Final = ("yes", "no", "on", "off", "y", "n")

_TYPES: Final = {
    "string_type": ("This must be text.", "write text; a number or true that is meant as text goes in quotes."),
    "int_type": ("This must be a whole number.", "write digits alone: 200000, without quotes, point or _."),
    "int_from_float": ("This must be a whole number.", "write digits alone: 200000, without quotes, point or _."),
    "bool_type": ("This must be true or false.", "write true or false, without quotes."),
    "tuple_type": ("This must be a list.", "write [one, two], or a line starting with - for each."),
    "dict_type": ("This must hold fields of its own.", "write {name: value}, or indented lines."),
    "model_type": ("This must hold fields of its own.", "write {name: value}, or indented lines."),
    "model_attributes_type": ("This must hold fields of its own.", "write {name: value}, or indented lines."),
}


def explain(document: Document, model: type[BaseModel], details: ErrorDetails) -> Iterator[Problem]:
    """The problems that one pydantic error stands for; none for a place that was refused already."""
    place: Place = details["loc"]
    context: dict[str, Any] = details.get("ctx", {})
    if details["type"] == "refused":
        for refusal in cast(tuple[Refusal, ...], context["refusals"]):
            yield from at(document, refusal, place)
        return
    if details["type"] == "extra_forbidden":
        yield document.problem(_unknown(model, place), place, show=False)
    elif not _broken(document, place):
        yield document.problem(_wrong(model, place, details["type"], context, document.value(place)), place)


def at(document: Document, refusal: Refusal, place: Place = ()) -> Iterator[Problem]:
    """`refusal` as a problem of the file, unless its place was refused already."""
    whole = (*place, *refusal.at)
    if not _broken(document, whole):
        yield document.problem(refusal, whole)


def _broken(document: Document, place: Place) -> bool:
    return any(place[:length] in document.broken for length in range(1, len(place) + 1))


def _inside(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _inside(part))), None)


def _field(model: type[BaseModel], place: Place) -> tuple[type[BaseModel], FieldInfo | None]:
    """The model that `place` stands in, and the field it names there, if it is one."""
    field: FieldInfo | None = None
    for part in place:
        known = model.model_fields.get(str(part))
        if known is not None:
            field = known
        if part is not place[-1] and known is not None:
            model = _inside(known.annotation) or model
    return model, field


def _unknown(model: type[BaseModel], place: Place) -> Refusal:
    inside, _ = _field(model, place)
    name = str(place[-1])
    close = get_close_matches(name.lower(), inside.model_fields, n=1)
    hint = f"did you mean {close[0]}?" if close else f"the fields here are {', '.join(inside.model_fields)}."
    return Refusal("unknown-field", "There is no such field.", hint)


def _wrong(model: type[BaseModel], place: Place, kind: str, context: dict[str, Any], value: object) -> Refusal:
    _, field = _field(model, place)
    meaning = f" {field.description}" if field and field.description else ""
    if kind == "missing":
        example = f": {field.examples[0]}" if field and field.examples else ""
        return Refusal("missing-field", f"The field is missing.{meaning}", f"add {dotted(place[-1:])}{example}.")
    if kind == "bool_type" and isinstance(value, str) and value.lower() in _YAML_11:
        reason = "This must be true or false. yes, no, on and off are text here, so that the country NO stays Norway."
        return Refusal("wrong-type", reason, "write true or false, without quotes.")
    if kind in _TYPES:
        reason, way_out = _TYPES[kind]
        return Refusal("wrong-type", f"{reason}{meaning}", way_out)
    if kind == "literal_error":
        return Refusal("not-a-choice", f"This must be one of {context['expected']}.{meaning}", "write one of them.")
    if kind in ("greater_than_equal", "less_than_equal"):
        bound = f"at least {context['ge']}" if "ge" in context else f"at most {context['le']}"
        return Refusal("out-of-range", f"This must be {bound}.{meaning}", f"write {bound}.")
    return Refusal("invalid", f"This is not valid here.{meaning}", "compare with docs/schema/ or a file that works.")
