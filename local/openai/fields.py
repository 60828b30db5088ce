"""Reads requests as strictly as OpenAI does: errors for unknown names, wrong types and invalid values name the field.

Owns the reading of JSON bodies and query strings. Leaves out what the values mean. Each field is read once, and
`done()` refuses the fields that were not read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from starlette.datastructures import QueryParams

from local.openai import errors

_JSON_NAMES = {str: "a string", bool: "a boolean", int: "an integer", float: "a decimal", list: "an array"}
_MISSING = object()


def _name(value: Any) -> str:
    return "null" if value is None else _JSON_NAMES.get(type(value), "an object")


class Body:
    """A JSON object's fields. `prefix` is the path in errors, as in `notification_channel.recipients`."""

    def __init__(self, data: dict[str, Any], prefix: str = "") -> None:
        self._left = dict(data)
        self._prefix = prefix

    @classmethod
    def parse(cls, raw: bytes) -> Body:
        """An empty body is read as an empty object, as OpenAI does."""
        try:
            data: Any = json.loads(raw) if raw.strip() else {}
        except ValueError:
            raise errors.not_json() from None
        if not isinstance(data, dict):
            raise errors.not_json()
        return cls(data)

    def has(self, name: str) -> bool:
        return name in self._left

    def given(self, name: str) -> bool:
        """Whether it is there and not null."""
        return self._left.get(name) is not None

    def _take(self, name: str, kind: str, *, required: bool, nullable: bool) -> Any:
        value = self._left.pop(name, _MISSING)
        path = self._prefix + name
        if value is _MISSING:
            if required:
                raise errors.missing_parameter(path)
            return None
        if value is None and not nullable:
            raise errors.invalid_type(path, kind, "null")
        return value

    def text(
        self, name: str, *, required: bool = True, nullable: bool = False, longest: int = 256, shortest: int = 1
    ) -> str | None:
        value = self._take(name, "a string", required=required, nullable=nullable)
        path = self._prefix + name
        if value is None:
            return None
        if not isinstance(value, str):
            raise errors.invalid_type(path, "a string", _name(value))
        if len(value.strip()) < shortest:
            raise errors.ApiError(
                400,
                f"Invalid '{path}': string too short. Expected a string with minimum length {shortest}, but got a "
                f"string with length {len(value.strip())} instead.",
                param=path,
                code="string_below_min_length",
            )
        if len(value) > longest:
            raise errors.ApiError(
                400,
                f"Invalid '{path}': string too long. Expected a string with maximum length {longest}, but got a "
                f"string with length {len(value)} instead.",
                param=path,
                code="string_above_max_length",
            )
        return value

    def choice(self, name: str, choices: Iterable[str], *, required: bool = True, nullable: bool = False) -> str | None:
        value = self.text(name, required=required, nullable=nullable)
        known = tuple(choices)
        if value is not None and value not in known:
            listed = ", ".join(f"'{c}'" for c in known)
            raise errors.invalid_value(self._prefix + name, f"'{value}'. Supported values are: {listed}.")
        return value

    def integer(
        self, name: str, *, minimum: int, maximum: int, required: bool = True, nullable: bool = False
    ) -> int | None:
        value = self._take(name, "an integer", required=required, nullable=nullable)
        path = self._prefix + name
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise errors.invalid_type(path, "an integer", _name(value))
        if value < minimum:
            raise errors.below_minimum(path, minimum, value)
        if value > maximum:
            raise errors.above_maximum(path, maximum, value)
        return value

    def number(self, name: str, *, minimum: float, maximum: float) -> float | None:
        """Absent and null are read as None."""
        value = self._take(name, "a decimal", required=False, nullable=True)
        path = self._prefix + name
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise errors.invalid_type(path, "a decimal", _name(value))
        if value < minimum:
            raise errors.below_minimum(path, minimum, value, "decimal")
        if value > maximum:
            raise errors.above_maximum(path, maximum, value, "decimal")
        return value

    def object(self, name: str) -> dict[str, Any] | None:
        """Absent and null are read as None."""
        return self._of(name, dict, "an object")

    def array(self, name: str) -> list[Any] | None:
        """Absent and null are read as None."""
        return self._of(name, list, "an array")

    def _of(self, name: str, kind: type, called: str) -> Any:
        value = self._take(name, called, required=False, nullable=True)
        if value is not None and not isinstance(value, kind):
            raise errors.invalid_type(self._prefix + name, called, _name(value))
        return value

    def boolean(self, name: str, *, nullable: bool = False) -> bool:
        """Absent and null are read as false."""
        value = self._take(name, "a boolean", required=False, nullable=nullable)
        if value is not None and not isinstance(value, bool):
            raise errors.invalid_type(self._prefix + name, "a boolean", _name(value))
        return bool(value)

    def texts(self, name: str, *, required: bool = True, fewest: int = 0) -> list[str] | None:
        value = self._take(name, "an array of strings", required=required, nullable=False)
        path = self._prefix + name
        if value is None:
            return None
        if not isinstance(value, list):
            raise errors.invalid_type(path, "an array of strings", _name(value))
        for index, item in enumerate(value):
            if not isinstance(item, str):
                raise errors.invalid_type(f"{path}[{index}]", "a string", _name(item))
        if len(value) < fewest:
            raise errors.ApiError(
                400,
                f"Invalid '{path}': empty array. Expected an array with minimum length {fewest}, but got an empty "
                "array instead.",
                param=path,
                code="empty_array",
            )
        return value

    def nested(self, name: str) -> Body:
        value = self._take(name, "an object", required=True, nullable=False)
        if not isinstance(value, dict):
            raise errors.invalid_type(self._prefix + name, "an object", _name(value))
        return Body(value, f"{self._prefix}{name}.")

    def anything(self, name: str) -> Any:
        return self._left.pop(name, None)

    def done(self) -> None:
        for name in self._left:
            raise errors.unknown_parameter(self._prefix + name)


class Query:
    """A query string's fields. An array is `name[]=…`, as the SDK sends it, or a repeated `name=…`."""

    def __init__(self, params: QueryParams) -> None:
        self._left = {name: params.getlist(name) for name in params}

    def text(self, name: str) -> str | None:
        values = self._left.pop(name, None)
        return values[-1] if values else None

    def texts(self, name: str) -> list[str]:
        return self._left.pop(f"{name}[]", []) + self._left.pop(name, [])

    def choice(self, name: str, choices: Iterable[str], default: str) -> str:
        value = self.text(name)
        known = tuple(choices)
        if value is not None and value not in known:
            listed = ", ".join(f"'{c}'" for c in known)
            raise errors.invalid_value(name, f"'{value}'. Supported values are: {listed}.")
        return value or default

    def integer(self, name: str, *, minimum: int, maximum: int) -> int | None:
        value = self.text(name)
        if value is None:
            return None
        try:
            number = int(value)
        except ValueError:
            raise errors.invalid_type(name, "an integer", "a string") from None
        if number < minimum:
            raise errors.below_minimum(name, minimum, number)
        if number > maximum:
            raise errors.above_maximum(name, maximum, number)
        return number

    def boolean(self, name: str) -> bool | None:
        value = self.text(name)
        if value is not None and value not in ("true", "false"):
            raise errors.invalid_type(name, "a boolean", "a string")
        return None if value is None else value == "true"

    def done(self) -> None:
        for name in self._left:
            raise errors.unknown_parameter(name)
