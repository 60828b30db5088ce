"""What changed in a stack, by the engine's events: as the engine of a local cell sends them."""

from __future__ import annotations

import json
from typing import Any

from ops.stacks.steps import Steps

URN = "urn:pulumi:acme.local::myflux-keys::myflux:index:TenantKey$t::"


def event(phase: str, op: str, name: str, *differs: str, **sides: Any) -> dict[str, Any]:
    step = {
        "op": op,
        "type": "aws:secretsmanager/secret:Secret",
        "urn": URN + name,
        "old": None,
        "new": None,
        "detailed_diff": {
            path: {"diff_kind": kind, "input_diff": False} for path, kind in (d.split() for d in differs)
        },
    }
    empty: dict[str, Any] = {"resource_pre_event": None, "res_outputs_event": None}
    return empty | {phase: {"metadata": step | sides}}


def begins(op: str, name: str, *differs: str, **sides: Any) -> dict[str, Any]:
    return event("resource_pre_event", op, name, *differs, **sides)


def ended(op: str, name: str, *differs: str) -> dict[str, Any]:
    return event("res_outputs_event", op, name, *differs)


def heard(*events: dict[str, Any]) -> list[tuple[str, str, tuple[str, ...]]]:
    steps = Steps()
    for one in events:
        steps.hear(one)
    return [(step.op, step.name, step.paths) for step in steps.all]


def test_each_changed_resource_is_named_with_its_properties() -> None:
    assert heard(
        {"resource_pre_event": None, "res_outputs_event": None},
        begins("same", "policy"),
        begins("create", "rule"),
        begins("update", "secret", "tags.cell update", "description add"),
        ended("update", "secret", "tags.cell update"),
    ) == [("create", "rule", ()), ("update", "secret", ("description (add)", "tags.cell (update)"))]


def test_a_replacement_is_one_step_that_names_what_forces_it() -> None:
    forced = ("name update-replace",)
    steps = (begins("create-replacement", "secret", *forced), begins("replace", "secret", *forced))
    expected = [("replace", "secret", ("name (update-replace)",))]
    assert heard(*steps, begins("delete-replaced", "secret")) == expected
    assert heard(begins("delete-replaced", "secret"), *steps) == expected


def test_a_refresh_knows_what_differs_when_it_has_ended() -> None:
    drift = (begins("refresh", "secret"), ended("update", "secret", "description update"))
    assert heard(begins("refresh", "policy"), ended("same", "policy"), *drift) == [
        ("update", "secret", ("description (update)",))
    ]
    assert heard(*drift, begins("update", "secret", "tags.cell add")) == [("update", "secret", ("tags.cell (add)",))]
    assert heard(*drift, begins("same", "secret")) == [], "an update that refreshes first leaves it as it is"


def test_a_document_is_named_down_to_its_parts_and_never_with_a_value() -> None:
    old, new = ({"budget": cents, "models": ["a"], **more} for cents, more in ((1, {"limit": 2}), (9, {"name": "x"})))
    sides = {side: {"inputs": {"input": json.dumps(held)}} for side, held in (("old", old), ("new", new))}
    assert heard(begins("update", "invocation", "input update", **sides)) == [
        ("update", "invocation", ("input.budget (update)", "input.limit (delete)", "input.name (add)"))
    ]
    hidden = {side: {"inputs": {"input": "[secret]"}} for side in ("old", "new")}
    assert heard(begins("update", "invocation", "input update", **hidden)) == [
        ("update", "invocation", ("input (update)",))
    ]


def test_what_only_the_update_can_know_is_not_called_a_change() -> None:
    tags = {"myflux:project-id": "04da6b54-" + "80e4-46f7-96ec-b56ff0331ba9", "cell": "local"}
    differs = ('tags["myflux:project-id"] update', "tags.cell update")
    assert heard(begins("update", "secret", *differs, new={"inputs": {"tags": tags}})) == [
        ("update", "secret", ("tags.cell (update)", 'tags["myflux:project-id"] (known after `up`)'))
    ]
