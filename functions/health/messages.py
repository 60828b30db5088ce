"""A notice as a person reads it, by e-mail and in Slack: what, whose, since when, and what to do.

Owns the form. Leaves out the texts (`english.py`, `spanish.py`) and when one is sent (`notices.py`).
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from functions.health import english, spanish
from functions.health.notices import Notice
from functions.health.trouble import CELL, ORGANIZATION, TENANT
from myflux_keys.declaration import Declaration
from myflux_keys.payload import iso
from myflux_keys.redaction import redact

LANGUAGES: Final = {"en": english, "es": spanish}
_NAMED: Final = 5
"""Tenants that a folded message names; it counts the others."""
_SUBJECT: Final = 100
"""SNS takes fewer than 100 characters of printable ASCII:
https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"""
_OF_OPENAI: Final = frozenset({"openai_silent", "limit_raised_waiting"})
_NEW_KEY: Final = frozenset({"key_refused", "key_expiring", "person_owned_key"})
_OF_ACCOUNT: Final = frozenset(
    {
        *("balance_gone", "organization_spend_limit", "organization_usage_limit", "quota_unnamed"),
        *("address_refused", "models_hidden"),
    }
)
"""The customer's where the organization is theirs, as everything of the organization's."""
_OF_KEY: Final = _NEW_KEY | {
    "project_spend_limit",
    "rate_limited",
    "tier_refused",
    "scopes_missing",
    "model_not_allowed",
}
"""The customer's where the key is theirs: we have no admin key to change it with."""


@dataclass(frozen=True)
class Message:
    """`subject` is ASCII of less than 100 characters."""

    subject: str
    body: str

    def for_sns(self) -> str:
        """For `MessageStructure=json`: plain text for e-mail, and Slack's shape for a webhook."""
        slack = json.dumps({"text": f"*{self.subject}*\n{self.body}"}, ensure_ascii=False)
        return json.dumps({"default": self.body, "email": self.body, "https": slack}, ensure_ascii=False)


def message(notice: Notice, cell: str, language: str, declared: Mapping[str, Declaration], now: float) -> Message:
    """`language` is ``en`` or ``es``. `declared` gives tenants' names and whose their organization is."""
    texts, words = LANGUAGES[language].TEXTS, LANGUAGES[language].WORDS
    trouble = notice.trouble
    tenants = [scope.id for scope in notice.who if scope.of == TENANT]
    first = tenants[0] if tenants else ""
    organization = next((scope.id for scope in notice.who if scope.of == ORGANIZATION), "")
    values = {
        **trouble.values,
        "subject": trouble.subject,
        "tenant": "TENANT" if notice.folded else first,
        "organization": organization,
        "cell": cell,
        "replacement": _replacement(trouble.values, words),
    }
    what, do = (text.format_map(values) for text in texts[trouble.kind])
    who = _who(notice, words, declared)
    owner = _owner(notice, declared)
    if owner == "customer" and notice.who[0].of == TENANT:
        do = words["ask_key" if trouble.kind in _NEW_KEY else "ask"].format_map(values)
    ended = notice.event == "ended"
    since = iso(int(trouble.since)) + (f" {words['until']} {iso(int(now))}" if ended else "")
    lines = [
        f"{words[notice.event]}: {who}",
        f"{words['what']}: {what}.",
        f"{words['whose']}: {words[owner]}",
        f"{words['since']}: {since}",
        f"{words['do']}: {words['nothing'] if ended else do}",
    ]
    subject = f"[{cell}] {words[notice.event]}: {who}: {what}"
    return Message(_ascii(redact(subject)), redact("\n".join(lines)))


def _who(notice: Notice, words: Mapping[str, str], declared: Mapping[str, Declaration]) -> str:
    of, names = notice.who[0].of, [scope.id for scope in notice.who]
    if of == CELL:
        return f"{words['cell']} {names[0]}"
    if of == ORGANIZATION:
        count = notice.trouble.values.get("tenants", "")
        return f"{words['organization']} {names[0]}" + (f" ({count} {words['tenants']})" if count else "")
    if len(names) == 1:
        known = declared.get(names[0])
        return f"{words['tenant']} {names[0]}" + (f" ({known.name})" if known else "")
    more = f" {words['more'].format(count=len(names) - _NAMED)}" if len(names) > _NAMED else ""
    return f"{len(names)} {words['tenants']}: {', '.join(names[:_NAMED])}{more}"


def _owner(notice: Notice, declared: Mapping[str, Declaration]) -> str:
    kind, scope = notice.trouble.kind, notice.who[0]
    if kind in _OF_OPENAI:
        return "openai"
    if scope.of == ORGANIZATION:
        theirs = any(one.organization_id == scope.id for one in declared.values())
        return "customer" if theirs else "us"
    one = declared.get(scope.id)
    if one is None or one.source != "customer":
        return "us"
    return "customer" if kind in _OF_ACCOUNT or (kind in _OF_KEY and not one.minted) else "us"


def _replacement(values: Mapping[str, str], words: Mapping[str, str]) -> str:
    if "replacement" not in values:
        return ""
    age = words["price_age"].format_map(values) if "prices_as_of" in values else ""
    price = words["price"].format_map({**values, "price_age": age}) if "input_usd" in values else ""
    return words["replacement"].format_map(values) + price


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    one_line = " ".join(plain.split())
    return one_line if len(one_line) < _SUBJECT else f"{one_line[: _SUBJECT - 4]}..."
