"""What a cell that keeps its state has after a stop, and what it refuses."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from local import keeping
from local.cell import CellError, LocalCell
from local.process import ServerProcess
from local.record import read
from tests.kept.conftest import kill

pytestmark = pytest.mark.cell

HOUR = 3600


def filled(cell: LocalCell) -> dict[str, Any]:
    """One thing of each kind that a deployed cell has, by the APIs that make them, and how each is found again."""
    secrets, kms, s3, sqs = (cell.client("administrator", name) for name in ("secretsmanager", "kms", "s3", "sqs"))
    secret = secrets.create_secret(Name="kept/one", SecretString="first")["ARN"]
    secrets.put_secret_value(SecretId=secret, SecretString="second")
    signing = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    plain = kms.create_key()["KeyMetadata"]["KeyId"]
    sealed = kms.encrypt(KeyId=plain, Plaintext=b"sealed before")["CiphertextBlob"]
    signature = kms.sign(KeyId=signing, Message=b"said", SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256")["Signature"]
    s3.create_bucket(Bucket="kept")
    s3.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
    versions = [s3.put_object(Bucket="kept", Key="a/b", Body=body)["VersionId"] for body in (b"old", b"new")]
    queue = sqs.create_queue(QueueName="kept")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="not yet read")
    issuer = cell.client("administrator", "iam").enable_outbound_web_identity_federation()["IssuerIdentifier"]
    admin = cell.openai.create_admin_key("kept")
    with openai.OpenAI(admin_api_key=admin, base_url=cell.openai_url, max_retries=0) as client:
        project = client.admin.organization.projects.create(name="kept").id
    user_key = cell.openai.create_user_key(project, "kept")
    with openai.OpenAI(api_key=user_key, base_url=cell.openai_url, max_retries=0) as client:
        client.responses.create(model="gpt-5-mini", input="Is anybody there?")
    cell.openai.settings(max_projects=77)
    cell.advance(HOUR)
    return {
        "ports": (cell.aws_port, cell.openai_port),
        "secret": secret,
        "signing": signing,
        "sealed": sealed,
        "signature": signature,
        "versions": versions,
        "queue": queue,
        "issuer": issuer,
        "signs": signing_keys(cell, issuer),
        "devices": devices(cell),
        "admin": admin,
        "project": project,
        "user_key": user_key,
    }


def signing_keys(cell: LocalCell, issuer: str) -> list[str]:
    host = issuer.removeprefix("https://")
    answer = httpx2.get(f"{cell.aws_url}/_issuer/{host}/.well-known/jwks.json").raise_for_status().json()
    return [key["kid"] for key in answer["keys"]]


def devices(cell: LocalCell) -> list[str]:
    found = cell.client("administrator", "iam").list_virtual_mfa_devices(AssignmentStatus="Assigned")
    return [one["SerialNumber"] for one in found["VirtualMFADevices"]]


def same(cell: LocalCell, had: dict[str, Any]) -> None:
    assert (cell.aws_port, cell.openai_port) == had["ports"], "resources name these addresses"
    secrets, kms, s3 = (cell.client("administrator", name) for name in ("secretsmanager", "kms", "s3"))
    values = [
        secrets.get_secret_value(SecretId=had["secret"], VersionStage=label)["SecretString"]
        for label in ("AWSCURRENT", "AWSPREVIOUS")
    ]
    assert values == ["second", "first"]
    assert kms.decrypt(CiphertextBlob=had["sealed"])["Plaintext"] == b"sealed before"
    assert kms.verify(
        KeyId=had["signing"],
        Message=b"said",
        Signature=had["signature"],
        SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256",
    )["SignatureValid"]
    bodies = [s3.get_object(Bucket="kept", Key="a/b", VersionId=one)["Body"].read() for one in had["versions"]]
    assert bodies == [b"old", b"new"]
    assert s3.get_object(Bucket="kept", Key="a/b")["Body"].read() == b"new"
    events = cell.client("administrator", "cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "CreateSecret"}]
    )["Events"]
    assert len(events) == 1, "the event history goes on"
    iam = cell.client("administrator", "iam")
    assert iam.get_outbound_web_identity_federation_info()["IssuerIdentifier"] == had["issuer"]
    assert signing_keys(cell, had["issuer"]) == had["signs"], "tokens that are out stay valid"
    assert devices(cell) == had["devices"]
    with openai.OpenAI(admin_api_key=had["admin"], base_url=cell.openai_url, max_retries=0) as client:
        assert [one.name for one in client.admin.organization.projects.list() if one.id == had["project"]] == ["kept"]
    assert {had["admin"], had["user_key"]} <= {minted.value for minted in cell.openai.minted()}
    with openai.OpenAI(api_key=had["user_key"], base_url=cell.openai_url, max_retries=0) as client:
        client.models.list()
    (spent,) = [one.spent_usd for one in cell.openai.projects() if one.id == had["project"]]
    assert float(spent) > 0
    assert cell.openai.settings()["max_projects"] == 77
    assert cell.advance(0) == HOUR


def test_a_stopped_cell_has_everything_when_it_starts_again_and_once_more_after_a_kill(home: Path) -> None:
    had = filled(LocalCell.start(home, keep=True))
    assert LocalCell.rest(home)
    assert not LocalCell.rest(home), "it is stopped already"
    status = LocalCell.status(home)
    assert (status.state, "`myflux-keys local up`" in status.detail) == ("stopped", True)
    with pytest.raises(CellError, match="is stopped"):
        LocalCell.attach(home)

    again = LocalCell.start(home)
    same(again, had)
    queue = again.client("administrator", "sqs")
    assert queue.receive_message(QueueUrl=had["queue"])["Messages"][0]["Body"] == "not yet read"
    again.client("administrator", "secretsmanager").create_secret(Name="kept/two", SecretString="after")
    late = again.openai.create_admin_key("answered a moment before the kill")
    kill(home)

    killed = LocalCell.start(home)
    read = killed.client("administrator", "secretsmanager")
    assert read.get_secret_value(SecretId="kept/two")["SecretString"] == "after", "what was answered is there"
    assert late in {minted.value for minted in killed.openai.minted()}
    read.delete_secret(SecretId="kept/two", ForceDeleteWithoutRecovery=True)
    kill(home)
    assert [one["Name"] for one in _secrets(LocalCell.start(home))] == ["kept/one"], "what was deleted stays deleted"


def _secrets(cell: LocalCell) -> list[dict[str, Any]]:
    return cell.client("administrator", "secretsmanager").list_secrets()["SecretList"]


def test_one_side_that_died_takes_the_other_one_along_and_both_start_again(home: Path) -> None:
    cell = LocalCell.start(home, keep=True)
    cell.client("administrator", "secretsmanager").create_secret(Name="kept/one", SecretString="first")
    read(home)["openai"].stop()
    assert "starts it again" in LocalCell.status(home).detail
    assert [one["Name"] for one in _secrets(LocalCell.start(home))] == ["kept/one"]


def test_a_state_of_another_version_is_refused_with_words_and_left_alone(home: Path) -> None:
    LocalCell.start(home, keep=True)
    LocalCell.rest(home)
    writer = home / keeping.FOLDER / "written-by.json"
    ours = writer.read_text(encoding="utf-8")
    writer.write_text(json.dumps(json.loads(ours) | {"ministack": "1.2.3"}), encoding="utf-8")
    with pytest.raises(CellError) as refused:
        LocalCell.start(home)
    assert "was kept by MyFlux Keys" in str(refused.value)
    assert "MiniStack 1.2.3" in str(refused.value)
    assert "local down --forget" in str(refused.value), "the way out"
    writer.write_text("{", encoding="utf-8")
    with pytest.raises(CellError, match="cannot be read"):
        LocalCell.start(home)
    writer.write_text(ours, encoding="utf-8")
    assert LocalCell.start(home).openai.healthy()


def test_a_cell_that_keeps_nothing_does_not_begin_to(home: Path) -> None:
    LocalCell.start(home)
    with pytest.raises(CellError, match="keeps nothing"):
        LocalCell.start(home, keep=True)
    assert LocalCell.status(home).state == "running"
    assert not keeping.is_kept(home)


def test_a_kept_cell_does_not_start_on_other_ports_than_its_own(home: Path) -> None:
    cell = LocalCell.start(home, keep=True)
    LocalCell.rest(home)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", cell.openai_port))
        taken.listen()
        with pytest.raises(CellError, match=f"port {cell.openai_port} is taken"):
            LocalCell.start(home)
    assert LocalCell.start(home).openai_port == cell.openai_port, "nothing was lost by the refusal"


def test_only_its_owner_may_read_what_a_cell_keeps(home: Path) -> None:
    """It holds the emulated vault: the values of its secrets."""
    LocalCell.start(home, keep=True)
    folder = home / keeping.FOLDER
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o077 for path in folder.glob("*.db")} == {0}
    LocalCell.clear(home)
    assert not folder.exists()


def test_a_start_that_fails_leaves_no_kept_state_behind(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_server: ServerProcess) -> None:
        raise CellError("it does not start today")

    monkeypatch.setattr("local.cell.await_health", breaks)
    with pytest.raises(CellError, match="today"):
        LocalCell.start(home, keep=True)
    assert not keeping.is_kept(home)
    assert LocalCell.status(home).state == "none"
