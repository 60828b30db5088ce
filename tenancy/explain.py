"""Turns pydantic's errors into problems with a reason and a way out.

Owns the messages for types, ranges and unknown fields. Leaves out the messages of rules, which come as `Refusal`s
inside the errors. Pydantic's own messages and inputs are never printed: they may hold a key.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, Final, cast, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from tenancy.document import Document, FieldPath, dotted, flow
from tenancy.problems import Problem, Refusal

_YAML_11: Final = ("yes", "no", "on", "off", "y", "n")

_TEXT: Final = (
    "The value must be text.",
    "write text, for example {}: put a number or true that you mean as text in quotes.",
    "write text: put a number or true that you mean as text in quotes.",
)
_NUMBER: Final = (
    "The value must be a whole number.",
    "write only digits, for example {}: no quotes, point, _ or unit.",
    "write only digits: no quotes, point, _ or unit.",
)
_LIST: Final = (
    "The value must be a list.",
    "write a list, for example {}, or one line that starts with - for each item.",
    "write [one, two], or one line that starts with - for each item.",
)
_FIELDS: Final = (
    "This must hold fields of its own.",
    "write fields, for example {}, or indented lines.",
    "write {name: value}, or indented lines.",
)
_FLAG: Final = (
    "The value must be true or false.",
    "write true or false, without quotes.",
    "write true or false, without quotes.",
)

_TYPES: Final = {
    "string_type": _TEXT,
    "int_type": _NUMBER,
    "int_from_float": _NUMBER,
    "bool_type": _FLAG,
    "tuple_type": _LIST,
    "dict_type": _FIELDS,
    "model_type": _FIELDS,
    "model_attributes_type": _FIELDS,
}
"""By pydantic's type of error: the reason, the way out with the field's own example, and the one without. Another
field's example does harm: a person who pastes a limit of 200000 as a budget has a budget of 200,000 dollars."""


def explain(document: Document, model: type[BaseModel], details: ErrorDetails) -> Iterator[Problem]:
    """The problems in one pydantic error; none for a value that was refused already."""
    place: FieldPath = details["loc"]
    context: dict[str, Any] = details.get("ctx", {})
    if details["type"] == "refused":
        for refusal in cast(tuple[Refusal, ...], context["refusals"]):
            yield from at(document, refusal, place)
        return
    if details["type"] == "extra_forbidden":
        yield document.problem(_unknown(model, place), place, show=False)
    elif not _broken(document, place):
        yield document.problem(_wrong(model, place, details["type"], context, document.value(place)), place)


def at(document: Document, refusal: Refusal, place: FieldPath = ()) -> Iterator[Problem]:
    """`refusal` as a problem of the file, unless its value was refused already."""
    path = (*place, *refusal.at)
    if not _broken(document, path):
        yield document.problem(refusal, path)


def _broken(document: Document, place: FieldPath) -> bool:
    return any(place[:length] in document.broken for length in range(1, len(place) + 1))


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _inner_model(part))), None)


def _field(model: type[BaseModel], place: FieldPath) -> tuple[type[BaseModel], FieldInfo | None]:
    """The model that holds `place`, and the field there, if there is one."""
    field: FieldInfo | None = None
    for part in place:
        known = model.model_fields.get(str(part))
        if known is not None:
            field = known
        if part is not place[-1] and known is not None:
            model = _inner_model(known.annotation) or model
    return model, field


def _example(model: type[BaseModel], place: FieldPath) -> str:
    """The example of the field at `place` as YAML, or of the item that is wrong in it; empty where it has none."""
    example: Any = None
    for part in place:
        field = model.model_fields.get(str(part))
        if field is not None:
            example = field.examples[0] if field.examples else None
            model = _inner_model(field.annotation) or model
        elif isinstance(example, list):
            items = cast(list[Any], example)
            example = items[part] if isinstance(part, int) and part < len(items) else items[0]
        elif isinstance(example, dict):
            example = next(iter(cast(dict[str, Any], example).values()))
    return "" if example is None else flow(example)


def _unknown(model: type[BaseModel], place: FieldPath) -> Refusal:
    inside, _ = _field(model, place)
    name = str(place[-1])
    close = get_close_matches(name.lower(), inside.model_fields, n=1)
    hint = f"did you mean {close[0]}?" if close else f"write one of these fields: {', '.join(inside.model_fields)}."
    return Refusal("unknown-field", "There is no such field.", hint)


def _wrong(model: type[BaseModel], place: FieldPath, kind: str, context: dict[str, Any], value: object) -> Refusal:
    _, field = _field(model, place)
    meaning = f" {field.description}" if field and field.description else ""
    example = _example(model, place)
    if kind == "missing":
        added = f"{dotted(place[-1:])}: {example}" if example else dotted(place[-1:])
        return Refusal("missing-field", f"The field is missing.{meaning}", f"add {added}.")
    if kind == "bool_type" and isinstance(value, str) and value.lower() in _YAML_11:
        reason = "The value must be true or false. yes, no, on and off are text here, so that NO can be Norway."
        return Refusal("wrong-type", reason, "write true or false, without quotes.")
    if kind in _TYPES:
        reason, with_example, without = _TYPES[kind]
        way_out = with_example.format(example) if example else without
        return Refusal("wrong-type", f"{reason}{meaning}", way_out)
    if kind == "literal_error":
        return Refusal(
            "not-a-choice", f"The value must be one of {context['expected']}.{meaning}", "write one of them."
        )
    if kind in ("greater_than_equal", "less_than_equal"):
        bound = f"at least {context['ge']}" if "ge" in context else f"at most {context['le']}"
        such_as = f", for example {example}" if example else ""
        return Refusal("out-of-range", f"The value must be {bound}.{meaning}", f"write {bound}{such_as}.")
    return Refusal("invalid", f"The value is not valid.{meaning}", "compare with docs/schema/ or a valid file.")
