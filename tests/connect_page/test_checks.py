"""What the page finds out about a key at OpenAI, by real calls to the emulator: right, wrong, or not known now.

A key is never called wrong because OpenAI is slow or down, and the one call that OpenAI bills is made once.
"""

from __future__ import annotations

from typing import Any

import pytest

from functions.connect import checks, paste
from functions.connect.checks import Answered, Checked, State
from functions.shared.deadline import Deadline
from functions.shared.openai_http import OpenAIHTTP
from local.cell import LocalCell
from tests.customer_key.theirs import TheirOpenAI

MODEL, OTHER = "gpt-6-luna", "gpt-5.4-mini"
BILLED = "POST /v1/responses"


class Page:
    """One tenant's checks, as the function makes them."""

    def __init__(self, cell: LocalCell, theirs: TheirOpenAI) -> None:
        self.cell, self.theirs = cell, theirs

    def check(
        self, key: str, *, models: tuple[str, ...] = (MODEL, OTHER), before: Answered | None = None, seconds: float = 20
    ) -> Checked:
        deadline = Deadline(seconds)
        pasted = paste.read(key)
        wrong = checks.shape(pasted)
        return wrong or checks.check(OpenAIHTTP(self.cell.openai_url, deadline), deadline, pasted, models, before)

    def limit(self, path: str, **body: Any) -> None:
        self.theirs.send("POST", f"/{self.theirs.project}{path}", body)

    def model_calls(self) -> list[str]:
        """Calls with a project's key."""
        return [call.endpoint or "" for call in self.cell.openai.calls() if "/organization/" not in call.path]

    def billed(self) -> int:
        """Calls that OpenAI answered, also where the answer was lost on its way."""
        calls = [call for call in self.cell.openai.calls() if call.endpoint == BILLED]
        return sum(call.applied and call.status in (200, None) for call in calls)


@pytest.fixture
def page(cell: LocalCell, theirs: TheirOpenAI) -> Page:
    return Page(cell, theirs)


def _states(checked: Checked) -> dict[str, str]:
    return {check.name: f"{check.state.value}: {check.reason}" for check in checked.checks}


def _wrong(checked: Checked) -> dict[str, str]:
    return {check.name: check.reason for check in checked.checks if check.state in (State.BAD, State.UNKNOWN)}


def test_a_good_key_passes_and_is_billed_once(page: Page) -> None:
    checked = page.check(page.theirs.key()[1])

    assert checked.passed
    assert _states(checked) == {
        "shape": "good: ok",
        "accepted": "good: ok",
        "owner": "good: ok",
        "permissions": "good: ok",
        "models": "good: ok",
        "balance": "good: ok",
        "spend_limit": "unseen: not_reached",
        "rate_limits": "good: ok",
    }
    assert page.billed() == 1


def test_the_rate_limits_are_those_that_openai_names(page: Page) -> None:
    limits = {"max_requests_per_1_minute": 450, "max_tokens_per_1_minute": 90_000}
    page.limit(f"/rate_limits/rl-{MODEL}", **limits)

    (found,) = [one for one in page.check(page.theirs.key()[1]).checks if one.name == "rate_limits"]

    assert (found.state, found.facts) == (State.GOOD, {"requests": 450, "tokens": 90_000})


def test_a_tier_of_few_requests_is_remarked_on_and_does_not_stop_the_customer(page: Page) -> None:
    page.limit(f"/rate_limits/rl-{MODEL}", max_requests_per_1_minute=3)

    checked = page.check(page.theirs.key()[1])

    assert (checked.passed, checked.checks[-1].state, checked.checks[-1].reason) == (True, State.NOTE, "few")


@pytest.mark.parametrize(
    ("text", "fault"), [("sk-" + "admin-" + "a1" * 30, "admin_key"), ("org-" + "a1B2c3D4", "organization_id")]
)
def test_what_is_no_project_key_causes_no_call(page: Page, text: str, fault: str) -> None:
    page.cell.openai.clear_calls()

    checked = page.check(text)

    assert (_wrong(checked), checked.passed, page.cell.openai.calls()) == ({"shape": fault}, False, [])


def test_a_key_that_nobody_has_is_refused_and_nothing_is_billed(page: Page) -> None:
    checked = page.check("sk-" + "svcacct-" + "Zz9" * 20)

    assert _wrong(checked) == {"accepted": "refused"}
    assert [one.state for one in checked.checks[2:]] == [State.WAITING] * 6
    assert (page.model_calls(), page.billed()) == (["GET /v1/models/{model}"], 0)


def test_a_persons_key_is_named_and_not_billed(page: Page) -> None:
    key = page.cell.openai.create_user_key(page.theirs.project)

    checked = page.check(key)

    assert (_wrong(checked), page.billed()) == ({"owner": "person"}, 0)


def test_a_key_without_the_permission_to_answer_is_told_so(page: Page) -> None:
    checked = page.check(page.theirs.key(scopes=["api.model.read"])[1])

    assert (_wrong(checked), page.billed()) == ({"permissions": "missing"}, 0)


def test_a_key_that_answers_and_cannot_look_models_up_passes(page: Page) -> None:
    """Restricted as we recommend: the models beside the default one cannot be seen with it."""
    checked = page.check(page.theirs.key(scopes=["model.request", "api.responses.write"])[1])

    (models,) = [one for one in checked.checks if one.name == "models"]
    assert checked.passed
    assert (models.state, models.reason) == (State.UNSEEN, "no_list")


def test_models_that_the_project_does_not_allow_are_named(page: Page) -> None:
    page.limit("/model_permissions", mode="allow_list", model_ids=[MODEL])

    checked = page.check(page.theirs.key()[1])

    (models,) = [one for one in checked.checks if one.name == "models"]
    assert (_wrong(checked), models.facts) == ({"models": "missing"}, {"models": [OTHER]})
    assert page.billed() == 0


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("balance_gone", {"balance": "empty"}),
        ("quota_unnamed", {"balance": "quota"}),
        ("project_limit", {"spend_limit": "project"}),
        ("address_refused", {"accepted": "address"}),
    ],
)
def test_a_refusal_is_found_in_its_own_row(page: Page, fault: str, expected: dict[str, str]) -> None:
    key = page.theirs.key()[1]
    page.cell.openai.fault(fault, count=None)

    assert (_wrong(page.check(key)), page.billed()) == (expected, 0)


@pytest.mark.parametrize("fault", ["429", "500", "dropped", "truncated", "country_refused"])
def test_a_lookup_without_a_usable_answer_says_not_now_and_never_wrong(page: Page, fault: str) -> None:
    key = page.theirs.key()[1]
    page.cell.openai.fault(fault, path="/models/", count=None)

    checked = page.check(key)

    assert checked.checks[1].state is State.UNKNOWN
    assert not [one for one in checked.checks if one.state is State.BAD]
    assert (checked.passed, page.billed()) == (False, 0)


@pytest.mark.parametrize("fault", ["429", "500", "dropped", "dropped_after_apply", "truncated"])
def test_a_billed_call_without_a_usable_answer_says_not_now_and_is_not_repeated(page: Page, fault: str) -> None:
    key = page.theirs.key()[1]
    page.cell.openai.fault(fault, path="/responses", count=None)

    checked = page.check(key)

    assert not [one for one in checked.checks if one.state is State.BAD]
    assert [one.state for one in checked.checks].count(State.UNKNOWN) == 1
    sent = [call for call in page.cell.openai.calls() if call.path == "/v1/responses"]
    assert (checked.passed, len(sent)) == (False, 1)


def test_one_lost_lookup_is_asked_again_since_it_costs_nothing(page: Page) -> None:
    key = page.theirs.key()[1]
    page.cell.openai.fault("dropped", path="/models/", count=1)

    assert page.check(key).passed


def test_a_slow_openai_ends_with_the_time_and_says_not_now(page: Page) -> None:
    key = page.theirs.key()[1]
    page.cell.openai.fault("timeout", path="/models/", count=None, seconds=3)

    checked = page.check(key, seconds=5)

    assert (_wrong(checked), page.billed()) == ({"accepted": "not_now"}, 0)


def test_a_key_that_was_answered_before_is_not_billed_again(page: Page) -> None:
    """Also where its balance has ended since: the promoter proves it once more."""
    key = page.theirs.key()[1]
    first = page.check(key)

    again = page.check(key, before=first.answered)

    assert (_states(again), page.billed()) == (_states(first), 1)


def test_a_key_that_was_answered_before_and_revoked_since_is_refused(page: Page) -> None:
    checked = page.check("sk-" + "svcacct-" + "Zz9" * 20, before=Answered(500, 30_000))

    assert _wrong(checked) == {"accepted": "refused"}


def test_every_check_has_all_rows_in_the_pages_order(page: Page) -> None:
    for key in (page.theirs.key()[1], "", "sk-" + "svcacct-" + "Zz9" * 20):
        assert tuple(check.name for check in page.check(key).checks) == checks.NAMES
