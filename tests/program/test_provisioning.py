"""From an empty cell to four tenants, and what may and may not be there afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from demo.leaks import Text, search
from myflux_keys import KeyReader, NotReadyError, names
from tests.program.conftest import MANAGED, SHIPPED, Before, Shipped
from tests.program.rig import CELL, Rig

pytestmark = [pytest.mark.engine, pytest.mark.cell]


def test_a_preview_of_the_platform_works_on_an_empty_cell(before: Before) -> None:
    assert set(before.platform.changed.values()) == {"create"}
    types = {step.type for step in before.platform.steps}
    assert {"aws:kms/key:Key", "aws:lambda/function:Function", "aws:secretsmanager/secret:Secret"} <= types


def test_a_tenant_before_its_platform_is_told_what_to_do(before: Before) -> None:
    assert "cell local has no platform yet" in before.tenant.refusal
    assert "pulumi up --stack local" in before.tenant.refusal
    made = {step.type for step in before.tenant.steps if step.op == "create"}
    assert not [kind for kind in made if kind.startswith("aws:")], "nothing of AWS may be planned without a platform"


def test_no_stack_holds_a_version_of_a_secret(shipped: Shipped, before: Before) -> None:
    planned = {step.type for step in before.platform.steps}
    for stack in (CELL, *(f"{slug}.{CELL}" for slug in SHIPPED)):
        planned |= {resource["type"] for resource in shipped.rig.resources(stack)}
    assert "aws:secretsmanager/secret:Secret" in planned, "else nothing was looked at"
    assert not [kind for kind in planned if "secretVersion" in kind]


@pytest.mark.parametrize("slug", MANAGED)
def test_the_lock_is_on_before_the_first_key_can_be_minted(shipped: Shipped, slug: str) -> None:
    asked = shipped.rig.trail(slug)
    assert asked.index("CreateSecret") < asked.index("PutResourcePolicy") < asked.index("RotateSecret"), asked
    assert asked.index("RotateSecret") < asked.index("PutSecretValue"), (
        "and the key comes by rotation, from nowhere else"
    )


def test_the_permission_to_rotate_stands_before_any_tenant_asks_for_it(shipped: Shipped) -> None:
    policy = shipped.rig.client("administrator", "lambda").get_policy(FunctionName=shipped.rig.names.rotation_function)
    (statement,) = json.loads(policy["Policy"])["Statement"]
    assert statement["Principal"] == {"Service": "secretsmanager.amazonaws.com"}
    assert statement["Condition"]["StringEquals"]["AWS:SourceAccount"] == shipped.rig.cell.account_id
    assert statement["Condition"]["ArnLike"]["AWS:SourceArn"] == shipped.rig.names.tenant_secrets_arn_pattern
    first = {slug: shipped.rig.trail(slug).count("RotateSecret") for slug in MANAGED}
    assert first == dict.fromkeys(MANAGED, 1), "one request each was enough"


def test_two_at_once_do_not_disturb_each_other(shipped: Shipped) -> None:
    keys: list[str] = []
    for slug in MANAGED:
        assert "create" in shipped.ups[slug].changed.values()
        assert len(shipped.rig.projects(slug)) == 1, f"{slug} has one project"
        live = shipped.rig.live_keys(slug)
        assert live, f"{slug} has a key"
        keys += live
        state = json.dumps(shipped.rig.export(shipped.rig.tenant(slug).stack))
        for other in set(SHIPPED) - {slug}:
            assert f"myflux/{CELL}/{other}/" not in state, f"{slug}'s stack knows of {other}"
            assert f"myflux-{CELL}-{other}" not in state
    assert len(set(keys)) == len(keys), "no two tenants share a key"


def test_everything_that_can_be_tagged_is_tagged(shipped: Shipped) -> None:
    for stack, tenant in ((CELL, names.PLATFORM_TENANT), *((f"{slug}.{CELL}", slug) for slug in SHIPPED)):
        expected = {names.TAG_TENANT: tenant, names.TAG_CELL: CELL, names.TAG_MANAGED_BY: names.MANAGED_BY}
        taggable = [r for r in shipped.rig.resources(stack) if "tagsAll" in r.get("outputs", {})]
        assert taggable, f"nothing in {stack} carries tags"
        for resource in taggable:
            assert expected.items() <= resource["outputs"]["tagsAll"].items(), f"{resource['urn']} lacks a tag"


def test_a_customers_own_key_gets_a_place_and_nothing_else(shipped: Shipped, reader: Callable[..., KeyReader]) -> None:
    made = [r["type"] for r in shipped.rig.resources(f"initech.{CELL}") if r["type"].startswith("aws:")]
    assert sorted(made) == [
        "aws:s3/bucketObjectv2:BucketObjectv2",
        "aws:secretsmanager/secret:Secret",
        "aws:secretsmanager/secretPolicy:SecretPolicy",
    ]
    described = shipped.rig.describe("initech")
    assert not described.get("RotationEnabled"), "a key that is not ours is not rotated"
    assert not described.get("VersionIdsToStages")
    assert shipped.rig.projects("initech") == [], "no project is made in an account of ours"
    with pytest.raises(NotReadyError):
        reader().get("initech")


def _as_runtime(rig: Rig, role_arn: str, tag: str) -> dict[str, str]:
    sts = rig.client("runtime", "sts")
    return sts.assume_role(RoleArn=role_arn, RoleSessionName="test", Tags=[{"Key": "tenant", "Value": tag}])[
        "Credentials"
    ]


def _read(rig: Rig, role_arn: str, tag: str, slug: str) -> None:
    import boto3

    held = _as_runtime(rig, role_arn, tag)
    session = boto3.Session(held["AccessKeyId"], held["SecretAccessKey"], held["SessionToken"], rig.cell.region)
    client = session.client("secretsmanager", endpoint_url=rig.cell.aws_url)
    try:
        client.get_secret_value(SecretId=rig.tenant(slug).secret)
    finally:
        client.close()


def test_a_dedicated_tenant_has_a_key_and_a_role_that_no_other_shares(
    shipped: Shipped, reader: Callable[..., KeyReader]
) -> None:
    rig = shipped.rig
    own = rig.tenant("globex")
    (key,) = [r for r in rig.resources(own.stack) if r["type"] == "aws:kms/key:Key"]
    assert rig.describe("globex")["KmsKeyId"] == key["outputs"]["arn"]
    assert rig.describe("acme")["KmsKeyId"] != key["outputs"]["arn"]
    assert reader(role_arn=own.dedicated_role_arn).get("globex").tenant == "globex"
    with pytest.raises(ClientError, match="AccessDenied"):
        _read(rig, rig.names.runtime_role_arn, "globex", "globex")
    with pytest.raises(ClientError, match="AccessDenied"):
        _read(rig, own.dedicated_role_arn, "acme", "acme")
    with pytest.raises(ClientError, match="AccessDenied"):
        _read(rig, own.dedicated_role_arn, "globex", "acme")


def test_no_state_output_or_event_ever_holds_a_key(shipped: Shipped, reader: Callable[..., KeyReader]) -> None:
    rig = shipped.rig
    minted = {key.id: key.value for key in rig.cell.openai.minted()}
    assert len(minted) > len(MANAGED), "the admin's and one each"
    assert reader().get("acme").reveal() in minted.values(), "what is searched for is what the runtime reads"
    texts: list[Text] = []
    for stack in (CELL, *(f"{slug}.{CELL}" for slug in SHIPPED)):
        texts += [Text(stack, json.dumps(rig.export(stack, *how)).encode()) for how in ((), ("--show-secrets",))]
    texts += [Text(f"up of {slug}", (up.out + up.err).encode()) for slug, up in shipped.ups.items()]
    assert all(len(text.content) > 1000 for text in texts), "nothing that was searched is empty"
    assert list(search(texts, minted)) == []
