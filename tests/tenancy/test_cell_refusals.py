"""Each rule of a cell file, and what a cell gives to those who deploy it."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from functions.health.messages import LANGUAGES
from myflux_keys.consumers import CONSUMERS
from tenancy.cell import LOCAL_ACCOUNT, Cell
from tenancy.schema import cell_schema
from tests.tenancy.files import CELL, REAL, Files

ROLE = "arn:aws:iam::123456789012:role/"
USER = "arn:aws:iam::123456789012:user/"
PRODUCTION: dict[str, Any] = {"production": True, "alarm_emails": ["a@b.example"]}
OPENAI = {"organization_id": "org-x"}
ISSUER = "https://00000000-0000-0000-0000-000000000000.tokens.sts.global.api.aws"

CASES: list[tuple[str, dict[str, Any], str]] = [
    ("bad-slug", {"cell": "Prod"}, "cell"),
    ("bad-account-id", {"account_id": "12345"}, "account_id"),
    ("bad-account-id", {"account_id": "1234567890123"}, "account_id"),
    ("account-id-unquoted", {"account_id": 123456789012}, "account_id"),
    ("local-account", {"account_id": "000000000000"}, "account_id"),
    ("bad-region", {"region": "eu-central"}, "region"),
    ("bad-region", {"region": "Frankfurt"}, "region"),
    ("region-without-openai", {"region": "ap-east-1"}, "region"),
    ("region-without-openai", {"region": "cn-north-1"}, "region"),
    ("wrong-type", {"production": "yes"}, "production"),
    ("alarms-unheard", {"production": True}, "alarm_emails"),
    ("bad-email", {"alarm_emails": ["oncall"]}, "alarm_emails[0]"),
    ("empty-list", {"runtime_principals": []}, "runtime_principals"),
    ("principal-wildcard", {"runtime_principals": [ROLE + "*"]}, "runtime_principals[0]"),
    ("principal-wildcard", {"runtime_principals": ["*"]}, "runtime_principals[0]"),
    ("principal-wildcard", {"deployer_principals": ["arn:aws:iam::123456789012:user/a?"]}, "deployer_principals[0]"),
    ("principal-account", {"runtime_principals": ["arn:aws:iam::123456789012:root"]}, "runtime_principals[0]"),
    ("principal-account", {"runtime_principals": ["123456789012"]}, "runtime_principals[0]"),
    (
        "principal-session",
        {"runtime_principals": ["arn:aws:sts::123456789012:assumed-role/a/b"]},
        "runtime_principals[0]",
    ),
    ("bad-principal", {"runtime_principals": ["arn:aws:iam::123456789012:group/a"]}, "runtime_principals[0]"),
    ("bad-principal", {"runtime_principals": ["lambda.amazonaws.com"]}, "runtime_principals[0]"),
    (
        "principal-partition",
        {"runtime_principals": ["arn:aws-us-gov:iam::123456789012:role/a"]},
        "runtime_principals[0]",
    ),
    ("repeated", {"runtime_principals": [ROLE + "a", ROLE + "a"]}, "runtime_principals[1]"),
    ("deployer-reads", {"deployer_principals": [ROLE + "myflux"]}, "deployer_principals[0]"),
    ("missing-field", {"handover": {}}, "handover.principals"),
    ("empty-list", {"handover": {"principals": []}}, "handover.principals"),
    ("unknown-field", {"handover": {"principals": [USER + "ana"], "mfa": False}}, "handover.mfa"),
    ("principal-wildcard", {"handover": {"principals": [USER + "*"]}}, "handover.principals[0]"),
    ("principal-account", {"handover": {"principals": ["123456789012"]}}, "handover.principals[0]"),
    ("bad-principal", {"handover": {"principals": ["lambda.amazonaws.com"]}}, "handover.principals[0]"),
    ("repeated", {"handover": {"principals": [USER + "ana", USER + "ana"]}}, "handover.principals[1]"),
    (
        "principal-partition",
        {"handover": {"principals": [USER + "ana", "arn:aws-cn:iam::123456789012:user/bo"]}},
        "handover.principals[1]",
    ),
    ("handover-runtime", {"handover": {"principals": [USER + "ana", ROLE + "myflux"]}}, "handover.principals[1]"),
    ("handover-own-role", {"handover": {"principals": [ROLE + "myflux-prod-eu1-people"]}}, "handover.principals[0]"),
    ("handover-own-role", {"handover": {"principals": [ROLE + "myflux-prod-eu1_acme"]}}, "handover.principals[0]"),
    ("out-of-range", {"recovery_window_days": 6}, "recovery_window_days"),
    ("out-of-range", {"recovery_window_days": 31}, "recovery_window_days"),
    ("bad-retention", {"log_retention_days": 31}, "log_retention_days"),
    ("not-a-choice", {"language": "fr"}, "language"),
    ("bad-health-interval", {"health": {"every_minutes": 10}}, "health.every_minutes"),
    ("bad-health-interval", {"health": {"every_minutes": 65}}, "health.every_minutes"),
    ("bad-health-interval", {"health": {"every_minutes": 250}}, "health.every_minutes"),
    ("wrong-type", {"health": {"every_minutes": "60"}}, "health.every_minutes"),
    ("unknown-field", {"health": {"every_hours": 1}}, "health.every_hours"),
    ("missing-field", {"openai": {}}, "openai.organization_id"),
    ("bad-organization-id", {"openai": {"organization_id": "proj_1"}}, "openai.organization_id"),
    ("url-not-https", {"openai": OPENAI | {"base_url": "http://api.openai.com/v1"}}, "openai.base_url"),
    ("url-not-https", {"openai": OPENAI | {"base_url": "http://127.0.0.1.evil.example/v1"}}, "openai.base_url"),
    ("url-not-https", {"openai": OPENAI | {"base_url": "ftp://api.openai.com/v1"}}, "openai.base_url"),
    ("bad-url", {"openai": OPENAI | {"base_url": "https://user:word@api.openai.com/v1"}}, "openai.base_url"),
    ("bad-url", {"openai": OPENAI | {"base_url": "https://user@api.openai.com/v1"}}, "openai.base_url"),
    ("bad-url", {"openai": OPENAI | {"base_url": "https://api.openai.com"}}, "openai.base_url"),
    ("bad-url", {"openai": OPENAI | {"base_url": "https://api.openai.com/v1?a=b"}}, "openai.base_url"),
    ("bad-url", {"openai": OPENAI | {"base_url": "https://[::1/v1"}}, "openai.base_url"),
    ("bad-url", {"openai": OPENAI | {"base_url": "https:///v1"}}, "openai.base_url"),
    ("unknown-field", {"openai": OPENAI | {"admin_key": "x"}}, "openai.admin_key"),
    ("bad-issuer", {"federation": {"enabled": True, "issuer": "http://a.example"}}, "federation.issuer"),
    ("bad-issuer", {"federation": {"enabled": True, "issuer": "a.example"}}, "federation.issuer"),
    ("bad-issuer", {"federation": {"enabled": True, "issuer": "https://a.example"}}, "federation.issuer"),
    (
        "issuer-unused",
        {"federation": {"issuer": ISSUER}},
        "federation.issuer",
    ),
    ("wrong-type", {"federation": {"enabled": "yes"}}, "federation.enabled"),
    ("wrong-type", {"federation": True}, "federation"),
]


@pytest.mark.parametrize(("rule", "fields", "field"), CASES, ids=[f"{c[0]}: {c[1]}" for c in CASES])
def test_a_broken_rule_is_refused_with_its_field(files: Files, rule: str, fields: dict[str, Any], field: str) -> None:
    files.cell("prod-eu1", base=REAL, **fields)
    found = [problem for problem in files.problems() if problem.rule != "file-name"]
    assert [(problem.file, problem.rule, problem.field) for problem in found] == [("cells/prod-eu1.yaml", rule, field)]


@pytest.mark.parametrize(
    ("rule", "fields", "field"),
    [
        ("local-account", {"account_id": "123456789012"}, "account_id"),
        ("local-production", PRODUCTION, "production"),
        ("local-base-url", {"openai": OPENAI | {"base_url": "http://127.0.0.1:1/v1"}}, "openai.base_url"),
        ("rehearsal-not-production", {"rehearsal": True}, "rehearsal"),
        ("local-account", PRODUCTION | {"rehearsal": True, "account_id": "123456789012"}, "account_id"),
        ("alarms-unheard", {"rehearsal": True, "production": True, "alarm_emails": []}, "alarm_emails"),
    ],
)
def test_a_local_cell_cannot_reach_for_the_real_world(
    files: Files, rule: str, fields: dict[str, Any], field: str
) -> None:
    files.cell(**fields)
    assert (files.problem().rule, files.problem().field) == (rule, field)


def test_a_local_cell_is_production_in_a_rehearsal_alone(files: Files) -> None:
    """docs/adr/0025. The editors' schema says the same."""
    files.cell(rehearsal=True, **PRODUCTION)
    cell = files.load().cells["local"]
    assert (cell.local, cell.production, cell.account_id) == (True, True, LOCAL_ACCOUNT)
    files.cell("prod-eu1", base=REAL, rehearsal=True, **PRODUCTION)
    assert (files.problem().rule, files.problem().field) == ("rehearsal-not-local", "rehearsal")
    schema = Draft202012Validator(cell_schema())
    for base, fields, fits in (
        (CELL, PRODUCTION | {"rehearsal": True}, True),
        (CELL, PRODUCTION, False),
        (CELL, {"rehearsal": True}, False),
        (REAL, PRODUCTION, True),
        (REAL, PRODUCTION | {"rehearsal": True}, False),
    ):
        assert schema.is_valid(base | fields) is fits, (base["cell"], fields)


def test_a_real_cell_loads_with_its_defaults(files: Files) -> None:
    files.cell("prod-eu1", base=REAL)
    cell = files.load().cells["prod-eu1"]
    assert cell.openai.base_url == "https://api.openai.com/v1"
    assert (cell.local, cell.recovery_window_days, cell.replicas, cell.alarm_emails) == (False, 30, (), ())
    assert (cell.language, cell.health.every_minutes) == ("en", 60)


@pytest.mark.parametrize("minutes", [20, 30, 240])
def test_the_health_function_looks_as_often_as_the_cells_file_says(files: Files, minutes: int) -> None:
    files.cell("prod-eu1", base=REAL, health={"every_minutes": minutes}, language="es")
    cell = files.load().cells["prod-eu1"]
    assert (cell.language, cell.health.every_minutes) == ("es", minutes)
    schema = Draft202012Validator(cell_schema())
    assert schema.is_valid(REAL | {"health": {"every_minutes": minutes}})
    assert not schema.is_valid(REAL | {"health": {"every_minutes": minutes + 5}})


def test_a_person_who_deploys_may_hand_keys_over_too(files: Files) -> None:
    """The command that records a hand-over needs both rights, and mostly one person has both."""
    people = [REAL["deployer_principals"][0], USER + "ana"]
    files.cell("prod-eu1", base=REAL, handover={"principals": people})
    cell = files.load().cells["prod-eu1"]
    assert cell.handover is not None
    assert list(cell.handover.principals) == people
    by_name = {one.name: one for one in CONSUMERS}
    assert cell.hands_over([by_name["myflux"], by_name["cinnox"]])
    assert not cell.hands_over([by_name["myflux"]]), "MyFlux reads by itself"
    assert not Cell.model_validate(REAL).hands_over([by_name["cinnox"]]), "the cell names nobody"
    assert Draft202012Validator(cell_schema()).is_valid(REAL | {"handover": {"principals": people}})


def test_a_pipeline_that_deploys_everything_makes_no_role_for_people(files: Files) -> None:
    state = {
        "bucket": "b-state",
        "kms_key": "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    }
    job = {"github": {"repository": "a/b", "environment": "prod-eu1"}}
    people = {"principals": [USER + "ana"]}
    files.cell("prod-eu1", base=REAL, state=state, handover=people, pipeline=job | {"deploys": "everything"})
    assert [(p.rule, p.field) for p in files.problems()] == [("handover-by-pipeline", "handover")]
    files.cell("prod-eu1", base=REAL, state=state, handover=people, pipeline=job | {"deploys": "tenants"})
    assert files.load().cells["prod-eu1"].handover


def test_a_pipeline_that_deploys_everything_enables_no_federation_and_may_use_one(files: Files) -> None:
    """It has no right to make what is the account's; with an issuer, nothing is made."""
    state = {
        "bucket": "b-state",
        "kms_key": "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    }
    job = {"github": {"repository": "a/b", "environment": "prod-eu1"}}
    everything, on = job | {"deploys": "everything"}, {"enabled": True}
    files.cell("prod-eu1", base=REAL, state=state, federation=on, pipeline=everything)
    (problem,) = files.problems()
    assert (problem.rule, problem.field) == ("federation-by-pipeline", "federation.enabled")
    for federation, pipeline in ((on | {"issuer": ISSUER}, everything), (on, job | {"deploys": "tenants"})):
        files.cell("prod-eu1", base=REAL, state=state, federation=federation, pipeline=pipeline)
        assert files.load().cells["prod-eu1"].federation.enabled


def test_a_cell_may_have_each_language_that_the_messages_have() -> None:
    assert set(LANGUAGES) == set(cell_schema()["properties"]["language"]["enum"])


@pytest.mark.parametrize("url", ["https://eu.api.openai.com/v1", "http://localhost:8080/v1", "http://[::1]:9/v1"])
def test_https_or_loopback_is_an_address_for_openai(files: Files, url: str) -> None:
    files.cell("prod-eu1", base=REAL, openai=OPENAI | {"base_url": url})
    assert files.load().cells["prod-eu1"].openai.base_url == url


def test_an_unquoted_account_id_that_starts_with_zero_keeps_its_zeros(files: Files) -> None:
    path = files.cell()
    path.write_text(path.read_text().replace("'000000000000'", "000000000000"))
    assert files.load().cells["local"].account_id == "000000000000", "YAML 1.1 would read an octal 0"


@pytest.mark.parametrize(
    ("region", "partition"), [("eu-central-1", "aws"), ("us-gov-west-1", "aws-us-gov"), ("eusc-de-east-1", "aws-eusc")]
)
def test_names_are_of_the_regions_partition(files: Files, region: str, partition: str) -> None:
    def arn(name: str) -> list[str]:
        return [f"arn:{partition}:iam::123456789012:role/{name}"]

    files.cell("prod-eu1", base=REAL, region=region, runtime_principals=arn("a"), deployer_principals=arn("b"))
    names = files.load().cells["prod-eu1"].names
    assert names.runtime_role_arn == f"arn:{partition}:iam::123456789012:role/myflux-prod-eu1-runtime"


def test_every_problem_of_a_cell_comes_at_once(files: Files) -> None:
    files.cell(
        "prod-eu1",
        base=REAL,
        production=True,
        region="cn-north-1",
        recovery_window_days=1,
        openai={"organization_id": "x"},
    )
    assert {problem.rule for problem in files.problems()} == {
        "alarms-unheard",
        "region-without-openai",
        "out-of-range",
        "bad-organization-id",
    }
