"""Ways around the rules: resources that they do not see, credentials in the state, another function with our role."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pulumi_aws
import pytest

from policies.guardrails import function_code
from policies.guardrails.config import Config
from policies.guardrails.model import UNKNOWN
from policies.guardrails.readable import WRAPPERS
from tests.policies.rehearsed import changed, findings, resource, stack

SIGHT, CREDENTIALS = "resources-in-sight", "no-credential-in-state"
RUNTIME, ROLES = "functions-runtime-is-supported", "roles-run-our-functions-alone"
AWS = "pulumi:providers:aws"
FUNCTION = "local-rotation-function"


@pytest.mark.parametrize(
    "type_",
    [
        *sorted(WRAPPERS),
        "aws-native:secretsmanager:Secret",
        "aws-native:iam:Role",
        "awscc:index:IamRole",
        "command:local:Command",
        "command:remote:Command",
        "kubernetes:helm.sh/v3:Release",
        "pulumi-nodejs:dynamic:Resource",
        "pulumi-python:dynamic:Resource",
        "pulumi-python:dynamic/thing:Thing",
        "terraform-module:index:Module",
        "tls:index/privateKey:PrivateKey",
    ],
)
def test_a_resource_that_the_rules_do_not_see_is_refused(type_: str) -> None:
    # https://www.pulumi.com/docs/iac/concepts/providers/dynamic-providers/: a dynamic provider runs any code.
    # https://docs.aws.amazon.com/cloudcontrolapi/latest/userguide/what-is-cloudcontrolapi.html: any type, as JSON.
    (found,) = findings(SIGHT, (*stack("acme.local"), resource(type_)))
    assert found.kind == "violation"
    accepted = Config(accepted_types=(type_,))
    assert findings(SIGHT, (*stack("acme.local"), resource(type_)), accepted) == [], "a reviewer has accepted it"


@pytest.mark.parametrize(
    "type_",
    [
        "aws:s3/bucket:Bucket",
        "aws:servicecatalog/portfolio:Portfolio",
        "myflux:index:Platform",
        "pulumi:providers:aws-native",
        "pulumi:pulumi:StackReference",
        "random:index/randomPet:RandomPet",
        "time:index/static:Static",
    ],
)
def test_a_resource_that_the_rules_see_or_that_is_in_the_state_alone_passes(type_: str) -> None:
    assert findings(SIGHT, (*stack("acme.local"), resource(type_))) == []


def test_a_component_of_any_package_passes_since_its_children_are_judged() -> None:
    grouping = replace(resource("acme:index:App"), component=True)
    assert findings(SIGHT, [grouping]) == []
    assert findings(SIGHT, [replace(grouping, component=False)])


def test_each_wrapper_is_a_type_of_the_aws_package() -> None:
    for type_ in WRAPPERS:
        module = type_.split(":")[1].partition("/")[0]
        assert hasattr(getattr(pulumi_aws, module), type_.rpartition(":")[2]), type_


@pytest.mark.parametrize(
    ("type_", "encrypted"),
    [
        ("aws:iam/accessKey:AccessKey", True),
        ("aws:iam/userLoginProfile:UserLoginProfile", True),
        ("aws:iam/serviceSpecificCredential:ServiceSpecificCredential", False),
        ("aws:iam/virtualMfaDevice:VirtualMfaDevice", False),
        ("aws:lightsail/bucketAccessKey:BucketAccessKey", False),
    ],
)
def test_a_users_credential_is_not_kept_in_the_state(type_: str, encrypted: bool) -> None:
    # https://www.pulumi.com/registry/packages/aws/api-docs/iam/accesskey/: `secret` is written to the state file; with
    # `pgp_key` it is encrypted with that key.
    (found,) = findings(CREDENTIALS, [resource(type_, user="anybody")])
    assert found.kind == "violation"
    with_a_key = findings(CREDENTIALS, [resource(type_, user="anybody", pgpKey="keybase:somebody")])
    assert (with_a_key == []) is encrypted
    module, _, name = type_.removeprefix("aws:").partition("/")
    args = getattr(getattr(pulumi_aws, module), f"{name.partition(':')[2]}Args")
    assert hasattr(args, "pgp_key") is encrypted, "as the provider's own arguments say"
    if encrypted:
        (hidden,) = findings(CREDENTIALS, [resource(type_, user="anybody", pgpKey=UNKNOWN)])
        assert hidden.kind == "unknown"


@pytest.mark.parametrize("given", ["accessKey", "secretKey", "token"])
def test_the_provider_has_no_credentials_as_properties(given: str) -> None:
    assert findings(CREDENTIALS, [resource(AWS, region="us-east-1", profile="deploy")]) == []
    for value in ("a-value-without-a-shape", UNKNOWN):
        (found,) = findings(CREDENTIALS, [resource(AWS, region="us-east-1", **{given: value})])
        assert (found.kind, found.path) == ("violation", given)


@pytest.mark.parametrize("runtime", ["python3.8", "python3.9", "python2.7", "nodejs22.x", "provided.al2023", None])
def test_a_runtime_that_aws_no_longer_updates_or_that_is_not_ours_is_refused(runtime: str | None) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html, "Deprecated runtimes"
    (found,) = findings(RUNTIME, changed(stack("local"), FUNCTION, runtime=runtime))
    assert (found.kind, found.path) == ("violation", "runtime")


def test_a_runtime_is_refused_from_the_day_after_its_last(monkeypatch: pytest.MonkeyPatch) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html, "Supported runtimes"
    last = date(2029, 6, 30)

    def found_on(day: date, config: Config | None = None) -> list[Any]:
        monkeypatch.setattr(function_code, "_today", lambda: day)
        return findings(RUNTIME, changed(stack("local"), FUNCTION, runtime="python3.13"), config)

    assert found_on(last) == []
    assert found_on(last + timedelta(days=1))
    in_time = Config(min_runtime_days=90)
    assert found_on(last - timedelta(days=90), in_time) == []
    assert "89 days; the least is 90" in found_on(last - timedelta(days=89), in_time)[0].message


@pytest.mark.parametrize(
    ("type_", "path"),
    [("aws:lambda/function:Function", "role"), ("aws:synthetics/canary:Canary", "executionRoleArn")],
)
def test_code_that_is_not_ours_does_not_run_as_a_role_of_ours(type_: str, path: str) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html: whoever may pass the role can give
    # it to any function.
    ours = "arn:aws:iam::000000000000:role/myflux-local-sweep"
    (found,) = findings(ROLES, (*stack("local"), resource(type_, name="reports", **{path: ours})))
    assert (found.kind, found.path) == ("violation", path)
    theirs = ours.replace("myflux-local-sweep", "reports")
    assert findings(ROLES, (*stack("local"), resource(type_, name="reports", **{path: theirs}))) == []


def test_a_role_that_is_not_known_yet_is_the_one_that_it_comes_from() -> None:
    theirs = resource("aws:lambda/function:Function", name="reports", role=UNKNOWN)
    (sweep,) = [one for one in stack("local") if one.name == "local-sweep-role"]
    other = resource("aws:iam/role:Role", "reports-role", name="reports")
    for role, kinds in ((sweep, ["violation"]), (other, [])):
        used = replace(theirs, property_dependencies={"role": frozenset({role.urn})})
        assert [one.kind for one in findings(ROLES, (*stack("local"), other, used))] == kinds
