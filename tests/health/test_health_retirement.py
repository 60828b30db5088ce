"""Models that OpenAI shuts down, and what a tenant's secret and file say beside each other."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from functions.health.facts import ABSENT, Catalogue, Listing, Replacement, SecretFacts
from functions.health.retirement import judge_retirement, read_shutdown
from tests.health.given import MODEL, NOW, declaration, facts, judged, kinds

DAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("sent", "word", "days"),
    [
        ("2026-12-02", "ahead", 12),
        ("2026-11-20", "today", 0),
        ("2026-11-19", "past", -1),
        (None, "none announced", None),
        (ABSENT, "not said", None),
        ("soon", "unreadable", None),
        ("2026-13-40", "unreadable", None),
        ("20261202", "unreadable", None),
    ],
)
def test_each_kind_of_date_has_a_word_of_its_own(sent: str | None, word: str, days: int | None) -> None:
    found = read_shutdown(sent, DAY)
    assert (found.word, found.days) == (word, days)


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        ("2027-02-19", []),
        ("2027-02-18", [("model_retiring", 1)]),
        ("2026-12-20", [("model_retiring", 2)]),
        ("2026-11-27", [("model_retiring", 3)]),
        ("2026-11-20", [("model_retired", 0)]),
        ("2026-11-01", [("model_retired", 0)]),
        (None, []),
    ],
)
def test_a_shutdown_is_told_at_90_30_and_7_days_and_on_its_day(sent: str | None, found: list[tuple[str, int]]) -> None:
    judgement = judge_retirement(facts(listing=Listing(models={MODEL: sent})), Catalogue())
    assert [(finding.kind, finding.stage) for finding in judgement.findings] == found
    assert not judgement.unknown


@pytest.mark.parametrize("sent", [ABSENT, "soon"])
def test_a_date_that_is_absent_or_malformed_is_not_safe(sent: str) -> None:
    judgement = judge_retirement(facts(listing=Listing(models={MODEL: sent})), Catalogue())
    assert not judgement.findings
    assert judgement.unknown == {"model_retiring", "model_retired"}


def test_a_key_that_sees_no_models_is_judged_by_what_others_saw() -> None:
    found = judge_retirement(facts(listing=None, shutdowns={MODEL: "2026-11-27"}), Catalogue())
    assert [finding.values["days"] for finding in found.findings] == ["7"]


def test_the_replacement_is_named_with_its_price_only_where_both_are_known() -> None:
    sent = Listing(models={MODEL: "2026-11-27"})
    priced = Catalogue(replacements={MODEL: Replacement("gpt-6-luna", Decimal("0.1"), Decimal("0.5"))})
    [finding] = judge_retirement(facts(listing=sent), priced).findings
    assert (finding.values["replacement"], finding.values["input_usd"]) == ("gpt-6-luna", "0.1")
    unpriced = Catalogue(replacements={MODEL: Replacement("gpt-6-luna", Decimal("0.1"), None)})
    [finding] = judge_retirement(facts(listing=sent), unpriced).findings
    assert "input_usd" not in finding.values
    [finding] = judge_retirement(facts(listing=sent), Catalogue()).findings
    assert "replacement" not in finding.values


@pytest.mark.parametrize(("hours", "stage"), [(73, None), (72, 1), (24, 2), (1, 2), (0, 3), (-5, 3)])
def test_hours_to_the_keys_expiry(hours: int, stage: int | None) -> None:
    found = judged(secret=SecretFacts(expires_at=NOW + hours * 3600)).findings
    assert [finding.stage for finding in found] == ([] if stage is None else [stage])


def test_a_key_without_an_expiry_does_not_expire() -> None:
    assert not judged(secret=SecretFacts(expires_at=None)).findings


def test_what_the_secret_says_is_told() -> None:
    assert kinds(judged(secret=SecretFacts(rotation_late=True))) == ["rotation_late"]
    assert kinds(judged(secret=SecretFacts(owned_by_person=True))) == ["person_owned_key"]


def test_declarations_and_secrets_are_compared_from_both_sides() -> None:
    assert kinds(judged(secret=None)) == ["secret_missing"]
    assert kinds(judged(declaration=None)) == ["undeclared"]
    assert kinds(judged(secret=SecretFacts(deleting=True))) == ["secret_deleting"]
    assert not judged(declaration=None, secret=SecretFacts(deleting=True)).findings, "what off-boarding leaves"


def test_a_country_that_openai_no_longer_serves_is_named() -> None:
    dropped = Catalogue(countries=frozenset({"DE"}))
    assert kinds(judged(dropped)) == ["country_dropped"]
    assert "country_dropped" in judged(Catalogue(countries=None)).unknown, "without the list nobody knows"
    assert not judged(dropped, declaration=declaration(country="DE")).findings
