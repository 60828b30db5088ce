"""CloudTrail: denied calls too, the right identity, no secret.

AWS: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html and
https://docs.aws.amazon.com/secretsmanager/latest/userguide/monitoring-cloudtrail.html
"""

from __future__ import annotations

import base64
import json

from tests.aws_iam.served import ACCOUNT, Cell, as_tags, refusal, trust, unique, user_arn

CANARY = "sk-" + "proj-" + "c" * 24


def of_secret(cell: Cell, name: str, arn: str) -> dict[str, object]:
    """The newest event of this operation on this secret."""
    found = [e for e in cell.events(name) if (e["requestParameters"] or {}).get("secretId") == arn]
    assert found, f"no {name} of {arn} on record"
    return found[0]


def test_a_call_is_recorded_with_its_user(cell: Cell):
    arn = cell.secret()
    cell.client("administrator", "secretsmanager").describe_secret(SecretId=arn)
    event = of_secret(cell, "DescribeSecret", arn)
    identity = event["userIdentity"]
    assert isinstance(identity, dict)
    assert (identity["type"], identity["arn"], identity["userName"], identity["accountId"]) == (
        "IAMUser",
        user_arn("administrator"),
        "administrator",
        ACCOUNT,
    )
    assert identity["principalId"].startswith("AIDA")
    assert event["eventSource"] == "secretsmanager.amazonaws.com"
    assert "errorCode" not in event


def test_a_denied_call_is_recorded_with_who_was_denied_and_why(cell: Cell):
    name = unique("denied")
    expected = refusal(lambda: cell.client("ci", "secretsmanager").create_secret(Name=name, SecretString=CANARY))[1]
    event = cell.events("CreateSecret")[0]
    assert event["errorCode"] == "AccessDenied"
    assert event["errorMessage"] == expected
    assert event["userIdentity"]["arn"] == user_arn("ci")
    assert event["responseElements"] is None
    assert CANARY not in json.dumps(event)


def test_a_denied_assumption_is_recorded(cell: Cell):
    role = cell.role([trust({"AWS": user_arn("runtime")})], [])
    refusal(lambda: cell.assume("stranger", role))
    event = cell.events("AssumeRole")[0]
    assert (event["errorCode"], event["userIdentity"]["userName"]) == ("AccessDenied", "stranger")


def test_a_session_is_recorded_with_the_role_that_issued_it(cell: Cell):
    role = cell.role([trust({"AWS": user_arn("runtime")}, ["sts:AssumeRole", "sts:TagSession"])], [])
    session = cell.assume("runtime", role, RoleSessionName="reader", Tags=as_tags({"tenant": "acme"}))
    refusal(lambda: cell.client(session, "iam").list_roles())
    identity = cell.events("ListRoles")[0]["userIdentity"]
    name = role.rpartition("/")[2]
    assert identity["type"] == "AssumedRole"
    assert identity["arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/reader"
    issuer = identity["sessionContext"]["sessionIssuer"]
    assert (issuer["type"], issuer["arn"], issuer["userName"]) == ("Role", role, name)
    assert identity["principalId"] == f"{issuer['principalId']}:reader"


def test_an_unknown_key_is_nobody(cell: Cell):
    refusal(lambda: cell.client(cell.keys("AKIA" + "Q" * 16, "x"), "secretsmanager").list_secrets())
    event = cell.events("ListSecrets")[0]
    assert event["userIdentity"].get("arn") is None, "an identity that nobody proved is not on record"
    assert event["errorCode"] == "UnrecognizedClientException"


def test_no_value_of_a_secret_is_ever_recorded(cell: Cell):
    secrets = cell.client("administrator", "secretsmanager")
    arn = cell.secret(CANARY)
    secrets.put_secret_value(SecretId=arn, SecretString=CANARY + "1")
    secrets.update_secret(SecretId=arn, SecretBinary=CANARY.encode())
    secrets.get_secret_value(SecretId=arn)
    secrets.batch_get_secret_value(SecretIdList=[arn])
    kms = cell.client("administrator", "kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.decrypt(CiphertextBlob=kms.encrypt(KeyId=key, Plaintext=CANARY.encode())["CiphertextBlob"])
    trail = cell.client("administrator", "cloudtrail")
    pages = [json.dumps(trail.lookup_events(MaxResults=50), default=str)]
    names = (
        "CreateSecret",
        "PutSecretValue",
        "UpdateSecret",
        "GetSecretValue",
        "BatchGetSecretValue",
        "Encrypt",
        "Decrypt",
    )
    pages += [json.dumps(cell.events(name)) for name in names]
    text = "\n".join(pages)
    assert "PutSecretValue" in text, "else this proves nothing"
    for form in (CANARY, base64.b64encode(CANARY.encode()).decode(), CANARY.encode().hex()):
        assert form not in text
    parameters = of_secret(cell, "PutSecretValue", arn)["requestParameters"]
    assert isinstance(parameters, dict)
    assert set(parameters) == {"secretId", "clientRequestToken"}


def test_a_sessions_secret_and_token_are_not_recorded(cell: Cell):
    role = cell.role([trust({"AWS": user_arn("runtime")})], [])
    held = cell.assume("runtime", role).get_credentials()
    assert held is not None
    assert held.secret_key
    assert held.token
    event = cell.events("AssumeRole")[0]
    assert event["responseElements"]["credentials"]["accessKeyId"] == held.access_key
    assert held.secret_key not in json.dumps(event)
    assert held.token not in json.dumps(event)


def test_event_history_holds_no_data_events(cell: Cell):
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html"""
    sqs = cell.client("administrator", "sqs")
    queue = sqs.create_queue(QueueName=unique("q"))["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody=CANARY)
    assert not cell.events("SendMessage")
    assert cell.events("CreateQueue")


def test_who_reads_the_history_needs_the_right_to(cell: Cell):
    assert refusal(lambda: cell.client("stranger", "cloudtrail").lookup_events())[0] == "AccessDeniedException"


def test_the_event_history_is_handed_out_in_pages_of_fifty_without_loss_or_repetition(cell: Cell):
    arn = cell.secret()
    secrets = cell.client("administrator", "secretsmanager")
    for _ in range(60):
        secrets.describe_secret(SecretId=arn)
    trail = cell.client("administrator", "cloudtrail")
    asked = {"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "DescribeSecret"}]}
    pages = list(trail.get_paginator("lookup_events").paginate(**asked))
    ids = [event["EventId"] for page in pages for event in page["Events"]]
    assert len(pages) >= 2, "AWS gives fifty at most, and a token for the rest"
    assert all(len(page["Events"]) <= 50 for page in pages)
    assert len(ids) >= 60
    assert len(set(ids)) == len(ids), "no event comes twice"
    code, _ = refusal(lambda: trail.lookup_events(NextToken=pages[0]["NextToken"]))
    assert code == "InvalidNextTokenException", "a token goes with the parameters that it came from"
