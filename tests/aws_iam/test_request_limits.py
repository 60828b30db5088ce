"""IAM's parameters and tags: how long they may be, and of which characters.

AWS: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html#API_CreateRole_RequestParameters and
https://docs.aws.amazon.com/IAM/latest/APIReference/API_Tag.html
"""

# ruff: noqa: E501 - tables

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.aws_iam.served import ACCOUNT, Cell, document, refusal, trust, unique

TRUST = document(trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}))
DETECTED = "1 validation error detected: Value at "
TAG = r"Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]*"


def role(cell: Cell, **changed: Any) -> Callable[[], Any]:
    given = {"RoleName": unique("role"), "AssumeRolePolicyDocument": TRUST, **changed}
    return lambda: cell.client("administrator", "iam").create_role(**given)


def test_names_of_the_longest_length_and_text_of_every_permitted_character_are_taken(cell: Cell):
    assert role(cell, RoleName=unique("r").ljust(64, "x"), Path="/team/", MaxSessionDuration=43_200)()
    assert role(cell, RoleName=unique("r=,.@-_+"), Description="für\tSöhne, (all) more")()
    assert role(cell, Tags=[{"Key": "Größe: a/b", "Value": "日本 1.0_x@y+z=-"}, {"Key": "empty", "Value": ""}])()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"RoleName": "r" * 65}, "'roleName' failed to satisfy constraint: Member must have length less than or equal to 64"),
        ({"RoleName": "a role"}, r"'roleName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]+"),
        ({"RoleName": "rôle"}, r"'roleName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]+"),
        ({"MaxSessionDuration": 43_201}, "'maxSessionDuration' failed to satisfy constraint: Member must have value less than or equal to 43200"),
        ({"Tags": [{"Key": "a", "Value": "b"}, {"Key": "c", "Value": "D&T"}]}, f"'tags.2.member.value' failed to satisfy constraint: {TAG}"),
        ({"Tags": [{"Key": "a", "Value": "v" * 257}]}, "'tags.1.member.value' failed to satisfy constraint: Member must have length less than or equal to 256"),
    ],
)  # fmt: skip
def test_what_is_longer_or_of_other_characters_is_refused(cell: Cell, changed: dict[str, Any], told: str):
    assert refusal(role(cell, **changed)) == ("ValidationError", DETECTED + told)


def test_a_description_has_no_character_beyond_latin_1(cell: Cell):
    code, told = refusal(role(cell, Description="Reads only one key \u2013 its own"))
    assert (code, told[: len(DETECTED) + 13]) == ("ValidationError", DETECTED + "'description'")


def test_every_failure_of_a_request_is_told_and_nothing_is_made(cell: Cell):
    name = unique("role")
    code, told = refusal(role(cell, RoleName=name, Description="\u2013", Path="team"))
    assert (code, told[:29]) == ("ValidationError", "2 validation errors detected:")
    iam = cell.client("administrator", "iam")
    assert refusal(lambda: iam.get_role(RoleName=name))[0] == "NoSuchEntity"


def test_other_operations_are_held_to_their_own_limits(cell: Cell):
    iam = cell.client("administrator", "iam")
    calls = [
        lambda: iam.create_policy(PolicyName="p" * 129, PolicyDocument="{}"),
        lambda: iam.create_user(UserName="u" * 65),
        lambda: iam.put_role_policy(RoleName="r", PolicyName="a policy", PolicyDocument="{}"),
        lambda: iam.tag_role(RoleName="r", Tags=[{"Key": "k" * 129, "Value": ""}]),
    ]
    assert [refusal(call)[0] for call in calls] == ["ValidationError"] * len(calls)
