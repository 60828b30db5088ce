"""The process's own settings: the Region is found, and what does not work is the reader's own error with a way out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from myflux_keys import ConfigurationError, KeyReader, KeyReaderError, UnavailableError
from tests.reader.conftest import Clock
from tests.reader.stand_in import ACCOUNT, ASSUME, GET, StandIn, key_text

MakeReader = Callable[..., KeyReader]
RIGHT = f"arn:aws:iam::{ACCOUNT}:role/right"


@pytest.mark.parametrize(
    ("environment", "region"),
    [
        ({"AWS_REGION": "eu-west-1"}, "eu-west-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-2"),
        ({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-1"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-2"),
    ],
    ids=["AWS_REGION", "AWS_DEFAULT_REGION", "both", "one is empty"],
)
def test_the_region_of_either_variable_is_used(
    aws: StandIn, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], region: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with KeyReader("cell") as reader:
        assert reader.get("acme").reveal() == key_text("acme")
        assert reader._sessions.region == region
    session = boto3.Session(region_name="us-east-1")
    assert KeyReader("cell", session=session)._sessions.region == "us-east-1", "a session's own Region comes first"
    assert KeyReader("cell", session=session, region="us-east-2")._sessions.region == "us-east-2"


def test_a_session_without_a_region_takes_the_environments(aws: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    session = boto3.Session()
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    with KeyReader("cell", session=session) as reader:
        assert reader.get("acme").reveal() == key_text("acme")


def test_a_missing_region_names_both_variables(aws: StandIn) -> None:
    with pytest.raises(ConfigurationError, match=r"AWS_REGION or AWS_DEFAULT_REGION") as caught:
        KeyReader("cell")
    assert isinstance(caught.value, ValueError), "as all that the arguments may be refused for"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [("AWS_PROFILE", "nope", "nope.*AWS_PROFILE"), ("AWS_CONFIG_FILE", __file__, "parse config file")],
)
def test_a_profile_that_can_not_be_read_is_the_readers_own_error(
    aws: StandIn, monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=says):
        KeyReader("cell", region="eu-central-1")


PEM = "SSL_CERT_FILE"


@pytest.mark.parametrize("read", ["threads", "asyncio"])
@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("ALL_PROXY", "socks5://user:hidden@127.0.0.1:9", r"httpx2\[socks\].*ALL_PROXY"),
        ("https_proxy", "socks5://127.0.0.1:9", r"httpx2\[socks\].*HTTPS_PROXY"),
        ("ALL_PROXY", "nonsense://user:hidden@127.0.0.1:9", "nonsense.*ALL_PROXY"),
        ("HTTPS_PROXY", "http://[::1", "HTTPS_PROXY"),
        (PEM, "/nope.pem", "No such file.*SSL_CERT_FILE=/nope.pem"),
        (PEM, __file__, "SSL_CERT_FILE=.*test_settings"),
    ],
)
def test_a_proxy_and_certificates_that_do_not_work_are_named(
    reader: KeyReader, monkeypatch: pytest.MonkeyPatch, read: str, name: str, value: str, says: str
) -> None:
    for other in ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_DIR"):
        monkeypatch.delenv(other, raising=False)
        monkeypatch.delenv(other.lower(), raising=False)
    reader.get("acme")
    monkeypatch.setenv(name, value)

    def make() -> object:
        return reader.openai_client("acme") if read == "threads" else asyncio.run(reader.async_openai_client("acme"))

    with pytest.raises(ConfigurationError, match=says) as caught:
        make()
    assert "hidden" not in str(caught.value), "a proxy's password is not repeated"
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"AWS_ENDPOINT_URL": "nonsense"}, "Invalid endpoint: nonsense.*Region, proxy and certificates"),
        ({"HTTP_PROXY": "socks5://127.0.0.1:9"}, "boto3 cannot use a SOCKS proxy"),
        ({"AWS_WEB_IDENTITY_TOKEN_FILE": "/nope", "AWS_ROLE_ARN": RIGHT}, "No such file.*/nope"),
        ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://elsewhere.example/"}, "Unsupported host"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_boto3_can_not_use_is_the_readers_own_error(
    reader: KeyReader, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], says: str
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    if "HTTP_PROXY" not in environment and "AWS_ENDPOINT_URL" not in environment:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with KeyReader("cell", region="eu-central-1") as other, pytest.raises(UnavailableError, match=says) as caught:
        other.get("acme")
    assert caught.value.tenant == "acme"
    with pytest.raises(UnavailableError):
        asyncio.run(other.aget("acme"))


def test_an_answer_that_can_not_be_read_is_not_repeated(
    reader: KeyReader, aws: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """botocore's error for it holds the whole answer, and AssumeRole's answer holds credentials."""
    monkeypatch.setattr("tests.reader.stand_in._xml", lambda answer, status: "<Credentials>hidden")
    with pytest.raises(UnavailableError, match="its answer cannot be read") as caught:
        reader.get("acme")
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("named", [None, 7, "", "nonsense", ["arn"], RIGHT.encode()])
def test_a_role_function_that_returns_no_role_is_one_clear_error(
    make_reader: MakeReader, aws: StandIn, clock: Clock, named: Any
) -> None:
    roles = iter([named, RIGHT])
    reader = make_reader(role_arn=lambda tenant: next(roles))
    with pytest.raises(KeyReaderError, match=r"role_arn function returned .* for tenant 'acme'.*must return arn:aws"):
        reader.get("acme")
    assert not aws.calls
    clock.advance(2)
    assert asyncio.run(reader.aget("acme")).reveal() == key_text("acme")
    assert aws.calls[ASSUME] == 1


def test_a_role_function_that_names_no_role_any_more_ends_the_cached_key(make_reader: MakeReader, clock: Clock) -> None:
    """It may mean that the tenant is not to be read, and no outage."""
    roles = iter([RIGHT])
    reader = make_reader(role_arn=lambda tenant: next(roles, None))
    reader.get("acme")
    clock.advance(400)
    with pytest.raises(KeyReaderError, match="returned None"):
        reader.get("acme")


def test_a_role_function_that_raises_is_an_outage_of_the_applications_own(
    make_reader: MakeReader, aws: StandIn, clock: Clock
) -> None:
    known = {"acme": RIGHT}
    reader = make_reader(role_arn=lambda tenant: known[tenant])
    key = reader.get("acme")
    with pytest.raises(UnavailableError, match=r"role_arn function raised KeyError for tenant 'globex'"):
        reader.get("globex")
    known.clear()
    clock.advance(400)
    assert reader.get("acme") is key
    assert aws.calls[GET] == 1


@pytest.mark.parametrize("role", [7, b"arn", ""])
def test_a_role_that_is_no_text_is_refused_at_once(make_reader: MakeReader, role: Any) -> None:
    with pytest.raises(ValueError, match="is not the ARN of an IAM role"):
        make_reader(role_arn=role)


def test_a_certificates_file_that_aws_needs_and_is_not_there(
    aws: StandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "nope.pem"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url.replace("http:", "https:"))
    with KeyReader("cell", region="eu-central-1") as reader, pytest.raises(UnavailableError, match="No such file"):
        reader.get("acme")
