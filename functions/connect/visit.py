"""What each POST of the page does: open the link, check a key, hand it in, tell the state.

Owns the order of reading, deciding and writing, and the audit's lines. Every one verifies the link anew. The tenant is
the link's: none in the body is ever read.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from functions.connect import checks, paste, prices, seen, session
from functions.connect.answer import of_json
from functions.connect.request import Refusal, Request
from functions.connect.seen import Refused, Seen
from functions.connect.settings import Settings
from functions.connect.store import Store
from functions.shared import log
from functions.shared.deadline import Deadline
from functions.shared.intake import MOST_CHECKS, HandedIn, Issued, Place, digest
from functions.shared.link import Link
from functions.shared.openai_http import OpenAIHTTP

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient

REFUSED_STATUS: Final[Mapping[str, int]] = {
    "another": 409,
    "busy": 409,
    "not_checked": 409,
    "saved": 409,
    "slow_down": 429,
    "too_many": 403,
}
_WORTH_LOGGING: Final = (checks.State.BAD, checks.State.UNKNOWN, checks.State.NOTE)


@dataclass(frozen=True)
class Services:
    settings: Settings
    kms: KMSClient
    store: Store


@dataclass(frozen=True)
class Opened:
    """A verified link that has neither ended nor been withdrawn."""

    token: str
    link: Link
    issued: Issued

    @property
    def place(self) -> Place:
        return Place.of(self.link)

    def note(self, event: str, **fields: Any) -> None:
        """A line of the audit."""
        log.line(event, level=logging.INFO, **_about(self.link), **fields)


class Visit:
    """One POST. `now` in Unix seconds."""

    def __init__(self, services: Services, request: Request, deadline: Deadline, now: float) -> None:
        self._services, self._request = services, request
        self._deadline, self._now = deadline, int(now)
        self._store = services.store

    def answer(self) -> dict[str, Any]:
        """Raises Refusal, IntakeError, and botocore's errors."""
        path = self._request.path
        given = self._request.text("token") if path == "/session" else ""
        opened = self._open(given or self._request.cookies.get(session.COOKIE, ""))
        if path == "/session":
            return self._session(opened, anew=bool(given))
        # The cookie is the browser's, so another link that was opened since would take this tab's key for its tenant.
        if self._request.text("link") != opened.link.id:
            raise Refusal(409, "other_link", about=_about(opened.link))
        if path == "/state":
            return of_json(200, self._state(opened, self._store.seen(opened.place)))
        try:
            return self._check(opened) if path == "/check" else self._save(opened)
        except Refused as refused:
            opened.note("connect.refused", reason=refused.reason)
            again = {"Retry-After": str(refused.seconds)} if refused.seconds else {}
            content: dict[str, Any] = {"error": refused.reason, "seconds": refused.seconds}
            return of_json(REFUSED_STATUS[refused.reason], content, headers=again)

    def _open(self, token: str) -> Opened:
        services = self._services
        link = session.verify(services.kms, services.settings.link_key, services.settings.cell, token)
        if link is None:
            raise Refusal(403, "no_link")
        if link.expired(self._now):
            raise Refusal(410, "expired", about=_about(link))
        issued = self._store.issued(Place.of(link))
        if issued is None or self._store.revoked(Place.of(link)):
            raise Refusal(410, "revoked", about=_about(link))
        return Opened(token, link, issued)

    def _session(self, opened: Opened, *, anew: bool) -> dict[str, Any]:
        known = self._count(opened) if anew else self._store.seen(opened.place)
        opened.note("connect.session", opens=known.opens)
        content = {
            "link": opened.link.id,
            "name": opened.issued.name,
            "models": [{"id": model, "price": prices.price(model)} for model in opened.issued.models],
            "language": opened.link.language,
            "expires": opened.link.expires,
            # The browser's own clock may be wrong.
            "seconds_left": opened.link.expires - self._now,
            **self._state(opened, known),
        }
        return of_json(200, content, cookies=(self._cookie(opened),))

    def _count(self, opened: Opened) -> Seen:
        """Where many open the link at once, a count that misses one is better than a customer who cannot open it."""
        try:
            return self._store.change(opened.place, seen.opened)
        except Refused:
            return self._store.seen(opened.place)

    def _cookie(self, opened: Opened) -> str:
        return session.cookie(opened.token, opened.link.expires - self._now)

    def _state(self, opened: Opened, known: Seen) -> dict[str, Any]:
        """`state` is ``open``, ``saved``, or an outcome's. `at` is when the key was handed in."""
        if not known.handed_in:
            return _still_open(known)
        outcome = self._store.outcome(opened.place)
        told = {"last_four": known.last_four, "at": known.handed_in_at}
        if outcome is None or outcome.at == known.after:
            # A receipt for a key that lies nowhere would have the customer leave.
            return {"state": "saved", **told} if known.written else _still_open(known)
        return {"state": outcome.state, "reason": outcome.reason, **told}

    def _refused_at(self, opened: Opened) -> str:
        outcome = self._store.outcome(opened.place)
        return outcome.at if outcome is not None and outcome.state == "refused" else ""

    def _check(self, opened: Opened) -> dict[str, Any]:
        pasted = paste.read(self._request.text("key"))
        checked = checks.shape(pasted) or self._live(opened, pasted)
        found = [f"{one.name}: {one.reason}" for one in checked.checks if one.state in _WORTH_LOGGING]
        opened.note("connect.check", passed=checked.passed, found=found)
        content = {
            "passed": checked.passed,
            "cleaned": list(pasted.cleaned),
            "checks": [one.as_json() for one in checked.checks],
        }
        return of_json(200, content)

    def _live(self, opened: Opened, pasted: paste.Pasted) -> checks.Checked:
        """The calls, between two changes of the record: one that no other check runs, and one with what was found."""
        assert pasted.key is not None
        ours = digest(opened.link.id, pasted.key)
        begin = partial(seen.begin_check, digest=ours, now=self._now, refused_at=self._refused_at(opened))
        known = self._store.change(opened.place, begin)
        try:
            http = OpenAIHTTP(self._services.settings.base_url, self._deadline)
            checked = checks.check(http, self._deadline, pasted, opened.issued.models, known.known(ours).answered)
        except BaseException:
            self._store.change(opened.place, seen.drop_check)
            raise
        self._store.change(opened.place, partial(seen.end_check, digest=ours, checked=checked))
        return checked

    def _save(self, opened: Opened) -> dict[str, Any]:
        """Also finishes a Save that ended half-way: the same key again writes what is missing, and nothing twice."""
        key = paste.read(self._request.text("key")).key
        if key is None:
            raise Refused("not_checked")
        ours, last_four = digest(opened.link.id, key), key.reveal()[-4:]
        before, refused_at = self._store.seen(opened.place), self._refused_at(opened)
        handed_in, follows = HandedIn(opened.token, key), bool(before.handed_in) and not seen.held(before, refused_at)
        told: dict[str, Any] = {"last_four": last_four, "refused_at": refused_at, "written": follows}
        decide = partial(seen.hand_in, digest=ours, now=self._now, **told)
        if follows:
            # Written first: while the refused key's copy is there, the promoter is about to delete it.
            decide(before)
            if not self._store.hand_in(opened.place, handed_in):
                raise Refused("busy", 2)
        known = self._store.change(opened.place, decide)
        content = self._state(opened, known)
        if content["state"] in ("open", "saved") and not follows:
            self._store.hand_in(opened.place, handed_in)
            content = self._state(opened, self._store.change(opened.place, partial(seen.wrote, digest=ours)))
        result = "already_saved" if seen.held(before, refused_at) == ours else "saved"
        opened.note("connect.save", result=result)
        # A changed cookie also takes the page out of the browser's back/forward cache.
        return of_json(200, {"result": result, **content}, cookies=(self._cookie(opened),))


def _still_open(known: Seen) -> dict[str, Any]:
    return {"state": "open", "checks_left": max(MOST_CHECKS - known.checks, 0)}


def _about(link: Link) -> dict[str, str]:
    """Of every line of the audit."""
    return {"tenant": link.tenant, "link": link.id}
