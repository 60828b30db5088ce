"""What RotateSecret checks before it sets anything.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-required-permissions-function.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest

CANNOT_INVOKE = (
    "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the "
    "principal secretsmanager.amazonaws.com."
)


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"AutomaticallyAfterDays": 0}, "greater than or equal to 1"),
        ({"AutomaticallyAfterDays": 1001}, "less than or equal to 1000"),
        ({"ScheduleExpression": "rate(3 hours)"}, "at most every 4 hours"),
        ({"ScheduleExpression": "cron(30 4 * * ? *)"}, "minutes must be 0"),
        ({"ScheduleExpression": "cron(0 4 * * ? 2027)"}, "year must be *"),
        ({"ScheduleExpression": "rate(30 minutes)"}, "rate(Value Unit)"),
        ({"ScheduleExpression": "every day"}, "cron("),
        ({"AutomaticallyAfterDays": 3, "ScheduleExpression": "rate(3 days)"}, "but not both"),
        ({"Duration": "3h"}, "needs AutomaticallyAfterDays or ScheduleExpression"),
        ({"AutomaticallyAfterDays": 3, "Duration": "3"}, "length greater than or equal to 2"),
        ({"AutomaticallyAfterDays": 3, "Duration": "3m"}, "regular expression pattern"),
        ({"AutomaticallyAfterDays": 3, "Duration": "25h"}, "from 1h to 24h"),
    ],
)
def test_a_wrong_schedule_is_refused_and_nothing_is_set(
    secrets: Any, rotator: Any, name: str, refused: Any, rules: dict[str, Any], words: str
) -> None:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotationRulesType.html"""
    secrets.create_secret(Name=name, SecretString="first")
    before = secrets.describe_secret(SecretId=name)
    found = refused(secrets.rotate_secret, SecretId=name, RotationLambdaARN=rotator.arn, RotationRules=rules)
    assert found.code in {"InvalidParameterException", "ValidationException"}
    assert words in found.message
    after = secrets.describe_secret(SecretId=name)
    assert {**after, "ResponseMetadata": None} == {**before, "ResponseMetadata": None}


@pytest.mark.parametrize("token", ["x" * 31, "x" * 65])
def test_a_client_request_token_has_32_to_64_characters(
    secrets: Any, rotator: Any, name: str, refused: Any, token: str
) -> None:
    secrets.create_secret(Name=name, SecretString="first")
    found = refused(rotator.rotate, secret=name, ClientRequestToken=token)
    assert found.code == "ValidationException"
    assert "'clientRequestToken' failed to satisfy constraint" in found.message


def test_a_rotation_needs_a_function_and_rules(secrets: Any, rotator: Any, name: str, refused: Any) -> None:
    secrets.create_secret(Name=name, SecretString="first")
    found = refused(secrets.rotate_secret, SecretId=name)
    assert (found.code, found.message) == (
        "InvalidRequestException",
        "No Lambda rotation function ARN is associated with this secret.",
    )
    assert (
        refused(secrets.rotate_secret, SecretId=name, RotationLambdaARN=rotator.arn).code == "InvalidParameterException"
    )
    assert refused(rotator.rotate, secret=name, RotationLambdaARN="rotation").code == "InvalidParameterException"


def test_a_function_that_is_not_there_cannot_be_invoked(secrets: Any, rotator: Any, name: str, refused: Any) -> None:
    secrets.create_secret(Name=name, SecretString="first")
    found = refused(rotator.rotate, secret=name, RotationLambdaARN=f"{rotator.arn}-gone")
    assert (found.code, found.message) == ("AccessDeniedException", CANNOT_INVOKE)


def test_a_function_without_permission_cannot_be_invoked(
    secrets: Any, deployment: Any, name: str, refused: Any
) -> None:
    """ "The function policy must grant the Secrets Manager service principal permission to invoke the function." """
    secrets.create_secret(Name=name, SecretString="first")
    found = refused(deployment(permitted=False).rotate, secret=name)
    assert (found.code, found.message) == ("AccessDeniedException", CANNOT_INVOKE)
    assert "RotationEnabled" not in secrets.describe_secret(SecretId=name)


def test_a_permission_is_bound_by_source_account_and_source_arn(
    secrets: Any, deployment: Any, name: str, refused: Any
) -> None:
    """aws:SourceAccount and aws:SourceArn are those of the secret.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-required-permissions-function.html
    """
    arn = secrets.create_secret(Name=name, SecretString="first")["ARN"]
    for bound in (
        {"SourceAccount": "111122223333"},
        {"SourceAccount": "000000000000", "SourceArn": f"{arn[:-6]}other1"},
    ):
        found = refused(deployment(**bound).rotate, secret=name)
        assert (found.code, found.message) == ("AccessDeniedException", CANNOT_INVOKE), f"bound to {bound}"
    rotator = deployment(SourceAccount="000000000000", SourceArn=arn)
    rotator.rotate(name)
    rotator.wait(arn, "RotationSucceeded")


def test_a_permission_taken_away_fails_the_next_rotation(secrets: Any, deployment: Any, name: str, cell: Any) -> None:
    arn = secrets.create_secret(Name=name, SecretString="first")["ARN"]
    rotator = deployment()
    rotator.tell(name, hold="createSecret")
    rotator.rotate(name)
    rotator.wait_until(lambda: bool(rotator.steps(name)), "the rotation's start")
    cell.client("lambda").remove_permission(FunctionName=rotator.arn, StatementId="secrets-manager")
    rotator.tell(name)
    rotator.wait(arn, "RotationFailed")
    assert rotator.steps(name) == ["createSecret"]


def test_the_caller_of_rotate_secret_needs_lambda_invoke_function(
    secrets: Any, rotator: Any, name: str, refused: Any, cell: Any
) -> None:
    """ "You also need lambda:InvokeFunction permissions on the rotation function." """
    secrets.create_secret(Name=name, SecretString="first")
    user, iam = name.rpartition("/")[2], cell.client("iam")
    iam.create_user(UserName=user)
    keys = iam.create_access_key(UserName=user)["AccessKey"]
    statements = [{"Effect": "Allow", "Action": "secretsmanager:RotateSecret", "Resource": "*"}]
    mine = cell.client_with("secretsmanager", keys)
    request = {"SecretId": name, "RotationLambdaARN": rotator.arn, "RotationRules": {"AutomaticallyAfterDays": 1}}

    def allow() -> None:
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=document)

    allow()
    found = refused(mine.rotate_secret, **request)
    assert found.code == "AccessDeniedException"
    assert f"lambda:InvokeFunction on resource: {rotator.arn}" in found.message
    statements.append({"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": rotator.arn})
    allow()
    mine.rotate_secret(**request)
    rotator.wait(secrets.describe_secret(SecretId=name)["ARN"], "RotationSucceeded")
