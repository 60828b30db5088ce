"""Whether a property names a resource of ours: by its text, or by the resource that its value comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, Literal, cast

from . import ownership
from .alarms import HEALTH, SWEEPS, TROUBLES
from .model import UNKNOWN, Resource, Stack
from .outside_types import ALARM
from .own_functions import KINDS

Target = Literal["ours", "other", "unknown"]

_ARN: Final = re.compile(r"arn:[^:]*:[^:]*:[^:]*:[^:]*:(?P<rest>.+)")
_KIND: Final = re.compile(r"(?:.*:)?(?:secret|function|log-group|alarm|rule|queue|topic)[:/]|role/(?:.*/)?")
_PLACE: Final = re.compile(r"(?:[a-z]{2}(?:-[a-z]+)+-[0-9]:)?[0-9]{12}:", re.ASCII)
"""What Lambda takes in front of a function's name: an account, or a Region and an account.
https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html (FunctionName)"""
_KMS_ALIAS: Final = "aws:kms/alias:Alias"


def _in_a_name(metric: str, consumer: str) -> str:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", metric).lower()
    return f"{words}-by-{consumer}" if consumer else words


_ALARMS: Final = tuple(
    f"-{one}"
    for one in (
        "dead-letters-not-empty",
        *(f"{kind}-errors" for kind in KINDS),
        *(_in_a_name(one.metric, one.consumer) for one in (*SWEEPS, HEALTH)),
        *(_in_a_name(metric, "") for metric in TROUBLES),
    )
)
"""How the names of our alarms end."""


def name_in(text: str) -> str:
    """The resource's name in a name, an ARN or a queue's URL."""
    if text.startswith(("https://", "http://")):
        return text.rpartition("/")[2]
    if ":secret:" in text:
        return ownership.secret_name(text)
    arn = _ARN.fullmatch(text)
    rest = arn["rest"] if arn else _PLACE.sub("", text, count=1)
    if text.startswith("arn:") and ":s3:::" in text:
        return text.rpartition(":")[2].partition("/")[0]
    # A function's version or alias follows its name, as does a log group's star.
    return _KIND.sub("", rest, count=1).partition(":")[0]


def ours_by_name(type_: str, name: str) -> bool:
    if type_ == ALARM:
        return name.startswith("myflux-") and name.endswith(_ALARMS)
    if type_ == ownership.BUCKET:
        return ownership.HEALTH_BUCKET.fullmatch(name) is not None
    return ownership.named_like_ours(name)


def target(stack: Stack, resource: Resource, path: tuple[str, ...], type_: str) -> Target:
    """What the value at `path`, or any value of a list there, names. It is unknown if nothing says which resource of
    type `type_` it comes from."""
    value = resource.get(*path)
    values: list[Any] = cast(list[Any], value) if isinstance(value, list) else [value]
    if any(isinstance(one, str) and _ours(stack, one, type_) for one in values):
        return "ours"
    found = list(_origins(stack, resource, path[0], type_, set()))
    if any(_is_ours(stack, one) for one in found):
        return "ours"
    return "unknown" if UNKNOWN in values and not found else "other"


def keys(stack: Stack) -> Iterator[Resource]:
    """Our KMS keys: by tag, by our alias, by our secret that uses the key, or by our secret in its policy."""
    users = [one for one in stack if one.type in (_KMS_ALIAS, ownership.A_SECRET) and ownership.is_ours(one)]
    used = {
        found.urn
        for one in users
        for name in ("targetKeyId", "kmsKeyId")
        for found in ownership.sources(stack, one, name)
    }
    for key in stack:
        if key.type == ownership.KEY and (
            ownership.is_ours(key) or key.urn in used or ownership.names_ours(str(key.get("policy")))
        ):
            yield key


def _ours(stack: Stack, text: str, type_: str) -> bool:
    if type_ == ownership.KEY:
        # A key has no name. Of the cell's key a tenant's stack knows only the ARN, which its secret has as well.
        encrypting = {key_id(one.text("kmsKeyId")) for one in ownership.secrets(stack)} - {""}
        return ours_by_name(type_, name_in(text)) or key_id(text) in encrypting
    return ours_by_name(type_, name_in(text))


def key_id(id_or_arn: str) -> str:
    return id_or_arn.rpartition(":key/")[2]


def _is_ours(stack: Stack, resource: Resource) -> bool:
    return ownership.is_ours(resource) or (resource.type == ownership.KEY and resource in keys(stack))


def _origins(stack: Stack, resource: Resource, property_: str, type_: str, seen: set[str]) -> Iterator[Resource]:
    """The resources of `type_` that the property comes from, also through others."""
    for source in ownership.sources(stack, resource, property_):
        if source.type == type_:
            yield source
        elif source.urn not in seen:
            seen.add(source.urn)
            for name in source.property_dependencies:
                yield from _origins(stack, source, name, type_, seen)
