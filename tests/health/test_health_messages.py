"""One message when a trouble starts and one when it ends, also for 2,000 tenants, in words that a person can act on."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Mapping
from pathlib import Path

import pytest

from functions.health import english, spanish
from functions.health.history import Change, History, Trouble, advance
from functions.health.messages import LANGUAGES, message
from functions.health.notices import FOLD_AT, Event, Notice, Scope, Told, tell
from functions.health.remedies import COMMANDS, NEW_KEY
from functions.health.trouble import CELL, KINDS, ORGANIZATION, TENANT, Finding, Judgement
from tests.health.given import NOW, declaration

ROOT = Path(__file__).resolve().parents[2]
HOUR = 3600.0


class Cycles:
    """Several cycles in a row, each with what is wrong with each scope."""

    def __init__(self) -> None:
        self.histories: dict[Scope, History] = {}
        self.together: Mapping[tuple[str, str], float] = {}
        self.now = NOW

    def run(self, found: Mapping[Scope, Judgement]) -> list[tuple[Event, str, int, bool]]:
        """The messages: event, kind, how many scopes, and whether it is folded."""
        self.now += HOUR
        changes: dict[Scope, Change] = {}
        for scope, judgement in found.items():
            changes[scope] = advance(self.histories.get(scope, History()), judgement, self.now)
            self.histories[scope] = changes[scope].history
        told: Told = tell(changes, self.histories, self.together)
        self.histories, self.together = dict(told.histories), told.together
        return [(one.event, one.trouble.kind, len(one.who), one.folded) for one in told.notices]


def tenants(count: int, *findings: Finding, start: int = 0) -> dict[Scope, Judgement]:
    return {Scope(TENANT, f"t{number:04}"): Judgement(findings) for number in range(start, start + count)}


REFUSED, LIMIT = Finding("key_refused"), Finding("project_spend_limit")


def test_one_message_at_the_start_none_while_it_lasts_and_one_at_the_end() -> None:
    cycles = Cycles()
    assert cycles.run(tenants(1, REFUSED)) == [("started", "key_refused", 1, False)]
    assert cycles.run(tenants(1, REFUSED)) == []
    assert cycles.run(tenants(1)) == [("ended", "key_refused", 1, False)]
    assert cycles.run(tenants(1)) == []


def test_missing_data_neither_starts_nor_ends_anything() -> None:
    cycles = Cycles()
    unknown = {scope: Judgement(unknown=frozenset(KINDS)) for scope in tenants(1)}
    assert cycles.run(unknown) == []
    cycles.run(tenants(1, REFUSED))
    assert cycles.run(unknown) == []
    assert cycles.run(tenants(1)) == [("ended", "key_refused", 1, False)]


def test_a_rate_limit_met_once_is_no_trouble_and_met_twice_in_three_cycles_is() -> None:
    cycles, met = Cycles(), Finding("rate_limited")
    assert cycles.run(tenants(1, met)) == []
    assert cycles.run(tenants(1)) == []
    assert cycles.run(tenants(1, met)) == [("started", "rate_limited", 1, False)]
    assert cycles.run(tenants(1)) == [], "one good cycle in between does not flap"
    assert cycles.run(tenants(1, met)) == []
    assert cycles.run(tenants(1)) == []
    assert cycles.run(tenants(1)) == [("ended", "rate_limited", 1, False)]


def test_a_cause_that_hits_2000_tenants_is_one_message_and_one_end() -> None:
    cycles = Cycles()
    assert cycles.run(tenants(2000, REFUSED)) == [("started", "key_refused", 2000, True)]
    assert cycles.run(tenants(2000, REFUSED) | tenants(50, REFUSED, start=2000)) == [], "later ones add none"
    assert cycles.run(tenants(1999)) == [], "some are well again, and others are not"
    assert cycles.run(tenants(51, start=1999)) == [("ended", "key_refused", 51, True)]


def test_own_trouble_inside_the_storm_has_a_message_of_its_own() -> None:
    cycles, storm = Cycles(), tenants(2000, REFUSED)
    cycles.run(storm)
    inside = {**storm, Scope(TENANT, "t0007"): Judgement((REFUSED, LIMIT))}
    assert cycles.run(inside) == [("started", "project_spend_limit", 1, False)]


def test_few_tenants_are_not_folded_until_they_are_many() -> None:
    cycles = Cycles()
    assert len(cycles.run(tenants(FOLD_AT - 1, REFUSED))) == FOLD_AT - 1
    assert cycles.run(tenants(1, REFUSED, start=FOLD_AT)) == [("started", "key_refused", 1, True)]
    ends = cycles.run(tenants(FOLD_AT + 1))
    assert sorted(ends) == [*[("ended", "key_refused", 1, False)] * (FOLD_AT - 1), ("ended", "key_refused", 1, True)]


def test_a_cause_whose_tenants_all_left_is_told_again_when_others_have_it() -> None:
    cycles = Cycles()
    cycles.run(tenants(FOLD_AT, REFUSED))
    cycles.histories = {}
    assert cycles.run(tenants(1)) == []
    assert cycles.run(tenants(1, REFUSED, start=FOLD_AT)) == [("started", "key_refused", 1, False)]


def test_tenants_own_limits_are_never_folded() -> None:
    assert len(Cycles().run(tenants(20, LIMIT))) == 20


def test_two_models_of_one_tenant_are_two_troubles() -> None:
    found = tenants(1, Finding("model_retiring", "gpt-5", 1), Finding("model_retiring", "o3", 1))
    assert len(Cycles().run(found)) == 2


def test_each_stage_is_told_once() -> None:
    cycles = Cycles()
    seen = [cycles.run(tenants(1, Finding("model_retiring", "gpt-5", stage))) for stage in (1, 1, 2, 2, 3)]
    assert [[one[0] for one in events] for events in seen] == [["started"], [], ["worse"], [], ["worse"]]


def test_a_waiting_limit_is_shown_without_a_message() -> None:
    cycles = Cycles()
    assert cycles.run(tenants(1, Finding("limit_raised_waiting"))) == []
    assert cycles.run(tenants(1)) == []


def test_both_languages_have_the_same_kinds_words_and_braces() -> None:
    assert english.TEXTS.keys() == spanish.TEXTS.keys() == KINDS.keys()
    assert english.WORDS.keys() == spanish.WORDS.keys()
    fields = [
        {name: sorted(_braces(" ".join(text))) for name, text in language.TEXTS.items()}
        for language in LANGUAGES.values()
    ]
    assert fields[0] == fields[1]


def _braces(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


VALUES = {
    **dict.fromkeys(("days", "hours", "spent", "budget", "share", "percent", "low", "high"), "7"),
    "limit": "tokens/min",
    "model": "gpt-5",
    "declared": "a",
    "actual": "-",
    "date": "2026-12-11",
    "expires": "2026-11-21T00:00:00Z",
    "country": "CR",
    **dict.fromkeys(("ends", "used", "since"), "2026-11-27T12:00:00Z"),
    "asked": "4",
    "unanswered": "3",
}


def notice(kind: str, event: Event = "started", *ids: str, folded: bool = False, **values: str) -> Notice:
    scopes = tuple(Scope(KINDS[kind].scope, one) for one in ids or ("acme",))
    return Notice(event, Trouble(kind, "gpt-5", 1, NOW, VALUES | values), scopes, folded)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_says_what_whose_since_when_what_to_do_and_where_to_read(kind: str, language: str) -> None:
    told = message(notice(kind), "prod-eu1", language, {"acme": declaration()}, NOW + HOUR)
    words = LANGUAGES[language].WORDS
    assert len(told.subject) < 100
    assert told.subject.isascii()
    assert told.subject.isprintable()
    heads = ["what", "whose", "since", "do", *(["type"] if kind in COMMANDS else []), "page"]
    assert [line.split(": ")[0] for line in told.body.splitlines()[1:]] == [words[head] for head in heads]
    assert not re.search(r"[{}?]|  ", told.body), "each value is there"
    assert "2026-11-20T12:00:00Z" in told.body
    assert KINDS[kind].metric.lower() in told.body.splitlines()[-1]


def test_a_message_is_plain_in_an_e_mail_and_in_the_forms_that_slack_is_reached_by() -> None:
    """Slack confirms no subscription of SNS. Amazon Q Developer in chat applications does, over HTTPS, and takes AWS's
    custom notifications; a function of one's own gets what a webhook takes."""
    told = message(notice("key_refused"), "prod-eu1", "en", {"acme": declaration(name="A <&> B")}, NOW)
    shapes = json.loads(told.for_sns())
    assert shapes["email"] == shapes["default"] == told.body
    assert "A <&> B" in told.body
    chat = json.loads(shapes["https"])
    assert (chat["version"], chat["source"]) == ("1.0", "custom")
    assert (chat["content"]["textType"], chat["content"]["title"]) == ("client-markdown", told.subject)
    assert "Type: myflux-keys rotate acme --wait" in chat["content"]["description"]
    webhook = json.loads(shapes["lambda"])
    assert list(webhook) == ["text"]
    for text in (chat["content"]["description"], webhook["text"]):
        assert "A &lt;&amp;&gt; B" in text, "what begins a link in Slack is escaped"
    assert all(len(text.encode()) < 256 * 1024 for text in shapes.values())
    assert set(shapes) <= {"default", "email", "https", "lambda"}, "names of protocols that SNS knows"


def test_start_and_end_of_one_trouble_are_in_one_thread_and_another_trouble_is_not() -> None:
    def thread(kind: str, event: Event, tenant: str = "acme") -> str:
        shapes = json.loads(message(notice(kind, event, tenant), "c", "en", {}, NOW).for_sns())
        return json.loads(shapes["https"])["metadata"]["threadId"]

    assert thread("key_refused", "started") == thread("key_refused", "ended")
    others = {thread("key_refused", "started", "globex"), thread("rotation_late", "started")}
    assert thread("key_refused", "started") not in others


def test_a_customers_organization_that_we_do_not_know_is_said_to_be_unknown() -> None:
    own_key = declaration(source="customer", minted=False, budget=None)
    told = Notice("started", Trouble("balance_gone", "", 0, NOW), (Scope(TENANT, "acme"),))
    body = message(told, "c", "en", {"acme": own_key}, NOW).body
    assert "organization (id not known to us) is used up" in body
    assert "Type:" not in body, "only the customer can add credit"


def test_a_folded_message_says_whose_values_it_shows() -> None:
    many = notice("limit_drift", "started", "t1", "t2", folded=True, actual="5")
    assert "5 there, a in the file (values of t1)." in message(many, "c", "en", {}, NOW).body


def test_a_trouble_that_an_earlier_version_found_can_still_be_told_to_be_over() -> None:
    old = Notice("ended", Trouble("key_expiring", "", 1, NOW), (Scope(TENANT, "acme"),))
    assert "expires at ?" in message(old, "c", "en", {}, NOW).body


def test_every_command_of_a_message_exists() -> None:
    known = set(re.findall(r"^## `(myflux-keys [a-z -]+)`$", (ROOT / "docs/cli.md").read_text("utf-8"), re.MULTILINE))
    assert COMMANDS.keys() < KINDS.keys()
    used = [re.match(r"myflux-keys [a-z]+(?: [a-z]+)?", text) for text in (*COMMANDS.values(), NEW_KEY)]
    names = [one.group() for one in used if one]
    assert len(names) == len(COMMANDS) + 1
    assert not [one for one in names if one not in known and " ".join(one.split()[:2]) not in known]
    texts = [text for language in LANGUAGES.values() for both in language.TEXTS.values() for text in both]
    assert not [text for text in texts if "myflux-keys" in text], "a command is a line of its own"


def test_the_owner_is_the_customer_where_the_account_is_theirs() -> None:
    theirs = declaration(source="customer", organization_id="org-theirs")
    own_key = declaration(source="customer", minted=False, budget=None)
    refused = notice("key_refused")
    assert "Whose: ours" in message(refused, "c", "en", {"acme": theirs}, NOW).body, "we mint the key"
    asked = message(refused, "c", "en", {"acme": own_key}, NOW).body
    assert "Whose: the customer's" in asked
    assert "myflux-keys key set acme" in asked
    assert "rotate" not in asked
    gone = notice("balance_gone", "started", "org-theirs")
    assert "Whose: the customer's" in message(gone, "c", "en", {"acme": theirs}, NOW).body
    assert "Whose: ours" in message(gone, "c", "en", {"acme": declaration()}, NOW).body
    assert "Whose: OpenAI's" in message(notice("openai_silent"), "c", "en", {}, NOW).body


def test_a_folded_message_names_some_tenants_and_counts_the_others() -> None:
    folded = notice("key_refused", "started", *(f"t{number}" for number in range(2000)), folded=True)
    told = message(folded, "prod-eu1", "en", {}, NOW)
    assert "2000 tenants: t0, t1, t2, t3, t4 and 1995 more" in told.body
    assert "myflux-keys rotate TENANT --wait" in told.body


def test_the_end_says_from_when_to_when() -> None:
    told = message(notice("key_refused", "ended"), "prod-eu1", "es", {"acme": declaration()}, NOW + HOUR)
    assert "Desde: 2026-11-20T12:00:00Z hasta 2026-11-20T13:00:00Z" in told.body
    assert told.subject.startswith("[prod-eu1] Resuelto: inquilino acme (Acme Travel)")


def test_nothing_shaped_like_a_key_leaves_in_a_message() -> None:
    leaked = "sk-" + "proj-" + "a1B2" * 12
    told = message(notice("limit_drift", actual=leaked), "c", "en", {"acme": declaration(name=leaked)}, NOW)
    assert leaked not in told.for_sns()


def test_scopes_of_every_kind_can_be_named() -> None:
    for kind, of in (("openai_silent", CELL), ("balance_gone", ORGANIZATION), ("key_refused", TENANT)):
        assert KINDS[kind].scope == of
