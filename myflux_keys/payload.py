"""The secret's JSON payload, schema 1: the contract between its writers and readers.

Owns the fields and their redaction. Leaves out how a payload is stored or fetched. Standard library only, for the
functions' zips. Readers ignore unknown fields, so that a newer writer never breaks them.

The rotation function writes every field of a managed tenant's payload. In the payload of a customer's own key, fields
that the key does not show are empty or left out. A reader that does not know `source` can read managed payloads.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NoReturn

SCHEMA: Final = 1
MANAGED: Final = "managed"
CUSTOMER: Final = "customer"


class PayloadError(ValueError):
    """A secret's value is not a payload of schema 1. The message never holds the value."""


def iso(seconds: int) -> str:
    """Unix seconds as the payload's times."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


class SecretText:
    """Text that only `reveal` returns: not repr, str, format, logs, pickles or tracebacks."""

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """The value, to send or store it: never for a log, an error or a report."""
        return self.__value

    def __repr__(self) -> str:
        return "SecretText('[redacted]')"

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretText) and other.reveal() == self.__value

    def __hash__(self) -> int:
        return hash(self.__value)

    def __copy__(self) -> SecretText:
        return self

    def __deepcopy__(self, memo: Any) -> SecretText:
        return self

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a key cannot be pickled or copied to another process: fetch it there with a KeyReader")


@dataclass(frozen=True)
class Payload:
    """One version of a tenant's secret. Times are ISO 8601 in UTC; `models` has the default model first.

    `source` is ``managed`` or ``customer``. A customer's has no `key_id`, `project_id`, `service_account_id`,
    `organization_id` and `expires_at` (the empty text), and its `minted_at` is when it was stored.
    """

    tenant: str
    api_key: SecretText
    key_id: str
    project_id: str
    service_account_id: str
    organization_id: str
    base_url: str
    models: tuple[str, ...]
    minted_at: str
    expires_at: str
    source: str = MANAGED

    def to_json(self) -> str:
        """The JSON text with the key: for PutSecretValue, never for a log."""
        fields: dict[str, Any] = {"schema": SCHEMA} | {name: getattr(self, name) for name in _FIELDS}
        fields["api_key"] = self.api_key.reveal()
        fields["models"] = list(self.models)
        return json.dumps(fields, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Payload:
        """Raises PayloadError, which names the field and never shows a value.

        When it raises, no local variable holds the text: a traceback may show local variables.
        """
        parsed = _parse(text)
        del text
        if isinstance(parsed, str):
            raise PayloadError(parsed)
        return parsed


def _parse(text: str) -> Payload | str:
    """The payload, or the rule that it breaks."""
    try:
        data: Any = json.loads(text)
    except (ValueError, RecursionError):
        return "the secret's value is not JSON"
    if not isinstance(data, dict):
        return "the secret's value is not a JSON object"
    fields: dict[str, Any] = data  # pyright: ignore[reportUnknownVariableType]
    # JSON's true equals 1 in Python, and is no schema.
    if type(fields.get("schema")) is not int or fields["schema"] != SCHEMA:
        return f"the secret's payload is not of schema {SCHEMA}, the only one that this reader knows"
    fields = {"source": MANAGED} | fields
    if fields["source"] not in (MANAGED, CUSTOMER):
        return f"the secret's payload has a `source` that is neither {MANAGED} nor {CUSTOMER}"
    if fields["source"] == CUSTOMER:
        fields = dict.fromkeys(_UNKNOWN_OF_CUSTOMERS, "") | fields
    for name in _FIELDS:
        if name == "models":
            models: Any = fields.get(name)
            if not isinstance(models, list) or not all(isinstance(m, str) for m in models):  # pyright: ignore[reportUnknownVariableType]
                return "the secret's payload needs `models`, a list of strings"
        elif fields["source"] == CUSTOMER and name in _UNKNOWN_OF_CUSTOMERS and fields[name] == "":
            continue
        elif not isinstance(fields.get(name), str) or not fields[name]:
            return f"the secret's payload needs `{name}`, a non-empty string"
    values = {name: fields[name] for name in _FIELDS}
    values["api_key"] = SecretText(fields["api_key"])
    values["models"] = tuple(fields["models"])
    return Payload(**values)


_FIELDS: Final = tuple(Payload.__dataclass_fields__)
_UNKNOWN_OF_CUSTOMERS: Final = ("key_id", "project_id", "service_account_id", "organization_id", "expires_at")
