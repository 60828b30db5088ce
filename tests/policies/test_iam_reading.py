"""What a policy can mean, whatever way it is written."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from myflux_keys import names, redaction
from myflux_keys.aws_names import CellNames
from policies.guardrails import key_shapes, ownership
from policies.guardrails.iam.patterns import FIELD, covers, matches, overlap
from policies.guardrails.judge import RULES, judge
from policies.guardrails.model import UNKNOWN
from tests.policies.rehearsed import document, findings, resource

READ = "tenant-secrets-read-by-ours-alone"
SECRET = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:"
LETTERS = "ab:"
TEXTS = ["".join(letters) for length in range(5) for letters in itertools.product(LETTERS, repeat=length)]
PATTERNS = st.text(LETTERS + "*?", max_size=4)


def meaning(pattern: str) -> re.Pattern[str]:
    """The same patterns by another hand: as regular expressions, searched through every short text."""
    return re.compile("".join({"*": ".*", "?": ".", FIELD: "[^:]*"}.get(c, re.escape(c)) for c in pattern))


@given(PATTERNS, st.text(LETTERS + "*?" + FIELD, max_size=4))
def test_patterns_overlap_exactly_when_some_text_is_in_both(one: str, other: str) -> None:
    first, second = meaning(one), meaning(other)
    shared = [text for text in TEXTS if first.fullmatch(text) and second.fullmatch(text)]
    longest = len(one) + len(other)
    if shared or longest <= 4:
        assert overlap(one, other) == bool(shared), shared[:3]


@given(st.text(LETTERS + "*?" + FIELD, max_size=4), st.text(LETTERS + "*?" + FIELD, max_size=4))
def test_a_pattern_that_covers_another_matches_all_that_it_does(wide: str, narrow: str) -> None:
    if covers(wide, narrow):
        assert [text for text in TEXTS if meaning(narrow).fullmatch(text) and not meaning(wide).fullmatch(text)] == []


@given(PATTERNS, st.sampled_from(TEXTS))
def test_a_pattern_matches_like_a_regular_expression(pattern: str, text: str) -> None:
    assert matches(pattern, text) == bool(meaning(pattern).fullmatch(text))
    assert not matches(pattern, text) or overlap(pattern, text)


def policy(**elements: Any) -> Any:
    statement = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*", **elements}
    statement = {name: value for name, value in statement.items() if value is not None}
    return resource("aws:iam/rolePolicy:RolePolicy", role="another-team", policy=document(statement))


@pytest.mark.parametrize(
    "elements",
    [
        {},
        {"Action": "secretsmanager:Get*"},
        {"Action": "SECRETSMANAGER:GETSECRETVALUE"},
        {"Action": ["s3:GetObject", "secretsmanager:?etSecretValu?"]},
        {"Action": "*"},
        {"Action": "*:*"},
        {"Action": "secrets*:*"},
        {"Action": None, "NotAction": "iam:*"},
        {"Resource": f"{SECRET}my*"},
        {"Resource": "arn:aws:secretsmanager:*:*:secret:my*"},
        {"Resource": "arn:aws:secretsmanager:*"},
        {"Resource": "arn:*:*:*:*:*"},
        {"Resource": f"{SECRET}?yflux/local/acme/openai-AbCdEf"},
        {"Resource": [f"{SECRET}prod/db-AbCdEf", f"{SECRET}myflux/*"]},
        {"Resource": f"{SECRET}" + "${aws:PrincipalTag/path}"},
        {"Resource": None, "NotResource": f"{SECRET}prod/*"},
        {"Condition": {"StringEqualsIfExists": {"aws:PrincipalTag/tenant": "acme"}}},
        {"Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}},
    ],
    ids=str,
)
def test_a_policy_that_reaches_our_secrets_is_found_however_it_is_written(elements: dict[str, Any]) -> None:
    assert [one.kind for one in findings(READ, [policy(**elements)])] == ["violation"]


@pytest.mark.parametrize(
    "elements",
    [
        {"Resource": f"{SECRET}prod/db-AbCdEf"},
        {"Resource": f"{SECRET}prod/*"},
        {"Action": "secretsmanager:DescribeSecret"},
        {"Action": ["secretsmanager:BatchGetSecretValue", "secretsmanager:List*", "secretsmanager:Describe*"]},
        {"Action": ["s3:*", "sqs:*"]},
        {"Effect": "Deny"},
        {"Action": None, "NotAction": "secretsmanager:*"},
        {"Resource": None, "NotResource": ["arn:aws:secretsmanager:*:*:secret:myflux*"]},
    ],
    ids=str,
)
def test_a_policy_that_does_not_reach_our_secrets_is_left_alone(elements: dict[str, Any]) -> None:
    assert findings(READ, [policy(**elements)]) == []


def test_a_denial_counts_only_where_nothing_can_lift_it() -> None:
    allow = {"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*"}
    ours_denied = {
        "Effect": "Deny",
        "Action": "secretsmanager:*",
        "Resource": "arn:aws:secretsmanager:*:*:secret:myflux*",
    }
    every = {"Effect": "Deny", "Action": "secretsmanager:*", "Resource": "*"}
    unless = {**every, "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}}}

    def found(*statements: dict[str, Any]) -> bool:
        held = resource("aws:iam/rolePolicy:RolePolicy", role="another-team", policy=document(*statements))
        return bool(findings(READ, [held]))

    assert not found(allow, every)
    assert found(allow, unless), "with a second factor it is lifted"
    assert not found(allow, ours_denied)
    assert found(allow, {**ours_denied, "Resource": f"{SECRET}myflux/acme/*"}), "that is not all of ours"


@pytest.mark.parametrize("name", ["AdministratorAccess", "PowerUserAccess", "SecretsManagerReadWrite"])
@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("aws:iam/rolePolicyAttachment:RolePolicyAttachment", {"role": "x"}),
        ("aws:iam/userPolicyAttachment:UserPolicyAttachment", {"user": "x"}),
        ("aws:iam/policyAttachment:PolicyAttachment", {"groups": ["x"]}),
    ],
)
def test_aws_own_wide_policies_are_known_by_name(name: str, kind: str, properties: dict[str, Any]) -> None:
    attached = resource(kind, policyArn=f"arn:aws:iam::aws:policy/{name}", **properties)
    assert findings("policies-attached-where-they-belong", [attached])
    harmless = resource(kind, policyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", **properties)
    assert not findings("policies-attached-where-they-belong", [harmless])


FOREIGN = [
    resource("aws:secretsmanager/secret:Secret", "db", name="prod/db", recoveryWindowInDays=0),
    resource("aws:secretsmanager/secretVersion:SecretVersion", secretId="prod/db", secretString="pass" + "word"),
    resource("aws:s3/bucket:Bucket", bucket=UNKNOWN, policy=UNKNOWN),
    resource("aws:sqs/queue:Queue", name="jobs", policy=document({"Effect": "Allow", "Principal": "*", "Action": "*"})),
    resource("aws:kms/key:Key", description="theirs", deletionWindowInDays=7),
    resource("aws:lambda/function:Function", name="thumbnails", environment=UNKNOWN),
    resource("aws:lambda/functionUrl:FunctionUrl", functionName="thumbnails"),
    resource("aws:iam/role:Role", name="thumbnails", assumeRolePolicy=document({"Effect": "Allow", "Action": "*"})),
    resource("aws:lambda/invocation:Invocation", functionName="thumbnails", input="{}"),
]


def test_what_is_not_ours_is_left_in_peace() -> None:
    assert judge(FOREIGN) == []


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text("ab*{", max_size=8)
    | st.just(UNKNOWN)
    | st.sampled_from(["*", "myflux-local-sweep", "myflux/local/acme/openai", document({"Effect": "Allow"}), "cron("]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=4), inner, max_size=3),
    max_leaves=6,
)
TYPES = st.sampled_from(sorted({one.type for one in FOREIGN} | {"aws:secretsmanager/secretRotation:SecretRotation"}))
NAMES = st.sampled_from(
    [
        "name",
        "policy",
        "tags",
        "input",
        "environment",
        "assumeRolePolicy",
        "secretId",
        "functionName",
        "rotationRules",
        "replicas",
        "role",
    ]
)


@given(st.lists(st.tuples(TYPES, st.dictionaries(NAMES, JUNK, max_size=5)), max_size=4))
def test_the_judge_never_raises(shown: list[tuple[str, dict[str, Any]]]) -> None:
    ours_too = {"managed-by": "myflux-keys"}
    stack = [resource(kind, f"r{place}", **{"tags": ours_too, **given}) for place, (kind, given) in enumerate(shown)]
    for finding in judge(stack):
        assert "could not be judged" not in finding.message, finding


def test_a_rule_that_fails_has_not_passed() -> None:
    def fails(*_: object) -> Any:
        raise ZeroDivisionError

    (rule,) = [one for one in RULES if one.name == READ]
    broken = replace(rule, check=fails)
    (found,) = judge(FOREIGN, rules=[broken])
    assert found.message == f"could not be judged: the rule {READ} failed with ZeroDivisionError"
    assert found.kind == "violation", "so the rule's own level decides"


def test_names_and_shapes_are_those_of_the_product() -> None:
    cell = CellNames("prod-eu1", "111122223333", "eu-central-1")
    tenant = cell.tenant("acme")
    assert ownership.place_of(tenant.secret) == ownership.Place("prod-eu1", "acme")
    assert ownership.place_of(cell.admin_secret) == ownership.Place("prod-eu1", names.PLATFORM_TENANT)
    roles = (
        cell.rotation_function,
        cell.provisioner_function,
        cell.admin_rotation_function,
        cell.sweep_function,
        cell.runtime_role,
        cell.deployer_role,
    )
    kinds = ["rotation", "provisioner", "admin-rotator", "sweep", "runtime", "deployer"]
    assert [ownership.role_of(cell.role_arn(role)) for role in roles] == [
        ownership.OurRole("prod-eu1", kind) for kind in kinds
    ]
    assert ownership.role_of(tenant.dedicated_role) == ownership.OurRole("prod-eu1", "dedicated", "acme")
    assert ownership.MANAGED_BY == names.MANAGED_BY
    assert key_shapes.KEY_SHAPE.pattern == redaction.KEY_SHAPE.pattern, "what is redacted is what is refused"
