"""Which settings of a request its answer tells again, and as what.

Owns the table of settings, their checks and their defaults. Leaves out reading the rest of a request. The names and the
values that are taken are those of the official SDK's types: `ResponseCreateParams` and `Response`, and
`CompletionCreateParams` and `ChatCompletion`. https://platform.openai.com/docs/api-reference/responses/object
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from local.openai import errors
from local.openai.fields import Body

Read = Callable[[Body, str], Any]
"""Reads one setting of a request, and gives its value in the answer. Raises ApiError."""


def _number(default: float, most: float) -> Read:
    return lambda body, name: default if (value := body.number(name, minimum=0, maximum=most)) is None else value


def _switch(default: bool) -> Read:
    def read(body: Body, name: str) -> bool:
        return body.boolean(name, nullable=True) if body.given(name) else default

    return read


def _choice(default: str | None, *choices: str) -> Read:
    return lambda body, name: body.choice(name, choices, required=False, nullable=True) or default


def _text(longest: int) -> Read:
    return lambda body, name: body.text(name, required=False, nullable=True, longest=longest)


def _whole(default: int | None, least: int, most: int) -> Read:
    def read(body: Body, name: str) -> int | None:
        value = body.integer(name, minimum=least, maximum=most, required=False, nullable=True)
        return default if value is None else value

    return read


def _object(default: dict[str, Any] | None) -> Read:
    """Fields that are not given keep their defaults."""

    def read(body: Body, name: str) -> dict[str, Any] | None:
        value = body.object(name)
        return default if value is None else {**(default or {}), **value}

    return read


def _list(body: Body, name: str) -> list[Any]:
    return body.array(name) or []


def _tool_choice(body: Body, name: str) -> Any:
    value = body.anything(name)
    if value is not None and not isinstance(value, str | dict):
        raise errors.invalid_type(
            name, "one of a string or object", "an array" if isinstance(value, list) else "a number"
        )
    return "auto" if value is None else value


def _conversation(body: Body, name: str) -> dict[str, Any] | None:
    value = body.anything(name)
    return {"id": value} if isinstance(value, str) else value


def _image(body: Body, name: str) -> dict[str, Any] | None:
    """The effective policy: of `auto` OpenAI does not say which one it is."""
    value = body.object(name) or {}
    return value if value.get("context_compression") in ("enabled", "disabled") else None


def metadata(body: Body, name: str) -> dict[str, str] | None:
    """At most 16 pairs, keys of 64 characters, values of 512."""
    value = body.object(name)
    for key, each in (value or {}).items():
        if not isinstance(each, str):
            raise errors.invalid_type(f"{name}.{key}", "a string", "another type")
        if len(key) > 64 or len(each) > 512:
            raise errors.invalid_value(name, "keys have at most 64 characters and values at most 512.")
    if value is not None and len(value) > 16:
        raise errors.invalid_value(name, f"it has {len(value)} pairs, and 16 are allowed.")
    return value


RESPONSE: Final[dict[str, Read]] = {
    "access_programs": _object(None),
    "background": _switch(False),
    "conversation": _conversation,
    "image": _image,
    "max_tool_calls": _whole(None, 1, 1_000_000),
    "metadata": lambda body, name: metadata(body, name) or {},
    "parallel_tool_calls": _switch(True),
    "prompt": _object(None),
    "prompt_cache_key": _text(1_024),
    "prompt_cache_options": _object(None),
    "prompt_cache_retention": _choice(None, "in_memory", "24h"),
    "reasoning": _object({"effort": None, "summary": None}),
    "safety_identifier": _text(512),
    "temperature": _number(1.0, 2),
    "text": _object({"format": {"type": "text"}}),
    "tool_choice": _tool_choice,
    "tools": _list,
    "top_logprobs": _whole(0, 0, 20),
    "top_p": _number(1.0, 1),
    "truncation": _choice("disabled", "auto", "disabled"),
    "user": _text(1_000_000),
}
"""Of POST /responses."""

EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""The SDK's `ReasoningEffort`."""

CHAT: Final[dict[str, Read]] = {"metadata": metadata}
"""Of POST /chat/completions."""


def effort(reasoning: dict[str, Any]) -> str | None:
    """Of the setting `reasoning`, checked."""
    asked = reasoning["effort"]
    if asked is not None and asked not in EFFORTS:
        listed = ", ".join(f"'{one}'" for one in EFFORTS)
        raise errors.invalid_value("reasoning.effort", f"'{asked}'. Supported values are: {listed}.")
    return asked


def tier(body: Body) -> str:
    """The tier that serves the request: only flex is told apart, since it alone has another price here."""
    asked = body.choice(
        "service_tier",
        ("auto", "default", "flex", "scale", "priority", "fast", "ultrafast"),
        required=False,
        nullable=True,
    )
    return "flex" if asked == "flex" else "default"


def told(body: Body, settings: dict[str, Read]) -> dict[str, Any]:
    return {name: read(body, name) for name, read in settings.items()}
