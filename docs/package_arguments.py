"""Writes component_package/arguments.py from tenancy's models: the fields, their types, and which may be left out.

Owns the translation, and the words that differ because a program has no file. Whatever a file may say, a program may.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, cast, get_args, get_origin

from pydantic.fields import FieldInfo

from tenancy.cell import Cell
from tenancy.fields import Model
from tenancy.tenant import Tenant

_WORDS: Final = {
    "Cell": "An AWS account and Region with one OpenAI organization: what a file in cells/ says.",
    "Cell.cell": "The slug: 3 to 20 of a-z, 0-9 and -, starting with a letter.",
    "Cell.account_id": "The AWS account: 12 digits.",
    "Pipeline": "A role that only these jobs become, and that can read no key. Give `github` or `gitlab`, not both.",
    "Rotation": "When a key changes. Give `everyDays` or `everyHours`, not both.",
    "TenantKeyArgs.cell": "The cell that serves the tenant, as its platform got it.",
    "TenantKeyArgs.tenant": "The slug: 3 to 32 of a-z, 0-9 and -, starting with a letter. Never reused after "
    "off-boarding.",
}
"""In place of the models' own, by class or by class and field."""

_FROM_THE_PLATFORM: Final = {
    "kms_key_arn": "The platform's output of this name.",
    "rotation_function_arn": "The platform's output of this name: the key is created after its rotation function.",
    "provisioner_function": "The platform's output of this name.",
}
_ISSUER: Final = "The platform's output of this name. Only for a tenant with `credential: federated`, or on its way."

_HEAD: Final = '''"""The components' arguments, in types that every language of Pulumi has.

Written by `python -m docs.generate` from tenancy's models. Do not edit. Leaves out the rules, which are tenancy's.
Everything is plain, so that a wrong value is refused before anything is made, but what a platform answers. There is no
place for a key. Pulumi reads the annotations while the program runs, so they are no strings.
"""

from typing import NotRequired, TypedDict

import pulumi

'''


def arguments() -> str:
    """The module's text."""
    classes: dict[str, str] = {}
    _add(Cell, "Cell", classes)
    platform = _field("cell", "Cell", "The cell. Give the same to its tenants' keys.")
    classes["PlatformArgs"] = f"class PlatformArgs(TypedDict):\n{platform}"
    _add(Tenant, "TenantKeyArgs", classes)
    return _HEAD + "\n" + "\n\n".join(classes.values())


def _add(model: type[Model], name: str, classes: dict[str, str]) -> None:
    """Puts the class for `model`, and those that its fields take before it, into `classes`."""
    fields: list[str] = []
    for field, about in model.model_fields.items():
        type_ = _type(about.annotation, classes)
        words = _WORDS.get(f"{name}.{field}") or _described(about)
        if name == "TenantKeyArgs" and field == "cell":
            given = [_field(one, "pulumi.Input[str]", text) for one, text in _FROM_THE_PLATFORM.items()]
            issuer = _field("federation_issuer", "NotRequired[pulumi.Input[str]]", _ISSUER)
            fields[:0] = [_field(field, "Cell", words), *given, issuer]
        else:
            fields.append(_field(field, type_ if about.is_required() else f"NotRequired[{type_}]", words))
    doc = "" if name == "TenantKeyArgs" else _docstring(_WORDS.get(name) or _first_paragraph(model)) + "\n"
    classes[name] = f"class {name}(TypedDict):\n{doc}{''.join(fields)}"


def _type(annotation: Any, classes: dict[str, str]) -> str:
    """Of a model's annotation, as Pulumi has it. A class that is new is added to `classes`."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(inner[0], classes)
    if origin in (Union, UnionType):
        (only,) = (one for one in inner if one is not NoneType)
        return _type(only, classes)
    if origin is Literal:
        return "str"
    if origin is tuple:
        return f"list[{_type(inner[0], classes)}]"
    if origin is Mapping:
        return f"dict[str, {_type(inner[1], classes)}]"
    if annotation in (str, bool, int):
        return annotation.__name__
    if isinstance(annotation, type) and issubclass(annotation, Model):
        if annotation.__name__ not in classes:
            _add(annotation, annotation.__name__, classes)
        return annotation.__name__
    raise TypeError(f"{annotation} has no translation: add one beside the others in docs/package_arguments.py")


def _field(name: str, type_: str, words: str) -> str:
    return f"    {name}: {type_}\n{_docstring(words)}"


def _docstring(words: str) -> str:
    """One line, however long: Pulumi takes a description as it stands in the source, with its line ends."""
    return f'    """{words}"""\n'


def _described(about: FieldInfo) -> str:
    """The model's words, and the default where they do not say it."""
    words, default = about.description or "", cast(object, about.default)
    told = "left out" in words.lower() or "the default" in words
    if told or default is False or not isinstance(default, bool | int | str):
        return words
    return f"{words} Left out: {str(default).lower() if isinstance(default, bool) else default}."


def _first_paragraph(model: type[Model]) -> str:
    return " ".join((model.__doc__ or "").split("\n\n")[0].split())
