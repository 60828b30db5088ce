"""Why calls fail, told apart: each answer of OpenAI's has one cause, one owner, and says nothing about others."""

from __future__ import annotations

import pytest

from functions.health.causes import Cause, cause
from functions.health.facts import Listing, Probe, SecretFacts
from functions.health.lift import judge_silence, lift
from functions.health.probing import DAY_SECONDS, Traffic, probe_due, probe_model
from functions.health.trouble import KINDS, Judgement
from functions.shared.openai_http import OpenAIError
from tests.health.given import MODEL, NOW, declaration, judged, kinds, money, refused

MONEY = {
    "credit_balance_exhausted": "balance_gone",
    "organization_spend_limit_exceeded": "organization_spend_limit",
    "organization_usage_limit_exceeded": "organization_usage_limit",
    "project_spend_limit_exceeded": "project_spend_limit",
}
UNEXPLAINED = OpenAIError("GET /models", "Too many.", maybe_applied=False, status=429)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (None, Cause.OK),
        (money("credit_balance_exhausted"), Cause.BALANCE_GONE),
        (money("organization_spend_limit_exceeded"), Cause.ORGANIZATION_SPEND_LIMIT),
        (money("project_spend_limit_exceeded"), Cause.PROJECT_SPEND_LIMIT),
        (money("organization_usage_limit_exceeded"), Cause.ORGANIZATION_USAGE_LIMIT),
        (money("insufficient_quota"), Cause.QUOTA_UNNAMED),
        (money(None), Cause.QUOTA_UNNAMED),
        (refused(429, "rate_limit_exceeded", "tokens"), Cause.RATE_LIMITED),
        (refused(429, "slow_down", "rate_limit_error"), Cause.RATE_LIMITED),
        (refused(429), Cause.UNKNOWN),
        (UNEXPLAINED, Cause.UNANSWERED),
        (refused(None), Cause.UNANSWERED),
        (refused(503, "server_is_overloaded"), Cause.UNANSWERED),
        (refused(401, "invalid_api_key", message="Incorrect API key provided."), Cause.KEY_REFUSED),
        (refused(401, message="IP not authorized: it is not in your organization's allowlist."), Cause.ADDRESS_REFUSED),
        (refused(401, message="Missing scopes: model.request."), Cause.SCOPES_MISSING),
        (refused(403, message="You have insufficient permissions. Missing scopes: x."), Cause.SCOPES_MISSING),
        (refused(403, "unsupported_country_region_territory"), Cause.COUNTRY_REFUSED),
        (refused(403, "model_not_found"), Cause.MODEL_REFUSED),
        (refused(404, "model_not_found"), Cause.MODEL_REFUSED),
        (
            refused(
                400,
                kind="invalid_request_error",
                message="Invalid service_tier argument: The requested service tier is not allowed for this project.",
            ),
            Cause.TIER_REFUSED,
        ),
        (refused(400, message="Unknown parameter."), Cause.UNKNOWN),
        (refused(403), Cause.UNKNOWN),
    ],
    ids=str,
)
def test_each_answer_has_one_cause(error: OpenAIError | None, expected: Cause) -> None:
    assert cause(error) is expected


@pytest.mark.parametrize(("code", "kind"), MONEY.items())
def test_each_of_the_four_money_codes_is_a_trouble_of_its_own(code: str, kind: str) -> None:
    assert kinds(judged(probe=Probe(MODEL, money(code)))) == [kind]


def test_a_429_without_a_body_is_not_about_money() -> None:
    found = judged(probe=Probe(MODEL, UNEXPLAINED))
    assert not found.findings
    assert {"balance_gone", "project_spend_limit", "key_refused"} <= found.unknown


def test_without_a_billed_call_nothing_is_said_about_money() -> None:
    found = judged()
    assert not found.findings
    assert {"balance_gone", "quota_unnamed", "project_spend_limit"} <= found.unknown


def test_a_call_that_succeeded_clears_everything_about_calls() -> None:
    found = judged(probe=Probe(MODEL))
    assert not found.findings
    assert not found.unknown & {"balance_gone", "project_spend_limit", "key_refused", "rate_limited"}


def test_no_key_is_judged_dead_while_openai_is_silent() -> None:
    found = judged(listing=Listing(refused(None)))
    assert not found.findings
    assert "key_refused" in found.unknown


def test_a_refused_key_hides_what_lies_behind_it() -> None:
    found = judged(listing=Listing(refused(401, "invalid_api_key")))
    assert kinds(found) == ["key_refused"]
    assert {"balance_gone", "model_not_allowed"} <= found.unknown


def test_a_key_that_may_not_list_models_is_not_told_that_they_are_retired() -> None:
    found = judged(listing=Listing(refused(403, message="Missing scopes: api.model.read")), probe=Probe(MODEL))
    assert kinds(found) == ["models_hidden"]
    assert {"model_not_allowed", "model_retiring", "model_retired"} <= found.unknown


def test_a_model_in_the_list_that_answers_404_is_not_allowed_for_the_project() -> None:
    assert kinds(judged(probe=Probe(MODEL, refused(404, "model_not_found")))) == ["model_not_allowed"]


def test_a_declared_model_that_is_not_listed_is_retired_or_not_allowed_but_never_both() -> None:
    gone, denied = Listing(models={}), Listing(models={"gpt-5": None})
    retired = judged(listing=gone, shutdowns={MODEL: "2026-11-01"})
    assert kinds(retired) == ["model_retired"]
    assert kinds(judged(listing=denied, shutdowns={MODEL: None})) == ["model_not_allowed"]


def test_a_raised_limit_that_openai_has_not_applied_yet_is_waiting_and_not_red_again() -> None:
    probe = Probe(MODEL, money("project_spend_limit_exceeded"))
    soon = judged(probe=probe, limit_raised_at=NOW - 600)
    assert kinds(soon) == ["limit_raised_waiting"]
    assert "project_spend_limit" in soon.unknown, "the trouble that was open stays open, without a message"
    assert kinds(judged(probe=probe, limit_raised_at=NOW - DAY_SECONDS)) == ["project_spend_limit"]


def test_a_tenant_whose_secret_is_being_deleted_is_judged_by_that_alone() -> None:
    found = judged(secret=SecretFacts(deleting=True), probe=Probe(MODEL, money("project_spend_limit_exceeded")))
    assert kinds(found) == ["secret_deleting"]
    assert "project_spend_limit" in found.unknown


def test_a_cause_of_the_organization_is_lifted_once_and_other_trouble_stays_with_its_tenant() -> None:
    """2,000 tenants without credit and one more with its own trouble: one and one."""
    storm = judged(probe=Probe(MODEL, money("credit_balance_exhausted")))
    own = judged(probe=Probe(MODEL, money("project_spend_limit_exceeded")))
    judgements = {f"t{number}": storm for number in range(2000)} | {"acme": own}
    lifted = lift(judgements, dict.fromkeys(judgements, "org-local"))
    [finding] = lifted.organizations["org-local"].findings
    assert (finding.kind, finding.values["tenants"]) == ("balance_gone", "2000")
    assert kinds(lifted.tenants["acme"]) == ["project_spend_limit"]
    assert not any(lifted.tenants[f"t{number}"].findings for number in range(2000))


def test_one_organizations_trouble_says_nothing_about_another() -> None:
    gone, well = judged(probe=Probe(MODEL, money("credit_balance_exhausted"))), judged(probe=Probe(MODEL))
    quiet = judged()
    lifted = lift({"a": gone, "b": well, "c": quiet}, {"a": "org-a", "b": "org-b", "c": "org-c"})
    assert kinds(lifted.organizations["org-a"]) == ["balance_gone"]
    assert lifted.organizations["org-b"] == Judgement(), "a call succeeded, so it is well"
    assert "balance_gone" in lifted.organizations["org-c"].unknown, "no call was made, so nobody knows"


def test_a_customers_key_without_a_known_organization_keeps_its_trouble() -> None:
    gone = judged(probe=Probe(MODEL, money("credit_balance_exhausted")))
    lifted = lift({"acme": gone}, {"acme": None})
    assert kinds(lifted.tenants["acme"]) == ["balance_gone"]
    assert not lifted.organizations


def test_silence_of_openai_is_told_from_that_of_one_call() -> None:
    silent, well = Listing(refused(None)), Listing()
    assert kinds(judge_silence({"a": silent, "b": silent, "c": well})) == ["openai_silent"]
    assert judge_silence({"a": silent, "b": well, "c": well}) == Judgement()
    assert judge_silence({}).unknown == {"openai_silent"}
    assert judge_silence({"a": Listing(refused(401))}) == Judgement(), "a refusal is an answer"


@pytest.mark.parametrize(
    ("traffic", "called_at", "was_refused", "due"),
    [
        (0, None, False, True),
        (0, NOW - 3600, False, False),
        (0, NOW - DAY_SECONDS, False, True),
        (5, None, False, False),
        (None, None, False, False),
        (5, NOW - 3600, True, True),
    ],
)
def test_a_billed_call_is_made_without_traffic_once_a_day_and_after_a_refusal(
    traffic: int | None, called_at: float | None, was_refused: bool, due: bool
) -> None:
    def asked(enabled: bool) -> bool:
        tenant = declaration(enabled=enabled)
        return probe_due(tenant, Traffic(traffic), called_at=called_at, refused=was_refused, now=NOW)

    assert asked(enabled=True) == due
    assert not asked(enabled=False), "never for a disabled tenant"


def test_a_customers_key_shows_no_usage_and_is_called_once_a_day() -> None:
    own, reading = declaration(minted=False), declaration(minted=False, permission="read_only")
    assert probe_due(own, Traffic(None), called_at=None, refused=False, now=NOW)
    assert not probe_due(reading, Traffic(None), called_at=None, refused=False, now=NOW)


def test_no_traffic_is_no_rate() -> None:
    assert [Traffic(count).word for count in (None, 0, 3)] == ["unknown", "no traffic", "traffic"]


def test_other_models_are_called_in_turn() -> None:
    tenant = declaration(models=("a", "b", "c"))
    assert {probe_model(tenant, day * DAY_SECONDS) for day in range(0, 8, 2)} == {"a"}
    assert [probe_model(tenant, day * DAY_SECONDS) for day in (1, 3, 5)] == ["b", "c", "b"]
    assert probe_model(declaration(), DAY_SECONDS) == MODEL


def test_each_kind_that_a_decision_can_name_is_in_the_table() -> None:
    assert judged(declaration=None).unknown <= KINDS.keys()
    assert judged(listing=None, days=None, limits=None).unknown <= KINDS.keys()
