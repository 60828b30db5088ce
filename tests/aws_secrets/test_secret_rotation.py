"""RotateSecret calls the deployed function, as AWS does.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda.html
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
"""

from __future__ import annotations

import re
from typing import Any

import pytest

STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"]


def test_a_rotation_calls_the_function_with_the_four_steps_in_order(secrets: Any, rotator: Any, name: str) -> None:
    """The event has Step, SecretId (the ARN), ClientRequestToken and RotationToken."""
    arn = secrets.create_secret(Name=name, SecretString="first")["ARN"]
    token = rotator.rotate(name)
    rotator.wait(arn, "RotationSucceeded")
    calls = rotator.calls(name)
    assert [call["Step"] for call in calls] == STEPS
    assert {call["SecretId"] for call in calls} == {arn}, "the function is told the ARN, however RotateSecret was asked"
    assert {call["ClientRequestToken"] for call in calls} == {token}
    assert len({call["RotationToken"] for call in calls}) == 1
    assert re.fullmatch("[a-zA-Z0-9-]{36,256}", calls[0]["RotationToken"]), "the API's pattern of a RotationToken"
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == f"value-{token}"


def test_rotation_is_asynchronous_and_starts_from_an_empty_pending_version(
    secrets: Any, rotator: Any, name: str, refused: Any
) -> None:
    """ "Secrets Manager creates an AWSPENDING version ID before creating the new secret version" (DescribeSecret)."""
    secrets.create_secret(Name=name, SecretString="first")
    rotator.tell(name, hold="createSecret")
    token = rotator.rotate(name)
    rotator.wait_until(lambda: bool(rotator.steps(name)), "the rotation's start, after RotateSecret's answer")
    assert secrets.describe_secret(SecretId=name)["VersionIdsToStages"][token] == ["AWSPENDING"]
    found = refused(secrets.get_secret_value, SecretId=name, VersionId=token, VersionStage="AWSPENDING")
    assert found.code == "ResourceNotFoundException", "AWS's own template mints on exactly this error"
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "first", "readers keep the old value"
    rotator.tell(name)
    rotator.wait(secrets.describe_secret(SecretId=name)["ARN"], "RotationSucceeded")


@pytest.mark.parametrize("remove_pending", [False, True])
def test_five_rotations_in_a_row_each_make_a_new_current_version(
    secrets: Any, rotator: Any, name: str, remove_pending: bool
) -> None:
    """After a success AWSPENDING is with AWSCURRENT or nowhere; both let the next rotation start."""
    arn = secrets.create_secret(Name=name, SecretString="first")["ARN"]
    rotator.tell(name, remove_pending=remove_pending)
    tokens = [secrets.describe_secret(SecretId=name)["VersionIdsToStages"].popitem()[0]]
    for count in range(1, 6):
        tokens.append(rotator.rotate(name))
        rotator.wait(arn, "RotationSucceeded", count)
        labels = secrets.describe_secret(SecretId=name)["VersionIdsToStages"]
        current = labels[tokens[-1]]
        assert set(current) == ({"AWSCURRENT"} if remove_pending else {"AWSCURRENT", "AWSPENDING"})
        assert labels[tokens[-2]] == ["AWSPREVIOUS"]
        assert len(labels) == 2, "older versions are deprecated: they have no label"


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("how", ["fail", "crash"])
def test_a_failed_step_repeats_the_whole_rotation_with_the_same_token(
    secrets: Any, rotator: Any, name: str, step: str, how: str
) -> None:
    """ "If any rotation step fails, Secrets Manager retries the entire rotation process multiple times." """
    arn = secrets.create_secret(Name=name, SecretString="first")["ARN"]
    rotator.tell(name, **{how: {step: 2}})
    token = rotator.rotate(name)
    rotator.wait(arn, "RotationSucceeded")
    until = STEPS[: STEPS.index(step) + 1]
    assert rotator.steps(name) == until + until + STEPS, "each attempt starts from createSecret"
    assert {call["ClientRequestToken"] for call in rotator.calls(name)} == {token}
    assert rotator.events(arn) == ["RotationStarted", "RotationSucceeded"], "attempts in between are no failure yet"
    assert secrets.get_secret_value(SecretId=name)["VersionId"] == token


def test_a_rotation_that_never_succeeds_fails_and_leaves_awspending_behind(
    secrets: Any, rotator: Any, name: str, refused: Any
) -> None:
    """ "When rotation is unsuccessful, the AWSPENDING staging label might be attached to an empty secret version."

    And: "any later invocation of RotateSecret assumes that a previous rotation request is still in progress and
    returns an error", whose text says that the rotation is taken up again.
    """
    arn = secrets.create_secret(Name=name, SecretString="first")["ARN"]
    rotator.tell(name, fail={"createSecret": 6})
    token = rotator.rotate(name)
    rotator.wait(arn, "RotationFailed")
    assert rotator.steps(name) == ["createSecret"] * 5, "five attempts by default"
    described = secrets.describe_secret(SecretId=name)
    assert described["VersionIdsToStages"][token] == ["AWSPENDING"]
    assert "LastRotatedDate" not in described
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "first"

    found = refused(secrets.rotate_secret, SecretId=name, ClientRequestToken="x" * 32)
    assert (found.code, found.message) == (
        "InvalidRequestException",
        "A previous rotation isn't complete. That rotation will be reattempted.",
    )
    rotator.wait(arn, "RotationSucceeded")
    assert secrets.get_secret_value(SecretId=name)["VersionId"] == token, "the reattempt has the old token"
    assert "x" * 32 not in secrets.describe_secret(SecretId=name)["VersionIdsToStages"], "the refused one made nothing"


def test_a_function_that_stores_nothing_fails_the_rotation(secrets: Any, rotator: Any, name: str) -> None:
    """RotationFailed says that the pending version was not created by the function.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot_rotation.html
    """
    arn = secrets.create_secret(Name=name, SecretString="first")["ARN"]
    rotator.tell(name, skip=["createSecret"])
    rotator.rotate(name)
    rotator.wait(arn, "RotationFailed")
    assert set(rotator.steps(name)) == {"createSecret"}


def test_a_function_that_forgets_to_finish_fails_the_rotation(secrets: Any, rotator: Any, name: str) -> None:
    """Success means AWSPENDING with AWSCURRENT or nowhere, and nothing less."""
    arn = secrets.create_secret(Name=name, SecretString="first")["ARN"]
    rotator.tell(name, skip=["finishSecret"])
    rotator.rotate(name)
    rotator.wait(arn, "RotationFailed")
    assert rotator.steps(name) == STEPS * 5
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "first"


def test_describe_secret_dates_a_rotation(secrets: Any, rotator: Any, name: str, cell: Any) -> None:
    """LastRotatedDate, NextRotationDate ("on or before this date") and LastChangedDate.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html
    """
    before = cell.now()
    arn = secrets.create_secret(Name=name, SecretString="first")["ARN"]
    assert "RotationEnabled" not in secrets.describe_secret(SecretId=name), "null until rotation was ever configured"
    rotator.rotate(name)
    rotator.wait(arn, "RotationSucceeded")
    described = secrets.describe_secret(SecretId=name)
    assert described["RotationEnabled"] is True
    assert described["RotationLambdaARN"] == rotator.arn
    assert described["RotationRules"] == {"AutomaticallyAfterDays": 30}
    rotated = described["LastRotatedDate"].timestamp()
    assert before - 1 <= rotated <= cell.now()
    midnight = rotated - rotated % 86400
    assert described["NextRotationDate"].timestamp() == midnight + 31 * 86400 - 1, "the end of the UTC day 30 days on"
    assert described["LastChangedDate"].timestamp() >= rotated


def test_the_first_rotation_of_an_empty_secret_gives_it_its_first_value(secrets: Any, rotator: Any, name: str) -> None:
    arn = secrets.create_secret(Name=name)["ARN"]
    token = rotator.rotate(name)
    rotator.wait(arn, "RotationSucceeded")
    assert secrets.get_secret_value(SecretId=name)["VersionId"] == token


def test_without_rotate_immediately_only_test_secret_runs_on_a_version_that_vanishes(
    secrets: Any, rotator: Any, name: str
) -> None:
    """ "Secrets Manager tests the rotation configuration by running the testSecret step … creates an AWSPENDING
    version of the secret and then removes it." """
    secrets.create_secret(Name=name, SecretString="first")
    before = secrets.describe_secret(SecretId=name)["VersionIdsToStages"]
    token = rotator.rotate(name, RotateImmediately=False)
    rotator.wait_until(lambda: rotator.steps(name) == ["testSecret"], "the test of the configuration")
    rotator.wait_until(
        lambda: secrets.describe_secret(SecretId=name)["VersionIdsToStages"] == before, "the removal of the version"
    )
    listed = secrets.list_secret_version_ids(SecretId=name, IncludeDeprecated=True)["Versions"]
    assert token not in [version["VersionId"] for version in listed]
    described = secrets.describe_secret(SecretId=name)
    assert described["RotationEnabled"] is True
    assert "LastRotatedDate" not in described, "a test is no rotation"


def test_a_failed_test_of_the_configuration_is_an_event(secrets: Any, rotator: Any, name: str) -> None:
    arn = secrets.create_secret(Name=name, SecretString="first")["ARN"]
    rotator.tell(name, fail={"testSecret": 1})
    rotator.rotate(name, RotateImmediately=False)
    rotator.wait(arn, "TestRotationFailed")
    assert list(secrets.describe_secret(SecretId=name)["VersionIdsToStages"].values()) == [["AWSCURRENT"]]
    assert rotator.steps(name) == ["testSecret"], "a test is not repeated"


def test_the_same_token_again_does_not_start_a_second_rotation(secrets: Any, rotator: Any, name: str) -> None:
    """ClientRequestToken "helps ensure idempotency"."""
    arn = secrets.create_secret(Name=name, SecretString="first")["ARN"]
    rotator.tell(name, hold="setSecret")
    token = rotator.rotate(name, ClientRequestToken="r" * 40)
    assert rotator.rotate(name, ClientRequestToken="r" * 40) == token == "r" * 40
    rotator.tell(name)
    rotator.wait(arn, "RotationSucceeded")
    assert rotator.steps(name) == STEPS
    assert rotator.events(arn) == ["RotationStarted", "RotationSucceeded"]


def test_a_second_rotation_while_one_runs_is_refused(secrets: Any, rotator: Any, name: str, refused: Any) -> None:
    arn = secrets.create_secret(Name=name, SecretString="first")["ARN"]
    rotator.tell(name, hold="createSecret")
    rotator.rotate(name)
    assert refused(secrets.rotate_secret, SecretId=name).code == "InvalidRequestException"
    rotator.tell(name)
    rotator.wait(arn, "RotationSucceeded")
    assert rotator.steps(name) == STEPS, "the refusal does not disturb the rotation that runs"
