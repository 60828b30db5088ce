"""Nobody takes a secret from themselves by its tags.

AWS: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_TagResource.html and API_UntagResource.html: "If
successfully completing this operation would result in you losing your permissions for this secret, then the operation
is blocked and returns an Access Denied error."
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.aws_iam.served import Cell, allow, as_tags, refusal

TAG, UNTAG, READ = "secretsmanager:TagResource", "secretsmanager:UntagResource", "secretsmanager:GetSecretValue"
OWN = {"StringEquals": {"secretsmanager:ResourceTag/team": "red"}}


def own(cell: Cell, *always: str) -> Any:
    """Secrets Manager for a user who may do everything with team red's secrets, and `always` with every secret."""
    statements = [allow("secretsmanager:*", Condition=OWN), *([allow(list(always))] if always else [])]
    return cell.client(cell.user(statements)[1], "secretsmanager")


def tags(cell: Cell, secret: str) -> dict[str, str]:
    held = cell.client("administrator", "secretsmanager").describe_secret(SecretId=secret)["Tags"]
    return {tag["Key"]: tag["Value"] for tag in held}


@pytest.mark.parametrize("always", [(), (TAG, UNTAG)], ids=["losing the right to tag", "losing the right to read"])
def test_tagging_a_secret_away_from_oneself_is_refused(cell: Cell, always: tuple[str, ...]):
    secret = cell.secret(tags={"team": "red"})
    secrets = own(cell, *always)
    code, message = refusal(lambda: secrets.tag_resource(SecretId=secret, Tags=as_tags({"team": "blue"})))
    assert code == "AccessDeniedException"
    assert READ in message
    assert (TAG in message) is (not always)
    code, _ = refusal(lambda: secrets.untag_resource(SecretId=secret, TagKeys=["team"]))
    assert code == "AccessDeniedException"
    assert tags(cell, secret) == {"team": "red"}
    assert secrets.get_secret_value(SecretId=secret)


def test_a_second_spelling_of_the_tag_takes_it_away_too(cell: Cell):
    """Two tags that differ in case alone make one key of two values, which StringEquals does not match."""
    secret = cell.secret(tags={"team": "red"})
    code, _ = refusal(lambda: own(cell).tag_resource(SecretId=secret, Tags=as_tags({"Team": "red"})))
    assert code == "AccessDeniedException"


def test_tags_that_leave_the_callers_permissions_are_changed(cell: Cell):
    secret = cell.secret(tags={"team": "red", "old": "1"})
    secrets = own(cell)
    secrets.tag_resource(SecretId=secret, Tags=as_tags({"team": "red", "new": "1"}))
    secrets.untag_resource(SecretId=secret, TagKeys=["old", "there is none"])
    assert tags(cell, secret) == {"team": "red", "new": "1"}


def test_a_caller_without_those_permissions_loses_none(cell: Cell):
    """One who may only tag gives a secret to another team; one who gains permissions loses none."""
    secret = cell.secret(tags={"team": "red"})
    _, session = cell.user([allow([TAG, UNTAG])])
    cell.client(session, "secretsmanager").tag_resource(SecretId=secret, Tags=as_tags({"team": "blue"}))
    own(cell, TAG).tag_resource(SecretId=secret, Tags=as_tags({"team": "red"}))
    cell.client(session, "secretsmanager").untag_resource(SecretId=secret, TagKeys=["team"])
    assert tags(cell, secret) == {}
