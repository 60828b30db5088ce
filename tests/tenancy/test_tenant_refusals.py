"""Each rule of a tenant file: what breaks it, on which field, and that the text shows the way out."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tenancy.files import Files

LIMIT = {"requests_per_minute": 1, "tokens_per_minute": 1}
BUDGET = {"monthly_usd": 200, "alert_percent": [50], "emails": ["ops@acme.example"]}


def rotation(**fields: Any) -> dict[str, Any]:
    return {"rotation": {"overlap_hours": 1} | fields}


CASES: list[tuple[str, dict[str, Any], str, str]] = [
    ("unknown-field", {"modles": ["gpt-5"]}, "modles", "did you mean models?"),
    ("unknown-field", {"budget": BUDGET | {"monthly": 3}}, "budget.monthly", "did you mean monthly_usd?"),
    ("unknown-field", {"zzz": 1}, "zzz", "tenant, name"),
    ("bad-name", {"name": " "}, "name", "shorten or trim"),
    ("wrong-type", {"name": 7}, "name", "quotes"),
    ("wrong-type", {"models": "gpt-5-mini"}, "models", "[gpt-5.4-mini]"),
    ("wrong-type", {"budget": 200}, "budget", "{monthly_usd: 200}"),
    ("wrong-type", {"rate_limits": ["gpt-5-mini"]}, "rate_limits", "requests_per_minute: 500"),
    ("wrong-type", {"budget": BUDGET | {"monthly_usd": "200"}}, "budget.monthly_usd", "for example 200:"),
    ("wrong-type", {"budget": BUDGET | {"monthly_usd": 20.5}}, "budget.monthly_usd", "for example 200:"),
    ("wrong-type", {"enabled": "no"}, "enabled", "write true or false"),
    ("wrong-type", {"enabled": 1}, "enabled", "write true or false"),
    ("not-a-choice", {"isolation": "private"}, "isolation", "write one of them"),
    ("not-a-choice", {"permission": "admin"}, "permission", "write one of them"),
    ("country-not-offered", {"country": "CN"}, "country", "help.openai.com"),
    ("country-not-offered", {"country": "HK"}, "country", "help.openai.com"),
    ("country-not-offered", {"country": "RU"}, "country", "help.openai.com"),
    ("country-not-offered", {"country": "IR"}, "country", "help.openai.com"),
    ("country-not-offered", {"country": "KP"}, "country", "help.openai.com"),
    ("country-not-offered", {"country": "SY"}, "country", "help.openai.com"),
    ("country-not-offered", {"country": "CU"}, "country", "help.openai.com"),
    ("country-not-offered", {"country": "BY"}, "country", "help.openai.com"),
    ("country-not-offered", {"country": "cn"}, "country", "help.openai.com"),
    ("country-unknown", {"country": "UK"}, "country", "did you mean GB?"),
    ("country-unknown", {"country": "cr"}, "country", "did you mean CR?"),
    ("country-unknown", {"country": "Costa Rica"}, "country", "two capital letters"),
    ("model-unknown", {"models": ["gpt5-mini"], "rate_limits": {}}, "models[0]", "did you mean gpt-5-mini"),
    ("model-shut-down", {"models": ["gpt-5-mini", "gpt-3.5-turbo"]}, "models[1]", "deprecations"),
    ("repeated", {"models": ["gpt-5-mini", "gpt-5-mini"]}, "models[1]", "delete"),
    ("empty-list", {"models": [], "rate_limits": {}}, "models", "write at least one"),
    ("limit-without-model", {"rate_limits": {"gpt-5": LIMIT}}, "rate_limits.gpt-5", "add the model"),
    (
        "out-of-range",
        {"rate_limits": {"gpt-5-mini": LIMIT | {"requests_per_minute": 0}}},
        "rate_limits.gpt-5-mini.requests_per_minute",
        "at least 1",
    ),
    (
        "out-of-range",
        {"rate_limits": {"gpt-5-mini": LIMIT | {"tokens_per_minute": -5}}},
        "rate_limits.gpt-5-mini.tokens_per_minute",
        "at least 1",
    ),
    (
        "missing-field",
        {"rate_limits": {"gpt-5-mini": {"requests_per_minute": 1}}},
        "rate_limits.gpt-5-mini.tokens_per_minute",
        "add tokens_per_minute: 200000",
    ),
    ("out-of-range", {"budget": BUDGET | {"monthly_usd": -1}}, "budget.monthly_usd", "at least 1"),
    ("out-of-range", {"budget": BUDGET | {"monthly_usd": 0}}, "budget.monthly_usd", "at least 1"),
    ("out-of-range", {"budget": BUDGET | {"monthly_usd": 2_000_000}}, "budget.monthly_usd", "at most 1000000"),
    ("out-of-range", {"budget": BUDGET | {"alert_percent": [0]}}, "budget.alert_percent[0]", "at least 1"),
    ("out-of-range", {"budget": BUDGET | {"alert_percent": [50, 101]}}, "budget.alert_percent[1]", "at most 100"),
    ("alerts-unordered", {"budget": BUDGET | {"alert_percent": [80, 50]}}, "budget.alert_percent[1]", "rising order"),
    ("alerts-unordered", {"budget": BUDGET | {"alert_percent": [50, 50]}}, "budget.alert_percent[1]", "rising order"),
    ("alerts-without-emails", {"budget": BUDGET | {"emails": []}}, "budget.alert_percent", "add emails"),
    ("emails-without-alerts", {"budget": BUDGET | {"alert_percent": []}}, "budget.emails", "add alert_percent"),
    ("budget-without-effect", {"budget": {"monthly_usd": 5, "hard": False}}, "budget.hard", "set hard: true"),
    ("bad-email", {"budget": BUDGET | {"emails": ["ops@acme"]}}, "budget.emails[0]", "ops@acme.example"),
    ("bad-email", {"budget": BUDGET | {"emails": ["a b@acme.example"]}}, "budget.emails[0]", "ops@acme.example"),
    ("bad-email", {"budget": BUDGET | {"emails": ["a@b.example, c@d.example"]}}, "budget.emails[0]", "one"),
    ("bad-email", {"budget": BUDGET | {"emails": [".a@acme.example"]}}, "budget.emails[0]", "ops@acme.example"),
    ("repeated", {"budget": BUDGET | {"emails": ["a@b.example"] * 2}}, "budget.emails[1]", "delete"),
    ("one-interval", rotation(), "rotation", "every_days: 31"),
    ("one-interval", rotation(every_days=1, every_hours=4), "rotation", "one"),
    ("interval-too-short", rotation(every_hours=3), "rotation.every_hours", "4 or more"),
    ("interval-too-short", rotation(every_hours=0), "rotation.every_hours", "4 or more"),
    ("interval-too-short", rotation(every_days=0), "rotation.every_days", "every_hours: 4"),
    ("interval-too-short", rotation(every_days=-7), "rotation.every_days", "every_hours: 4"),
    ("interval-uneven", rotation(every_hours=7), "rotation.every_hours", "every_hours: 6"),
    ("interval-uneven", rotation(every_hours=24), "rotation.every_hours", "every_days for a day or more"),
    ("overlap-too-short", rotation(every_days=7, overlap_hours=0), "rotation.overlap_hours", "1 or more"),
    ("overlap-too-long", rotation(every_hours=4, overlap_hours=5), "rotation.overlap_hours", "4 or less"),
    ("overlap-too-long", rotation(every_days=7, overlap_hours=169), "rotation.overlap_hours", "168 or less"),
    ("overlap-too-long", rotation(every_days=30, overlap_hours=313), "rotation.overlap_hours", "312 or less"),
    ("key-life-too-long", rotation(every_days=362), "rotation.every_days", "361 or less"),
    ("no-consumer", {"consumers": {"myflux": False}}, "consumers", "enabled: false"),
    (
        "overlap-too-short",
        {"consumers": {"cinnox": True}, "rotation": {"every_days": 31, "overlap_hours": 23}},
        "rotation.overlap_hours",
        "24 or more",
    ),
]


@pytest.mark.parametrize(("rule", "fields", "field", "way_out"), CASES, ids=[f"{c[0]}: {c[1]}" for c in CASES])
def test_a_broken_rule_is_refused_with_field_and_way_out(
    files: Files, rule: str, fields: dict[str, Any], field: str, way_out: str
) -> None:
    path = files.tenant(**fields)
    problem = files.problem()
    assert (problem.file, problem.rule, problem.field) == ("tenants/acme.yaml", rule, field)
    assert way_out in problem.way_out
    name = field.split(".")[-1].split("[")[0]
    lines = path.read_text().splitlines()
    first = lines[(problem.line or 0) - 1]
    assert name in first or "[" in field or rule == "missing-field", f"line {problem.line} is not where `{name}` stands"


@pytest.mark.parametrize("field", ["tenant", "name", "cell", "country", "source", "models"])
def test_a_missing_field_is_refused(files: Files, field: str) -> None:
    files.tenant(without=(field, "rate_limits"))
    problem = files.problem()
    assert (problem.rule, problem.field, problem.line) == ("missing-field", field, 1)


def test_a_managed_tenant_without_rotation_is_refused(files: Files) -> None:
    files.tenant(without=("rotation",))
    assert (files.problem().rule, files.problem().field) == ("missing-field", "rotation")


def test_a_customers_tenant_is_refused_what_is_the_customers_to_set(files: Files) -> None:
    files.tenant(source="customer", permission="all")
    assert [(p.rule, p.field) for p in files.problems()] == [
        ("managed-only", "rate_limits"),
        ("managed-only", "budget"),
        ("managed-only", "rotation"),
        ("managed-only", "permission"),
    ], "in the file's order, each with its own reason"


def test_a_customers_tenant_may_be_dedicated_and_has_no_schedule(files: Files) -> None:
    files.tenant(source="customer", isolation="dedicated", without=("rate_limits", "budget", "rotation"))
    tenant = files.load().tenants["acme"]
    assert (tenant.rotation, tenant.schedule, tenant.permission, tenant.budget) == (None, None, None, None)


def test_a_customer_who_gives_an_admin_key_first_gets_its_place_and_then_rotation(files: Files) -> None:
    files.tenant(without=("rate_limits", "budget", "rotation"), source="customer", organization_id="org-theirs")
    tenant = files.load().tenants["acme"]
    assert (tenant.organization_id, tenant.rotation, tenant.permission) == ("org-theirs", None, None)
    files.tenant(source="customer", organization_id="org-theirs")
    tenant = files.load().tenants["acme"]
    assert tenant.rotation is not None
    assert tenant.permission == "restricted", "what is minted there has the least permission too"
    assert tenant.budget is not None


@pytest.mark.parametrize(
    ("changes", "without", "rule", "field"),
    [
        ({"organization_id": "org-theirs"}, (), "customer-only", "organization_id"),
        ({"source": "customer", "organization_id": "theirs"}, (), "bad-organization-id", "organization_id"),
        (
            {"source": "customer", "organization_id": "org-theirs"},
            ("rotation", "rate_limits"),
            "missing-rotation",
            "budget",
        ),
    ],
)
def test_an_organization_that_nothing_would_be_done_with_is_refused(
    files: Files, changes: dict[str, Any], without: tuple[str, ...], rule: str, field: str
) -> None:
    files.tenant(without=without, **changes)
    assert (rule, field) in [(problem.rule, problem.field) for problem in files.problems()]


def test_a_managed_key_has_the_least_permission_unless_asked(files: Files) -> None:
    files.tenant()
    assert files.load().tenants["acme"].permission == "restricted"


def test_the_longest_possible_rotation_loads(files: Files) -> None:
    files.tenant(**rotation(every_days=361))
    held = files.load().tenants["acme"].rotation
    assert held is not None
    assert held.interval_hours == 361 * 24
    assert held.overlap_hours == 1


@pytest.mark.parametrize(("fields", "hours", "days"), [({"every_days": 7}, 168, 7), ({"every_hours": 12}, 12, 1)])
def test_an_interval_is_known_in_hours_and_in_whole_days(
    files: Files, fields: dict[str, int], hours: int, days: int
) -> None:
    files.tenant(**rotation(**fields))
    held = files.load().tenants["acme"].rotation
    assert held is not None
    assert (held.interval_hours, held.whole_days) == (hours, days)


def test_more_models_than_a_tag_holds_are_refused(files: Files) -> None:
    from tenancy.catalogue import OFFERED_MODELS

    files.tenant(models=list(OFFERED_MODELS), rate_limits={})
    problem = files.problem()
    assert (problem.rule, problem.field) == ("name-too-long", "models")
    assert "256" in problem.reason


def test_every_problem_of_a_file_comes_at_once(files: Files) -> None:
    files.tenant(
        country="CN",
        colour="red",
        budget=BUDGET | {"monthly_usd": -1},
        rate_limits={"gpt-5": LIMIT},
        **rotation(every_hours=1),
    )
    rules = {problem.rule for problem in files.problems()}
    assert rules == {
        "country-not-offered",
        "unknown-field",
        "out-of-range",
        "limit-without-model",
        "interval-too-short",
    }


def test_a_problem_reads_as_file_line_value_rule_reason_and_way_out(files: Files) -> None:
    files.tenant(country="CN")
    text = str(files.problem())
    head, reason, way_out = text.split("\n")
    assert head == 'tenants/acme.yaml:4: country "CN" [country-not-offered]'
    assert "China" in reason
    assert way_out.startswith("    Way out: ")
