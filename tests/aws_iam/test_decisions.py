"""How identity, boundary, session and resource policies meet, as a table.

AWS: an explicit deny anywhere wins; in one account an allow by the resource's policy can stand alone; a boundary or
session policy that merely does not allow limits a grant to a role but not one to its session or a user; across accounts
both sides must allow; a KMS key's policy must let identity policies count at all.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
"""

from __future__ import annotations

from typing import Any

import pytest

from local.aws.iam.decision import Policies, Request, ResourcePolicy, decide
from local.aws.iam.policy import MalformedPolicy, Policy, parse
from local.aws.iam.principals import Caller, Closeness, closeness

ACCOUNT = "111122223333"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
USER_ARN = f"arn:aws:iam::{ACCOUNT}:user/ann"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/path/work"
SESSION_ARN = f"arn:aws:sts::{ACCOUNT}:assumed-role/work/today"
USER = Caller("User", USER_ARN, ACCOUNT)
SESSION = Caller("AssumedRole", SESSION_ARN, ACCOUNT, ROLE_ARN)
FOREIGNER = Caller("User", "arn:aws:iam::999999999999:user/eve", "999999999999")
SERVICE = Caller("Service", "events.amazonaws.com", "events.amazonaws.com")
REQUEST = Request("x:Read", f"arn:aws:x:r:{ACCOUNT}:thing", {})


def policy(effect: str, **elements: Any) -> Policy:
    if not {"Action", "NotAction"} & set(elements):
        elements["Action"] = "x:Read"
    return parse({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Resource": "*", **elements}]})


ALLOW, DENY, ELSE = policy("Allow"), policy("Deny"), policy("Allow", Action="x:Write")


def by(principal: Any, effect: str = "Allow") -> Policy:
    return policy(effect, Principal=principal if principal == "*" else {"AWS": principal})


@pytest.mark.parametrize(
    ("caller", "identity", "boundary", "session", "resource", "required", "expected"),
    [
        (USER, ALLOW, None, None, None, False, "allowed"),
        (USER, (), None, None, None, False, "identity-based policy"),
        (USER, ALLOW + DENY, None, None, None, False, "deny: identity-based policy"),
        (USER, ALLOW, ELSE, None, None, False, "permissions boundary"),
        (USER, ALLOW, ALLOW + DENY, None, None, False, "deny: permissions boundary"),
        (SESSION, ALLOW, ALLOW, ELSE, None, False, "session policy"),
        (SESSION, ALLOW, ALLOW, DENY, None, False, "deny: session policy"),
        (SESSION, ALLOW, ALLOW, (), None, False, "session policy"),
        # One account: the resource's policy can allow by itself.
        (USER, (), None, None, by(USER_ARN), False, "allowed"),
        (USER, (), None, None, by(ROOT), False, "identity-based policy"),
        (USER, (), None, None, by(ACCOUNT), False, "identity-based policy"),
        (USER, (), None, None, by("*"), False, "allowed"),
        (SESSION, (), None, None, by(ROLE_ARN), False, "allowed"),
        (SESSION, (), None, None, by(f"arn:aws:iam::{ACCOUNT}:role/work"), False, "identity-based policy"),
        (SESSION, (), None, None, by(SESSION_ARN), False, "allowed"),
        (SESSION, (), None, None, by(f"{SESSION_ARN[:-5]}other"), False, "identity-based policy"),
        (SESSION, (), None, None, by(f"{ROLE_ARN[:-4]}*"), False, "identity-based policy"),
        # Limits that don't allow.
        (USER, (), ELSE, None, by(USER_ARN), False, "allowed"),
        (SESSION, (), ELSE, None, by(SESSION_ARN), False, "allowed"),
        (SESSION, (), ELSE, ELSE, by(SESSION_ARN), False, "allowed"),
        (SESSION, (), ELSE, None, by(ROLE_ARN), False, "permissions boundary"),
        (SESSION, (), None, ELSE, by(ROLE_ARN), False, "session policy"),
        (SESSION, (), ELSE, None, by("*"), False, "permissions boundary"),
        (SESSION, (), DENY, None, by(SESSION_ARN), False, "deny: permissions boundary"),
        # A deny on the resource, by every name of the caller.
        (USER, ALLOW, None, None, by(USER_ARN, "Deny"), False, "deny: resource-based policy"),
        (USER, ALLOW, None, None, by(ROOT, "Deny"), False, "deny: resource-based policy"),
        (SESSION, ALLOW, None, None, by(ROLE_ARN, "Deny"), False, "deny: resource-based policy"),
        (SESSION, ALLOW, None, None, by("*", "Deny"), False, "deny: resource-based policy"),
        (SESSION, ALLOW, None, None, by(USER_ARN, "Deny"), False, "allowed"),
        # Two accounts.
        (FOREIGNER, ALLOW, None, None, (), False, "resource-based policy"),
        (FOREIGNER, (), None, None, by(FOREIGNER.arn), False, "identity-based policy"),
        (FOREIGNER, ALLOW, None, None, by(FOREIGNER.arn), False, "allowed"),
        (FOREIGNER, ALLOW, None, None, by("999999999999"), False, "allowed"),
        (FOREIGNER, ALLOW, ELSE, None, by(FOREIGNER.arn), False, "permissions boundary"),
        # A policy that must allow: a KMS key's, a role's trust.
        (USER, ALLOW, None, None, (), True, "resource-based policy"),
        (USER, ALLOW, None, None, by(ROOT), True, "allowed"),
        (USER, (), None, None, by(ROOT), True, "identity-based policy"),
        (USER, (), None, None, by(USER_ARN), True, "allowed"),
        (USER, ALLOW, None, None, by(ROLE_ARN), True, "resource-based policy"),
        (SESSION, ALLOW, ELSE, None, by(ROOT), True, "permissions boundary"),
        (SESSION, ALLOW, None, None, by(ROOT) + by(ROLE_ARN, "Deny"), True, "deny: resource-based policy"),
    ],
)
def test_who_may(
    caller: Caller,
    identity: Policy,
    boundary: Policy | None,
    session: Policy | None,
    resource: Policy | None,
    required: bool,
    expected: str,
):
    on_resource = None if resource is None else ResourcePolicy(resource, ACCOUNT, required)
    verdict = decide(caller, REQUEST, Policies(identity, boundary, session, on_resource))
    said = "allowed" if verdict.allowed else ("deny: " if verdict.explicit else "") + verdict.layer
    assert said == expected


@pytest.mark.parametrize(
    ("caller", "listed", "spared"),
    [
        (USER, [USER_ARN, ROOT], True),
        (USER, [USER_ARN], False),
        (USER, [ROOT], False),
        (SESSION, [ROLE_ARN, SESSION_ARN, ROOT], True),
        (SESSION, [ROLE_ARN, ROOT], False),
        (SESSION, [USER_ARN, ROOT], False),
        (FOREIGNER, [USER_ARN, ROOT], False),
    ],
)
def test_a_deny_by_notprincipal_spares_only_whom_it_lists_with_account_and_role(
    caller: Caller, listed: list[str], spared: bool
):
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html"""
    denies = policy("Deny", NotPrincipal={"AWS": listed})
    verdict = decide(caller, REQUEST, Policies(ALLOW, resource=ResourcePolicy(denies, caller.account)))
    assert verdict.allowed is spared


@pytest.mark.parametrize(
    ("principal", "caller", "expected"),
    [
        ({"Service": "events.amazonaws.com"}, SERVICE, Closeness.SELF),
        ({"Service": ["lambda.amazonaws.com"]}, SERVICE, Closeness.NONE),
        ({"Service": "events.amazonaws.com"}, USER, Closeness.NONE),
        ({"AWS": "*"}, SERVICE, Closeness.ANYONE),
        ({"AWS": "arn:aws:iam::*:user/ann"}, USER, Closeness.NONE),
        ({"AWS": [ROOT, USER_ARN]}, USER, Closeness.SELF),
        ({"Federated": USER_ARN}, USER, Closeness.NONE),
    ],
)
def test_how_closely_a_principal_element_names_a_caller(principal: Any, caller: Caller, expected: Closeness):
    assert closeness(policy("Allow", Principal=principal)[0], caller) is expected


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({"Action": "X:read"}, True),
        ({"Action": "x:R*d"}, True),
        ({"Action": "x:Rea?"}, True),
        ({"Action": ["x:Write", "*"]}, True),
        ({"Action": "y:*"}, False),
        ({"Action": []}, False),
        ({"NotAction": "x:Write"}, True),
        ({"NotAction": ["x:Write", "x:R*"]}, False),
        ({"Resource": f"arn:aws:x:*:{ACCOUNT}:th*"}, True),
        ({"Resource": "arn:aws:x:*"}, True),
        ({"Resource": "arn:aws:x:r:*:other"}, False),
        ({"Resource": "arn:aws:*:thing"}, False),
        ({"Resource": "ARN:aws:x:r:*:thing"}, False),
        ({"Resource": None, "NotResource": "arn:aws:x:*:*:other"}, True),
        ({"Resource": None, "NotResource": ["arn:aws:x:*:*:thing"]}, False),
    ],
)
def test_which_actions_and_resources_a_statement_covers(elements: dict[str, Any], expected: bool):
    given = {name: value for name, value in {"Resource": "*", **elements}.items() if value is not None}
    document = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "x:Read", **given}}
    if "NotAction" in elements:
        del document["Statement"]["Action"]  # type: ignore[attr-defined]
    assert decide(USER, REQUEST, Policies(parse(document))).allowed is expected


@pytest.mark.parametrize("text", ["{", "[]", '{"Statement": [{"Action": "*"}]}', '{"Statement": [1]}'])
def test_a_policy_that_cannot_be_read_lets_nobody_in(text: str):
    with pytest.raises(MalformedPolicy):
        parse(text)
