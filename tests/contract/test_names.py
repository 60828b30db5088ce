"""Names: unambiguous, within the limits of AWS and OpenAI, and as the design spells them."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st

from myflux_keys.aws_names import CellNames, TenantNames
from myflux_keys.names import CELL_SLUG, PLATFORM_TENANT, TENANT_SLUG, admin_key_name, secret_name

cells = st.from_regex(CELL_SLUG, fullmatch=True)
tenants = st.from_regex(TENANT_SLUG, fullmatch=True)
ACCOUNT, REGION = "123456789012", "ap-southeast-1"
TOKEN = "0" * 64
"""Secrets Manager's ClientRequestToken has 32 to 64 characters."""

WORDS = [
    "a" * 3,
    "prod",
    "prod-eu",
    "eu",
    "eu-acme",
    "acme",
    "prod-eu-acme",
    "a-b",
    "b-c",
    "a-b-c",
    "runtime",
    "rotation",
]


def aws_names(names: TenantNames) -> list[str]:
    """What has to be unique in an account, or as a stack."""
    return [
        names.stack,
        names.secret,
        names.dedicated_role,
        names.dedicated_role_arn,
        names.dedicated_kms_alias,
        names.secret_arn_pattern,
    ]


def openai_names(names: TenantNames) -> list[str]:
    """What has to be unique in one cell's OpenAI organization."""
    return [names.project, names.key_name(TOKEN)]


def platform_names(cell: CellNames) -> list[str]:
    return [
        cell.stack,
        cell.admin_secret,
        cell.kms_alias,
        cell.rotation_function,
        cell.provisioner_function,
        cell.admin_rotation_function,
        cell.runtime_role,
        cell.boundary_policy,
        cell.read_policy,
        cell.dead_letter_queue,
        cell.alarm_topic,
        *cell.rules,
    ]


def of(cell: str, tenant: str) -> TenantNames:
    return CellNames(cell, ACCOUNT, REGION).tenant(tenant)


@given(cells, tenants, cells, tenants)
def test_no_two_tenants_share_a_name_in_aws(cell: str, tenant: str, other_cell: str, other: str) -> None:
    assume((cell, tenant) != (other_cell, other))
    assert not set(aws_names(of(cell, tenant))) & set(aws_names(of(other_cell, other)))


def test_names_that_meet_at_a_hyphen_stay_apart_in_aws() -> None:
    """Every pair of words that could be cut in two ways, against every other."""
    pairs = [(cell, tenant) for cell in WORDS for tenant in WORDS if CELL_SLUG.fullmatch(cell)]
    seen: dict[str, tuple[str, str]] = {}
    for pair in pairs:
        for name in aws_names(of(*pair)):
            assert seen.setdefault(name, pair) == pair, f"{name} belongs to {seen[name]} and to {pair}"


@given(cells, tenants, tenants)
def test_no_two_tenants_of_a_cell_share_a_name_at_openai(cell: str, tenant: str, other: str) -> None:
    assume(tenant != other)
    assert not set(openai_names(of(cell, tenant))) & set(openai_names(of(cell, other)))


@given(cells, cells, tenants)
def test_an_admin_keys_name_is_no_other_cells_and_no_tenants(cell: str, other: str, tenant: str) -> None:
    assert admin_key_name(cell, TOKEN) != of(other, tenant).key_name(TOKEN)
    if cell != other:
        assert not admin_key_name(other, TOKEN).startswith(admin_key_name(cell, "")), "they are told by the prefix"


@given(cells, cells, tenants)
def test_no_name_of_a_platform_is_another_platforms_or_a_tenants(cell: str, other: str, tenant: str) -> None:
    ours = CellNames(cell, ACCOUNT, REGION)
    assert len(set(platform_names(ours))) == len(platform_names(ours)), "functions and roles apart, all differ"
    assert not set(platform_names(ours)) & set(aws_names(of(other, tenant)))
    if cell != other:
        assert not set(platform_names(ours)) & set(platform_names(CellNames(other, ACCOUNT, REGION)))


def test_platform_names_that_meet_at_a_hyphen_stay_apart() -> None:
    stems = [
        "abc",
        "abc-rotation",
        "abc-runtime",
        "abc-dead",
        "abc-rotation-failed",
        "abc-dead-letters",
        "abc-read",
        "abc-admin",
    ]
    names = [name for stem in stems for name in platform_names(CellNames(stem, ACCOUNT, REGION))]
    assert all(first != second for first, second in pairwise(sorted(names)))


@given(cells, tenants)
def test_names_fit_their_services(cell: str, tenant: str) -> None:
    names, platform = of(cell, tenant), CellNames(cell, ACCOUNT, REGION)
    roles = [names.dedicated_role, platform.rotation_function, platform.provisioner_function, platform.runtime_role]
    assert all(len(role) <= 64 and re.fullmatch(r"[\w+=,.@-]+", role) for role in roles), "IAM roles: 64"
    functions = [platform.rotation_function, platform.provisioner_function]
    assert all(len(name) <= 64 and re.fullmatch(r"[A-Za-z0-9_-]+", name) for name in functions), "Lambda: 64"
    assert len(names.secret) <= 512
    assert re.fullmatch(r"[A-Za-z0-9/_+=.@-]+", names.secret), "Secrets Manager's alphabet"
    assert not re.search(r"-[A-Za-z0-9]{6}$", names.secret), "or a partial ARN would be taken for a whole one"
    assert len(names.dedicated_kms_alias) <= 256
    assert re.fullmatch(r"alias/[A-Za-z0-9/_-]+", names.dedicated_kms_alias)
    assert len(platform.dead_letter_queue) <= 80, "SQS: 80"
    assert len(platform.rotation_failed_rule) <= 64, "EventBridge rules: 64"
    assert len(names.stack) <= 100
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", names.stack), "Pulumi stack names: 100"
    assert all(len(value) <= 256 for value in names.tags.values())


@given(cells, tenants)
def test_no_pattern_for_tenants_reaches_the_admin_key(cell: str, tenant: str) -> None:
    from fnmatch import fnmatchcase

    platform = CellNames(cell, ACCOUNT, REGION)
    admin = platform.admin_secret_arn_pattern.replace("??????", "AbCdEf")
    assert not fnmatchcase(admin, platform.tenant_secrets_arn_pattern)
    assert not fnmatchcase(admin, of(cell, tenant).secret_arn_pattern)
    own = of(cell, tenant).secret_arn_pattern.replace("??????", "AbCdEf")
    assert fnmatchcase(own, platform.tenant_secrets_arn_pattern)


@given(tenants)
def test_the_platforms_tag_is_no_tenants_name(tenant: str) -> None:
    assert not TENANT_SLUG.fullmatch(PLATFORM_TENANT)
    assert of("cell", tenant).tags["tenant"] == tenant != PLATFORM_TENANT


def test_names_are_as_the_design_spells_them() -> None:
    names = of("prod-eu1", "acme")
    assert names.stack == "acme.prod-eu1"
    assert names.secret == secret_name("prod-eu1", "acme") == "myflux/prod-eu1/acme/openai"
    assert names.project == "myflux-prod-eu1-acme"
    assert names.key_name("token") == "myflux-prod-eu1-acme-token"
    assert names.tags == {"tenant": "acme", "cell": "prod-eu1", "managed-by": "myflux-keys"}


def test_other_partitions_have_their_own_arns() -> None:
    arn = CellNames("cell", ACCOUNT, "cn-north-1", "aws-cn").runtime_role_arn
    assert arn == f"arn:aws-cn:iam::{ACCOUNT}:role/myflux-cell-runtime"
