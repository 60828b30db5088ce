"""Tokens and identities by real calls, with the documents that the platform deploys: a session of one tenant has what
is its own, in one form, and nobody else has any.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jwt
import pytest

from components.iam import identity
from components.iam.boundary import permissions_boundary
from components.iam.federation import runtime_callers
from components.iam.health import health_bucket
from myflux_keys.aws_names import CellNames
from myflux_keys.cell_functions import HEALTH, SWEEP, CellFunction
from tests.aws_iam.served import ACCOUNT, REGION, Cell, allow, as_tags, document, refusal, trust, unique, user_arn

NAMES = CellNames("keyless", ACCOUNT, REGION)
ASKED: dict[str, Any] = {"Audience": ["myflux-keyless"], "SigningAlgorithm": "ES384", "DurationSeconds": 900}
OWN = "https://sts.amazonaws.com/"
SLUGS = ("acme", "globex")


@dataclass
class Keyless:
    cell: Cell
    application: Any
    """A session that may assume the runtime role, as an application's."""
    functions: dict[str, Any]
    """Sessions of functions' roles."""

    def runtime(self, tenant: str, by: Any = None) -> Any:
        return self.cell.assume(by or self.application, NAMES.runtime_role_arn, Tags=as_tags({"tenant": tenant}))

    def token(self, session: Any, **change: Any) -> str:
        return self.cell.client(session, "sts").get_web_identity_token(**(ASKED | change))["WebIdentityToken"]

    def refused(self, session: Any, **change: Any) -> str:
        return refusal(lambda: self.token(session, **change))[0]

    def read(self, session: Any, key: str) -> str:
        s3 = self.cell.client(session, "s3", s3={"addressing_style": "path"})
        return s3.get_object(Bucket=NAMES.health_bucket, Key=key)["Body"].read().decode()


@pytest.fixture(scope="module")
def keyless(cell: Cell) -> Iterator[Keyless]:
    iam, s3 = cell.client("administrator", "iam"), cell.client("administrator", "s3", s3={"addressing_style": "path"})
    iam.enable_outbound_web_identity_federation()
    name, application = cell.user([allow(["sts:AssumeRole", "sts:TagSession"])])
    boundary = iam.create_policy(
        PolicyName=NAMES.boundary_policy, PolicyDocument=json.dumps(permissions_boundary(NAMES))
    )["Policy"]["Arn"]
    functions = {one.kind: _function(cell, application, user_arn(name), one, boundary) for one in (HEALTH, SWEEP)}
    callers = runtime_callers(NAMES, [user_arn(name)], federation=True)
    iam.create_role(
        RoleName=NAMES.runtime_role,
        AssumeRolePolicyDocument=json.dumps(identity.runtime_trust(callers, identity.any_tenant())),
        PermissionsBoundary=boundary,
    )
    read = json.dumps(identity.runtime_read(NAMES, federation=True))
    iam.put_role_policy(RoleName=NAMES.runtime_role, PolicyName="read", PolicyDocument=read)
    s3.create_bucket(Bucket=NAMES.health_bucket)
    for slug in SLUGS:
        for key in (NAMES.tenant(slug).identity, NAMES.tenant(slug).declaration):
            s3.put_object(Bucket=NAMES.health_bucket, Key=key, Body=key.encode())
    policy = health_bucket(NAMES, deployers=[user_arn("deployer")], tls=False, federation=True)
    s3.put_bucket_policy(Bucket=NAMES.health_bucket, Policy=json.dumps(policy))
    yield Keyless(cell, application, functions)
    iam.disable_outbound_web_identity_federation()


def _function(cell: Cell, application: Any, arn: str, one: CellFunction, boundary: str) -> Any:
    """A session of the role of a function, which a user becomes here in Lambda's place."""
    iam = cell.client("administrator", "iam")
    trusted = document(trust({"AWS": arn}))
    name = NAMES.function(one)
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusted, PermissionsBoundary=boundary)["Role"]["Arn"]
    own = json.dumps(identity.function_permissions(one, NAMES, federation=True))
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=own)
    return cell.assume(application, role)


@pytest.mark.parametrize("slug", SLUGS)
def test_a_session_gets_its_own_tenants_token_and_identity(keyless: Keyless, slug: str) -> None:
    session = keyless.runtime(slug)
    claims = jwt.decode(keyless.token(session), options={"verify_signature": False})
    assert (claims["sub"], claims["aud"]) == (NAMES.runtime_role_arn, "myflux-keyless")
    assert claims[OWN]["principal_tags"] == {"tenant": slug}, "what the tenant's rule at OpenAI matches"
    assert claims["exp"] - claims["iat"] <= 900
    assert keyless.read(session, NAMES.tenant(slug).identity) == f"declarations/identities/{slug}.json"


def test_an_identity_that_is_not_there_is_told_like_one_that_is_denied(keyless: Keyless) -> None:
    """Without the right to list, S3 does not tell them apart: a reader takes both for no identity."""
    session = keyless.runtime("nobody")
    assert refusal(lambda: keyless.read(session, NAMES.tenant("nobody").identity))[0] == "AccessDenied"
    s3 = keyless.cell.client(session, "s3", s3={"addressing_style": "path"})
    there = {"Bucket": NAMES.health_bucket, "Key": NAMES.tenant("nobody").identity}
    assert refusal(lambda: s3.head_object(**there))[0] == "403"
    admin = keyless.cell.client("stranger", "s3", s3={"addressing_style": "path"})
    admin.create_bucket(Bucket="strangers-own")
    assert refusal(lambda: admin.get_object(Bucket="strangers-own", Key="none"))[0] == "NoSuchKey"


def test_a_session_reads_no_other_tenants_identity_and_nothing_else_of_the_bucket(keyless: Keyless) -> None:
    session = keyless.runtime("acme")
    others = (NAMES.tenant("globex").identity, NAMES.tenant("acme").declaration, NAMES.tenant("acme").identity + "x")
    for key in others:
        assert refusal(lambda key=key: keyless.read(session, key))[0] == "AccessDenied", key
    s3 = keyless.cell.client(session, "s3", s3={"addressing_style": "path"})
    write = {"Bucket": NAMES.health_bucket, "Key": NAMES.tenant("acme").identity}
    assert refusal(lambda: s3.put_object(**write, Body=b"{}"))[0] == "AccessDenied"
    assert refusal(lambda: s3.list_objects_v2(Bucket=NAMES.health_bucket))[0] == "AccessDenied"


@pytest.mark.parametrize(
    "change",
    [
        {"Audience": ["https://api.openai.com/v1"]},
        {"Audience": ["myflux-keyless", "https://elsewhere.example"]},
        {"Audience": ["myflux-other"]},
        {"DurationSeconds": 901},
        {"SigningAlgorithm": "RS256"},
        {"Tags": as_tags({"tenant": "globex"})},
        {"Tags": as_tags({"tenant": "acme"})},
    ],
    ids=lambda change: str(next(iter(change.items()))),
)
def test_a_token_has_one_form(keyless: Keyless, change: dict[str, Any]) -> None:
    """No second audience, no longer life, and no tag that the session chooses itself, not even its own."""
    assert keyless.refused(keyless.runtime("acme"), **change) == "AccessDenied"


@pytest.mark.parametrize("tags", [{}, {"team": "x"}, {"tenant": "_platform"}, {"tenant": "acme", "team": "x"}], ids=str)
def test_nobody_becomes_the_runtime_without_exactly_one_tenant(keyless: Keyless, tags: dict[str, str]) -> None:
    def assume() -> None:
        keyless.cell.assume(keyless.application, NAMES.runtime_role_arn, Tags=as_tags(tags))

    assert refusal(assume)[0] == "AccessDenied"


def test_a_session_without_a_tenant_would_get_no_token(cell: Cell, keyless: Keyless) -> None:
    """Though the trust refuses such sessions: the right itself asks for the tag."""
    role = cell.role(
        [trust({"AWS": "*"})], identity.runtime_read(NAMES, federation=True)["Statement"], RoleName=unique("untagged")
    )
    assert keyless.refused(cell.assume(keyless.application, role)) == "AccessDenied"


def test_the_health_function_becomes_the_runtime_and_no_other_function_does(keyless: Keyless) -> None:
    health, sweep = keyless.functions["health"], keyless.functions["sweep"]
    assert keyless.token(keyless.runtime("acme", by=health))
    assert refusal(lambda: keyless.runtime("acme", by=sweep))[0] == "AccessDenied"
    _, stranger = keyless.cell.user([allow(["sts:AssumeRole", "sts:TagSession"])])
    assert refusal(lambda: keyless.runtime("acme", by=stranger))[0] == "AccessDenied"


def test_no_function_asks_for_a_token_as_itself(keyless: Keyless) -> None:
    assert {keyless.refused(session) for session in keyless.functions.values()} == {"AccessDenied"}


def test_a_session_of_one_tenant_does_not_become_one_of_another(keyless: Keyless) -> None:
    """The runtime role does not trust itself."""
    become: Callable[[], Any] = lambda: keyless.runtime("globex", by=keyless.runtime("acme"))  # noqa: E731
    assert refusal(become)[0] == "AccessDenied"


def test_whatever_is_attached_to_a_role_later_a_token_is_for_the_cells_audience(cell: Cell, keyless: Keyless) -> None:
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/{NAMES.boundary_policy}"
    role = cell.role([trust({"AWS": "*"})], [allow("*")], RoleName=unique("wide"), PermissionsBoundary=boundary)
    session = cell.assume(keyless.application, role)
    assert keyless.token(session)
    assert keyless.refused(session, Audience=["https://api.openai.com/v1"]) == "AccessDenied"
    assert keyless.refused(session, Tags=as_tags({"tenant": "acme"})) == "AccessDenied"
