"""AssumeRole: who may, how long, with which tags, and what the session then is.

AWS: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.aws_iam.served import ACCOUNT, Cell, allow, as_tags, deny, document, refusal, trust, unique, user_arn

ROOT = f"arn:aws:iam::{ACCOUNT}:root"
BOTH = ["sts:AssumeRole", "sts:TagSession"]


def test_a_trust_policy_that_names_the_user_needs_no_identity_policy(cell: Cell):
    name, session = cell.user([allow("sqs:ListQueues")])
    role = cell.role([trust({"AWS": user_arn(name)})], [])
    assert cell.client(cell.assume(session, role), "sts").get_caller_identity()["Arn"].endswith("/work")


def test_a_trust_policy_that_names_the_account_needs_an_identity_policy_as_well(cell: Cell):
    role = cell.role([trust({"AWS": ROOT})], [])
    _, may = cell.user([allow("sts:AssumeRole", role)])
    _, may_not = cell.user([allow("sqs:ListQueues")])
    assert cell.assume(may, role)
    code, message = refusal(lambda: cell.assume(may_not, role))
    assert code == "AccessDenied"
    assert message.endswith(f"is not authorized to perform: sts:AssumeRole on resource: {role}")


def test_a_deny_in_the_identity_policy_wins_over_a_trust_policy_that_names_the_user(cell: Cell):
    name, session = cell.user([deny("sts:AssumeRole")])
    role = cell.role([trust({"AWS": user_arn(name)})], [])
    assert refusal(lambda: cell.assume(session, role))[0] == "AccessDenied"


def test_a_role_that_is_not_there_is_refused_like_one_that_does_not_trust(cell: Cell):
    missing = f"arn:aws:iam::{ACCOUNT}:role/{unique('none')}"
    assert refusal(lambda: cell.assume("administrator", missing))[0] == "AccessDenied"


@pytest.mark.parametrize(
    ("in_trust", "in_identity", "by_account", "expected"),
    [
        (BOTH, BOTH, True, "assumed"),
        (BOTH, ["sts:AssumeRole"], True, "sts:TagSession"),
        (["sts:AssumeRole"], BOTH, True, "sts:TagSession"),
        (BOTH, [], False, "assumed"),
        (["sts:AssumeRole"], BOTH, False, "sts:TagSession"),
        (["sts:TagSession"], BOTH, False, "sts:AssumeRole"),
    ],
)
def test_tags_need_tagsession_wherever_assumerole_is_needed(
    cell: Cell, in_trust: list[str], in_identity: list[str], by_account: bool, expected: str
):
    name, session = cell.user([allow(in_identity or "sqs:ListQueues")])
    role = cell.role([trust({"AWS": ROOT if by_account else user_arn(name)}, in_trust)], [])
    if expected == "assumed":
        assert cell.assume(session, role, Tags=as_tags({"a": "1"}))
        return
    code, message = refusal(lambda: cell.assume(session, role, Tags=as_tags({"a": "1"})))
    assert code == "AccessDenied"
    assert f"perform: {expected} on" in message


def a_reader(cell: Cell, **options: Any) -> str:
    """A role that lists queues as the team that its session is tagged with."""
    statement = allow("sqs:ListQueues", Condition={"StringEquals": {"aws:PrincipalTag/team": "red"}})
    return cell.role([trust({"AWS": ROOT}, BOTH)], [statement, allow(BOTH)], **options)


def lists(cell: Cell, session: Any) -> bool:
    try:
        cell.client(session, "sqs").list_queues()
    except cell.client(session, "sqs").exceptions.ClientError:
        return False
    return True


def test_a_sessions_tag_hides_the_roles(cell: Cell):
    role = a_reader(cell, Tags=as_tags({"Team": "blue"}))
    assert not lists(cell, cell.assume("administrator", role))
    assert lists(cell, cell.assume("administrator", role, Tags=as_tags({"team": "red"})))


def test_a_transitive_tag_follows_the_chain_and_another_does_not(cell: Cell):
    first, second = a_reader(cell), a_reader(cell)
    tags = as_tags({"team": "red"})
    kept = cell.assume("administrator", first, Tags=tags, TransitiveTagKeys=["team"])
    lost = cell.assume("administrator", first, Tags=tags)
    assert lists(cell, cell.assume(kept, second))
    assert lists(cell, cell.assume(cell.assume(kept, second), first)), "a transitive tag stays for every link"
    assert not lists(cell, cell.assume(lost, second))


def test_a_transitive_tag_cannot_be_changed_down_the_chain(cell: Cell):
    first, second = a_reader(cell), a_reader(cell)
    kept = cell.assume("administrator", first, Tags=as_tags({"team": "blue"}), TransitiveTagKeys=["team"])
    code, _ = refusal(lambda: cell.assume(kept, second, Tags=as_tags({"Team": "red"})))
    assert code == "ValidationError"


def test_a_transitive_key_must_be_among_the_tags(cell: Cell):
    role = a_reader(cell)
    assert refusal(lambda: cell.assume("administrator", role, TransitiveTagKeys=["team"]))[0] == "ValidationError"


@pytest.mark.parametrize(
    ("longest", "asked", "expected"),
    [
        (3600, 3600, ""),
        (3600, 3601, "exceeds the MaxSessionDuration set for this role"),
        (7200, 7200, ""),
        (3600, 899, "greater than or equal to 900"),
    ],
)
def test_a_session_lasts_no_longer_than_the_role_says(cell: Cell, longest: int, asked: int, expected: str):
    role = cell.role([trust({"AWS": ROOT})], [], MaxSessionDuration=longest)
    if not expected:
        assert cell.assume("administrator", role, DurationSeconds=asked)
        return
    # The SDK would refuse the shortest by itself.
    sts = cell.client("administrator", "sts", parameter_validation=False)
    code, message = refusal(
        lambda: sts.assume_role(RoleArn=role, RoleSessionName="work", DurationSeconds=asked),
    )
    assert code == "ValidationError"
    assert expected in message


def test_a_chained_session_lasts_an_hour_at_most(cell: Cell):
    role = cell.role([trust({"AWS": ROOT})], [allow("sts:AssumeRole")], MaxSessionDuration=7200)
    first = cell.assume("administrator", role, DurationSeconds=7200)
    code, message = refusal(lambda: cell.assume(first, role, DurationSeconds=3601))
    assert code == "ValidationError"
    assert "1 hour session limit for roles assumed by role chaining" in message
    assert cell.assume(first, role, DurationSeconds=3600)


def test_an_external_id_is_a_condition_of_trust(cell: Cell):
    role = cell.role([trust({"AWS": ROOT}, Condition={"StringEquals": {"sts:ExternalId": "the-id"}})], [])
    assert cell.assume("administrator", role, ExternalId="the-id")
    assert refusal(lambda: cell.assume("administrator", role, ExternalId="another"))[0] == "AccessDenied"
    assert refusal(lambda: cell.assume("administrator", role))[0] == "AccessDenied"


def test_a_session_policy_narrows_and_never_widens(cell: Cell):
    role = cell.role([trust({"AWS": ROOT})], [allow("sqs:ListQueues")])
    narrowed = cell.assume("administrator", role, Policy=document(allow("sqs:CreateQueue")))
    sqs = cell.client(narrowed, "sqs")
    code, message = refusal(sqs.list_queues)
    assert code == "AccessDenied"
    assert "no session policy allows" in message
    assert refusal(lambda: sqs.create_queue(QueueName=unique("q")))[0] == "AccessDenied"


def test_a_boundary_narrows_a_user(cell: Cell):
    admin = cell.client("administrator", "iam")
    only_list = document(allow("sqs:ListQueues"))
    boundary = admin.create_policy(PolicyName=unique("boundary"), PolicyDocument=only_list)["Policy"]["Arn"]
    _, session = cell.user([allow("sqs:*")], boundary=boundary)
    sqs = cell.client(session, "sqs")
    sqs.list_queues()
    code, message = refusal(lambda: sqs.create_queue(QueueName=unique("q")))
    assert code == "AccessDenied"
    assert "no permissions boundary allows" in message


def test_a_session_needs_its_token(cell: Cell):
    role = cell.role([trust({"AWS": ROOT})], [allow("sqs:ListQueues")])
    held = cell.assume("administrator", role).get_credentials()
    assert held is not None
    assert held.access_key
    assert held.secret_key
    bare = cell.keys(held.access_key, held.secret_key)
    assert refusal(lambda: cell.client(bare, "sts").get_caller_identity())[0] == "InvalidClientTokenId"


def test_a_session_of_a_deleted_role_can_do_nothing(cell: Cell):
    role = cell.role([trust({"AWS": ROOT})], [allow("sqs:ListQueues")])
    session = cell.assume("administrator", role)
    cell.client(session, "sqs").list_queues()
    iam, name = cell.client("administrator", "iam"), role.rpartition("/")[2]
    iam.delete_role_policy(RoleName=name, PolicyName="only")
    iam.delete_role(RoleName=name)
    assert refusal(cell.client(session, "sqs").list_queues)[0] == "AccessDenied"
