"""The exchange itself: what is sent, and what each answer becomes, also those that OpenAI should never give."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from myflux_keys import AccessDeniedError, ConfigurationError, KeyReaderError, UnavailableError
from myflux_keys.identity import TenantIdentity, exchange_url
from myflux_keys.identity_errors import Asking
from myflux_keys.payload import SecretText
from myflux_keys.token_exchange import Granted, TokenExchange
from tests.keyless.exchange_server import ExchangeServer, answer, granted

SUBJECT = ".".join(("eyJhbGciOiJFUzM4NCJ9", "eyJzdWIiOiJyb2xlIn0", "c2lnbmF0dXJl"))
ASKING = Asking("local", "acme", "arn:aws:iam::111122223333:role/myflux-local-runtime")


@pytest.fixture
def exchange(monkeypatch: pytest.MonkeyPatch) -> Iterator[TokenExchange]:
    for name in ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    made = TokenExchange()
    yield made
    made.close()


def outcome(exchange: TokenExchange, base_url: str) -> Granted | KeyReaderError:
    identity = TenantIdentity("acme", "local", "idp_1", "sa_1", "proj_1", "org-1", base_url, ("gpt-5",))
    return exchange(identity, SecretText(SUBJECT), ASKING)


def test_it_sends_what_openais_own_client_sends(exchange: TokenExchange) -> None:
    with ExchangeServer(granted("token", 900)) as server:
        found = outcome(exchange, server.base_url)
    assert isinstance(found, Granted)
    assert (found.access_token.reveal(), found.seconds) == ("token", 900)
    path, headers, body = server.requests[0]
    assert path == "/oauth/token"
    assert "authorization" not in headers
    assert headers["content-type"] == "application/json"
    assert json.loads(body) == {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": SUBJECT,
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "identity_provider_id": "idp_1",
        "service_account_id": "sa_1",
    }


@pytest.mark.parametrize("host", ["api.openai.com", "eu.api.openai.com"])
def test_openai_has_one_address_for_all_its_regions(host: str) -> None:
    assert exchange_url(f"https://{host}/v1") == "https://auth.openai.com/oauth/token"


@pytest.mark.parametrize(
    ("said", "becomes", "code"),
    [
        (
            answer(400, {"error": "invalid_grant", "error_description": "none"}),
            AccessDeniedError,
            "invalid_grant",
        ),
        (answer(403, {"error": "invalid_grant"}), AccessDeniedError, "invalid_grant"),
        (answer(401, {"error": "invalid_subject_token"}), UnavailableError, "invalid_subject_token"),
        (answer(400, {"error": "invalid_request"}), KeyReaderError, "invalid_request"),
        (answer(429, {"error": "slow_down"}), UnavailableError, "slow_down"),
        (answer(503, b"<html>"), UnavailableError, ""),
        (answer(500, {"error": {"message": "an object"}}), UnavailableError, ""),
        (answer(403, b"<html>a proxy's own page</html>"), UnavailableError, ""),
        (answer(404, {"error": {"message": "not here"}}), UnavailableError, ""),
        (answer(200, b"not JSON"), UnavailableError, "BadAnswer"),
        (answer(200, b"[" * 100_000), UnavailableError, "BadAnswer"),
        (answer(200, {"expires_in": 900}), UnavailableError, "BadAnswer"),
        (answer(200, {"access_token": "", "expires_in": 900}), UnavailableError, "BadAnswer"),
        *((granted(token=bad), UnavailableError, "BadAnswer") for bad in ("to\r\nken", "tok\u00e9n", "two words")),
        (
            answer(200, b'{"access_token": "' + b"t" * 2_000_000 + b'", "expires_in": 900}'),
            UnavailableError,
            "BadAnswer",
        ),
        *((granted(seconds=bad), UnavailableError, "BadAnswer") for bad in (None, "900", True, 0, -1)),
        (answer(200, b'{"access_token": "token", "expires_in": Infinity}'), UnavailableError, "BadAnswer"),
        (answer(200, b'{"access_token": "token", "expires_in": NaN}'), UnavailableError, "BadAnswer"),
    ],
    ids=lambda value: str(value)[:80],
)
def test_each_answer_has_its_error(
    exchange: TokenExchange, said: Any, becomes: type[KeyReaderError], code: str
) -> None:
    """Only OAuth's own words refuse; whatever else came keeps the last token until its end."""
    with ExchangeServer(said) as server:
        error = outcome(exchange, server.base_url)
    assert isinstance(error, KeyReaderError)
    assert (type(error), error.code, error.tenant) == (becomes, code, "acme")
    assert error.way_out
    assert "acme" in str(error)


def test_an_answer_that_never_ends_is_none(exchange: TokenExchange, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of its parts may come in time."""
    monkeypatch.setattr("myflux_keys.token_exchange.LONGEST_SECONDS", 0.0)
    with ExchangeServer(granted()) as server:
        error = outcome(exchange, server.base_url)
    assert isinstance(error, UnavailableError)
    assert "takes too long" in str(error)
    assert len(server.requests) == 1, "asking again would take as long"


def test_a_redirect_is_not_followed(exchange: TokenExchange) -> None:
    """The token is for OpenAI alone."""
    with (
        ExchangeServer(granted()) as elsewhere,
        ExchangeServer(answer(307, {}, Location=f"{elsewhere.root}/oauth/token")) as server,
    ):
        assert isinstance(outcome(exchange, server.base_url), UnavailableError)
    assert elsewhere.requests == []


def test_one_tenants_cookie_is_not_sent_for_the_next(exchange: TokenExchange) -> None:
    status, _, content = granted()
    with ExchangeServer((status, {"Set-Cookie": "of=acme; Path=/"}, content)) as server:
        outcome(exchange, server.base_url)
        outcome(exchange, server.base_url)
    assert ["cookie" in headers for _, headers, _ in server.requests] == [False, False]


def test_a_kept_connection_that_was_closed_is_replaced_within_the_exchange(exchange: TokenExchange) -> None:
    with ExchangeServer(granted(), None, granted()) as server:
        outcome(exchange, server.base_url)
        assert isinstance(outcome(exchange, server.base_url), Granted)
        assert len(server.requests) == 3


def test_nobody_there_is_told_with_the_address(exchange: TokenExchange) -> None:
    error = outcome(exchange, "http://127.0.0.1:9/v1")
    assert type(error) is UnavailableError
    assert error.code == "ConnectError"
    assert "http://127.0.0.1:9/oauth/token" in str(error)


@pytest.mark.parametrize("status", [400, 401, 500])
def test_a_token_that_the_answer_repeats_is_not_told(exchange: TokenExchange, status: int) -> None:
    said = {"error": f"bad {SUBJECT}", "error_description": f"we do not take {SUBJECT}, nor {SUBJECT.split('.')[1]}"}
    with ExchangeServer(answer(status, said)) as server:
        error = outcome(exchange, server.base_url)
    for part in SUBJECT.split(".")[:2]:
        assert part not in repr(error) + str(error)
    assert "we do not take" in str(error)


def test_certificates_that_cannot_be_used_are_this_processs_own_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "no.pem").write_text("no certificate", encoding="ascii")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "no.pem"))
    with pytest.raises(ConfigurationError, match="no HTTP client for OpenAI"):
        TokenExchange()
