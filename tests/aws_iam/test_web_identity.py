"""AssumeRoleWithWebIdentity: whose token becomes a role, and what each wrong token is told.

The tokens are signed by an issuer that answers on this machine, and by nobody, by another key and by another issuer.
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import boto3
import jwt
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from cryptography.hazmat.primitives.asymmetric import rsa

from local import addresses
from local.issuer import Issuer
from tests.aws_iam.served import ACCOUNT, REGION, Cell, refusal, trust, unique

HOST = "issuer.example"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{HOST}"
AUDIENCE = "sts.amazonaws.com"
RIGHT = {"aud": AUDIENCE, "sub": "repo:myflux/keys:environment:prod"}
WEB = "sts:AssumeRoleWithWebIdentity"


@pytest.fixture(scope="module")
def issuer(cell: Cell) -> Iterator[Issuer]:
    with Issuer.serving(HOST) as serving:
        addresses.publish(cell.home, HOST, serving.url)
        iam = cell.client("administrator", "iam")
        iam.create_open_id_connect_provider(Url=f"https://{HOST}", ClientIDList=[AUDIENCE, "another"])
        yield serving


@pytest.fixture(scope="module")
def role(cell: Cell, issuer: Issuer) -> str:
    return cell.role([trusts()], [])


def trusts(provider: str = PROVIDER, host: str = HOST, **claims: str) -> dict[str, Any]:
    wanted = {f"{host}:{name}": value for name, value in (RIGHT | claims).items()}
    return trust({"Federated": provider}, WEB, Condition={"StringEquals": wanted})


def assume(cell: Cell, role: str, token: str, **more: Any) -> Any:
    config = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1})
    sts: Any = boto3.client("sts", region_name=REGION, endpoint_url=cell.url, config=config)
    return sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="job", WebIdentityToken=token, **more)


def refused(cell: Cell, role: str, token: str, **more: Any) -> tuple[str, str]:
    return refusal(lambda: assume(cell, role, token, **more))


def test_a_token_of_the_trusted_job_becomes_the_role(cell: Cell, issuer: Issuer, role: str) -> None:
    answer = assume(cell, role, issuer.token(RIGHT))
    assert (answer["SubjectFromWebIdentityToken"], answer["Audience"]) == (RIGHT["sub"], AUDIENCE)
    assert answer["Provider"] == PROVIDER
    held = answer["Credentials"]
    session = cell.keys(held["AccessKeyId"], held["SecretAccessKey"], held["SessionToken"])
    name = role.rpartition("/")[2]
    assert cell.client(session, "sts").get_caller_identity()["Arn"].endswith(f":assumed-role/{name}/job")
    (event, *_) = cell.events("AssumeRoleWithWebIdentity")
    assert event["userIdentity"]["userName"] == RIGHT["sub"]
    assert event["userIdentity"]["identityProvider"] == PROVIDER
    assert "webIdentityToken" not in event["requestParameters"]


@pytest.mark.parametrize(
    "subject",
    [
        "repo:stranger/keys:environment:prod",
        "repo:myflux/other:environment:prod",
        "repo:myflux/keys:ref:refs/heads/main",
        "repo:myflux/keys:pull_request",
        "repo:myflux/keys:environment:prod-two",
        "REPO:MYFLUX/KEYS:ENVIRONMENT:PROD",
    ],
)
def test_another_subject_is_denied(cell: Cell, issuer: Issuer, role: str, subject: str) -> None:
    assert refused(cell, role, issuer.token(RIGHT | {"sub": subject})) == (
        "AccessDenied",
        f"Not authorized to perform {WEB}",
    )


def test_a_role_that_is_not_there_is_denied_in_the_same_words(cell: Cell, issuer: Issuer) -> None:
    missing = f"arn:aws:iam::{ACCOUNT}:role/{unique('none')}"
    assert refused(cell, missing, issuer.token(RIGHT))[0] == "AccessDenied"


def test_the_audience_must_be_the_providers_and_the_trust_policys(cell: Cell, issuer: Issuer, role: str) -> None:
    assert refused(cell, role, issuer.token(RIGHT | {"aud": "elsewhere"})) == (
        "InvalidIdentityToken",
        "Incorrect token audience",
    )
    assert refused(cell, role, issuer.token(RIGHT | {"aud": "another"}))[0] == "AccessDenied", "the provider's, not its"
    assert assume(cell, role, issuer.token(RIGHT | {"aud": [AUDIENCE]}))


def test_time_is_up_for_an_expired_token_and_has_not_come_for_a_future_one(
    cell: Cell, issuer: Issuer, role: str
) -> None:
    now = int(time.time())
    code, message = refused(cell, role, issuer.token(RIGHT | {"iat": now - 700, "nbf": now - 700, "exp": now - 1}))
    assert code == "ExpiredTokenException"
    assert message.startswith("Token expired: current date/time ")
    later = {"iat": now + 4000, "nbf": now + 4000, "exp": now + 5000}
    assert refused(cell, role, issuer.token(RIGHT | later))[0] == "InvalidIdentityToken"
    assert refused(cell, role, issuer.token(RIGHT | {"exp": "soon"}))[0] == "InvalidIdentityToken"


def test_a_signature_is_worth_as_much_as_its_key(cell: Cell, issuer: Issuer, role: str) -> None:
    good = issuer.token(RIGHT)
    header, _, signature = good.split(".")
    kid = jwt.get_unverified_header(good)["kid"]
    stated = jwt.decode(good, options={"verify_signature": False})
    own = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    widened = base64.urlsafe_b64encode(json.dumps(stated | {"sub": "another"}).encode()).decode().rstrip("=")
    (published,) = [key for key in (issuer.document("/.well-known/jwks") or {})["keys"] if key["kid"] == kid]
    forged = {
        "another key under the issuer's id": jwt.encode(stated, own, "RS256", headers={"kid": kid}),
        "another key under its own id": jwt.encode(stated, own, "RS256", headers={"kid": "own"}),
        "no key's id": jwt.encode(stated, own, "RS256"),
        "another subject under the same signature": f"{header}.{widened}.{signature}",
        "no signature": jwt.encode(stated, "", "none", headers={"kid": kid}),
        "the published key as a shared secret": jwt.encode(stated, published["n"], "HS256", headers={"kid": kid}),
        "cut": good[:-30],
        "not a token": "not.a.token",
    }
    told = {what: refused(cell, role, token)[0] for what, token in forged.items()}
    assert told == dict.fromkeys(forged, "InvalidIdentityToken")


def test_keys_change_and_tokens_of_the_earlier_one_stay_good(cell: Cell, issuer: Issuer, role: str) -> None:
    earlier = issuer.token(RIGHT)
    issuer.change_key()
    assert assume(cell, role, earlier)
    assert assume(cell, role, issuer.token(RIGHT))


def test_an_issuer_counts_only_as_a_provider_of_the_account_that_answers(cell: Cell, issuer: Issuer, role: str) -> None:
    with Issuer.serving("other.example") as other:
        addresses.publish(cell.home, other.host, other.url)
        code, message = refused(cell, role, other.token(RIGHT))
        assert (code, message) == (
            "InvalidIdentityToken",
            "No OpenIDConnect provider found in your account for https://other.example",
        )
        # Its own signature under the trusted issuer's name.
        assert refused(cell, role, other.token(RIGHT | {"iss": f"https://{HOST}"}))[0] == "InvalidIdentityToken"
        assert refused(cell, role, issuer.token(RIGHT | {"iss": f"http://{HOST}"}))[0] == "InvalidIdentityToken"
        iam = cell.client("administrator", "iam")
        made = iam.create_open_id_connect_provider(Url=f"https://{other.host}", ClientIDList=[AUDIENCE])
        assert refused(cell, role, other.token(RIGHT))[0] == "AccessDenied", "the role trusts another provider"
        its = cell.role([trusts(made["OpenIDConnectProviderArn"], other.host)], [])
        assert assume(cell, its, other.token(RIGHT))
        iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=made["OpenIDConnectProviderArn"])
        assert refused(cell, its, other.token(RIGHT))[0] == "InvalidIdentityToken", "a provider that is gone"
    silent = "silent.example"
    made = iam.create_open_id_connect_provider(Url=f"https://{silent}", ClientIDList=[AUDIENCE])
    its = cell.role([trusts(made["OpenIDConnectProviderArn"], silent)], [])
    code, message = refused(cell, its, issuer.token(RIGHT | {"iss": f"https://{silent}"}))
    assert code == "InvalidIdentityToken"
    assert message.startswith("Couldn't retrieve verification key from your identity provider")


def test_a_session_lasts_no_longer_than_its_role_allows(cell: Cell, issuer: Issuer, role: str) -> None:
    assert refused(cell, role, issuer.token(RIGHT), DurationSeconds=3601)[0] == "ValidationError"
    named = cell.role([trusts() | {"Condition": {"StringEquals": {"sts:RoleSessionName": "job"}}}], [])
    assert assume(cell, named, issuer.token(RIGHT), DurationSeconds=900)
