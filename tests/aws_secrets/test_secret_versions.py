"""Versions and values: CreateSecret, PutSecretValue, UpdateSecret, GetSecretValue.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
"""

from __future__ import annotations

from typing import Any

import pytest

ONE, TWO, THREE = "1" * 32, "2" * 32, "3" * 64


def labels(secrets: Any, name: str) -> dict[str, list[str]]:
    return secrets.describe_secret(SecretId=name)["VersionIdsToStages"]


def every_version(secrets: Any, name: str, **parameters: Any) -> list[dict[str, Any]]:
    """All pages of ListSecretVersionIds, for which botocore has no paginator."""
    found: list[dict[str, Any]] = []
    while True:
        page = secrets.list_secret_version_ids(SecretId=name, IncludeDeprecated=True, **parameters)
        found += page["Versions"]
        if "NextToken" not in page:
            return found
        parameters["NextToken"] = page["NextToken"]


def test_creating_again_with_the_same_token_and_value_is_answered_the_same(
    secrets: Any, name: str, refused: Any
) -> None:
    """ "If a version with this value already exists and the version of the SecretString and SecretBinary values are the
    same as those in the request, then the request is ignored." Another value is refused."""
    first = secrets.create_secret(Name=name, SecretString="a", ClientRequestToken=ONE)
    again = secrets.create_secret(Name=name, SecretString="a", ClientRequestToken=ONE)
    assert (again["ARN"], again["VersionId"]) == (first["ARN"], ONE)
    assert labels(secrets, name) == {ONE: ["AWSCURRENT"]}
    for change in (
        {"SecretString": "b", "ClientRequestToken": ONE},
        {"SecretString": "a", "ClientRequestToken": TWO},
        {},
    ):
        found = refused(secrets.create_secret, Name=name, **change)
        assert found.code == "ResourceExistsException"
        assert found.message == f"The operation failed because the secret {name} already exists."


@pytest.mark.parametrize("bad", ["with space", "dollar$", "ümlaut", "colon:", "star*"])
def test_a_name_holds_letters_digits_and_some_signs(secrets: Any, refused: Any, bad: str) -> None:
    found = refused(secrets.create_secret, Name=bad, SecretString="a")
    assert found.code == "ValidationException"
    assert "-/_+=.@!" in found.message


def test_lengths_are_those_of_the_api(secrets: Any, name: str, refused: Any) -> None:
    """Name at most 512 characters, a value 1 to 65,536 bytes (not characters), a token 32 to 64 characters."""
    assert refused(secrets.create_secret, Name="n" * 513).code == "ValidationException"
    secrets.create_secret(Name=name, SecretString="é" * 32768)
    for value in ("é" * 32769, "x" * 65537, ""):
        found = refused(secrets.put_secret_value, SecretId=name, SecretString=value)
        assert found.code == "ValidationException"
        assert value[:20] not in found.message or not value, "a value never shows in an error"
    assert refused(secrets.put_secret_value, SecretId=name, SecretBinary=b"x" * 65537).code == "ValidationException"
    for token in ("t" * 31, "t" * 65):
        found = refused(secrets.put_secret_value, SecretId=name, SecretString="a", ClientRequestToken=token)
        assert found.code == "ValidationException"
        assert "clientRequestToken" in found.message


def test_a_value_is_text_or_binary_and_not_both(secrets: Any, name: str, refused: Any) -> None:
    secrets.create_secret(Name=name, SecretBinary=b"\x00\xff")
    assert secrets.get_secret_value(SecretId=name)["SecretBinary"] == b"\x00\xff"
    both = {"SecretString": "a", "SecretBinary": b"a"}
    assert refused(secrets.put_secret_value, SecretId=name, **both).code == "InvalidParameterException"
    assert refused(secrets.put_secret_value, SecretId=name).code == "InvalidParameterException"


def test_the_same_token_and_value_is_a_no_op_and_another_value_is_refused(
    secrets: Any, name: str, refused: Any
) -> None:
    """ "the operation succeeds but does nothing. However, if the secret data is different, then the operation fails
    because you can't modify an existing version" """
    secrets.create_secret(Name=name, SecretString="a", ClientRequestToken=ONE)
    secrets.put_secret_value(SecretId=name, SecretString="b", ClientRequestToken=TWO)
    secrets.put_secret_value(SecretId=name, SecretString="c", ClientRequestToken=THREE)
    before = labels(secrets, name)
    again = secrets.put_secret_value(
        SecretId=name, SecretString="b", ClientRequestToken=TWO, VersionStages=["AWSCURRENT"]
    )
    assert again["VersionStages"] == ["AWSPREVIOUS"], "labels don't move either"
    assert labels(secrets, name) == before
    found = refused(secrets.put_secret_value, SecretId=name, SecretString="other", ClientRequestToken=TWO)
    assert found.code == "ResourceExistsException"
    assert secrets.get_secret_value(SecretId=name, VersionId=TWO)["SecretString"] == "b"


def test_without_stages_current_moves_and_previous_follows(secrets: Any, name: str) -> None:
    secrets.create_secret(Name=name, SecretString="a", ClientRequestToken=ONE)
    secrets.put_secret_value(SecretId=name, SecretString="b", ClientRequestToken=TWO)
    assert labels(secrets, name) == {ONE: ["AWSPREVIOUS"], TWO: ["AWSCURRENT"]}
    secrets.put_secret_value(SecretId=name, SecretString="c", ClientRequestToken=THREE)
    assert labels(secrets, name) == {TWO: ["AWSPREVIOUS"], THREE: ["AWSCURRENT"]}
    assert secrets.get_secret_value(SecretId=name, VersionId=ONE)["SecretString"] == "a", "deprecated, not yet gone"


def test_a_label_sits_on_one_version(secrets: Any, name: str) -> None:
    """ "If you specify a staging label that's already associated with a different version … Secrets Manager removes the
    label from the other version and attaches it to this version." """
    secrets.create_secret(Name=name, SecretString="a", ClientRequestToken=ONE)
    secrets.put_secret_value(
        SecretId=name, SecretString="b", ClientRequestToken=TWO, VersionStages=["AWSPENDING", "mine"]
    )
    secrets.put_secret_value(SecretId=name, SecretString="c", ClientRequestToken=THREE, VersionStages=["AWSPENDING"])
    assert labels(secrets, name) == {ONE: ["AWSCURRENT"], TWO: ["mine"], THREE: ["AWSPENDING"]}


def test_the_first_version_of_an_empty_secret_becomes_current(secrets: Any, name: str, refused: Any) -> None:
    """ "If this operation creates the first version for the secret, then Secrets Manager automatically attaches the
    staging label AWSCURRENT to it." """
    created = secrets.create_secret(Name=name)
    assert "VersionId" not in created, "an empty secret has no version"
    found = refused(secrets.get_secret_value, SecretId=name)
    assert (found.code, found.message) == (
        "ResourceNotFoundException",
        "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
    )
    secrets.put_secret_value(SecretId=name, SecretString="a", ClientRequestToken=ONE, VersionStages=["AWSPENDING"])
    assert labels(secrets, name) == {ONE: ["AWSPENDING", "AWSCURRENT"]}


def test_a_version_is_read_by_id_label_or_both_if_they_agree(secrets: Any, name: str, refused: Any) -> None:
    """ "If you include both …, the two parameters must refer to the same secret version." """
    secrets.create_secret(Name=name, SecretString="a", ClientRequestToken=ONE)
    secrets.put_secret_value(SecretId=name, SecretString="b", ClientRequestToken=TWO)
    read = secrets.get_secret_value
    assert read(SecretId=name, VersionStage="AWSPREVIOUS")["SecretString"] == "a"
    assert read(SecretId=name, VersionId=TWO, VersionStage="AWSCURRENT")["SecretString"] == "b"
    found = refused(read, SecretId=name, VersionId=ONE, VersionStage="AWSCURRENT")
    assert (found.code, found.message) == (
        "InvalidRequestException",
        "You provided a VersionStage that is not associated to the provided VersionId.",
    )
    assert refused(read, SecretId=name, VersionId=THREE).code == "ResourceNotFoundException"
    assert refused(read, SecretId=name, VersionStage="AWSPENDING").code == "ResourceNotFoundException"
    assert refused(read, SecretId=f"{name}-gone").code == "ResourceNotFoundException"


def test_updating_a_value_never_reuses_a_token(secrets: Any, name: str, refused: Any) -> None:
    """ "If you call this operation with a ClientRequestToken that matches an existing version's VersionId, the
    operation results in an error." https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecret.html
    """
    secrets.create_secret(Name=name, SecretString="a", ClientRequestToken=ONE)
    found = refused(secrets.update_secret, SecretId=name, SecretString="a", ClientRequestToken=ONE)
    assert found.code == "ResourceExistsException"
    secrets.update_secret(SecretId=name, SecretString="b", ClientRequestToken=TWO, Description="new")
    assert labels(secrets, name) == {ONE: ["AWSPREVIOUS"], TWO: ["AWSCURRENT"]}
    assert secrets.describe_secret(SecretId=name)["Description"] == "new"


def test_a_foreign_rotation_token_is_refused(secrets: Any, name: str, refused: Any) -> None:
    """Secrets Manager "validates the identity using the token"."""
    secrets.create_secret(Name=name, SecretString="a")
    token = "0" * 36
    assert (
        refused(secrets.put_secret_value, SecretId=name, SecretString="b", RotationToken=token).code
        == "InvalidParameterException"
    )


def test_versions_without_labels_are_listed_only_on_demand(secrets: Any, name: str) -> None:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecretVersionIds.html"""
    secrets.create_secret(Name=name, SecretString="0")
    for value in range(1, 5):
        secrets.put_secret_value(SecretId=name, SecretString=str(value))
    assert len(secrets.list_secret_version_ids(SecretId=name)["Versions"]) == 2
    found = every_version(secrets, name, MaxResults=2)
    assert len(found) == 5
    assert sum("VersionStages" not in version for version in found) == 3
    assert found[0]["KmsKeyIds"] == ["DefaultEncryptionKey"]


def test_old_deprecated_versions_go_when_there_are_more_than_a_hundred(cell_with: Any, name: str) -> None:
    """ "Secrets Manager keeps 100 of the most recent versions, but it keeps all secret versions created in the last 24
    hours." """
    cell, _ = cell_with()
    secrets = cell.client("secretsmanager")
    secrets.create_secret(Name=name, SecretString="0")
    for value in range(109):
        secrets.put_secret_value(SecretId=name, SecretString=str(value))
    assert len(every_version(secrets, name)) == 110, "all are younger than a day"
    cell.advance(25 * 3600)
    secrets.put_secret_value(SecretId=name, SecretString="last")
    assert len(every_version(secrets, name)) == 100


def test_describe_and_list_leave_out_what_is_not_there(secrets: Any, name: str) -> None:
    secrets.create_secret(Name=name, SecretString="a", Tags=[{"Key": "tenant", "Value": name}])
    entry = secrets.list_secrets(Filters=[{"Key": "tag-value", "Values": [name]}])["SecretList"][0]
    described = secrets.describe_secret(SecretId=name)
    assert entry["SecretVersionsToStages"] == described["VersionIdsToStages"]
    for absent in (
        "DeletedDate",
        "LastAccessedDate",
        "KmsKeyId",
        "RotationEnabled",
        "LastRotatedDate",
        "NextRotationDate",
    ):
        assert absent not in described
        assert absent not in entry
    secrets.get_secret_value(SecretId=name)
    accessed = secrets.describe_secret(SecretId=name)["LastAccessedDate"].timestamp()
    assert accessed % 86400 == 0, "the date, without the time"


def test_a_parameter_of_a_wrong_type_is_refused(cell: Any, name: str) -> None:
    """An error of the wire: no SDK sends such a request."""
    secrets = cell.client("secretsmanager")
    secrets.meta.events.register(
        "before-sign.secretsmanager.*",
        lambda request, **_: setattr(request, "data", b'{"SecretId": "x", "MaxResults": "many"}'),
    )
    with pytest.raises(secrets.exceptions.ClientError) as caught:
        secrets.list_secret_version_ids(SecretId=name)
    assert caught.value.response["Error"]["Code"] == "SerializationException"
