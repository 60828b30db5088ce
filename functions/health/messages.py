"""A notice as a person reads it, by e-mail and in Slack: what, whose, since when, what to do and what to type.

Owns the form. Leaves out the texts (`english.py`, `spanish.py`), the commands (`remedies.py`) and when one is sent
(`notices.py`).
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from functions.health import english, spanish
from functions.health.drift import NONE
from functions.health.notices import Notice
from functions.health.remedies import COMMANDS, DEPLOY, NEW_KEY, ROTATE, page
from functions.health.trouble import CELL, KINDS, ORGANIZATION, TENANT
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
_DIFFERENT: Final = frozenset({"limit_drift", "key_expiring"})
"""Whose values are not the same for each tenant of a folded message."""


@dataclass(frozen=True)
class Message:
    """`subject` is ASCII of less than 100 characters. `thread` is the same for the start and the end of a trouble."""

    subject: str
    body: str
    thread: str

    def for_sns(self) -> str:
        """For `MessageStructure=json`. E-mail gets plain text. Slack takes no subscription of SNS, so it is reached in
        one of two ways: Amazon Q Developer in chat applications, which subscribes over HTTPS and takes AWS's form of a
        custom notification (https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html); or a function
        of the reader's own, which posts the message as it is to Slack's webhook.
        """
        chat = {"textType": "client-markdown", "title": self.subject, "description": _markup(self.body)}
        custom = {"version": "1.0", "source": "custom", "content": chat, "metadata": {"threadId": self.thread}}
        webhook = {"text": f"*{_markup(self.subject)}*\n{_markup(self.body)}"}
        shapes = {"https": json.dumps(custom, ensure_ascii=False), "lambda": json.dumps(webhook, ensure_ascii=False)}
        return json.dumps({"default": self.body, "email": self.body, **shapes}, ensure_ascii=False)


@dataclass(frozen=True)
class Said:
    """What is said of a trouble: `what` is wrong, what to `do`, the `command` to type (None: nothing is typed), and
    `whose` it is to mend: ``us``, ``customer`` or ``openai``. Without full stops."""

    what: str
    do: str
    command: str | None
    whose: str


def said(notice: Notice, cell: str, language: str, declared: Mapping[str, Declaration]) -> Said:
    """`language` is ``en`` or ``es``. `declared` says whose a tenant's organization is."""
    texts, words = LANGUAGES[language].TEXTS, LANGUAGES[language].WORDS
    kind = notice.trouble.kind
    values = _values(notice, cell, words)
    what, do = (text.format_map(values) for text in texts[kind])
    if notice.folded and kind in _DIFFERENT:
        what += f" ({words['of_first'].format(tenant=notice.who[0].id)})"
    command = COMMANDS.get(kind)
    if command == ROTATE and all(_is_keyless(one.id, declared) for one in notice.who):
        command = DEPLOY
    owner = _owner(notice, declared)
    if owner == "customer" and notice.who[0].of == TENANT:
        new_key = kind in _NEW_KEY
        do, command = words["ask_key" if new_key else "ask"], NEW_KEY if new_key else None
    return Said(redact(what), redact(do), command.format_map(values) if command else None, owner)


def _is_keyless(tenant: str, declared: Mapping[str, Declaration]) -> bool:
    return tenant in declared and not declared[tenant].has_key


def message(notice: Notice, cell: str, language: str, declared: Mapping[str, Declaration], now: float) -> Message:
    """As `said`; `declared` also gives tenants' names."""
    words = LANGUAGES[language].WORDS
    trouble = notice.trouble
    told = said(notice, cell, language, declared)
    who = _who(notice, words, declared)
    event = words["reminder" if notice.event == "worse" and KINDS[trouble.kind].reminds else notice.event]
    since = iso(int(trouble.since))
    lines = [
        f"{event}: {who}",
        f"{words['what']}: {told.what}.",
        f"{words['whose']}: {words[told.whose]}",
    ]
    if notice.event == "ended":
        lines += [
            f"{words['since']}: {since} {words['until']} {iso(int(now))}",
            f"{words['do']}: {words['nothing']}",
        ]
    else:
        lines += [f"{words['since']}: {since}", f"{words['do']}: {told.do}"]
        lines += [f"{words['type']}: {told.command}"] if told.command else []
        lines += [f"{words['page']}: {page(trouble.kind)}"]
    subject = f"[{cell}] {event}: {who}: {told.what}"
    whom = "" if notice.folded else notice.who[0].id
    thread = "/".join(
        part for part in (cell, KINDS[trouble.kind].family or trouble.kind, trouble.subject, whom) if part
    )
    return Message(_ascii(redact(subject)), redact("\n".join(lines)), redact(thread))


class _Values(dict[str, str]):
    """A trouble that an earlier version found may lack what a text names now."""

    def __missing__(self, name: str) -> str:
        return "?"


def _values(notice: Notice, cell: str, words: Mapping[str, str]) -> _Values:
    """What the texts have in braces."""
    found = {scope.of: scope.id for scope in reversed(notice.who)}
    values = _Values(notice.trouble.values)
    values["subject"] = notice.trouble.subject
    values["tenant"] = "TENANT" if notice.folded else found.get(TENANT, "")
    values["organization"] = found.get(ORGANIZATION, words["not_known"])
    values["cell"] = cell
    values["replacement"] = _replacement(notice.trouble.values, words)
    values["old_ends"] = words["old_ends"].format_map(values) if "ends" in values else ""
    if "limit" in values:
        # A later version may know more limits: then its own word is told.
        known = words.get(values["limit"])
        values["limit"] = known.format_map(values) if known else values["limit"]
        values.update({side: words["none"] for side in ("declared", "actual") if values[side] == NONE})
    return values


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
    price = words["price"].format_map(_Values({**values, "price_age": age})) if "input_usd" in values else ""
    return words["replacement"].format_map(values) + price


def _markup(text: str) -> str:
    """For Slack, in whose texts these three begin a link or an entity."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    one_line = " ".join(plain.split())
    return one_line if len(one_line) < _SUBJECT else f"{one_line[: _SUBJECT - 4]}..."
