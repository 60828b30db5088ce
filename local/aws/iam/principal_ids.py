"""Principals are ids: a stored policy holds the unique id of a user or role, and its ARN only while that id lives.

Owns the conversion in both directions, and which entries of a Principal element are accepted. Leaves out each service's
error. A user or role that was deleted and made again has another id, so a policy that named the old one does not name
the new one; read back, it shows the dead id.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-roles
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids

Another account's users and roles cannot be looked up here: they are accepted, and stay ARNs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final

from ministack.core.responses import get_account_id
from ministack.services import iam as iam_service

from local.aws.iam.policy import listed

_ENTITY: Final = re.compile(r"arn:aws:iam::(\d{12}):(user|role)/(?:[\x21-\x7e]+/)?([\w+=,.@-]+)")
_ID: Final = re.compile(r"(?:AIDA|AROA)[A-Z0-9]{12,124}")
_SESSION: Final = re.compile(r"arn:aws:sts::(\d{12}):assumed-role/([\w+=,.@-]+)/[\w+=,.@-]+")
_ACCOUNT: Final = re.compile(r"(?:arn:aws:iam::)?(\d{12})(?::root)?")
_SERVICE: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com")


class InvalidPrincipal(ValueError):
    """A principal that does not exist. `str()` is the entry as IAM quotes it: ``"AWS":"arn:aws:iam::…:role/x"``."""

    def __init__(self, kind: str, name: object) -> None:
        super().__init__(f'"{kind.upper()}":"{name}"')


def bound(text: str) -> str:
    """The policy as AWS stores it. Raises InvalidPrincipal, and ValueError for a text that is not JSON."""
    return _converted(text, _stored)


def shown(text: str) -> str:
    """The stored policy as AWS shows it: the ARN of each living id. A text that is not JSON stays as it is."""
    try:
        return _converted(text, _arn)
    except ValueError:
        return text


def is_somebody(kind: str, name: str) -> bool:
    """Whether a policy may name it: ``kind`` is the key in a Principal element."""
    return _found(kind, name) is not None


def living(unique_id: str) -> str | None:
    """The ARN of the user or role with this id."""
    for store, field in ((iam_service._roles, "RoleId"), (iam_service._users, "UserId")):
        for entity in store.values():
            if entity[field] == unique_id:
                return entity["Arn"]
    return None


def _converted(text: str, convert: Callable[[str, Any], str]) -> str:
    document: Any = json.loads(text)
    statements = document.get("Statement") if isinstance(document, dict) else None
    changed = False
    for statement in listed(statements):
        for element in ("Principal", "NotPrincipal"):
            principals = statement.get(element) if isinstance(statement, dict) else None
            if principals is None or principals == "*":
                continue
            if not isinstance(principals, dict):
                raise InvalidPrincipal("AWS", principals)
            for kind, names in principals.items():
                new = [convert(kind, name) for name in names] if isinstance(names, list) else convert(kind, names)
                changed = changed or new != names
                principals[kind] = new
    return json.dumps(document) if changed else text


def _stored(kind: str, name: Any) -> str:
    found = _found(kind, name) if isinstance(name, str) else None
    if found is None:
        raise InvalidPrincipal(kind, name)
    return found


def _found(kind: str, name: str) -> str | None:
    if kind != "AWS":
        return name if kind != "Service" or _SERVICE.fullmatch(name) else None
    if name == "*" or _ACCOUNT.fullmatch(name):
        return name
    if _ID.fullmatch(name):
        return name if living(name) else None
    if entity := _ENTITY.fullmatch(name):
        account, kind_of, short = entity.groups()
        if account != get_account_id():
            return name
        store, field = (iam_service._users, "UserId") if kind_of == "user" else (iam_service._roles, "RoleId")
        held = store.get(short)
        return held[field] if held is not None and held["Arn"] == name else None
    if session := _SESSION.fullmatch(name):
        return name if session[1] != get_account_id() or iam_service._roles.get(session[2]) is not None else None
    return None


def _arn(kind: str, name: Any) -> str:
    return (living(name) if kind == "AWS" and isinstance(name, str) and _ID.fullmatch(name) else None) or name
