"""GetWebIdentityToken: tokens that anybody can verify, for whom IAM lets have one, with the claims that AWS documents.

The tokens are verified as OpenAI would: by the issuer's discovery document and key set, over HTTP.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound.html
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import jwt
import pytest

from local import addresses
from local.aws.federation.settings import PrincipalTags, Settings, choose
from tests.aws_iam.served import ACCOUNT, REGION, Cell, allow, as_tags, refusal, trust, user_arn

AUDIENCE = "https://api.openai.com/v1"
GET, TAG = "sts:GetWebIdentityToken", "sts:TagGetWebIdentityToken"
OWN = "https://sts.amazonaws.com/"
ASKED: dict[str, Any] = {"Audience": [AUDIENCE], "SigningAlgorithm": "ES384", "DurationSeconds": 300}


@pytest.fixture
def issuer(cell: Cell) -> Iterator[str]:
    """Federation is enabled during the test: the account's issuer URL."""
    iam = cell.client("administrator", "iam")
    yield iam.enable_outbound_web_identity_federation()["IssuerIdentifier"]
    iam.disable_outbound_web_identity_federation()


@pytest.fixture
def choices(cell: Cell) -> Iterator[Any]:
    """Sets the cell's settings for the test."""
    yield lambda **changes: choose(cell.home, Settings(**changes))
    choose(cell.home, Settings())


@pytest.fixture(scope="module")
def assumer(cell: Cell) -> tuple[str, boto3.Session]:
    return cell.user([allow(["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"])])


@pytest.fixture
def role(cell: Cell, assumer: tuple[str, boto3.Session]) -> Any:
    """Makes a role with this policy and tags, and returns its ARN and a session of it."""

    def make(*statements: dict[str, Any], tags: dict[str, str] | None = None, **assuming: Any) -> tuple[str, Any]:
        name, session = assumer
        trusted = trust({"AWS": user_arn(name)}, ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"])
        arn = cell.role([trusted], list(statements), Tags=as_tags(tags or {}))
        return arn, cell.assume(session, arn, **assuming)

    return make


def document(cell: Cell, url: str) -> Any:
    """The JSON at an HTTPS address of the cell's internet."""
    host, _, path = url.removeprefix("https://").partition("/")
    base = addresses.find(cell.home, host)
    with urllib.request.urlopen(f"{base}/{path}", timeout=60) as answer:
        return json.load(answer)


def verified(cell: Cell, issuer: str, token: str) -> dict[str, Any]:
    configuration = document(cell, f"{issuer}/.well-known/openid-configuration")
    assert configuration["issuer"] == issuer
    header = jwt.get_unverified_header(token)
    key = jwt.PyJWKSet.from_dict(document(cell, configuration["jwks_uri"]))[header["kid"]]
    assert header["alg"] in configuration["id_token_signing_alg_values_supported"]
    return jwt.decode(token, key, algorithms=[header["alg"]], audience=AUDIENCE, issuer=issuer)


def token(cell: Cell, session: Any, **changes: Any) -> str:
    return cell.client(session, "sts").get_web_identity_token(**(ASKED | changes))["WebIdentityToken"]


def refused(cell: Cell, session: Any, **changes: Any) -> tuple[str, str]:
    return refusal(lambda: token(cell, session, **changes))


def test_an_account_has_the_feature_only_while_it_is_enabled_and_keeps_its_issuer(cell: Cell, role: Any) -> None:
    _, session = role(allow(GET))
    iam = cell.client("administrator", "iam")
    assert refused(cell, session)[0] == "OutboundWebIdentityFederationDisabledException"
    assert refusal(iam.get_outbound_web_identity_federation_info)[0] == "FeatureDisabled"
    url = iam.enable_outbound_web_identity_federation()["IssuerIdentifier"]
    assert url.startswith("https://")
    assert url.endswith(".tokens.sts.global.api.aws")
    assert refusal(iam.enable_outbound_web_identity_federation)[0] == "FeatureEnabled"
    info = iam.get_outbound_web_identity_federation_info()
    assert (info["IssuerIdentifier"], info["JwtVendingEnabled"]) == (url, True)
    out = token(cell, session)
    iam.disable_outbound_web_identity_federation()
    assert refusal(iam.disable_outbound_web_identity_federation)[0] == "FeatureDisabled"
    assert refused(cell, session)[0] == "OutboundWebIdentityFederationDisabledException"
    assert verified(cell, url, out)["iss"] == url, "a token that is already out stays valid"
    assert iam.enable_outbound_web_identity_federation()["IssuerIdentifier"] == url
    iam.disable_outbound_web_identity_federation()


def test_only_who_may_manages_the_feature(cell: Cell, role: Any) -> None:
    _, session = role(allow("iam:GetOutboundWebIdentityFederationInfo"))
    iam = cell.client(session, "iam")
    code, message = refusal(iam.enable_outbound_web_identity_federation)
    assert code == "AccessDenied"
    assert "iam:EnableOutboundWebIdentityFederation" in message
    assert refusal(iam.get_outbound_web_identity_federation_info)[0] == "FeatureDisabled", "allowed, and not enabled"


@pytest.mark.parametrize("algorithm", ["RS256", "ES384"])
def test_a_token_names_the_role_and_its_signature_is_the_issuers(
    cell: Cell, issuer: str, role: Any, algorithm: str
) -> None:
    arn, session = role(allow(GET))
    began = int(time.time())
    answer = cell.client(session, "sts").get_web_identity_token(**(ASKED | {"SigningAlgorithm": algorithm}))
    claims = verified(cell, issuer, answer["WebIdentityToken"])
    assert jwt.get_unverified_header(answer["WebIdentityToken"])["alg"] == algorithm
    assert (claims["sub"], claims["aud"]) == (arn, AUDIENCE)
    assert claims["exp"] - claims["iat"] == 300
    assert claims["iat"] >= began
    assert int(answer["Expiration"].timestamp()) == claims["exp"]
    own = claims[OWN]
    assert (own["aws_account"], own["source_region"]) == (ACCOUNT, REGION)
    assert "original_session_exp" in own
    assert own.keys() == {"aws_account", "source_region", "original_session_exp"}, "an empty claim is left out"


def test_each_token_has_an_id_of_its_own_and_five_minutes_without_a_duration(
    cell: Cell, issuer: str, role: Any
) -> None:
    _, session = role(allow(GET))
    sts = cell.client(session, "sts")
    short = {name: value for name, value in ASKED.items() if name != "DurationSeconds"}
    first, second = (verified(cell, issuer, sts.get_web_identity_token(**short)["WebIdentityToken"]) for _ in range(2))
    assert first["jti"] != second["jti"]
    assert first["exp"] - first["iat"] == 300


def test_a_users_token_names_the_user(cell: Cell, issuer: str) -> None:
    name, session = cell.user([allow(GET)], tags={"team": "data"})
    claims = verified(cell, issuer, token(cell, session))
    assert claims["sub"] == user_arn(name)
    assert claims[OWN]["principal_tags"] == {"team": "data"}
    assert "original_session_exp" not in claims[OWN]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("session over role", {"team": "data", "tenant": "acme"}),
        ("session alone", {"tenant": "acme"}),
        ("role alone", {"team": "data", "Tenant": "of-the-role"}),
    ],
)
def test_principal_tags_are_one_of_the_readings_of_awss_sentence(
    cell: Cell, issuer: str, role: Any, choices: Any, choice: PrincipalTags, expected: dict[str, str]
) -> None:
    """The session's tag hides the role's of the same key, whatever the case, as for aws:PrincipalTag."""
    tags = {"team": "data", "Tenant": "of-the-role"}
    _, session = role(allow(GET), tags=tags, Tags=as_tags({"tenant": "acme"}), SourceIdentity="ann")
    choices(principal_tags=choice)
    own = verified(cell, issuer, token(cell, session))[OWN]
    assert own["principal_tags"] == expected
    assert own["source_identity"] == "ann"


def test_an_account_in_an_organization_says_so(cell: Cell, issuer: str, role: Any, choices: Any) -> None:
    _, session = role(allow(GET))
    choices(organization_id="o-abc1234567")
    assert verified(cell, issuer, token(cell, session))[OWN]["org_id"] == "o-abc1234567"


def test_request_tags_are_a_claim_of_their_own_and_need_a_right_of_their_own(
    cell: Cell, issuer: str, role: Any
) -> None:
    """What the caller chose never mixes with what the principal is."""
    _, session = role(allow([GET, TAG]), Tags=as_tags({"tenant": "acme"}))
    own = verified(cell, issuer, token(cell, session, Tags=as_tags({"tenant": "other", "job": ""})))[OWN]
    assert own["request_tags"] == {"tenant": "other", "job": ""}
    assert own["principal_tags"] == {"tenant": "acme"}
    _, without = role(allow(GET))
    code, message = refused(cell, without, Tags=as_tags({"tenant": "acme"}))
    assert code == "AccessDenied"
    assert f"not authorized to perform: {TAG} on resource: *" in message
    assert token(cell, without), "without tags it needs no second right"


ONLY_OURS: dict[str, Any] = {
    "ForAllValues:StringEquals": {"sts:IdentityTokenAudience": AUDIENCE},
    "Null": {"sts:IdentityTokenAudience": "false"},
    "NumericLessThanEquals": {"sts:DurationSeconds": "300"},
    "StringEquals": {"sts:SigningAlgorithm": "ES384"},
}


def test_a_policy_holds_a_role_to_audience_duration_and_algorithm(cell: Cell, issuer: str, role: Any) -> None:
    _, session = role(allow(GET, Condition=ONLY_OURS))
    assert token(cell, session)
    for change in (
        {"Audience": ["https://elsewhere.example"]},
        {"Audience": [AUDIENCE, "https://elsewhere.example"]},
        {"DurationSeconds": 301},
        {"SigningAlgorithm": "RS256"},
    ):
        assert refused(cell, session, **change)[0] == "AccessDenied", change
    sts = cell.client(session, "sts")
    short = {name: value for name, value in ASKED.items() if name != "DurationSeconds"}
    assert refusal(lambda: sts.get_web_identity_token(**short))[0] == "AccessDenied", "no duration is an absent key"


def test_for_any_value_lets_a_second_audience_in(cell: Cell, issuer: str, role: Any) -> None:
    """The trap: one audience of several is enough for it. The token is then good for a stranger too."""
    any_of = {"ForAnyValue:StringEquals": {"sts:IdentityTokenAudience": AUDIENCE}}
    _, session = role(allow(GET, Condition=any_of))
    both = [AUDIENCE, "https://elsewhere.example"]
    assert verified(cell, issuer, token(cell, session, Audience=both))["aud"] == both


def test_a_request_tag_can_be_held_to_the_sessions_own(cell: Cell, issuer: str, role: Any) -> None:
    """A session of acme cannot ask for another tenant, for a second key, or for another audience."""
    own_tag = {
        "StringEquals": {"aws:RequestTag/tenant": "${aws:PrincipalTag/tenant}"},
        "ForAllValues:StringEquals": {"aws:TagKeys": "tenant", "sts:IdentityTokenAudience": AUDIENCE},
        "Null": {"aws:TagKeys": "false"},
    }
    _, session = role(allow([GET, TAG], Condition=own_tag), Tags=as_tags({"tenant": "acme"}))
    assert token(cell, session, Tags=as_tags({"tenant": "acme"}))
    for change in (
        {"Tags": as_tags({"tenant": "other"})},
        {"Tags": as_tags({"tenant": "acme", "also": "this"})},
        {"Tags": as_tags({"Tenant": "acme"})},
        {"Tags": as_tags({"tenant": "acme"}), "Audience": ["https://elsewhere.example"]},
        {},
    ):
        assert refused(cell, session, **change)[0] == "AccessDenied", change
    _, untagged = role(allow([GET, TAG], Condition=own_tag))
    assert refused(cell, untagged, Tags=as_tags({"tenant": "acme"}))[0] == "AccessDenied", "a session without a tag"


def test_a_statement_on_a_role_allows_no_token_though_the_request_names_that_role(cell: Cell, role: Any) -> None:
    """The action has no resource type; a stray parameter is not one."""
    arn = f"arn:aws:iam::{ACCOUNT}:role/any"
    _, session = role(allow(GET, arn))
    sts = cell.client(session, "sts")
    sts.meta.events.register(
        "before-call.sts.GetWebIdentityToken", lambda params, **_: params["body"].update(RoleArn=arn)
    )
    assert refusal(lambda: sts.get_web_identity_token(**ASKED))[0] == "AccessDenied"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"DurationSeconds": 59}, "durationSeconds"),
        ({"DurationSeconds": 3601}, "durationSeconds"),
        ({"SigningAlgorithm": "RS512"}, "enum value set: [RS256, ES384]"),
        ({"SigningAlgorithm": "none"}, "enum value set: [RS256, ES384]"),
        ({"Audience": []}, "audience"),
        ({"Audience": [""]}, "audience.1.member"),
        ({"Audience": [f"a{number}" for number in range(11)]}, "length less than or equal to 10"),
        ({"Audience": ["a" * 1001]}, "length less than or equal to 1000"),
        ({"Tags": as_tags({f"k{number}": "" for number in range(51)})}, "length less than or equal to 50"),
        ({"Tags": as_tags({"k": "v" * 257})}, "tags.1.member.value"),
        ({"Tags": as_tags({"k!": "v"})}, "tags.1.member.key"),
    ],
)
def test_what_awss_limits_do_not_allow_is_refused_by_name(
    cell: Cell, issuer: str, role: Any, change: dict[str, Any], named: str
) -> None:
    _, session = role(allow([GET, TAG]))
    sts = cell.client(session, "sts", parameter_validation=False)
    code, message = refusal(lambda: sts.get_web_identity_token(**(ASKED | change)))
    assert code == "ValidationError"
    assert named in message


def test_two_tags_that_differ_in_case_are_one_too_many(cell: Cell, issuer: str, role: Any) -> None:
    _, session = role(allow([GET, TAG]))
    assert refused(cell, session, Tags=as_tags({"tenant": "a", "Tenant": "b"}))[0] == "InvalidParameterValue"


def test_a_token_that_would_be_too_large_is_refused(cell: Cell, issuer: str, role: Any) -> None:
    _, session = role(allow([GET, TAG]))
    tags = as_tags({f"{number}{'k' * 100}": "v" * 256 for number in range(50)})
    assert refused(cell, session, Tags=tags)[0] == "JWTPayloadSizeExceededException"


def test_a_token_never_outlives_the_session_that_asked_for_it(cell: Cell, issuer: str, role: Any) -> None:
    _, session = role(allow(GET), DurationSeconds=900)
    assert refused(cell, session, DurationSeconds=901)[0] == "SessionDurationEscalationException"
    assert token(cell, session, DurationSeconds=300)


def test_the_global_endpoint_has_no_such_operation(cell: Cell, issuer: str, role: Any) -> None:
    """The client signs for the global endpoint's host, and the request goes to the cell."""
    _, session = role(allow(GET))
    sts: Any = session.client("sts", region_name=REGION, endpoint_url="http://sts.amazonaws.com")

    def through_the_cell(request: Any, **_: Any) -> None:
        request.headers["Host"] = "sts.amazonaws.com"
        request.url = cell.url + "/"

    sts.meta.events.register("before-send.sts.GetWebIdentityToken", through_the_cell)
    code, message = refusal(lambda: sts.get_web_identity_token(**ASKED))
    assert code == "InvalidAction"
    assert "global endpoint" in message


def test_the_event_history_has_the_call_and_not_the_token(cell: Cell, issuer: str, role: Any) -> None:
    arn, session = role(allow([GET, TAG]))
    out = token(cell, session, Tags=as_tags({"job": "history"}))
    event = next(one for one in cell.events("GetWebIdentityToken") if "history" in json.dumps(one))
    assert event["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] == arn
    assert event["responseElements"] is None
    assert out not in json.dumps(event)


def test_an_issuer_that_is_not_there_has_no_documents(cell: Cell, issuer: str) -> None:
    base = addresses.find(cell.home, issuer.removeprefix("https://"))
    assert base is not None
    for path in ("/.well-known/keys", "x/.well-known/jwks.json"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(base + path, timeout=60)


def test_iam_itself_can_trust_the_issuer(cell: Cell, issuer: str, role: Any) -> None:
    """Tokens are what any OpenID Connect provider's are: a role of the same account can be assumed with one."""
    arn, session = role(allow(GET))
    host = issuer.removeprefix("https://")
    iam = cell.client("administrator", "iam")
    provider = iam.create_open_id_connect_provider(Url=issuer, ClientIDList=[AUDIENCE])["OpenIDConnectProviderArn"]
    claims = {"StringEquals": {f"{host}:sub": arn, f"{host}:aud": AUDIENCE}}
    target = cell.role([trust({"Federated": provider}, "sts:AssumeRoleWithWebIdentity", Condition=claims)], [])
    assumed = cell.client(session, "sts").assume_role_with_web_identity(
        RoleArn=target, RoleSessionName="chained", WebIdentityToken=token(cell, session)
    )
    assert assumed["SubjectFromWebIdentityToken"] == arn
