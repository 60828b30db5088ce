"""What lies in the intake's bucket: the objects' names and forms, and what binds a key to the link that it came by.

Owns what page, promoter and command must agree on. Leaves out who may write what (docs/adr/0041-connect.md) and the
calls. Pure.

    links/<tenant>/<id>.json     the command: what was issued, and what the page shows
    revoked/<tenant>/<id>        the command
    seen/<tenant>/<id>.json      the page: opens, checks, and the digest of the key that was handed in
    handed-in/<tenant>/<id>      the page: the ciphertext of one key, until the promoter ends it
    outcome/<tenant>/<id>.json   the promoter
    confirmed/<tenant>.json      the command: the organization that a person confirmed
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, Self, cast

from functions.shared.link import Link
from myflux_keys.names import TENANT_SLUG
from myflux_keys.payload import SecretText

LINKS: Final = "links/"
REVOKED: Final = "revoked/"
SEEN: Final = "seen/"
HANDED_IN: Final = "handed-in/"
OUTCOMES: Final = "outcome/"
CONFIRMED: Final = "confirmed/"

MOST_CHECKS: Final = 30
"""Of keys, with one link."""

State = Literal["promoted", "waiting", "refused"]
STATES: Final[tuple[State, ...]] = ("promoted", "waiting", "refused")

Reason = Literal[
    "expired",
    "managed",
    "model_unreachable",
    "no_secret",
    "not_a_key",
    "not_confirmed",
    "refused",
    "restricted",
    "revoked",
    "unchecked",
    "unpaid",
]
"""Why a key was refused. `refused`: OpenAI does not accept it. `managed`: the tenant's keys are minted. `unchecked` and
`not_confirmed`: nobody could check it, or confirmed its organization, for too long."""

_HANDED_IN: Final = re.compile(rf"{HANDED_IN}(?P<tenant>{TENANT_SLUG.pattern})/(?P<id>[0-9a-f]{{32}})", re.ASCII)
_SCHEMA: Final = 1


class IntakeError(ValueError):
    """An object is not of the form that its name promises. The message never holds a value."""


@dataclass(frozen=True)
class Place:
    """A tenant and a link's id, which together name all objects of a link."""

    tenant: str
    id: str

    @classmethod
    def of(cls, link: Link) -> Place:
        return cls(link.tenant, link.id)

    @classmethod
    def in_key(cls, key: str) -> Place | None:
        """The place of an object below ``handed-in/``; None for any other key."""
        found = _HANDED_IN.fullmatch(key)
        return cls(found["tenant"], found["id"]) if found else None

    @property
    def link(self) -> str:
        return f"{LINKS}{self.tenant}/{self.id}.json"

    @property
    def revoked(self) -> str:
        return f"{REVOKED}{self.tenant}/{self.id}"

    @property
    def seen(self) -> str:
        return f"{SEEN}{self.tenant}/{self.id}.json"

    @property
    def handed_in(self) -> str:
        return f"{HANDED_IN}{self.tenant}/{self.id}"

    @property
    def outcome(self) -> str:
        return f"{OUTCOMES}{self.tenant}/{self.id}.json"

    @property
    def confirmed(self) -> str:
        return f"{CONFIRMED}{self.tenant}.json"

    @property
    def context(self) -> dict[str, str]:
        """KMS's encryption context: a ciphertext that is moved to another link's place cannot be decrypted there."""
        return {"myflux:tenant": self.tenant, "myflux:link": self.id}


@dataclass(frozen=True)
class Issued:
    """What the page shows, and the promoter stores with the key. `issued_by` is the caller's ARN; times in Unix
    seconds; `models` has the default model first."""

    tenant: str
    name: str
    models: tuple[str, ...]
    language: str
    issued: int
    expires: int
    issued_by: str

    def to_json(self) -> str:
        return _json(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Raises IntakeError."""
        fields = _object(text, "a link's object")
        models = fields.get("models")
        if (
            not isinstance(models, list)
            or not models
            or not all(isinstance(one, str) for one in cast(list[Any], models))
        ):
            raise IntakeError("a link's object needs `models`, a list of texts")
        texts = dict.fromkeys(("tenant", "name", "language", "issued_by"), str)
        times = dict.fromkeys(("issued", "expires"), int)
        return cls(**_fields(fields, {**texts, **times}, "a link's object"), models=tuple(cast(list[str], models)))


@dataclass(frozen=True)
class HandedIn:
    """The plaintext of what the page hands in: a function of link and key alone, so that saving twice is one object."""

    token: str
    key: SecretText

    def to_json(self) -> str:
        """With the key: to encrypt it, never for a log."""
        return _json({"schema": _SCHEMA, "link": self.token, "key": self.key.reveal()})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Raises IntakeError, whose message and traceback hold nothing of `text`."""
        made = _handed_in(text)
        del text
        if made is None:
            raise IntakeError("what was handed in has another form")
        return cls(*made)


@dataclass(frozen=True)
class Outcome:
    """`reason` is of a refusal. `organization` is the name by which OpenAI calls the key's, empty if its answers name
    none; `last_four` the key's last characters. `at` is ISO 8601 in UTC."""

    state: State
    at: str
    reason: str = ""
    organization: str = ""
    last_four: str = ""

    def to_json(self) -> str:
        return _json(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Raises IntakeError."""
        fields = _object(text, "an outcome")
        if fields.get("state") not in STATES:
            raise IntakeError(f"an outcome's `state` is one of: {', '.join(STATES)}")
        return cls(**_fields(fields, dict.fromkeys(cls.__dataclass_fields__, str), "an outcome"))


@dataclass(frozen=True)
class Confirmed:
    """A person saw `organization` and the key's last characters, of the link `link`, and said that it is the
    customer's."""

    organization: str
    link: str
    by: str
    at: str

    def to_json(self) -> str:
        return _json(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Raises IntakeError."""
        kinds = dict.fromkeys(cls.__dataclass_fields__, str)
        return cls(**_fields(_object(text, "a confirmation"), kinds, "a confirmation"))


def digest(link_id: str, key: SecretText) -> str:
    """By which the page knows a key that it has seen, without keeping it: 64 hexadecimal characters. A key has far more
    than 128 random bits, so nobody finds it by trying."""
    return hashlib.sha256(b"myflux-connect" + link_id.encode() + key.reveal().encode()).hexdigest()


def _json(fields: dict[str, Any]) -> str:
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False)


def _object(text: str, what: str) -> dict[str, Any]:
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    del text
    if not isinstance(found, dict):
        del found
        raise IntakeError(f"{what} is not a JSON object")
    return cast(dict[str, Any], found)


def _handed_in(text: str) -> tuple[str, SecretText] | None:
    """Token and key. Raises nothing: a traceback may show local variables."""
    try:
        fields: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    schema, token, key = (cast(dict[str, Any], fields).get(name) for name in ("schema", "link", "key"))
    if type(schema) is not int or schema != _SCHEMA or not isinstance(token, str) or not isinstance(key, str):
        return None
    return token, SecretText(key)


def _fields(fields: dict[str, Any], kinds: Mapping[str, type], what: str) -> dict[str, Any]:
    """The fields of these names. Others are ignored, so that a newer writer never breaks a reader."""
    for name, kind in kinds.items():
        # JSON's true is an int in Python.
        if type(fields.get(name)) is not kind:
            raise IntakeError(f"{what} needs `{name}`, a JSON {'text' if kind is str else 'number'}")
    return {name: fields[name] for name in kinds}
