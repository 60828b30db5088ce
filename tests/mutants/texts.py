"""What a text, or the name of a field, can be replaced by.

Owns the replacements for ARNs, actions, schedules, addresses, choices and the keys of policy documents. Leaves out
where they go (`mutate`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

KEY: Final = "sk-" + "proj-" + "m1N2" * 8
ELSEWHERE: Final = "https://collector.example/v1"
OTHER_ACCOUNT: Final = "999999999999"
OTHER: Final = "-other"

_CHOICES: Final = {
    "Allow": ("Deny",),
    "Deny": ("Allow",),
    "true": ("false",),
    "false": ("true",),
    "GreaterThanThreshold": ("LessThanThreshold",),
    "GreaterThanOrEqualToThreshold": ("LessThanThreshold",),
    "LessThanThreshold": ("GreaterThanThreshold",),
    "LessThanOrEqualToThreshold": ("GreaterThanThreshold",),
    "breaching": ("notBreaching", "ignore"),
    "notBreaching": ("ignore", "missing"),
    "Sum": ("Minimum", "SampleCount"),
    "Maximum": ("Minimum", "SampleCount"),
    "Minimum": ("Maximum", "SampleCount"),
    "CRUD": ("CREATE_ONLY",),
    "email": ("https", "sms"),
    "restricted": ("all",),
}
_OPPOSITES: Final = {
    "StringEquals": "StringNotEquals",
    "StringNotEquals": "StringEquals",
    "StringLike": "StringNotLike",
    "StringNotLike": "StringLike",
    "Null": "StringEquals",
    "Bool": "StringNotEquals",
    "NumericLessThanEquals": "NumericGreaterThanEquals",
}
_IF_EXISTS: Final = "IfExists"
_KINDS: Final = {"AWS": "Federated", "Service": "AWS", "Federated": "AWS"}
_NEGATED: Final = ("Action", "Resource", "Principal")
_LOOSE: Final = (".Condition", "tags", "variables")
"""Ends of the paths of maps whose fields have names that somebody chose."""


def other_texts(text: str, shape: str) -> Iterator[tuple[Literal["widened", "altered"], str]]:
    """`shape` is the path of what is replaced, as `Mutant.shape` has it."""
    yield "widened", "*"
    yield "altered", ""
    # A wrong kind of text, and the one thing that no text may ever hold.
    yield "altered", f"{text} {KEY}"
    if text in _CHOICES:
        for other in _CHOICES[text]:
            yield "altered", other
    elif text.startswith("arn:"):
        yield from _other_arns(text)
    elif text.startswith(("cron(", "rate(")):
        for other in ("rate(400 days)", "cron(0 0 1 1 ? *)"):
            yield "widened", other
    elif text.startswith(("http://", "https://")):
        for other in (ELSEWHERE, text.replace("://", f"://{OTHER}.")):
            yield "altered", other
    elif text.isdigit():
        yield "altered", OTHER_ACCOUNT
        yield "altered", "1"
    elif ":" in text and "Action" in shape:
        service = text.partition(":")[0]
        for other in (f"{service}:*", f"{text[:-1]}?"):
            yield "widened", other
        yield "altered", f"{service}:DeleteEverything"
    else:
        yield "altered", text + OTHER
        if "/" in text:
            yield "widened", text.rpartition("/")[0] + "/*"
    if "${" in text:
        yield "widened", text.replace("${aws:PrincipalTag/tenant}", "*")
        yield "altered", text.replace("PrincipalTag", "RequestTag")


def _other_arns(arn: str) -> Iterator[tuple[Literal["widened", "altered"], str]]:
    fields = arn.split(":", 5)
    name = fields[5]
    for place, wider in ((3, "*"), (4, "*"), (5, "*")):
        yield "widened", ":".join([*fields[:place], wider, *fields[place + 1 :]])
    yield "altered", ":".join([*fields[:4], OTHER_ACCOUNT, name])
    yield "altered", arn + OTHER
    for part in [part for part in name.replace("/", " ").replace(":", " ").split()[1:] if part != "*"]:
        yield "widened", ":".join([*fields[:5], name.replace(part, "*")])
    if "*" in name:
        yield "altered", ":".join([*fields[:5], name.replace("*", "elsewhere")])


def other_keys(key: str, shape: str) -> Iterator[tuple[Literal["widened", "altered"], str]]:
    """`shape` is the path of the map that has `key`."""
    if shape.endswith("Statement[]") and key in _NEGATED:
        yield "widened", f"Not{key}"
    elif shape.endswith(".Condition"):
        operator = key.rpartition(":")[2]
        plain = operator.removesuffix(_IF_EXISTS)
        yield "widened", f"ForAllValues:{plain}{_IF_EXISTS}"
        yield "altered", f"ForAnyValue:{operator}"
        yield "altered", key.replace(plain, _OPPOSITES[plain])
        yield (
            "altered" if plain != operator else "widened",
            (key.removesuffix(_IF_EXISTS) if plain != operator else f"{key}{_IF_EXISTS}"),
        )
    elif ".Condition." in shape or shape.endswith(_LOOSE):
        yield "altered", key + OTHER
    elif shape.endswith("Principal"):
        yield "altered", _KINDS[key]
