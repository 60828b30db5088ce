"""The token endpoint: whose token becomes an access token, what each wrong one is told, and what the token can do."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from openai import APIStatusError, AsyncOpenAI, AuthenticationError, OAuthError

from tests.openai_emulator.federated import HOST, OWN, ROLE, TENANT, Federation

MODEL = "gpt-5.4-mini"
KEYS, CONFIGURATION = "/.well-known/jwks", "/.well-known/openid-configuration"


def say(client: Any, text: str = "hello") -> str:
    return client.responses.create(model=MODEL, input=text).output_text


def providers(federation: Federation) -> Any:
    return federation.admin.admin.organization.workload_identity_providers


def test_openais_client_calls_a_model_without_a_key(federation: Federation) -> None:
    federation.rule()
    client = federation.client()
    assert "hello" in say(client)
    assert "again" in say(client, "again")
    assert federation.exchanges() == 1, "the token is used again"


def test_its_async_twin_too(federation: Federation) -> None:
    federation.rule()
    identity = federation.client().workload_identity

    async def ask() -> str:
        async with AsyncOpenAI(workload_identity=identity, base_url=federation.server.url) as client:
            assert client._workload_identity_auth is not None
            client._workload_identity_auth.token_exchange_url = federation.url
            return (await client.responses.create(model=MODEL, input="hello")).output_text

    assert "hello" in asyncio.run(ask())


def test_the_answer_is_a_bearer_token_of_five_minutes_for_a_token_of_five(federation: Federation) -> None:
    federation.rule()
    answer = federation.exchange(federation.token())
    assert answer.status_code == 200
    body = answer.json()
    assert body.keys() == {"access_token", "issued_token_type", "token_type", "expires_in"}
    assert (body["token_type"], body["issued_token_type"]) == (
        "Bearer",
        "urn:ietf:params:oauth:token-type:access_token",
    )
    assert 0 < body["expires_in"] <= 300
    assert answer.headers["cache-control"] == "no-store"


def test_no_access_token_lives_longer_than_an_hour(federation: Federation) -> None:
    federation.rule()
    assert federation.exchange(federation.token(exp=federation.now + 86_400)).json()["expires_in"] == 3600


def test_an_expired_access_token_is_refused(federation: Federation) -> None:
    federation.rule()
    token = federation.exchange(federation.token()).json()["access_token"]
    client = federation.server.client(token)
    assert "hello" in say(client)
    federation.server.advance(301)
    with pytest.raises(AuthenticationError):
        say(client)


def test_a_form_is_as_good_as_json(federation: Federation) -> None:
    """RFC 8693 has a form, OpenAI's documents and SDKs JSON."""
    federation.rule()
    request = federation.request(federation.token())
    assert httpx2.post(federation.url, data=request, timeout=60).status_code == 200
    assert httpx2.post(federation.url, content=json.dumps(request), timeout=60).status_code == 400, "which of the two?"


@pytest.mark.parametrize(
    ("change", "error", "named"),
    [
        ({"grant_type": "client_credentials"}, "unsupported_grant_type", "grant_type"),
        ({"subject_token_type": "urn:openai:params:oauth:token-type:x509"}, "invalid_request", "subject_token_type"),
        ({"subject_token": ""}, "invalid_request", "subject_token is missing"),
        ({"service_account_id": None}, "invalid_request", "service_account_id is missing"),
        ({"identity_provider_id": 7}, "invalid_request", "identity_provider_id is not a text"),
        ({"audience": "x"}, "invalid_request", "audience is not accepted"),
        ({"identity_provider_id": "idp_none"}, "invalid_grant", "no such workload identity provider"),
        ({"service_account_id": "svc_acct_none"}, "invalid_grant", "no mapping"),
    ],
)
def test_a_request_with_a_wrong_field_is_refused_by_its_name(
    federation: Federation, change: dict[str, Any], error: str, named: str
) -> None:
    federation.rule()
    status, code, description = federation.refusal(federation.token(), **change)
    assert (status, code) == (400, error)
    assert named in description


def test_a_scope_in_the_request_grants_nothing(federation: Federation) -> None:
    federation.rule(permissions={"type": "restricted", "scopes": ["api.model.read"]})
    body = federation.exchange(federation.token(), scope="api.model.request").json()
    assert body["scope"] == "api.model.read"
    client = federation.server.client(body["access_token"])
    assert list(client.models.list())
    with pytest.raises(APIStatusError, match="Missing scopes"):
        say(client)


@pytest.mark.parametrize(
    ("claims", "named"),
    [
        ({"iss": "https://other.example"}, "issuer"),
        ({"aud": "https://elsewhere.example"}, "audience"),
        ({"aud": None}, "no claim 'aud'"),
        ({"sub": None}, "no claim 'sub'"),
        ({"exp": None}, "no claim 'exp'"),
        ({"exp": 1}, "expired"),
        ({"exp": "soon"}, "exp is not a time"),
        ({"iat": 2**40}, "from the future"),
        ({"nbf": 2**40}, "from the future"),
    ],
)
def test_a_token_with_a_wrong_claim_is_refused(federation: Federation, claims: dict[str, Any], named: str) -> None:
    federation.rule()
    # The issuer's own defaults would take the place of a claim that is left out.
    stated = {name: "" if value is None else value for name, value in claims.items()}
    status, code, description = federation.refusal(federation.token(**stated))
    assert (status, code) == (401, "invalid_subject_token")
    assert named in description


def test_one_audience_of_several_is_enough_and_a_slash_at_the_issuers_end_is_none(federation: Federation) -> None:
    federation.rule()
    both = ["https://elsewhere.example", "https://api.openai.com/v1"]
    assert federation.exchange(federation.token(aud=both, iss=f"https://{HOST}/")).status_code == 200


def test_a_signature_is_worth_as_much_as_its_key(federation: Federation) -> None:
    federation.rule()
    good = federation.token()
    header, body, signature = good.split(".")
    kid = jwt.get_unverified_header(good)["kid"]
    stated = jwt.decode(good, options={"verify_signature": False})
    own = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    widened = base64.urlsafe_b64encode(json.dumps(stated | {"sub": "another"}).encode()).decode().rstrip("=")
    unsigned = base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": kid}).encode()).decode().rstrip("=")
    forged = {
        "another key": jwt.encode(stated, own, "RS256", headers={"kid": kid}),
        "an unknown key": jwt.encode(stated, own, "RS256", headers={"kid": "unknown"}),
        "no kid": jwt.encode(stated, own, "RS256"),
        "other claims": f"{header}.{widened}.{signature}",
        "no signature": f"{unsigned}.{body}.",
        "a shared secret": jwt.encode(stated, "s" * 32, "HS256", headers={"kid": kid}),
        "no token": "token",
    }
    for what, token in forged.items():
        assert federation.refusal(token)[:2] == (401, "invalid_subject_token"), what
    assert federation.exchange(good).status_code == 200


def test_another_session_never_gets_the_tenants_token(federation: Federation) -> None:
    federation.rule()
    for what, token in {
        "another tenant": federation.token(**{OWN: {"principal_tags": {"tenant": "other"}}}),
        "another case": federation.token(**{OWN: {"principal_tags": {"tenant": "Acme"}}}),
        "another role": federation.token(sub=ROLE + "-two"),
        "no tags": federation.token(**{OWN: {}}),
        "a request tag alone": federation.token(**{OWN: {"request_tags": {"tenant": "acme"}}}),
        "a claim by the attribute's name": federation.token(**{OWN: {}, "openai.tenant": "acme"}),
    }.items():
        assert federation.refusal(token)[:2] == (400, "invalid_grant"), what


def test_a_wildcard_matches_what_begins_with_it(federation: Federation) -> None:
    federation.rule(attribute_matchers={"sub": "arn:aws:iam::111122223333:role/*"})
    assert federation.exchange(federation.token()).status_code == 200
    assert federation.exchange(federation.token(sub="arn:aws:iam::111122223333:role/any")).status_code == 200
    assert federation.refusal(federation.token(sub="arn:aws:iam::999922223333:role/any"))[1] == "invalid_grant"


def test_a_claim_is_compared_with_its_type_and_an_attribute_as_text(federation: Federation) -> None:
    live = {"attribute": "openai.live", "expression": "assertion.run == 7"}
    providers(federation).update(federation.provider_id, attribute_transformations=[TENANT, live])
    rule = federation.rule(attribute_matchers={"run": 7, "flag": True, "openai.live": True})
    good = {"run": 7, "flag": True}
    assert federation.exchange(federation.token(**good)).status_code == 200
    for change in ({"run": "7"}, {"run": 8}, {"flag": "true"}, {"flag": 1}, {"run": [7]}):
        assert federation.refusal(federation.token(**(good | change)))[1] == "invalid_grant", change
    rules = providers(federation).federation_rules
    of = {"workload_identity_provider_id": federation.provider_id}
    rules.update(rule.id, **of, attribute_matchers={"openai.live": "true"})
    assert federation.exchange(federation.token(run=7)).status_code == 200
    rules.update(rule.id, **of, attribute_matchers={"openai.unknown": "true"})
    assert "openai.unknown" in federation.refusal(federation.token())[2]


def test_disabled_is_refused_at_once_and_a_token_that_is_out_lives_on(federation: Federation) -> None:
    rule = federation.rule()
    out = federation.server.client(federation.exchange(federation.token()).json()["access_token"])
    of = {"workload_identity_provider_id": federation.provider_id}
    rules = providers(federation).federation_rules
    rules.update(rule.id, **of, enabled=False)
    assert "disabled" in federation.refusal(federation.token())[2]
    rules.update(rule.id, **of, enabled=True)
    providers(federation).update(federation.provider_id, enabled=False)
    assert "provider is disabled" in federation.refusal(federation.token())[2]
    rules.delete(rule.id, **of)
    assert "hello" in say(out), "a deleted rule takes no token back"


def test_a_token_ends_with_its_service_account_and_its_project(federation: Federation) -> None:
    federation.rule()
    projects = federation.admin.admin.organization.projects
    out = federation.server.client(federation.exchange(federation.token()).json()["access_token"])
    projects.service_accounts.delete(federation.tenant.service_account_id, project_id=federation.tenant.project_id)
    with pytest.raises(AuthenticationError):
        say(out)
    assert "not there any more" in federation.refusal(federation.token())[2]


def test_several_matching_rules_are_one_too_many(federation: Federation) -> None:
    """OpenAI documents both that a pair has one mapping, and that several matches are refused."""
    federation.server.control.settings(one_rule_per_account=False)
    federation.rule()
    second = federation.rule()
    assert "several" in federation.refusal(federation.token())[2]
    of = {"workload_identity_provider_id": federation.provider_id}
    providers(federation).federation_rules.update(second.id, **of, enabled=False)
    assert federation.exchange(federation.token()).status_code == 200


def test_keys_are_kept_for_600_seconds_and_fetched_again_for_a_new_kid(federation: Federation) -> None:
    federation.rule()
    issuer = federation.issuer
    for _ in range(3):
        assert federation.exchange(federation.token()).status_code == 200
    assert sorted(issuer.asked) == sorted([CONFIGURATION, KEYS])
    issuer.change_key()
    assert federation.exchange(federation.token()).status_code == 200, "a new key is found at once"
    assert issuer.asked.count(KEYS) == 2
    federation.server.advance(601)
    assert federation.exchange(federation.token()).status_code == 200
    assert (issuer.asked.count(CONFIGURATION), issuer.asked.count(KEYS)) == (2, 3)


def test_an_uploaded_key_set_is_the_only_source(federation: Federation) -> None:
    federation.rule()
    published = federation.issuer.document(KEYS)
    assert published is not None
    federation.issuer.asked.clear()
    uploaded: Any = {"type": "uploaded_jwks", "jwks": published}
    providers(federation).update(federation.provider_id, verification=uploaded)
    assert federation.exchange(federation.token()).status_code == 200
    federation.issuer.change_key()
    assert "kid" in federation.refusal(federation.token())[2]
    assert federation.issuer.asked == []


def test_an_issuer_that_cannot_be_asked_is_no_issuer(federation: Federation) -> None:
    federation.rule()
    providers(federation).update(federation.provider_id, issuer="https://silent.example")
    assert federation.refusal(federation.token(iss="https://silent.example"))[1] == "invalid_subject_token"


def test_an_access_token_is_no_admin_key_and_on_no_list_of_keys(federation: Federation) -> None:
    federation.rule()
    token = federation.exchange(federation.token()).json()["access_token"]
    with pytest.raises(APIStatusError, match="Missing scopes"):
        list(federation.server.admin(token).admin.organization.projects.list())
    listed = federation.admin.admin.organization.projects.api_keys.list(
        federation.tenant.project_id, owner_project_access="any"
    )
    assert [key.id for key in listed] == [federation.tenant.key_id]


@pytest.mark.parametrize("named", [True, False])
def test_usage_is_the_projects_and_names_the_rule_or_nobody(federation: Federation, named: bool) -> None:
    federation.server.control.settings(rule_id_in_usage=named)
    rule = federation.rule()
    began = federation.now
    say(federation.client())
    usage = federation.admin.admin.organization.usage.completions(
        start_time=began - began % 60, bucket_width="1m", group_by=["project_id", "api_key_id"]
    )
    results = [result.to_dict() for bucket in usage.data for result in bucket.results]
    assert [(one["project_id"], one["api_key_id"]) for one in results] == [
        (federation.tenant.project_id, rule.id if named else None)
    ]


def test_a_401_makes_the_client_exchange_once_more(federation: Federation) -> None:
    """A token that OpenAI takes back early costs one more exchange and no failed call."""
    federation.rule()
    client = federation.client()
    say(client)
    account, project = federation.tenant.service_account_id, federation.tenant.project_id
    federation.server.advance(301)
    assert "again" in say(client, "again")
    assert federation.exchanges() == 2
    federation.admin.admin.organization.projects.service_accounts.delete(account, project_id=project)
    with pytest.raises(OAuthError) as caught:
        say(client)
    assert caught.value.error == "invalid_grant"


def test_the_ledger_has_every_access_token_for_leak_searches(federation: Federation) -> None:
    federation.rule()
    token = federation.exchange(federation.token()).json()["access_token"]
    entry = next(one for one in federation.server.control.minted() if one.value == token)
    assert (entry.kind, entry.service_account_id) == ("access_token", federation.tenant.service_account_id)
