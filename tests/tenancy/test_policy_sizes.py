"""A list of principals that makes a policy longer than AWS takes is refused with the file, not by AWS in mid-`up`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.platform import Platform
from components.tenant_key import TenantKey
from myflux_keys.names import TENANT_SLUG
from tenancy.policy_sizes import KEY, LONGEST_TENANT, SECRET, TRUST, measured
from tests.components.conftest import build as build  # the recording monitor, for what is really asked of the engine
from tests.components.test_platform import arguments as platform_arguments
from tests.components.test_tenant_key import arguments as tenant_arguments
from tests.tenancy.files import REAL, Files

Build = Callable[[Callable[[], Any]], Any]
SSO = "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_T{:03}_0123456789abcde"


def principals(count: int) -> list[str]:
    return [SSO.format(number) for number in range(count)]


def cell(files: Files, **fields: Any) -> Any:
    (files.root / "cells" / "local.yaml").unlink()
    return files.cell("prod-eu1", base=REAL, **fields)


def test_a_handful_of_either_is_taken(files: Files) -> None:
    cell(files, runtime_principals=principals(12), deployer_principals=principals(13)[12:])
    assert files.load().cells["prod-eu1"]


@pytest.mark.parametrize(
    ("field", "count", "says"),
    [
        ("runtime_principals", 40, ["a role's trust policy", "2048", "reference_iam-quotas"]),
        ("deployer_principals", 120, ["a secret's policy", "20480", "secretsmanager"]),
    ],
)
def test_too_many_are_refused_on_their_own_line(files: Files, field: str, count: int, says: list[str]) -> None:
    path = cell(files, **{field: principals(count)})
    problem = files.problem()
    assert (problem.file, problem.rule, problem.field) == ("cells/prod-eu1.yaml", "principals-too-many", field)
    assert path.read_text().splitlines()[(problem.line or 0) - 1].startswith(f"{field}:")
    assert all(words in problem.reason for words in says), problem.reason
    assert "one role" in problem.way_out


def test_the_bound_is_where_awss_is(files: Files) -> None:
    """One character of an ARN at a time, up to the limit and over it."""

    def trust_of(length: int) -> list[str]:
        return [*principals(12), "arn:aws:iam::123456789012:role/" + "r" * length]

    cell(files, runtime_principals=trust_of(1))
    sizes = [len(json.dumps(d)) for _, limit, d in measured(files.load().cells["prod-eu1"]) if limit is TRUST]
    room = TRUST.most - max(sizes)
    assert room > 0
    files.cell("prod-eu1", base=REAL, runtime_principals=trust_of(1 + room))
    assert files.load().cells
    files.cell("prod-eu1", base=REAL, runtime_principals=trust_of(2 + room))
    assert files.problem().rule == "principals-too-many"


def test_the_tenant_that_is_measured_with_has_the_longest_slug() -> None:
    assert TENANT_SLUG.fullmatch(LONGEST_TENANT)
    assert not TENANT_SLUG.fullmatch(LONGEST_TENANT + "t")


def test_what_is_measured_is_no_shorter_than_what_is_sent(build: Build, files: Files, tmp_path: Path) -> None:
    cell(files, runtime_principals=principals(3), deployer_principals=principals(9)[3:])
    held = files.load().cells["prod-eu1"]
    whom: dict[str, Any] = {
        "runtime_principals": held.runtime_principals,
        "deployer_principals": held.deployer_principals,
    }
    names = held.names.tenant(LONGEST_TENANT)

    def all_kinds() -> None:
        Platform("prod-eu1", platform_arguments(held.names, tmp_path, **whom))
        for slug, managed in (("managed", {}), ("customers", {"managed": None, "own_organization": True})):
            options = {"dedicated": True, "enabled": False, **managed, **whom}
            TenantKey(slug, tenant_arguments(names, **options))

    recorded = build(all_kinds)
    sent = {
        TRUST: [r.inputs["assumeRolePolicy"] for r in recorded.of("aws:iam/role:Role")],
        SECRET: [r.inputs["policy"] for r in recorded.of("aws:secretsmanager/secretPolicy:SecretPolicy")],
        KEY: [r.inputs["policy"] for r in recorded.of("aws:kms/key:Key")],
    }
    for limit, texts in sent.items():
        assert len(texts) >= 3, limit.what
        longest = max(len(json.dumps(document)) for _, of, document in measured(held) if of is limit)
        assert longest == max(len(text) for text in texts), f"{limit.what}: another one is sent"
