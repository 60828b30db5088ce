"""What a tenant's calls and the grouped calls make of OpenAI's answers: nothing is repeated, left out or forgotten."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, cast

import pytest

from functions.health.asking import Answers, ask
from functions.health.facts import ABSENT, Listing, Probe, SecretFacts
from functions.health.services import Services
from functions.health.state import TenantState
from functions.health.tenant_round import Asked
from functions.health.usage import read_costs
from functions.shared.deadline import Deadline
from functions.shared.openai_admin import AdminAPI
from functions.shared.openai_http import OpenAIError, OpenAIHTTP
from myflux_keys.payload import SecretText
from tests.health.given import MODEL, NOW, money, refused

Sent = list[tuple[str, str, dict[str, Any]]]
LIST = {"data": [{"id": MODEL, "shutdown_date": None}, {"id": "gpt-5", "shutdown_date": "2026-12-11"}, {"id": "old"}]}


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], tuple[Answers, Sent]]:
    """One round of `ask` whose call to a model is answered by the given object or error."""

    def round_of(answer: Any) -> tuple[Answers, Sent]:
        sent: Sent = []

        def send(_self: OpenAIHTTP, method: str, path: str, *_: Any, **more: Any) -> Any:
            sent.append((method, path, more.get("body") or {}))
            if path == "/models":
                return LIST
            if isinstance(answer, OpenAIError):
                raise answer
            return answer

        monkeypatch.setattr(OpenAIHTTP, "send", send)
        key = SecretText("sk-" + "proj-" + "x" * 20)
        return ask("https://api.openai.com/v1", Deadline(60), key, MODEL), sent

    return round_of


@pytest.mark.parametrize("code", ["credit_balance_exhausted", "project_spend_limit_exceeded", "insufficient_quota"])
def test_a_call_that_was_refused_for_money_is_not_tried_again(
    answering: Callable[[Any], tuple[Answers, Sent]], code: str
) -> None:
    answers, sent = answering(money(code))
    assert [path for _, path, _ in sent] == ["/models", "/responses"]
    assert answers.probe is not None
    assert answers.probe.error is not None
    assert answers.probe.error.code == code


def test_an_answer_of_a_reasoning_model_that_is_cut_off_is_healthy_and_small(
    answering: Callable[[Any], tuple[Answers, Sent]],
) -> None:
    cut = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}, "output": []}
    answers, sent = answering(cut)
    assert answers.probe == Probe(MODEL, None)
    [body] = [body for method, _, body in sent if method == "POST"]
    assert (body["max_output_tokens"], body["store"]) == (16, False), "the fewest tokens, and nothing is kept"


def test_a_models_date_is_read_as_it_was_sent(answering: Callable[[Any], tuple[Answers, Sent]]) -> None:
    answers, _ = answering({"status": "completed"})
    assert answers.listing.models == {MODEL: None, "gpt-5": "2026-12-11", "old": ABSENT}


def test_while_openai_is_silent_the_last_good_answer_keeps_its_time() -> None:
    before = TenantState(seen_at=NOW - 7200)
    secret = SecretFacts()
    silent = Asked("acme", before, secret, Listing(refused(None)))
    assert silent.remembered(None, NOW).seen_at == NOW - 7200
    answered = Asked("acme", before, secret, Listing(refused(401, "invalid_api_key")))
    assert answered.remembered(None, NOW).seen_at == NOW, "a refusal is an answer"


def test_a_skewed_clock_of_the_function_changes_no_day_and_no_expiry() -> None:
    """Days, months and expiries are reckoned by the time in OpenAI's answers, and never by one that is earlier."""
    http = OpenAIHTTP("https://api.openai.com/v1", Deadline(60))
    unused: Any = None
    api = AdminAPI(http, unused, Deadline(60))
    services = Services(
        unused, unused, unused, unused, unused, unused, api, Deadline(60), unused, lambda: NOW - 40 * 86_400
    )
    assert services.now() == NOW - 40 * 86_400, "until OpenAI has answered"
    http.server_time = NOW
    assert services.now() == NOW
    services.server_time = NOW + 5
    assert services.now() == NOW + 5


def test_a_first_success_after_trouble_needs_nobody() -> None:
    before = TenantState(refused=True, called_at=NOW - 90_000)
    well = Asked("acme", before, SecretFacts(), Listing(models={MODEL: None}), Probe(MODEL))
    after = well.remembered(None, NOW)
    assert (after.refused, after.called_at) == (False, NOW)


def test_costs_of_all_pages_and_of_archived_projects_are_summed_and_a_row_without_a_project_is_nobodys() -> None:
    """The archived project is in no list of projects; its costs are asked for with all the others'."""
    asked: list[dict[str, str]] = []
    rows = [("proj_a", "0.10"), ("proj_archived", "5"), (None, "100"), ("proj_a", "0.70")]

    class Pages:
        def send(self, _method: str, _path: str, *, query: dict[str, str], **_: Any) -> dict[str, Any]:
            asked.append(query)
            number = int(query.get("page", "0"))
            start = NOW - NOW % 86_400 + number * 86_400
            results = [
                {"project_id": project, "amount": {"value": float(usd), "currency": "usd"}} for project, usd in rows
            ]
            more = number < 2
            return {
                "data": [{"start_time": start, "results": results}],
                "has_more": more,
                "next_page": str(number + 1) if more else None,
            }

    costs = read_costs(cast(AdminAPI, Pages()), Deadline(60), NOW, NOW, [], 3)
    first = date(2026, 11, 20)
    assert len(asked) == len(costs.days) == 3
    assert costs.by_project["proj_a"][first] == Decimal("0.80"), "exact, and two rows of one project add up"
    assert sum(costs.by_project["proj_archived"].values()) == 15
    assert costs.unattributed == 300
    assert not [query for query in asked if "project_ids[]" in query], "nobody is left out"
    assert {query["group_by[]"] for query in asked} == {"project_id"}
