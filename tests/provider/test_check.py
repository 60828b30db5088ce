"""Inputs are refused by name before anything is changed, and filled in as the official plugin does."""

from __future__ import annotations

import re
from typing import Any

import pytest

from local.provider.aws import Refused
from local.provider.check import DEFAULTS, Failure, Naming, check
from local.provider.registry import RESOURCES, find
from local.provider.values import UNKNOWN, Archive, Asset

NAMING = Naming(name="thing", seed=b"seed")
FUNCTION = {
    "role": "arn:aws:iam::000000000000:role/r",
    "handler": "h.handler",
    "runtime": "python3.12",
    "code": Archive("ab", "f.zip"),
}


def checked(type: str, news: dict[str, Any], olds: dict[str, Any] | None = None, naming: Naming = NAMING) -> Any:
    return check(find(type), olds or {}, news, naming, {})


def reasons(type: str, news: dict[str, Any]) -> dict[str, str]:
    return {failure.property: failure.reason for failure in checked(type, news)[1]}


def test_an_unknown_input_is_refused_with_the_one_that_was_meant() -> None:
    found = reasons("aws:sqs/queue:Queue", {"visibilityTimeoutSecond": 30})
    assert "did you mean 'visibilityTimeoutSeconds'?" in found["visibilityTimeoutSecond"]
    assert "aws:sqs/queue:Queue" in found["visibilityTimeoutSecond"]


def test_an_input_of_the_official_plugin_that_is_not_carried_is_refused_not_ignored() -> None:
    assert "layers" in reasons("aws:lambda/function:Function", FUNCTION | {"layers": []})


@pytest.mark.parametrize(
    ("type", "news", "property", "text"),
    [
        ("aws:sqs/queue:Queue", {"delaySeconds": "5"}, "delaySeconds", "expected an integer, got a string"),
        ("aws:sqs/queue:Queue", {"delaySeconds": 1.5}, "delaySeconds", "expected an integer, got a number"),
        ("aws:sqs/queue:Queue", {"delaySeconds": True}, "delaySeconds", "expected an integer, got a boolean"),
        ("aws:sqs/queue:Queue", {"tags": ["a"]}, "tags", "expected a map, each a string, got a list"),
        ("aws:sqs/queue:Queue", {"tags": {"a": 1}}, "tags.a", "expected a string, got a number"),
        ("aws:sqs/queue:Queue", {"tags": {"aws:x": "1"}}, "tags", "AWS keeps for itself"),
        ("aws:lambda/function:Function", FUNCTION | {"code": Asset("x")}, "code", "expected an archive, got an asset"),
        ("aws:lambda/function:Function", FUNCTION | {"environment": {"vars": {}}}, "environment.vars", "variables"),
        ("aws:kms/key:Key", {"deletionWindowInDays": 3}, "deletionWindowInDays", "3 is not between 7 and 30"),
        ("aws:kms/key:Key", {"policy": "{"}, "policy", "not a JSON document"),
        ("aws:kms/alias:Alias", {"name": "alias/aws/x", "targetKeyId": "k"}, "name", "outside alias/aws/"),
        ("aws:secretsmanager/secret:Secret", {"recoveryWindowInDays": 3}, "recoveryWindowInDays", "7 and 30, or 0"),
        ("aws:secretsmanager/secret:Secret", {"secretString": "x"}, "secretString", "no input 'secretString'"),
        ("aws:cloudwatch/logGroup:LogGroup", {"retentionInDays": 31}, "retentionInDays", "31 is not one of"),
        ("aws:lambda/invocation:Invocation", {"functionName": "f", "input": "["}, "input", "is not JSON"),
    ],
)
def test_a_wrong_value_is_refused_with_the_rule(type: str, news: dict[str, Any], property: str, text: str) -> None:
    found = reasons(type, news)
    assert text in found.get(property, ""), found


@pytest.mark.parametrize(
    ("type", "news", "text"),
    [
        ("aws:secretsmanager/secretRotation:SecretRotation", {"secretId": "s", "rotationRules": {}}, "exactly one of"),
        (
            "aws:secretsmanager/secretRotation:SecretRotation",
            {"secretId": "s", "rotationRules": {"automaticallyAfterDays": 3, "scheduleExpression": "rate(3 days)"}},
            "exactly one of",
        ),
        ("aws:cloudwatch/eventRule:EventRule", {}, "one of eventPattern and scheduleExpression"),
        ("aws:sqs/queue:Queue", {"kmsMasterKeyId": "k", "sqsManagedSseEnabled": True}, "conflicts with kmsMasterKeyId"),
        (
            "aws:lambda/invocation:Invocation",
            {"functionName": "f", "input": "[]", "lifecycleScope": "CRUD"},
            "requires input to be a JSON object",
        ),
    ],
)
def test_inputs_that_exclude_each_other_are_refused(type: str, news: dict[str, Any], text: str) -> None:
    assert any(text in reason for reason in reasons(type, news).values()), reasons(type, news)


def test_what_is_unknown_in_a_preview_passes_every_check() -> None:
    news = {"secretId": UNKNOWN, "rotationLambdaArn": UNKNOWN, "rotationRules": {"automaticallyAfterDays": UNKNOWN}}
    assert checked("aws:secretsmanager/secretRotation:SecretRotation", news)[1] == []


def test_a_missing_required_input_is_named() -> None:
    assert Failure("role", "Missing required property 'role'") in checked("aws:lambda/function:Function", {})[1]


def test_a_value_is_never_repeated_in_a_refusal_of_its_kind() -> None:
    hidden = "hunter" + "2"
    assert hidden not in str(reasons("aws:sqs/queue:Queue", {"tags": hidden, "delaySeconds": hidden}))


def test_defaults_are_filled_in_and_named() -> None:
    inputs, failures = checked("aws:lambda/function:Function", FUNCTION)
    assert failures == []
    assert (inputs["timeout"], inputs["memorySize"], inputs["reservedConcurrentExecutions"]) == (3, 128, -1)
    assert {"name", "timeout", "memorySize"} <= set(inputs[DEFAULTS])


def test_an_automatic_name_is_the_resource_name_and_seven_hex_digits() -> None:
    name = checked("aws:sqs/queue:Queue", {})[0]["name"]
    assert re.fullmatch(r"thing-[0-9a-f]{7}", name)
    assert checked("aws:sqs/queue:Queue", {})[0]["name"] == name, "one seed gives one name, in preview and in update"


def test_an_automatic_name_stays_and_a_dropped_name_of_ones_own_does_not() -> None:
    automatic = {"name": "thing-0000000", DEFAULTS: ["name"]}
    assert checked("aws:sqs/queue:Queue", {}, automatic)[0]["name"] == "thing-0000000"
    own = {"name": "mine", DEFAULTS: []}
    assert checked("aws:sqs/queue:Queue", {}, own)[0]["name"] != "mine"


def test_an_automatic_name_fits_the_service_s_limit() -> None:
    inputs, failures = checked("aws:iam/role:Role", {"assumeRolePolicy": "{}"}, naming=Naming("n" * 90, b"s"))
    assert failures == []
    assert len(inputs["name"]) == 64


def test_the_engine_may_propose_or_forbid_a_name() -> None:
    assert checked("aws:sqs/queue:Queue", {}, naming=Naming("t", b"s", proposed="wished"))[0]["name"] == "wished"
    failures = checked("aws:sqs/queue:Queue", {}, naming=Naming("t", b"s", disabled=True))[1]
    assert failures[0].property == "name"


def test_default_tags_are_merged_and_the_resource_s_own_win() -> None:
    inputs, _ = check(find("aws:sqs/queue:Queue"), {}, {"tags": {"a": "own"}}, NAMING, {"a": "x", "b": "y"})
    assert inputs["tags"] == {"a": "own", "b": "y"}
    untagged, _ = check(find("aws:lambda/permission:Permission"), {}, {}, NAMING, {"a": "x"})
    assert "tags" not in untagged, "what has no tags gets none"


def test_a_policy_given_as_an_object_becomes_text() -> None:
    inputs, failures = checked("aws:iam/rolePolicy:RolePolicy", {"role": "r", "policy": {"Statement": []}})
    assert (failures, inputs["policy"]) == ([], '{"Statement": []}')


def test_an_unknown_type_is_refused_with_the_nearest_one_and_the_way_out() -> None:
    with pytest.raises(Refused, match=r"aws:dynamodb/table:Table.*official plugin"):
        find("aws:dynamodb/table:Table")
    with pytest.raises(Refused, match=r"nearest it has is aws:sqs/queue:Queue"):
        find("aws:sqs/queues:Queue")
    # An SNS subscription is no substitute for a log subscription, although the words are alike.
    with pytest.raises(Refused) as refused:
        find("aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter")
    assert "sns" not in str(refused.value)


def test_a_policy_of_aws_itself_is_an_arn_and_can_be_attached() -> None:
    attachment = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    for account, policy in (("aws", "ReadOnlyAccess"), ("000000000000", "helpdesk")):
        assert reasons(attachment, {"role": "r", "policyArn": f"arn:aws:iam::{account}:policy/{policy}"}) == {}
    for account in ("amazon", "12"):
        found = reasons(attachment, {"role": "r", "policyArn": f"arn:aws:iam::{account}:policy/x"})
        assert "is not an ARN" in found["policyArn"]


def test_every_type_in_use_is_carried() -> None:
    assert len(RESOURCES) == 33
