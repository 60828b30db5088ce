"""A function's environment has what the program sets, with its own cell's values, and nothing that loads other code.

What Lambda and botocore do with a variable that they know:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html (AWS_LAMBDA_EXEC_WRAPPER)
https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html (AWS_ENDPOINT_URL)
https://docs.python.org/3/using/cmdline.html#envvar-PYTHONPATH
"""

from __future__ import annotations

from typing import Any

import pytest

from functions.connect import settings as page
from functions.health import settings
from functions.promoter import settings as promoter
from functions.shared import environment
from policies.guardrails.config import Config
from policies.guardrails.function_environment import VARIABLES
from policies.guardrails.model import UNKNOWN, Finding
from tests.policies.rehearsed import changed, findings, resource, stack

RULE, CODE = "functions-environment-is-plain", "functions-run-our-code"
FUNCTION = "local-rotation-function"
KEY = "sk-" + "proj-" + "a1B2" * 8


def shipped() -> dict[str, Any]:
    (variables,) = [one.get("environment", "variables") for one in stack("local") if one.name == FUNCTION]
    return variables


def with_variables(added: dict[str, Any], config: Config | None = None) -> list[Finding]:
    return findings(RULE, changed(stack("local"), FUNCTION, environment={"variables": {**shipped(), **added}}), config)


def test_the_list_is_what_the_functions_read_and_the_program_sets() -> None:
    read = {environment.CELL, environment.ADMIN_SECRET, environment.BASE_URL, environment.ORGANIZATION}
    looks = {environment.HEALTH_BUCKET, settings.TOPIC, settings.LANGUAGE}
    assert read == set(shipped())
    takes = {promoter.BUCKET, promoter.INTAKE_KEY, promoter.LINK_KEY}
    assert takes == {page.BUCKET, page.INTAKE_KEY, page.LINK_KEY}, "page and promoter work on one intake"
    assert set(VARIABLES) == read | looks | takes
    (health,) = [one for one in stack("local") if one.name == "local-health-function"]
    assert set(health.get("environment", "variables")) == read | looks
    assert with_variables({}) == []


@pytest.mark.parametrize(
    "name",
    [
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER",
        "AWS_ENDPOINT_URL_STS",
        "AWS_CA_BUNDLE",
        "AWS_CONFIG_FILE",
        "AWS_LAMBDA_EXEC_WRAPPER",
        "AWS_PROFILE",
        "AWS_ROLE_ARN",
        "BOTO_CONFIG",
        "HTTPS_PROXY",
        "https_proxy",
        "LD_PRELOAD",
        "MYFLUX_TENANT",
        "PYTHONHOME",
        "PYTHONPATH",
        "PYTHONSTARTUP",
        "REQUESTS_CA_BUNDLE",
        "SSL_CERT_FILE",
        "SSLKEYLOGFILE",
        "myflux_cell",
    ],
)
def test_a_variable_that_the_program_does_not_set_is_refused(name: str) -> None:
    (found,) = with_variables({name: "local"})
    assert (found.kind, found.path) == ("violation", f"environment.variables.{name}")
    assert found.message == "the program sets no such variable"


def test_a_variable_whose_name_is_a_key_is_refused_without_naming_it() -> None:
    (found,) = with_variables({KEY: "x"})
    assert KEY not in found.path


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("MYFLUX_CELL", "local", ["prod-eu1", "Local", "local ", ""]),
        (
            "MYFLUX_ADMIN_SECRET",
            "myflux-admin/local/openai",
            ["myflux-admin/prod-eu1/openai", "myflux-admin/local/acme/openai", "myflux/local/acme/openai", "x"],
        ),
        ("MYFLUX_ORGANIZATION_ID", "org-of-the-cell", ["proj_abc", "org-", "org-a b"]),
        (
            "OPENAI_BASE_URL",
            "https://api.openai.com/v1",
            [
                "http://api.openai.com/v1",
                "https://api.openai.com.evil.example/v1",
                "https://user:pass@api.openai.com/v1",
                "ftp://127.0.0.1/v1",
                "https://evil.example",
            ],
        ),
    ],
)
def test_a_variable_has_its_own_cells_value(name: str, right: str, wrong: list[str]) -> None:
    assert with_variables({name: right}) == []
    for value in wrong:
        (found,) = with_variables({name: value})
        assert (found.kind, found.path) == ("violation", f"environment.variables.{name}"), value
    (hidden,) = with_variables({name: UNKNOWN})
    assert (hidden.kind, hidden.path) == ("unknown", f"environment.variables.{name}")


def test_a_host_is_added_by_configuration() -> None:
    elsewhere = {"OPENAI_BASE_URL": "https://gateway.example/v1"}
    assert with_variables(elsewhere)
    assert not with_variables(elsewhere, Config(openai_hosts=("gateway.example",)))


def test_another_teams_function_may_have_any_environment() -> None:
    theirs = resource("aws:lambda/function:Function", name="reports", environment={"variables": {"PYTHONPATH": "/x"}})
    assert findings(RULE, (*stack("local"), theirs)) == []


@pytest.mark.parametrize(
    "properties",
    [
        {"layers": ["arn:aws:lambda:us-east-1:123456789012:layer:x:1"]},
        {"imageUri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/x:1"},
        {"imageConfig": {"commands": ["x"]}},
        {"s3Bucket": "b"},
        {"s3Key": "k"},
        {"s3ObjectVersion": "1"},
        {"fileSystemConfig": {"arn": "x", "localMountPath": "/mnt/x"}},
    ],
    ids=lambda properties: next(iter(properties)),
)
def test_code_from_elsewhere_than_the_archive_is_refused(properties: dict[str, Any]) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html: a layer's code is loaded before the function's.
    (path,) = properties
    assert [one.path for one in findings(CODE, changed(stack("local"), FUNCTION, **properties))] == [path]
    (hidden,) = findings(CODE, changed(stack("local"), FUNCTION, **{path: UNKNOWN}))
    assert (hidden.kind, hidden.path) == ("unknown", path)
    assert findings(CODE, changed(stack("local"), FUNCTION, **{path: None})) == []
