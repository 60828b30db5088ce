"""The pack's own tables say the same as the program's, which a pack cannot import where it runs."""

from __future__ import annotations

import json
from dataclasses import replace

from myflux_keys.aws_names import CellNames
from myflux_keys.cell_functions import ALL_FUNCTIONS, FUNCTIONS, CellFunction
from myflux_keys.consumers import CONSUMERS, PASTED
from policies.guardrails import alarms, handover
from policies.guardrails.own_functions import OUR_FUNCTIONS, OurFunction
from tests.policies.rehearsed import stack

RULE, TARGET = "aws:cloudwatch/eventRule:EventRule", "aws:cloudwatch/eventTarget:EventTarget"


def in_the_packs_words(one: CellFunction) -> OurFunction:
    """Without the event, which the function's component has."""
    return OurFunction(
        kind=one.ending,
        folder=one.kind,
        reads_tenants=one.tenants != "none",
        writes_tenants=one.tenants == "rotate",
        reads_admin=one.admin != "none",
        writes_admin=one.admin == "rotate",
        reads_customers=one.customer_admins != "none",
        lists_secrets=one.lists_secrets,
        reads_trust=one.reads_trust,
        sends_metrics=one.sends_metrics,
        watches=one.watches,
        reads_handovers=one.reads_handovers,
        takes_in=one.takes_in,
        promotes=one.promotes,
        rule=one.rule,
    )


def without_its_event(one: OurFunction) -> OurFunction:
    return replace(one, event=None)


def test_each_function_has_the_same_row() -> None:
    ours = [without_its_event(one) for one in OUR_FUNCTIONS]
    assert ours == [in_the_packs_words(one) for one in ALL_FUNCTIONS], "a row of policies/guardrails/own_functions.py"


def test_each_consumer_has_its_alarm() -> None:
    wanted = tuple(one.name for one in CONSUMERS)
    assert wanted == alarms.CONSUMERS, "CONSUMERS of policies/guardrails/alarms.py"


def test_the_consumers_for_whom_a_person_pastes_are_the_programs() -> None:
    assert tuple(PASTED) == handover.PASTED, "PASTED of policies/guardrails/handover.py"


def test_each_schedule_of_the_program_has_its_rule_and_event() -> None:
    cell = "local"
    rules = {one.text("name") for one in stack(cell) if one.type == RULE and one.get("scheduleExpression")}
    sent = {
        one.text("rule"): json.loads(one.text("input"))
        for one in stack(cell)
        if one.type == TARGET and one.get("input")
    }
    wanted = {
        f"myflux-{cell}-{one.rule}": one.event or {}
        for one in OUR_FUNCTIONS
        if one.rule and one.folder in {each.kind for each in FUNCTIONS}
    }
    assert rules == wanted.keys()
    assert {*CellNames(cell, "111122223333", "eu-central-1").rules} > rules, "all but those for failed rotations"
    for rule, event in wanted.items():
        assert sent[rule].keys() == event.keys(), f"the event of {rule}, in its row of own_functions.py"
        assert all(sent[rule][field] in values for field, values in event.items()), rule
