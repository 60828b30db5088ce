"""What page, promoter, people and others cannot do in connect, by real calls under the documents that ship (F-7).

What they must be able to do, the other tests of this folder do with the same roles.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.shared import link as links
from functions.shared.intake import Place
from tests.connect.world import Cell, Clients, World

Attempt = Callable[[Clients, World, Place], Any]

SECRETS: dict[str, Attempt] = {
    "GetSecretValue": lambda its, world, _: its.secrets.get_secret_value(SecretId=world.secret),
    "BatchGetSecretValue": lambda its, world, _: _batch(its, world),
    "PutSecretValue": lambda its, world, _: its.secrets.put_secret_value(SecretId=world.secret, SecretString="x"),
    "UpdateSecretVersionStage": lambda its, world, place: its.secrets.update_secret_version_stage(
        SecretId=world.secret, VersionStage="AWSCURRENT", MoveToVersionId=place.id
    ),
    "DescribeSecret": lambda its, world, _: its.secrets.describe_secret(SecretId=world.secret),
    "PutResourcePolicy": lambda its, world, _: its.secrets.put_resource_policy(
        SecretId=world.secret, ResourcePolicy="{}"
    ),
    "RotateSecret": lambda its, world, _: its.secrets.rotate_secret(SecretId=world.secret),
    "DeleteSecret": lambda its, world, _: its.secrets.delete_secret(SecretId=world.secret),
    "an admin key": lambda its, world, _: its.secrets.get_secret_value(SecretId=world.cell.names.admin_secret),
}
KEYS: dict[str, Attempt] = {
    "Decrypt": lambda its, world, place: its.kms.decrypt(
        CiphertextBlob=_ciphertext(world, place), EncryptionContext=place.context
    ),
    "Encrypt": lambda its, world, place: its.kms.encrypt(
        KeyId=world.cell.intake_key, Plaintext=b"x", EncryptionContext=place.context
    ),
    "GenerateMac": lambda its, world, _: its.kms.generate_mac(
        KeyId=world.cell.link_key, Message=b"x", MacAlgorithm=links.MAC_ALGORITHM
    ),
    "GenerateDataKey": lambda its, world, _: its.kms.generate_data_key(KeyId=world.cell.secrets_key, KeySpec="AES_256"),
}


def _read(key: Callable[[Place], str]) -> Attempt:
    return lambda its, world, place: its.s3.get_object(Bucket=world.cell.bucket, Key=key(place))


def _write(key: Callable[[Place], str]) -> Attempt:
    return lambda its, world, place: its.s3.put_object(Bucket=world.cell.bucket, Key=key(place), Body=b"{}")


def _read_version(key: Callable[[Place], str]) -> Attempt:
    """An object of a bucket without versions has the version ``null``, for which S3 asks for another right."""
    return lambda its, world, place: its.s3.get_object(Bucket=world.cell.bucket, Key=key(place), VersionId="null")


def _delete_version(key: Callable[[Place], str]) -> Attempt:
    return lambda its, world, place: its.s3.delete_object(Bucket=world.cell.bucket, Key=key(place), VersionId="null")


def _delete(key: Callable[[Place], str]) -> Attempt:
    return lambda its, world, place: its.s3.delete_object(Bucket=world.cell.bucket, Key=key(place))


OBJECTS: dict[str, Callable[[Place], str]] = {
    "links": lambda place: place.link,
    "revoked": lambda place: place.revoked,
    "seen": lambda place: place.seen,
    "handed-in": lambda place: place.handed_in,
    "outcome": lambda place: place.outcome,
    "confirmed": lambda place: place.confirmed,
}
ATTEMPTS: dict[str, Attempt] = {
    **SECRETS,
    **KEYS,
    **{f"read {name}": _read(key) for name, key in OBJECTS.items()},
    **{f"write {name}": _write(key) for name, key in OBJECTS.items()},
    **{f"delete {name}": _delete(key) for name, key in OBJECTS.items()},
    **{f"read a version of {name}": _read_version(key) for name, key in OBJECTS.items()},
    **{f"delete a version of {name}": _delete_version(key) for name, key in OBJECTS.items()},
}
MAY: dict[str, set[str]] = {
    "page": {
        "Encrypt",
        *(f"read {name}" for name in ("links", "revoked", "seen", "outcome")),
        "write seen",
        "write handed-in",
    },
    "promoter": {
        "DescribeSecret",
        "PutSecretValue",
        "UpdateSecretVersionStage",
        "Decrypt",
        *(f"read {name}" for name in ("links", "revoked", "handed-in", "outcome", "confirmed")),
        "write outcome",
        "delete handed-in",
    },
    "ci": {"DescribeSecret"},
    "runtime": set(),
}
"""Everything else is denied. A deployer and the administrator, who governs all, are looked at below."""


def _batch(its: Clients, world: World) -> Any:
    answer = its.secrets.batch_get_secret_value(SecretIdList=[world.secret])
    if answer["Errors"]:
        raise ClientError({"Error": {"Code": answer["Errors"][0]["ErrorCode"]}}, "BatchGetSecretValue")
    return answer


def _ciphertext(world: World, place: Place) -> bytes:
    body = world.get(place.handed_in)
    assert body is not None
    return body


def clients(cell: Cell, who: str) -> Clients:
    held = {"page": cell.page, "promoter": cell.promoter}.get(who)
    return held or Clients(lambda service: cell.local.client(who, service))


@pytest.fixture
def place(world: World) -> Place:
    """A tenant with a live key of a link, a key handed in by another link, and every object of that link."""
    first = world.saved(world.key())
    world.confirm(first)
    world.promote()
    made, token = world.issue()
    second = Place(made.tenant, made.id)
    world.put(second.revoked, b"")
    world.hand_in(second, token, world.key())
    world.cell.page.s3.put_object(Bucket=world.cell.bucket, Key=second.seen, Body=b"{}")
    world.cell.promoter.s3.put_object(Bucket=world.cell.bucket, Key=second.outcome, Body=b"{}")
    return second


@pytest.mark.parametrize("who", MAY)
def test_each_may_do_what_it_is_for_and_nothing_else(who: str, world: World, place: Place) -> None:
    its = clients(world.cell, who)
    answers: dict[str, str] = {}
    for name, attempt in ATTEMPTS.items():
        try:
            attempt(its, world, place)
        except ClientError as error:
            answers[name] = error.response.get("Error", {}).get("Code", "")
        else:
            answers[name] = ""
    denied = {name for name, code in answers.items() if code.startswith("AccessDenied")}
    assert set(ATTEMPTS) - denied == MAY[who], answers


@pytest.mark.parametrize("who", ["deployer", "administrator", "stranger", "ci", "runtime"])
@pytest.mark.parametrize("name", ["read handed-in", "read a version of handed-in", "Decrypt", "GetSecretValue"])
def test_no_person_sees_a_key(who: str, name: str, world: World, place: Place) -> None:
    """Whoever may change policies can allow it to themselves, which CloudTrail tells; nobody can by accident."""
    with pytest.raises(ClientError, match="AccessDenied"):
        ATTEMPTS[name](clients(world.cell, who), world, place)


@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.parametrize("what", ["delete", "delete a version of"])
def test_nobody_but_deployers_brings_a_dead_link_back(what: str, name: str, world: World, place: Place) -> None:
    """Without its revocation a link is good again, and without its outcome after a promoted key too."""
    with pytest.raises(ClientError, match="AccessDenied"):
        ATTEMPTS[f"{what} {name}"](clients(world.cell, "administrator"), world, place)
    ATTEMPTS[f"delete {name}"](world.cell.person, world, place)


def test_the_page_hands_in_for_no_other_cell(world: World, place: Place) -> None:
    """Bucket and keys are the cell's own."""
    other = world.cell.admin["s3"]
    other.create_bucket(Bucket="myflux-connect-other-000000000000")
    with pytest.raises(ClientError, match="AccessDenied"):
        world.cell.page.s3.put_object(Bucket="myflux-connect-other-000000000000", Key=place.handed_in, Body=b"x")
