"""What a difference asks for: nothing, an update, or a replacement."""

from __future__ import annotations

from typing import Any

import pytest

from local.provider.check import DEFAULTS, Naming, check
from local.provider.diff import Differences, diff
from local.provider.registry import find
from local.provider.values import UNKNOWN, Archive

REGION = "us-east-1"


def differences(type: str, old: dict[str, Any], new: dict[str, Any], **seen: Any) -> Differences:
    """`old` and `new` are inputs as a program gives them; `seen` is what AWS said over the old ones."""
    resource, naming = find(type), Naming("thing", b"seed")
    state, wrong = check(resource, {}, old, naming, {})
    news, failures = check(resource, state, new, naming, {})
    assert (wrong, failures) == ([], [])
    outputs = {key: value for key, value in state.items() if key != DEFAULTS}
    return diff(resource, outputs | {"region": REGION} | seen, news, REGION)


QUEUE = "aws:sqs/queue:Queue"
SECRET = "aws:secretsmanager/secret:Secret"
INVOCATION = "aws:lambda/invocation:Invocation"


def test_the_same_inputs_make_no_difference() -> None:
    assert differences(QUEUE, {"name": "q", "tags": {"a": "b"}}, {"name": "q", "tags": {"a": "b"}}).found == []


def test_a_change_is_told_by_its_path_and_kind() -> None:
    result = differences(QUEUE, {"tags": {"a": "1", "b": "1"}}, {"tags": {"a": "2", "c:d": "1"}})
    assert {(each.path, each.kind) for each in result.found} == {
        ("tags.a", "update"),
        ("tags.b", "delete"),
        ('tags["c:d"]', "add"),
    }
    assert result.changed == {"tags"}
    assert result.replaces == frozenset()


def test_what_somebody_changed_by_hand_is_a_difference() -> None:
    result = differences(
        QUEUE, {"visibilityTimeoutSeconds": 60}, {"visibilityTimeoutSeconds": 60}, visibilityTimeoutSeconds=30
    )
    assert result.changed == {"visibilityTimeoutSeconds"}


def test_what_aws_filled_in_is_no_difference() -> None:
    assert differences(QUEUE, {}, {}, sqsManagedSseEnabled=True).found == []


def test_an_input_that_is_taken_away_is_a_difference() -> None:
    result = differences(SECRET, {"description": "x"}, {})
    assert [(each.path, each.kind) for each in result.found] == [("description", "delete")]


def test_a_zero_value_and_none_are_the_same() -> None:
    assert differences(SECRET, {"description": ""}, {}).found == []
    assert differences(SECRET, {}, {"description": ""}).found == []


@pytest.mark.parametrize(
    ("type", "base", "change"),
    [
        (QUEUE, {"name": "a"}, {"name": "b"}),
        (SECRET, {"name": "a"}, {"name": "b"}),
        ("aws:kms/alias:Alias", {"name": "alias/a", "targetKeyId": "k"}, {"name": "alias/b"}),
        (
            "aws:secretsmanager/secretRotation:SecretRotation",
            {"secretId": "a", "rotationRules": {"automaticallyAfterDays": 1}},
            {"secretId": "b"},
        ),
        ("aws:secretsmanager/secretPolicy:SecretPolicy", {"secretArn": "a", "policy": "{}"}, {"secretArn": "b"}),
        ("aws:iam/role:Role", {"assumeRolePolicy": "{}"}, {"path": "/x/"}),
        ("aws:iam/policy:Policy", {"policy": "{}", "description": "a"}, {"description": "b"}),
        ("aws:lambda/permission:Permission", {"action": "a", "function": "f", "principal": "p"}, {"principal": "q"}),
        (
            "aws:sns/topicSubscription:TopicSubscription",
            {"topic": "arn:aws:sns:us-east-1:000000000000:t", "protocol": "sqs", "endpoint": "e"},
            {"endpoint": "x"},
        ),
        (INVOCATION, {"functionName": "f", "input": "{}"}, {"input": '{"a":1}'}),
        (INVOCATION, {"functionName": "f", "input": "{}", "lifecycleScope": "CRUD"}, {"triggers": {"a": "b"}}),
    ],
)
def test_what_cannot_be_changed_in_place_replaces(type: str, base: dict[str, Any], change: dict[str, Any]) -> None:
    result = differences(type, base, base | change)
    assert result.replaces == set(change), f"AWS can't change {set(change)} of a {type}"


@pytest.mark.parametrize(
    ("type", "base", "change"),
    [
        (QUEUE, {}, {"messageRetentionSeconds": 60}),
        (SECRET, {}, {"kmsKeyId": "k"}),
        (INVOCATION, {"functionName": "f", "input": "{}", "lifecycleScope": "CRUD"}, {"input": '{"a":1}'}),
        ("aws:kms/alias:Alias", {"name": "alias/a", "targetKeyId": "k"}, {"targetKeyId": "l"}),
        ("aws:iam/rolePolicy:RolePolicy", {"role": "r", "policy": "{}"}, {"policy": '{"a":1}'}),
    ],
)
def test_what_can_be_changed_in_place_is_updated(type: str, base: dict[str, Any], change: dict[str, Any]) -> None:
    result = differences(type, base, base | change)
    assert (result.changed, result.replaces) == (set(change), set())


def test_an_unknown_new_value_counts_as_a_change() -> None:
    assert differences(QUEUE, {"name": "a"}, {"name": UNKNOWN}).replaces == {"name"}
    assert differences(QUEUE, {"tags": {"a": "b"}}, {"tags": {"a": UNKNOWN}}).changed == {"tags"}


def test_an_archive_changes_with_its_content_and_not_with_its_path() -> None:
    base = {"role": "arn:aws:iam::000000000000:role/r", "handler": "h", "runtime": "python3.12"}
    old, moved, new = (base | {"code": Archive(*each)} for each in (("a", "x"), ("a", "y"), ("b", "x")))
    assert differences("aws:lambda/function:Function", old, moved).found == []
    assert differences("aws:lambda/function:Function", old, new).changed == {"code"}


def test_a_key_by_its_arn_is_the_key_by_its_id() -> None:
    base = {"name": "alias/a", "targetKeyId": "arn:aws:kms:us-east-1:000000000000:key/1-2"}
    assert differences("aws:kms/alias:Alias", base, base, targetKeyId="1-2").found == []


def test_a_secret_by_name_is_the_secret_by_arn() -> None:
    base = {"secretId": "a/b", "rotationRules": {"automaticallyAfterDays": 1}}
    arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:a/b-AbCdEf"
    assert differences("aws:secretsmanager/secretRotation:SecretRotation", base, base, secretId=arn).found == []


def test_a_status_that_aws_keeps_of_a_replica_is_no_difference() -> None:
    base = {"replicas": [{"region": "eu-west-1"}]}
    seen = [{"region": "eu-west-1", "kmsKeyId": "alias/aws/secretsmanager", "status": "InSync"}]
    assert differences(SECRET, base, base, replicas=seen).found == []
    assert differences(SECRET, base, {"replicas": [{"region": "eu-west-2"}]}, replicas=seen).changed == {"replicas"}


def test_a_fixed_name_is_given_up_before_it_is_taken_again() -> None:
    role = {"assumeRolePolicy": "{}"}
    fixed = differences("aws:iam/role:Role", role | {"name": "r"}, role | {"name": "r", "path": "/x/"})
    assert fixed.delete_before_replace, "two roles can't have one name"
    automatic = differences("aws:iam/role:Role", role, role | {"name": "r"})
    assert automatic.replaces == {"name"}
    assert not automatic.delete_before_replace


def test_another_region_replaces() -> None:
    assert differences(QUEUE, {"name": "q"}, {"name": "q"}, region="eu-west-1").replaces == {"region"}


def test_ignored_changes_are_left_out() -> None:
    state = {"name": "q", "tags": {"a": "1", "b": "1"}, "region": REGION}
    news = {"name": "q", "tags": {"a": "2", "b": "2"}}
    assert diff(find(QUEUE), state, news, REGION, ["tags.a"]).changed == {"tags"}
    assert diff(find(QUEUE), state, news, REGION, ["tags"]).found == []
