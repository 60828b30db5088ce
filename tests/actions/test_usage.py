"""Sums of usage and costs: what is billed beside what the tokens cost, and what nobody knows yet."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from ops import prices
from ops.actions import functions_client, run_usage
from ops.actions.run_usage import WAIT_SECONDS, ask, usage_of
from ops.actions.usage import NOBODY, OTHERS, By, Line, Report, reckon, report
from ops.cli import usage_report
from ops.errors import OperationError
from ops.prices import Call
from tests.sweep.test_sweep_command import CELL, Function, refused
from tests.tenancy.files import REAL, Files

MODEL = "gpt-5.4-mini"
AS_OF = int(datetime(2026, 11, 30, 11, tzinfo=UTC).timestamp())
DAYS = ["2026-11-28", "2026-11-29", "2026-11-30"]


def cost(
    usd: str, project: str | None = "p1", day: str = DAYS[0], item: str | None = None, key: str | None = None
) -> Any:
    return [day, project, item, key, usd]


def used(
    sent: int,
    cached: int = 0,
    answered: int = 0,
    *,
    project: str = "p1",
    day: str = DAYS[0],
    model: str = MODEL,
    key: str | None = None,
    batch: bool | None = None,
    tier: str | None = None,
) -> Any:
    return [day, project, model, key, batch, tier, sent, cached, answered, 1]


def organization(**fields: Any) -> dict[str, Any]:
    base = {"id": "org-local", "projects": {"p1": "acme", "p2": "fjord"}, "failed": None, "days": DAYS[:2]}
    return {**base, "usage_days": DAYS, "costs": [], "usage": [], **fields}


def answer(*organizations: dict[str, Any], **fields: Any) -> dict[str, Any]:
    base = {"as_of": AS_OF, "since": DAYS[0], "next": None, "left_out": 0, "without": {}}
    return {**base, "organizations": list(organizations), **fields}


def reported(*organizations: dict[str, Any], by: By | None = None, **fields: Any) -> Report:
    return report("local", [answer(*organizations, **fields)], by, None)


def line(found: Report, tenant: str, what: str = "") -> Line:
    return next(one for one in found.lines if (one.tenant, one.what) == (tenant, what))


def test_amounts_are_exact_however_many_rows_there_are() -> None:
    """Ten thousand times a tenth of a cent is ten dollars; as floats it is not."""
    found = reported(organization(costs=[cost("0.001")] * 10_000))
    assert line(found, "acme").billed == Decimal("10.000")
    assert sum([0.001] * 10_000) != 10


def test_cached_tokens_are_a_part_of_those_sent_and_reasoning_tokens_of_those_answered() -> None:
    """1,000 sent of which 800 cached: 200 at the whole price."""
    price = prices.price(MODEL, date(2026, 11, 28))
    assert price.input is not None
    assert price.cached is not None
    assert price.output is not None
    expected = (200 * price.input + 800 * price.cached + 50 * price.output) / 1_000_000
    found = line(reported(organization(costs=[cost(str(expected))], usage=[used(1000, 800, 50)])), "acme")
    assert found.priced == expected
    assert found.difference == 0
    assert (found.sent, found.cached, found.answered) == (1000, 800, 50)


def test_a_sum_of_short_prompts_is_not_priced_as_one_long_prompt() -> None:
    """The model costs more from a length on, which no single call reached."""
    model, day = "gpt-5.4", date(2026, 11, 28)
    once = prices.cost(model, Call(10_000, 100), day)
    assert prices.cost(model, Call(10_000_000, 100_000), day) > once * 1000, "a long prompt costs more"
    assert prices.cost_of_many(model, Call(10_000_000, 100_000), day) == once * 1000


def test_batch_and_flex_cost_what_the_table_has_and_other_tiers_have_no_price() -> None:
    whole, batch, flex = (
        reckon(MODEL, (1000, 0, 10, 1), date(2026, 11, 28), batch=of == "batch", tier=None if of == "batch" else of)
        for of in ("default", "batch", "flex")
    )
    assert whole.priced is not None
    assert batch.priced == flex.priced == whole.priced / 2
    priority = reckon(MODEL, (1000, 0, 10, 1), date(2026, 11, 28), batch=False, tier="priority")
    assert priority.priced is None
    assert "priority" in priority.remark


def test_a_model_without_a_price_makes_the_sum_incomplete_and_a_snapshot_is_priced_as_its_family() -> None:
    tuned = "ft:gpt-4.1-mini:acme::abc"
    found = reported(
        organization(
            costs=[cost("1")], usage=[used(1000), used(1000, model=tuned), used(1000, model="gpt-4.1-mini-2025-04-14")]
        )
    )
    acme = line(found, "acme")
    assert acme.unpriced == {tuned}
    assert acme.difference is None, "never a default"
    assert tuned in found.no_price
    assert not found.complete
    assert found.priced_as == {"gpt-4.1-mini-2025-04-14": "gpt-4.1-mini"}


def test_an_embedding_has_a_price_without_an_answer() -> None:
    found = reckon("text-embedding-3-small", (1_000_000, 0, 0, 1), date(2026, 11, 28), batch=False, tier=None)
    assert found.priced == Decimal("0.02")


def test_a_day_without_costs_is_unknown_and_takes_no_part_in_the_difference() -> None:
    found = reported(organization(costs=[cost("0.50")], usage=[used(1000), used(1000, day=DAYS[2])]), by="day")
    assert [(day.day.isoformat(), day.billed) for day in found.days] == [
        (DAYS[0], Decimal("0.50")),
        (DAYS[1], Decimal(0)),
        (DAYS[2], None),
    ]
    assert [day.provisional for day in found.days] == [False, True, True]
    assert line(found, "acme", DAYS[2]).billed is None
    assert line(found, "acme", DAYS[2]).difference is None
    assert line(found, "fjord", DAYS[2]).billed is None, "also of a tenant that used nothing"
    assert not [one for one in found.lines if one.tenant == "fjord" and one.what != DAYS[2]]
    assert found.total.difference == Decimal("0.50") - line(found, "acme", DAYS[0]).priced


def test_costs_of_no_project_and_of_no_tenant_are_summed_and_named() -> None:
    found = reported(organization(costs=[cost("1"), cost("2", None), cost("4", "archived"), cost("8", "archived2")]))
    assert [(one.tenant, one.billed) for one in found.lines] == [
        ("acme", 1),
        ("fjord", 0),
        (OTHERS, 12),
        (NOBODY, 2),
    ]
    assert found.total.billed == 15
    assert found.others == ["archived", "archived2"]


def test_rows_by_model_are_those_of_the_line_item_and_of_the_usage() -> None:
    costs = [
        cost("1", item=f"{MODEL}, input_tokens"),
        cost("2", item=f"{MODEL}, output_tokens"),
        cost("4", item="web search"),
    ]
    found = reported(organization(costs=costs, usage=[used(10)]), by="model")
    assert [(one.tenant, one.what, one.billed, one.requests) for one in found.lines] == [
        ("acme", MODEL, 3, 1),
        ("acme", "web search", 4, 0),
    ]


def test_rows_by_key_are_those_of_its_id() -> None:
    found = reported(
        organization(costs=[cost("1", key="key_a")], usage=[used(10, key="key_a"), used(10, key="key_b")]), by="key"
    )
    assert [(one.what, one.billed) for one in found.lines] == [("key_a", 1), ("key_b", 0)]


def test_one_of_two_organizations_without_a_day_is_said() -> None:
    other = organization(id="org-theirs", projects={"p9": "globex"}, days=DAYS[:1], costs=[cost("3", "p9")])
    found = reported(organization(costs=[cost("1")]), other)
    assert [(day.billed, day.partly) for day in found.days] == [(4, False), (0, True), (None, False)]


def test_each_day_has_the_price_of_its_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """A price with a start date in the month splits it there."""
    monkeypatch.setattr(
        prices, "cost_of_many", lambda _model, call, day, _processing: Decimal(call.input) * (1 if day.day < 29 else 3)
    )
    found = reported(organization(usage=[used(10), used(10, day=DAYS[1])]))
    assert line(found, "acme").priced == 40


def test_old_prices_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    ages: list[bool] = []
    for read in (date(2026, 9, 1), date(2026, 8, 31)):
        monkeypatch.setattr(prices, "as_of", lambda _, read=read: read)
        ages.append(reported(organization(usage=[used(10)])).old)
    assert ages == [False, True], "90 days, and 91"


def test_prices_whose_day_is_not_known_are_said_so_and_are_not_called_recent() -> None:
    found = reported(organization(usage=[used(1_000_000, model="text-embedding-3-small")]))
    assert (found.prices_as_of, found.old) == (None, True)
    told = " ".join(usage_report.text(found).split())
    assert "does not say when it read them: compare them with https://" in told
    nothing = reported(organization())
    assert not nothing.old
    assert "genai-prices" not in usage_report.text(nothing), "nothing was priced"


def test_where_openai_was_not_asked_no_day_waits_for_its_costs() -> None:
    found = reported(without={"initech": "its key is the customer's own"})
    assert usage_report.text(found) == "local: OpenAI was not asked.\ninitech: its key is the customer's own."
    assert usage_report.facts(found)["days"] == []


def asked(function: Function, since: date | None = None) -> tuple[list[dict[str, Any]], list[float], list[str]]:
    slept: list[float] = []
    said: list[str] = []
    account: Any = SimpleNamespace(cell=CELL, functions=function)
    return ask(account, None, since, "day", said.append, sleep=slept.append), slept, said


def test_the_next_days_are_asked_for_when_openai_allows_more() -> None:
    function = Function(answer(next="2026-11-15"), answer(next=None))
    answers, slept, said = asked(function)
    assert len(answers) == 2
    assert slept == [61.0]
    assert "2026-11-15" in said[-2]
    assert [event.get("before") for event in function.events] == [None, "2026-11-15"]
    assert function.events[1]["since"] == DAYS[0], "the second request has the month of the first"
    assert function.events[0]["by"] is None, "days are always there"


def test_a_running_cycle_is_waited_for_and_a_stuck_one_is_told() -> None:
    _, slept, said = asked(Function(refused("TooManyRequestsException"), answer()))
    assert slept == [10.0]
    assert "waiting for its end" in said[-1]
    with pytest.raises(OperationError, match=r"busy for 11 minutes.*log group"):
        asked(Function(*[refused("TooManyRequestsException")] * 100))
    assert WAIT_SECONDS > 600, "longer than Lambda lets a cycle run"


def test_a_function_of_an_earlier_version_is_told_from_one_that_answers() -> None:
    """It takes the event for its schedule's, and looks at the cell."""
    with pytest.raises(functions_client.OtherVersion, match="Deploy the platform"):
        asked(Function({"watched": 3, "probes": 0, "failed": {}, "next": None}))


def test_a_day_that_is_still_to_come_is_refused_by_openais_clock() -> None:
    with pytest.raises(OperationError, match="after today, which is 2026-11-30"):
        asked(Function(answer()), since=date(2026, 12, 1))


def test_a_day_long_ago_and_an_unknown_tenant_are_refused_before_any_call(tmp_path: Any) -> None:
    Files(tmp_path).tenant()

    def never() -> Any:
        raise AssertionError("nothing is asked")

    with pytest.raises(OperationError, match="more than 366 days ago"):
        usage_of(tmp_path, [], None, date(2020, 1, 1), None, never)
    with pytest.raises(OperationError, match="no tenant `nobody`"):
        usage_of(tmp_path, ["nobody"], None, None, None, never)


def test_a_cell_that_does_not_answer_keeps_no_other_back(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    files = Files(tmp_path)
    files.tenant()
    files.cell("prod-eu1", base=REAL)
    files.tenant("globex", tenant="globex", name="Globex", cell="prod-eu1")

    def account(cell: Any, _: str) -> Any:
        def check() -> None:
            if cell.cell == "prod-eu1":
                raise OperationError("sign in to prod-eu1")

        return nullcontext(SimpleNamespace(cell=cell, check=check, functions=Function(answer())))

    monkeypatch.setattr(run_usage, "Account", account)
    line: Any = lambda: nullcontext(print)  # noqa: E731 - a place for a progress line
    found = usage_of(tmp_path, [], None, None, None, line)
    assert [one.cell for one in found.reports] == ["local"]
    assert found.not_read == {"prod-eu1": "sign in to prod-eu1"}
    with pytest.raises(OperationError, match="sign in"):
        usage_of(tmp_path, ["globex"], None, None, None, line)
