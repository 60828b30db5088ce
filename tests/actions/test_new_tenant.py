"""A new tenant's file holds what was said, is what tenancy accepts, and is never written over another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ops.actions import new_questions, new_tenant
from ops.errors import OperationError
from tenancy import TenancyError, archive, document, load, source
from tests.tenancy.files import TENANT, Files

ANSWERS = {
    "name": "Zeta Air",
    "cell": "local",
    "country": "NO",
    "source": "managed",
    "models": "gpt-5-mini, gpt-4o-mini",
    "rotation.every_days": "31",
    "rotation.overlap_hours": "24",
    "budget.monthly_usd": "200",
}


@pytest.fixture
def files(tmp_path: Path) -> Files:
    made = Files(tmp_path)
    made.tenant()
    return made


def test_answers_become_a_file_that_is_accepted_and_says_no_more_than_was_said(files: Files) -> None:
    content = new_tenant.text(new_tenant.fields("zeta", ANSWERS, {}))
    assert content == (
        "# yaml-language-server: $schema=../docs/schema/tenant.schema.json\n"
        "tenant: zeta\n"
        "name: Zeta Air\n"
        "cell: local\n"
        "country: 'NO'\n"
        "source: managed\n"
        "models: [gpt-5-mini, gpt-4o-mini]\n"
        "budget: {monthly_usd: 200}\n"
        "rotation: {every_days: 31, overlap_hours: 24}\n"
    )
    assert new_tenant.check(files.root, "zeta", content).tenants["zeta"].country == "NO"
    path = new_tenant.write(files.root, "zeta", content)
    assert load(files.root).tenants.keys() == {"acme", "zeta"}
    assert [p.name for p in path.parent.iterdir() if p.name.startswith(".")] == [], "no draft is left behind"


texts = st.text(st.characters(), max_size=40)
"""Lone surrogates too: Python makes them of a command line's bytes that are no UTF-8."""
scalars = texts | st.integers(-(10**9), 10**9) | st.booleans()


@example(values={"name": "0\xa0"})
@given(
    values=st.dictionaries(
        st.sampled_from(["name", "country", "models", "budget"]),
        scalars
        | st.lists(scalars, max_size=3)
        | st.dictionaries(st.text(st.characters(), max_size=8), scalars, max_size=3),
        min_size=1,
    )
)
def test_whatever_was_said_is_read_back_as_it_was_said_or_refused(values: dict[str, Any]) -> None:
    """Quotes, colons, line ends, NO and 007: a value must not turn into another on its way through the file.

    By the same door as in `new_tenant.check`: what is refused before YAML sees it (a next-line character, which YAML
    would fold) is refused here too.
    """
    content = new_tenant.text(values)
    try:
        read = document.parse(source.read(Path("tenants/x.yaml"), Path(), content))
    except source.Refused:
        return
    if not read.problems:
        assert read.data == values


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("rotation.every_days", "thirty"),
        ("rotation.every_days", "-5"),
        ("country", "KP"),
        ("cell", "nowhere"),
        ("models", "gpt-17"),
        ("name", "x" * 200),
        ("budget.monthly_usd", "1.5"),
    ],
)
def test_a_wrong_answer_is_refused_by_tenancy_and_its_question_is_known(files: Files, field: str, said: str) -> None:
    content = new_tenant.text(new_tenant.fields("zeta", ANSWERS | {field: said}, {}))
    with pytest.raises(TenancyError) as refused:
        new_tenant.check(files.root, "zeta", content)
    named = [problem.field for problem in refused.value.problems]
    again = [question.field for question in new_questions.QUESTIONS if new_questions.concerned(question, named)]
    assert again == [field], "a person is asked that again and nothing else"


def test_a_file_like_anothers_takes_all_but_what_is_the_others_own(files: Files) -> None:
    base, told = new_tenant.like({**TENANT, "enabled": False})
    made = new_tenant.fields("zeta", {"name": "Zeta Air"}, base)
    assert made["tenant"] == "zeta"
    assert made["name"] == "Zeta Air"
    assert made["rotation"] == TENANT["rotation"]
    assert made["budget"] == {"monthly_usd": 200, "hard": True}, "another customer's people must not hear of it"
    assert "budget.alert_percent" in told["budget.emails"]
    assert "enabled" not in made
    new_tenant.check(files.root, "zeta", new_tenant.text(made))


def test_another_customers_organization_is_not_copied(files: Files) -> None:
    """Keys of the new tenant would be minted there, and their spending be the other customer's."""
    theirs = {**TENANT, "source": "customer", "organization_id": "org-acme"}
    base, told = new_tenant.like(theirs)
    assert "Not copied: organization_id" in told["organization_id"]
    assert [question.flag for question in new_questions.left({}, base)] == ["--name", "--organization-id"]
    without = new_tenant.fields("zeta", {"name": "Z"}, base)
    assert not {"organization_id", "rotation", "budget", "rate_limits"} & without.keys()
    own = new_tenant.fields("zeta", {"name": "Z", "organization_id": "org-zeta"}, base)
    assert (own["organization_id"], own["rotation"]) == ("org-zeta", TENANT["rotation"])
    for made in (without, own):
        new_tenant.check(files.root, "zeta", new_tenant.text(made))


def test_a_soft_budget_without_its_alerts_becomes_a_hard_one_and_that_is_said(files: Files) -> None:
    budget = {"monthly_usd": 50, "hard": False, "alert_percent": [80], "emails": ["it@acme.example"]}
    base, told = new_tenant.like({**TENANT, "budget": budget})
    assert base["budget"] == {"monthly_usd": 50, "hard": True}
    assert "budget.hard is now true" in told["budget.hard"]
    new_tenant.check(files.root, "zeta", new_tenant.text(new_tenant.fields("zeta", {"name": "Z"}, base)))


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({}, {"budget.emails", "budget.hard"}),
        ({"source": "customer"}, set[str]()),
        (
            {"budget.hard": "false", "budget.alert_percent": "80", "budget.emails": "it@zeta.example"},
            {"budget.emails"},
        ),
    ],
)
def test_nothing_is_said_of_a_budget_that_the_new_file_does_not_have(
    files: Files, answers: dict[str, str], said: set[str]
) -> None:
    budget = {"monthly_usd": 50, "hard": False, "alert_percent": [80], "emails": ["it@acme.example"]}
    base, told = new_tenant.like({**TENANT, "budget": budget})
    content = new_tenant.text(new_tenant.fields("zeta", {"name": "Z", **answers}, base))
    made = new_tenant.check(files.root, "zeta", content).tenants["zeta"]
    assert new_tenant.true_of(made, told) == [told[field] for field in told if field in said]


@pytest.mark.parametrize(
    ("answers", "absent"),
    [
        ({"source": "customer"}, {"rotation", "budget", "rate_limits"}),
        ({"models": "gpt-4o-mini"}, set[str]()),
        ({"rotation.every_hours": "12", "rotation.overlap_hours": "6"}, set[str]()),
    ],
)
def test_what_is_said_wins_and_takes_along_what_no_longer_fits(
    files: Files, answers: dict[str, str], absent: set[str]
) -> None:
    base, _ = new_tenant.like(TENANT)
    made = new_tenant.fields("zeta", {"name": "Zeta", **answers}, base)
    assert not absent & made.keys()
    new_tenant.check(files.root, "zeta", new_tenant.text(made))


def test_only_open_questions_are_asked() -> None:
    def flags(answers: dict[str, str], base: dict[str, Any]) -> list[str]:
        return [question.flag for question in new_questions.left(answers, base)]

    assert flags(ANSWERS, {}) == ["--consumer", "--isolation", "--credential"]
    theirs = {"name": "Z", "source": "customer"}
    asked = ["--cell", "--country", "--organization-id", "--model", "--consumer", "--isolation"]
    assert flags(theirs, {}) == asked
    own = theirs | {"organization_id": "org-zeta"}
    assert flags(own, {}) == [*(flag for flag in asked if flag != "--organization-id"), "--every-days"]
    assert flags(own | {"rotation.every_days": "31"}, {})[-2:] == ["--overlap-hours", "--monthly-usd"]
    assert "--every-days" not in flags({"rotation.every_hours": "12"}, {})
    assert flags({}, new_tenant.like(TENANT)[0]) == ["--name"]


@pytest.mark.parametrize("slug", ["Zeta", "z", "-ab", "zeta/x", "../zeta", "zeta.yaml", "z" * 33, "zetä", ""])
def test_no_path_and_no_name_outside_aws_rules_is_a_slug(files: Files, slug: str) -> None:
    with pytest.raises(OperationError, match="is not a slug"):
        new_tenant.free(files.root, slug)


def test_a_slug_that_is_or_was_in_use_is_refused_before_a_question_is_asked(files: Files) -> None:
    with pytest.raises(OperationError, match="never overwrites"):
        new_tenant.free(files.root, "acme")
    archive.place(files.root, "gone").parent.mkdir()
    archive.place(files.root, "gone").write_text("", encoding="utf-8")
    with pytest.raises(OperationError, match="off-boarded"):
        new_tenant.free(files.root, "gone")
    new_tenant.free(files.root, "zeta")


def test_a_file_that_came_up_meanwhile_is_not_overwritten(files: Files) -> None:
    path = files.root / "tenants" / "acme.yaml"
    before = path.read_bytes()
    with pytest.raises(OperationError, match="not overwritten"):
        new_tenant.write(files.root, "acme", "tenant: acme\n")
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["acme.yaml"]
