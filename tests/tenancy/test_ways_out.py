"""What a refusal advises does no harm: followed to the letter, it is accepted, and it means what the person meant."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from tenancy import Problem
from tenancy.cell import Cell
from tenancy.rotation import rotation_refusals
from tenancy.tenant import Tenant
from tests.tenancy.files import Files

NUMBERS = [
    ("rotation.every_days", {"rotation": {"every_days": "30 days", "overlap_hours": 24}}, "31"),
    ("rotation.every_hours", {"rotation": {"every_hours": "12h", "overlap_hours": 4}}, "12"),
    ("rotation.overlap_hours", {"rotation": {"every_days": 31, "overlap_hours": "1 day"}}, "24"),
    ("budget.monthly_usd", {"budget": {"monthly_usd": 20.5}}, "200"),
    ("budget.monthly_usd", {"budget": {"monthly_usd": "$20"}}, "200"),
    (
        "budget.alert_percent[1]",
        {"budget": {"monthly_usd": 20, "alert_percent": [50, "80%"], "emails": ["a@b.example"]}},
        "80",
    ),
    (
        "rate_limits.gpt-5-mini.requests_per_minute",
        {"rate_limits": {"gpt-5-mini": {"requests_per_minute": "1k", "tokens_per_minute": 1}}},
        "500",
    ),
]


@pytest.mark.parametrize(("field", "fields", "example"), NUMBERS, ids=[f"{n[0]}: {n[1]}" for n in NUMBERS])
def test_a_wrong_number_gets_the_example_of_its_own_field(
    files: Files, field: str, fields: dict[str, Any], example: str
) -> None:
    files.tenant(**fields)
    problem = files.problem()
    assert (problem.rule, problem.field) == ("wrong-type", field)
    assert re.findall(r"for example (\S+):", problem.way_out) == [example], (
        "the example of another field would be pasted: a token limit of 200000 as a budget of 200,000 dollars"
    )


def fields_of(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    """Every field of `model` and of the models in it."""
    for name, field in model.model_fields.items():
        yield f"{model.__name__}.{name}", field
        for inner in models_in(field.annotation):
            yield from fields_of(inner)


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in typing.get_args(annotation):
        yield from models_in(part)


FIELDS = dict([*fields_of(Tenant), *fields_of(Cell)])


def holds(annotation: Any, *kinds: type) -> bool:
    return annotation in kinds or any(holds(part, *kinds) for part in typing.get_args(annotation))


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if holds(field.annotation, int)])
def test_each_field_of_numbers_has_an_example(name: str) -> None:
    assert FIELDS[name].examples, "without one, the way out could only repeat the rule"


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if field.examples])
def test_each_example_is_accepted_by_its_field(name: str) -> None:
    field = FIELDS[name]
    checked: Any = typing.Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    for example in field.examples or []:
        TypeAdapter(checked).validate_python(example)


def followed(problems: tuple[Problem, ...], rotation: dict[str, int]) -> dict[str, int]:
    """`rotation` with the first field that each problem advises, written as it says."""
    advised = [re.match(r"write (\w+): (\d+)", problem.way_out) for problem in problems]
    return rotation | {match[1]: int(match[2]) for match in advised if match}


NO_FIT = [
    (days, overlap)
    for days in (1, 7, 30, 31, 90, 181, 200, 340, 361, 362, 400)
    for overlap in (24, 25, 100, 672, 673, 744, 900, 4344, 9000)
    if list(rotation_refusals(days, None, overlap))
]


@pytest.mark.parametrize(("days", "overlap"), NO_FIT)
def test_an_overlap_that_does_not_fit_gets_one_that_does(files: Files, days: int, overlap: int) -> None:
    rotation = {"every_days": days, "overlap_hours": overlap}
    files.tenant(rotation=rotation)
    problems = files.problems()
    files.tenant(rotation=followed(problems, rotation))
    files.load()
    for problem in problems:
        most = re.search(r"overlap_hours: (\d+) or less", problem.way_out)
        apart = re.search(r"only (\d+) hours apart", problem.reason)
        assert not (most and apart) or most[1] == apart[1], "the reason's number and the way out's must be the same"


@pytest.mark.parametrize("days", [355, 360])
def test_the_shorter_interval_that_is_offered_fits_too(files: Files, days: int) -> None:
    files.tenant(rotation={"every_days": days, "overlap_hours": 240})
    other = re.search(r"or every_days: (\d+) or less", files.problem().way_out)
    assert other
    files.tenant(rotation={"every_days": int(other[1]), "overlap_hours": 240})
    files.load()


@pytest.mark.parametrize(
    ("every_hours", "overlap"), [(3, 24), (4, 4), (4, 12), (4, 24), (12, 4), (12, 12), (12, 24), (12, 48)]
)
def test_a_consumer_that_needs_a_day_is_told_to_choose_an_interval_of_days(
    files: Files, every_hours: int, overlap: int
) -> None:
    """An overlap is at most the interval: no overlap would do, and an advised one would be refused next."""
    consumers = {"myflux": True, "cinnox": True}
    rotation = {"every_hours": every_hours, "overlap_hours": overlap}
    files.tenant(rotation=rotation, consumers=consumers)
    problems = files.problems()
    assert any("every_days: 1 or more and overlap_hours: 24 or more" in problem.way_out for problem in problems)
    for problem in problems:
        assert "every_days" in problem.way_out, "one that only shortens the overlap leads to the next refusal"
    days = max(int(found) for one in problems for found in re.findall(r"every_days: (\d+)", one.way_out))
    files.tenant(rotation={"every_days": days, "overlap_hours": max(overlap, 24)}, consumers=consumers)
    files.load()
