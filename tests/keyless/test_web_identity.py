"""The provider itself: what it refuses, how it says what AWS refused, and what nobody can read off it."""

from __future__ import annotations

import logging
import os
import pickle
import traceback
from typing import Any

import boto3
import jwt
import openai
import pytest

from myflux_keys import ConfigurationError, KeyReaderError, WebIdentityError, aws_web_identity_token_provider
from tests.keyless.world import AUDIENCE, GET, OWN, Keyless, allow


def token(session: Any = None, **options: Any) -> str:
    return aws_web_identity_token_provider(AUDIENCE, session=session, **options)["get_token"]()


def claims(text: str) -> dict[str, Any]:
    return jwt.decode(text, options={"verify_signature": False})


def refused(call: Any) -> WebIdentityError:
    with pytest.raises(WebIdentityError) as caught:
        call()
    return caught.value


def test_it_is_a_provider_as_the_sdks_own_are(keyless: Keyless) -> None:
    provider = aws_web_identity_token_provider(AUDIENCE, session=keyless.session("acme"))
    assert provider.keys() == {"token_type", "get_token"}
    assert provider["token_type"] == "jwt"
    said = claims(provider["get_token"]())
    assert (said["aud"], said["sub"], said["exp"] - said["iat"]) == (AUDIENCE, keyless.role_arn, 300)
    assert "request_tags" not in said[OWN]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"audience": ""}, "audience has 0 characters"),
        ({"audience": "a" * 1001}, "1 to 1000"),
        ({"duration_seconds": 59}, "duration_seconds is 59"),
        ({"duration_seconds": 3601}, "from 60 to 3600"),
        ({"duration_seconds": 300.0}, "whole seconds"),
        ({"duration_seconds": True}, "duration_seconds is True"),
        ({"signing_algorithm": "RS512"}, "ES384 or RS256"),
        ({"tags": {str(number): "" for number in range(51)}}, "at most 50"),
    ],
)
def test_what_aws_would_refuse_is_refused_before_anything_is_sent(change: dict[str, Any], named: str) -> None:
    arguments: dict[str, Any] = {"audience": AUDIENCE, "region": "eu-central-1"} | change
    with pytest.raises(ValueError, match=named):
        aws_web_identity_token_provider(arguments.pop("audience"), **arguments)


def test_a_region_is_needed_and_the_global_one_is_none(keyless: Keyless, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="regional endpoints only"):
        aws_web_identity_token_provider(AUDIENCE)
    with pytest.raises(ConfigurationError, match="'aws-global'"):
        aws_web_identity_token_provider(AUDIENCE, region="aws-global")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert "eu-west-1" in repr(aws_web_identity_token_provider(AUDIENCE))
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(ConfigurationError, match="nobody"):
        aws_web_identity_token_provider(AUDIENCE)


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_the_regional_endpoint_is_asked_whatever_the_environment_says(
    keyless: Keyless, monkeypatch: pytest.MonkeyPatch, region: str
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")
    session = keyless.session("acme")
    asked: list[str] = []

    def note(request: Any, **_: Any) -> None:
        asked.append(request.url)
        raise OSError("not sent")

    session.events.register("before-send.sts.GetWebIdentityToken", note)
    error = refused(lambda: token(session, region=region))
    assert asked
    assert set(asked) == {f"https://sts.{region}.amazonaws.com/"}
    assert "not sent" in str(error)


def test_an_endpoint_that_the_environment_names_is_kept(keyless: Keyless, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")
    assert claims(token(keyless.session("acme"), region="eu-west-1"))[OWN]["source_region"] == "eu-west-1"


def test_a_disabled_account_says_how_to_enable_it(keyless: Keyless) -> None:
    iam, session = keyless.cell.client("administrator", "iam"), keyless.session("acme")
    iam.disable_outbound_web_identity_federation()
    try:
        error = refused(lambda: token(session))
    finally:
        iam.enable_outbound_web_identity_federation()
    assert error.code == "OutboundWebIdentityFederationDisabledException"
    assert "aws iam enable-outbound-web-identity-federation" in error.way_out
    assert token(session), "the same session is served once it is enabled"


def test_who_may_not_is_told_what_was_asked_and_what_to_allow(keyless: Keyless) -> None:
    session = keyless.session("acme")
    for options in ({"duration_seconds": 901}, {"tags": {"tenant": "acme"}}):
        error = refused(lambda o=options: token(session, **o))
        assert error.code == "AccessDenied"
        assert f"IAM gives this process no token for '{AUDIENCE}'" in str(error)
        assert "sts:GetWebIdentityToken" in error.way_out
        assert ("sts:TagGetWebIdentityToken" in error.way_out) == ("tags" in options)


def test_a_token_that_would_outlive_the_session_says_so(keyless: Keyless) -> None:
    role = keyless.role("keyless-short", allow(GET))
    session = keyless.session("acme", role, DurationSeconds=900)
    error = refused(lambda: token(session, duration_seconds=901))
    assert error.code == "SessionDurationEscalationException"
    assert "duration_seconds" in error.way_out


def test_no_credentials_and_wrong_ones_are_told_apart(keyless: Keyless) -> None:
    nobody = refused(lambda: token(region="eu-central-1"))
    assert nobody.code == "NoCredentialsError"
    assert "credentials" in nobody.way_out
    unknown = boto3.Session("AKIA" + "Z" * 16, "s" * 40, region_name="us-east-1")
    assert refused(lambda: token(unknown)).code == "InvalidClientTokenId"


def test_its_errors_are_the_readers_and_openais(keyless: Keyless) -> None:
    """OpenAI's client raises one as it is, at once: it is no failed connection."""
    provider = aws_web_identity_token_provider(AUDIENCE, region="eu-central-1")
    with keyless.client("acme", provider=provider).with_options(max_retries=5) as client:
        keyless.in_the_cell(client)
        error = refused(lambda: client.models.list())
    assert isinstance(error, KeyReaderError)
    assert isinstance(error, openai.OpenAIError)
    assert keyless.exchanges() == 0


def test_nothing_that_can_be_printed_has_a_credential(keyless: Keyless, caplog: pytest.LogCaptureFixture) -> None:
    session = keyless.session("acme")
    held = session.get_credentials()
    assert held is not None
    assert held.token
    with caplog.at_level(logging.DEBUG):
        provider = aws_web_identity_token_provider(AUDIENCE, session=session)
        made = provider["get_token"]()
        error = refused(lambda: token(session, duration_seconds=901))
    shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "get_web_identity_token" not in shown, "no frame of the AWS client"
    for secret in (held.secret_key, held.token, made, made.rpartition(".")[2]):
        for text in (repr(provider), str(error), repr(error), shown, caplog.text):
            assert secret not in text
    assert AUDIENCE in repr(provider)
    with pytest.raises(TypeError, match="in each process"):
        pickle.dumps(provider)


def test_a_forked_process_asks_with_connections_of_its_own(keyless: Keyless) -> None:
    provider = aws_web_identity_token_provider(AUDIENCE, session=keyless.session("acme"))
    first = claims(provider["get_token"]())["jti"]
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, claims(provider["get_token"]())["jti"].encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        other = told.read()
    os.waitpid(child, 0)
    assert other
    assert len({first, other, claims(provider["get_token"]())["jti"]}) == 3
