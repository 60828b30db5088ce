"""DeleteSecret, RestoreSecret and the recovery window.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html
"""

from __future__ import annotations

from typing import Any

import pytest

DAY = 24 * 3600
MARKED = "You can't perform this operation on the secret because it was marked for deletion."


@pytest.mark.parametrize(("days", "expected"), [({}, 30), ({"RecoveryWindowInDays": 7}, 7)])
def test_deletion_is_dated_by_the_window_on_the_cells_clock(
    secrets: Any, cell: Any, name: str, days: dict[str, int], expected: int
) -> None:
    """ "If you don't use either, then by default Secrets Manager uses a 30 day recovery window." """
    secrets.create_secret(Name=name, SecretString="a")
    deleted = secrets.delete_secret(SecretId=name, **days)["DeletionDate"].timestamp()
    assert abs(deleted - cell.now() - expected * DAY) < 5
    assert secrets.describe_secret(SecretId=name)["DeletedDate"].timestamp() == deleted


@pytest.mark.parametrize(
    "parameters",
    [
        {"RecoveryWindowInDays": 6},
        {"RecoveryWindowInDays": 31},
        {"RecoveryWindowInDays": 7, "ForceDeleteWithoutRecovery": True},
    ],
)
def test_a_window_is_7_to_30_days_and_not_forced(
    secrets: Any, name: str, refused: Any, parameters: dict[str, Any]
) -> None:
    secrets.create_secret(Name=name, SecretString="a")
    assert refused(secrets.delete_secret, SecretId=name, **parameters).code == "InvalidParameterException"
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "a"


def test_a_secret_marked_for_deletion_is_neither_read_nor_written(secrets: Any, name: str, refused: Any) -> None:
    secrets.create_secret(Name=name, SecretString="a")
    secrets.delete_secret(SecretId=name)
    operations: list[tuple[Any, dict[str, Any]]] = [
        (secrets.get_secret_value, {}),
        (secrets.put_secret_value, {"SecretString": "b"}),
        (secrets.update_secret, {"Description": "b"}),
        (secrets.rotate_secret, {}),
        (secrets.cancel_rotate_secret, {}),
        (secrets.get_resource_policy, {}),
        (secrets.delete_resource_policy, {}),
        (secrets.tag_resource, {"Tags": [{"Key": "a", "Value": "b"}]}),
        (secrets.update_secret_version_stage, {"VersionStage": "a", "MoveToVersionId": "1" * 32}),
    ]
    for operation, parameters in operations:
        found = refused(operation, SecretId=name, **parameters)
        assert (found.code, found.message) == ("InvalidRequestException", MARKED), operation
    assert name not in [entry["Name"] for entry in secrets.list_secrets()["SecretList"]]
    listed = secrets.list_secrets(IncludePlannedDeletion=True, Filters=[{"Key": "name", "Values": [name]}])
    assert len(listed["SecretList"]) == 1


def test_its_name_is_taken_until_it_is_gone(secrets: Any, name: str, refused: Any) -> None:
    secrets.create_secret(Name=name, SecretString="a")
    secrets.delete_secret(SecretId=name)
    found = refused(secrets.create_secret, Name=name, SecretString="a")
    assert (found.code, found.message) == (
        "InvalidRequestException",
        "You can't create this secret because a secret with this name is already scheduled for deletion.",
    )
    secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    secrets.create_secret(Name=name, SecretString="b")
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "b"


def test_a_restored_secret_is_as_before(secrets: Any, name: str) -> None:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RestoreSecret.html"""
    arn = secrets.create_secret(Name=name, SecretString="a")["ARN"]
    secrets.delete_secret(SecretId=name)
    assert secrets.restore_secret(SecretId=name)["ARN"] == arn
    assert secrets.get_secret_value(SecretId=arn)["SecretString"] == "a"
    assert "DeletedDate" not in secrets.describe_secret(SecretId=name)


def test_forcing_needs_no_secret_and_not_forcing_does(secrets: Any, name: str, refused: Any) -> None:
    """ "If you forcibly delete an already deleted or nonexistent secret, the operation does not return
    ResourceNotFoundException." """
    assert secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)["Name"] == name
    assert refused(secrets.delete_secret, SecretId=name).code == "ResourceNotFoundException"


def test_a_primary_with_replicas_is_kept_until_they_are_removed(
    secrets: Any, cell: Any, name: str, refused: Any
) -> None:
    """ "You can't delete a primary secret that is replicated to other Regions. You must first delete the replicas using
    RemoveRegionsFromReplication" """
    arn = secrets.create_secret(Name=name, SecretString="a", AddReplicaRegions=[{"Region": "eu-west-1"}])["ARN"]
    there, replica = cell.client("secretsmanager", region="eu-west-1"), arn.replace("us-east-1", "eu-west-1")
    assert there.get_secret_value(SecretId=replica)["SecretString"] == "a"
    found = refused(there.put_secret_value, SecretId=replica, SecretString="b")
    assert found.code == "InvalidRequestException", "a replica is changed through its primary alone"
    secrets.put_secret_value(SecretId=name, SecretString="b")
    assert there.get_secret_value(SecretId=replica)["SecretString"] == "b"
    assert refused(secrets.delete_secret, SecretId=name).code == "InvalidRequestException"
    secrets.remove_regions_from_replication(SecretId=name, RemoveReplicaRegions=["eu-west-1"])
    assert refused(there.get_secret_value, SecretId=replica).code == "ResourceNotFoundException"
    secrets.delete_secret(SecretId=name)


def test_a_secret_goes_when_its_window_ends(cell_with: Any, name: str, refused: Any) -> None:
    cell, rotator = cell_with()
    secrets = cell.client("secretsmanager")
    secrets.create_secret(Name=name, SecretString="a")
    secrets.delete_secret(SecretId=name, RecoveryWindowInDays=7)
    cell.advance(7 * DAY - 60)
    assert secrets.describe_secret(SecretId=name)["Name"] == name
    cell.advance(120)
    rotator.wait_until(
        lambda: not secrets.list_secrets(IncludePlannedDeletion=True)["SecretList"], "the end of the recovery window"
    )
    assert refused(secrets.restore_secret, SecretId=name).code == "ResourceNotFoundException"
