"""Rotations that end before their time: cancelled, overtaken by a person, or without their secret.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CancelRotateSecret.html
"""

from __future__ import annotations

import time
from typing import Any

MOMENT = 0.8
"""Seconds in which what must not happen would have happened on an idle machine."""


def test_cancelling_in_the_middle_stops_the_driving_and_leaves_awspending(
    secrets: Any, rotator: Any, name: str, refused: Any
) -> None:
    """ "Turns off automatic rotation, and if a rotation is currently in progress, cancels the rotation."

    The answer names the version "created during the rotation"; AWSPENDING has to be removed by hand.
    """
    arn = secrets.create_secret(Name=name, SecretString="first")["ARN"]
    rotator.tell(name, hold="setSecret")
    token = rotator.rotate(name)
    rotator.wait_until(lambda: "setSecret" in rotator.steps(name), "the rotation's middle")
    assert secrets.cancel_rotate_secret(SecretId=name)["VersionId"] == token
    rotator.tell(name)
    time.sleep(MOMENT)
    assert rotator.steps(name) == ["createSecret", "setSecret"], "no further step after the one that was under way"
    described = secrets.describe_secret(SecretId=name)
    assert described["RotationEnabled"] is False
    assert described["RotationLambdaARN"] == rotator.arn, "the previous function and rules stay to be seen"
    assert described["RotationRules"] == {"AutomaticallyAfterDays": 30}
    assert "NextRotationDate" not in described
    assert described["VersionIdsToStages"][token] == ["AWSPENDING"]
    assert rotator.events(arn) == ["RotationStarted"], "neither failed nor succeeded"

    assert refused(secrets.rotate_secret, SecretId=name).code == "InvalidRequestException"
    time.sleep(MOMENT)
    assert len(rotator.steps(name)) == 2, "a rotation that is turned off is not taken up again"
    secrets.update_secret_version_stage(SecretId=name, VersionStage="AWSPENDING", RemoveFromVersionId=token)
    secrets.rotate_secret(SecretId=name)
    rotator.wait(arn, "RotationSucceeded")
    assert secrets.describe_secret(SecretId=name)["RotationEnabled"] is True, "RotateSecret turns rotation on again"


def test_cancelling_needs_a_rotation_function(secrets: Any, name: str, refused: Any) -> None:
    secrets.create_secret(Name=name, SecretString="first")
    assert refused(secrets.cancel_rotate_secret, SecretId=name).code == "InvalidRequestException"


def test_a_value_put_in_by_hand_abandons_the_rotation(secrets: Any, rotator: Any, name: str) -> None:
    """RotationAbandoned: "Secrets Manager removed the AWSPENDING label from an existing version of a secret. When you
    manually create a new version of a secret, you send a message signalling the abandonment of the current ongoing
    rotation".

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieve-ct-entries.html
    """
    arn = secrets.create_secret(Name=name, SecretString="first")["ARN"]
    rotator.tell(name, hold="setSecret")
    token = rotator.rotate(name)
    rotator.wait_until(lambda: "setSecret" in rotator.steps(name), "the rotation's middle")
    secrets.put_secret_value(SecretId=name, SecretString="by hand")
    rotator.tell(name)
    rotator.wait(arn, "RotationAbandoned")
    time.sleep(MOMENT)
    assert rotator.events(arn) == ["RotationStarted", "RotationAbandoned"]
    assert rotator.steps(name) == ["createSecret", "setSecret"]
    assert token not in secrets.describe_secret(SecretId=name)["VersionIdsToStages"]
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "by hand"
    secrets.rotate_secret(SecretId=name)
    rotator.wait(arn, "RotationSucceeded")


def test_a_stuck_rotation_is_cleared_by_a_new_value(secrets: Any, rotator: Any, name: str) -> None:
    arn = secrets.create_secret(Name=name, SecretString="first")["ARN"]
    rotator.tell(name, fail={"testSecret": 5})
    rotator.rotate(name)
    rotator.wait(arn, "RotationFailed")
    secrets.put_secret_value(SecretId=name, SecretString="by hand")
    rotator.tell(name)
    secrets.rotate_secret(SecretId=name)
    rotator.wait(arn, "RotationSucceeded")


def test_a_finished_rotation_is_not_abandoned_by_a_later_value(secrets: Any, rotator: Any, name: str) -> None:
    """AWSPENDING left with the current version must not end alone on the previous one."""
    arn = secrets.create_secret(Name=name, SecretString="first")["ARN"]
    rotator.rotate(name)
    rotator.wait(arn, "RotationSucceeded")
    secrets.put_secret_value(SecretId=name, SecretString="by hand")
    assert "RotationAbandoned" not in rotator.events(arn)
    labels = [label for held in secrets.describe_secret(SecretId=name)["VersionIdsToStages"].values() for label in held]
    assert sorted(labels) == ["AWSCURRENT", "AWSPREVIOUS"]


def test_deleting_a_secret_stops_its_rotation(secrets: Any, rotator: Any, name: str, refused: Any) -> None:
    arn = secrets.create_secret(Name=name, SecretString="first")["ARN"]
    rotator.tell(name, hold="createSecret")
    rotator.rotate(name)
    rotator.wait_until(lambda: bool(rotator.steps(name)), "the rotation's start")
    secrets.delete_secret(SecretId=name)
    assert refused(secrets.rotate_secret, SecretId=name).message == (
        "You can't perform this operation on the secret because it was marked for deletion."
    )
    rotator.tell(name)
    time.sleep(MOMENT)
    assert rotator.steps(name) == ["createSecret"]
    assert rotator.events(arn) == ["RotationStarted"]
