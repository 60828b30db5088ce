"""No token where it does not belong: AWS's, OpenAI's, or the session's that asked for them."""

from __future__ import annotations

import asyncio
import copy
import logging
import pickle
import traceback
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from myflux_keys import KeyReader, KeyReaderError
from myflux_keys.access_token import Token
from tests.keyless.deployed import MODEL, Deployed
from tests.keyless.exchange_server import ExchangeServer, answer
from tests.reader.test_secrecy import every_text


class Secrets:
    """Every secret that a reader of this test has handled."""

    def __init__(self, deployed: Deployed, reader: KeyReader) -> None:
        self._deployed = deployed
        self._of_aws: list[str] = []
        session = reader._sessions._given_session
        assert session is not None
        session.events.register("after-call.sts.*", self._note)

    def _note(self, parsed: dict[str, Any], **_: Any) -> None:
        credentials = parsed.get("Credentials", {})
        found = (credentials.get("SecretAccessKey"), credentials.get("SessionToken"), parsed.get("WebIdentityToken"))
        self._of_aws += [text for text in found if text]

    def all(self) -> list[str]:
        """Whole, and the signatures of those that have one."""
        assert len(self._of_aws) >= 3, "of a session two, and AWS's token"
        minted = [one.value for one in self._deployed.cell.openai.minted() if one.kind == "access_token"]
        whole = [*self._of_aws, *minted]
        return [*whole, *(text.rpartition(".")[2] for text in whole)]

    def within(self, text: str) -> list[str]:
        return [secret for secret in self.all() if secret in text]


def shown_with_locals(error: BaseException) -> str:
    shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "test_reader_secrecy" in shown, "the frames were really shown"
    return shown


def failure(call: Any) -> Exception:
    try:
        call()
    except Exception as error:  # noqa: BLE001 - the test looks at it
        return error
    raise AssertionError("the call was meant to fail")


def test_a_token_is_shown_only_when_asked_for_by_name(deployed: Deployed) -> None:
    tenant, reader = deployed.federated(), deployed.reader()
    secrets = Secrets(deployed, reader)
    token = reader._credential(tenant.slug)
    assert isinstance(token, Token)
    assert token.reveal() in secrets.all()
    for value in (token, token.access_token, [token], {"token": token}, reader, vars(reader), vars(reader._sessions)):
        assert secrets.within(every_text(value)) == []
    for value in (token, token.access_token, {"a": [token]}):
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with pytest.raises(TypeError, match="cannot be pickled"):
                pickle.dumps(value, protocol)
    assert copy.copy(token).reveal() == token.reveal(), "a copy within the process is the same token"


def test_neither_client_nor_request_nor_error_holds_the_token(deployed: Deployed) -> None:
    """The reader's time stands still: a token that is refused in its first second is not exchanged for another."""
    now = deployed.clock()
    tenant, reader = deployed.federated(), deployed.reader(clock=lambda: now)
    secrets = Secrets(deployed, reader)
    with reader.openai_client(tenant.slug, max_retries=0) as client:
        raw = client.responses.with_raw_response.create(model=MODEL, input="hello")
        headers = [dict(raw.http_response.request.headers), dict(client.default_headers), client.auth_headers]
        assert secrets.within(repr([vars(client), vars(client._client), client.api_key, headers])) == []
        deployed.world.admin.admin.organization.projects.service_accounts.delete(
            tenant.service_account_id, project_id=tenant.project_id
        )
        error = failure(lambda: client.responses.create(model=MODEL, input="hello"))
    assert isinstance(error, openai.AuthenticationError)
    assert secrets.within(repr([dict(error.request.headers), dict(error.response.request.headers)])) == []
    assert secrets.within(shown_with_locals(error)) == []


def failing_exchanges(deployed: Deployed, tenant: Any) -> Iterator[str]:
    """One state after another in which the exchange fails, each with the tokens within reach."""
    for fault in ("500", "429", "dropped", "truncated", "dropped_after_apply"):
        deployed.cell.openai.clear_faults()
        deployed.cell.openai.fault(fault, path="/oauth/token", count=None)
        yield fault
    deployed.cell.openai.clear_faults()
    with ExchangeServer(answer(400, {"error": "invalid_request"})) as server:
        tenant.put_identity(tenant.identity(base_url=server.base_url))
        yield "an answer of its own"
    tenant.put_identity(tenant.identity(service_account_id="sa_nobody"))
    yield "invalid_grant"


def test_no_traceback_shows_a_token_or_a_session_even_with_local_variables(deployed: Deployed) -> None:
    tenant, seen = deployed.federated(), list[str]()
    for state in failing_exchanges(deployed, tenant):
        reader = deployed.reader()
        secrets = Secrets(deployed, reader)
        for read in (
            lambda r=reader: r.openai_client(tenant.slug),
            lambda r=reader: r.get(tenant.slug),
            lambda r=reader: asyncio.run(r.aget(tenant.slug)),
        ):
            error = failure(read)
            assert isinstance(error, KeyReaderError), state
            assert error.__context__ is None, "whoever follows the chain finds no frame that held a token"
            assert secrets.within(shown_with_locals(error) + every_text(error)) == [], state
        seen.append(state)
    assert len(seen) == 7


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """The root logger at DEBUG, and those of the libraries that carry tokens."""
    with caplog.at_level(logging.DEBUG):
        for name in ("botocore", "botocore.parsers", "httpcore2", "httpx2", "urllib3"):
            caplog.set_level(logging.DEBUG, name)
        yield caplog


def test_nothing_on_the_way_to_a_token_logs_one_whatever_the_levels_are(
    deployed: Deployed, everything_logged: pytest.LogCaptureFixture
) -> None:
    tenant, reader = deployed.federated(), deployed.reader()
    secrets = Secrets(deployed, reader)
    with reader.openai_client(tenant.slug) as client:
        client.responses.create(model=MODEL, input="hello")
        logging.getLogger("app").debug("the token is %s, %r", *([reader._credential(tenant.slug)] * 2))
        deployed.cell.openai.fault("500", path="/oauth/token", count=None)
        deployed.clock.advance(340)
        client.responses.create(model=MODEL, input="hello")
    text = everything_logged.text
    assert "the token is Token(" in text, "logging was on"
    assert "the last good token" in text, "the log says that a token is stale"
    assert secrets.within(text) == []
    assert "WebIdentityToken" not in text.replace("GetWebIdentityToken", "")
