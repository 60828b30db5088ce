"""Which stacks a command is about, what is refused, and the command that continues after failures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ops.cli import stacks_report
from ops.errors import OperationError
from ops.stacks import choice
from ops.stacks.choice import Choice
from ops.stacks.job import Done
from ops.stacks.run import Plan, Result
from ops.stacks.stages import Stage
from ops.stacks.steps import Step
from tests.tenancy.files import REAL, Files

ALL = Choice(("local",), {"acme.local": "acme", "fjord.local": "fjord"})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files = Files(tmp_path)
    files.cell("prod-eu1", base=REAL, openai={"organization_id": "org-prod", "base_url": "https://api.openai.com/v1"})
    files.tenant()
    files.tenant("fjord", tenant="fjord", cell="prod-eu1")
    return tmp_path


def test_tenants_a_cell_or_all_of_them(root: Path) -> None:
    named = choice.by_name(root, ["fjord"])
    assert (named.platforms, dict(named.tenants)) == ((), {"fjord.prod-eu1": "fjord"})
    assert choice.by_cell(root, "prod-eu1").stacks == ["prod-eu1", "fjord.prod-eu1"]
    assert sorted(choice.by_cell(root, None).stacks) == ["acme.local", "fjord.prod-eu1", "local", "prod-eu1"]
    with pytest.raises(OperationError, match="Did you mean fjord"):
        choice.by_name(root, ["fjordd", "fjord"])
    with pytest.raises(OperationError, match="exactly one of the four"):
        choice.only_one(["acme"], None, True, None)


def test_a_neighbours_broken_file_stops_nobody_who_was_named(root: Path) -> None:
    (root / "tenants" / "broken.yaml").write_text("tenant: [", encoding="utf-8")
    assert choice.by_name(root, ["acme"]).stacks == ["acme.local"]


def test_a_platform_stays_while_a_stack_without_a_file_stands_on_it() -> None:
    choice.refuse_to_strand(ALL, {"local", "acme.local", "other.prod-eu1"})
    with pytest.raises(OperationError, match=r"forgotten\.local"):
        choice.refuse_to_strand(ALL, {"local", "acme.local", "forgotten.local"})
    choice.refuse_to_strand(replace(ALL, platforms=()), {"forgotten.local"})


def test_tenants_wait_for_the_platform_of_their_cell() -> None:
    tenants = replace(ALL, platforms=(), tenants={"acme.local": "acme", "fjord.prod": "fjord"})
    asked: list[str] = []

    def has_state(stack: str) -> bool:
        asked.append(stack)
        return stack == "prod"

    found = choice.on_platforms(tenants, has_state)
    assert found.stacks == ["fjord.prod"]
    assert "`myflux-keys up --cell local`" in found.left_out["acme.local"]
    assert sorted(asked) == ["local", "prod"], "once a cell, not once a tenant"
    with pytest.raises(OperationError, match=r"`myflux-keys up --cell local`.*Nothing was changed"):
        choice.on_platforms(replace(tenants, by_name=True), has_state)
    assert choice.on_platforms(ALL, lambda _: False).stacks == ALL.stacks, "the same run deploys the platform first"
    assert choice.on_platforms(tenants, lambda _: None).stacks == tenants.stacks, "the engine finds out"


def test_only_what_has_a_state_is_read_back_or_destroyed() -> None:
    assert choice.deployed(ALL, {"local", "fjord.local"}).stacks == ["local", "fjord.local"]
    assert choice.deployed(ALL, None) is ALL, "where that is not known the engine finds out"


def test_a_summary_names_each_failure_and_the_command_for_just_those() -> None:
    result = Result(
        {
            "local": Done("local", {"same": 60}),
            "acme.local": Done("acme.local", problem="AWS refuses"),
            "fjord.local": Done("fjord.local", locked="ops@there, process 7, since noon"),
            "initech.local": Done("initech.local", problem="its project is archived", again=False),
        },
        stopped="two failed",
        not_begun=["globex.local"],
    )
    lines = list(stacks_report.problems("up", ALL, result))
    assert lines == [
        "acme.local: AWS refuses",
        "fjord.local is locked by ops@there, process 7, since noon: wait for it (--wait), or ask them. If that process "
        "has ended, `pulumi cancel --yes --stack fjord.local` frees the stack. Nothing was changed.",
        "initech.local: its project is archived",
        "To repeat only the failed ones: myflux-keys up acme fjord",
        "Another try alone does not help: initech.local. What does is said above.",
        "Stopped: two failed.",
        "1 stack not started: run the same command again to continue.",
    ]
    assert stacks_report.retry("up", ALL, ["local", "acme.local"]) == (
        "myflux-keys up --cell local && myflux-keys up acme"
    )
    plan = Plan("up", (Stage("tenants", ("local", *ALL.tenants), gate=False),), {})
    assert stacks_report.sentence("up", plan, result, dry=False) == (
        "1 of 3 stacks done: 0 changed, 1 unchanged; 3 failed."
    )


def test_the_result_names_the_stacks_that_changed() -> None:
    """ "2 changed" of a hundred is no answer: which?"""
    urn = "urn:pulumi:acme.local::myflux-keys::a$b::acme-key-secret"
    step = Step("update", "aws:secretsmanager/secret:Secret", urn, ("description (update)", "tags.cell (add)"))
    made = Step("create", "aws:cloudwatch/eventRule:EventRule", "urn:pulumi:local::myflux-keys::x::local-sweep-rule")
    result = Result(
        {
            "local": Done("local", {"same": 60, "create": 1}, steps=(made,)),
            "acme.local": Done("acme.local", {"same": 8, "update": 1}, steps=(step,)),
            "fjord.local": Done("fjord.local", {"same": 9}),
        }
    )
    plan = Plan("up", (Stage("tenants", ("local", *ALL.tenants), gate=False),), {})
    summary = "3 of 3 stacks done: 2 changed, 1 unchanged."
    assert stacks_report.sentence("up", plan, result, dry=False).splitlines() == [
        "acme.local: 1 update",
        "local: 1 create",
        summary,
    ]
    assert stacks_report.sentence("up", plan, result, dry=False, diff=True).splitlines() == [
        "acme.local: 1 update",
        "  update Secret acme-key-secret: description (update), tags.cell (add)",
        "local: 1 create",
        "  create EventRule local-sweep-rule",
        summary,
    ]
    told = stacks_report.facts("up", ALL, plan, result)["stacks"]
    assert told["acme.local"]["resources"] == [
        {
            "name": "acme-key-secret",
            "type": "aws:secretsmanager/secret:Secret",
            "change": "update",
            "properties": ["description (update)", "tags.cell (add)"],
        }
    ]
    assert "resources" not in told["fjord.local"]


def test_ten_thousand_stacks_with_one_reason_are_one_line() -> None:
    why = {f"t-{one:05d}.local": ("program.py is changed",) for one in range(10_000)}
    (line,) = stacks_report.reasons(replace(ALL, why=why))
    assert line.endswith("and 9,995 more: program.py is changed.")
