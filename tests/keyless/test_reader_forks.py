"""A process that forks has its own exchanges, connections and tokens, also while one of its threads asks for one."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from myflux_keys.access_token import Token
from tests.keyless.deployed import MODEL, Deployed
from tests.keyless.exchange_server import ExchangeServer, granted


def in_a_child(work: Callable[[], Any]) -> Any:
    """What `work` returns in a forked process; its error as text."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            said = work()
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            said = f"{type(error).__name__}: {error}"
        os.write(writing, json.dumps(said).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        text = told.read()
    os.waitpid(child, 0)
    return json.loads(text)


def test_a_client_made_before_a_fork_calls_with_a_token_of_each_process(deployed: Deployed) -> None:
    tenant, reader = deployed.federated(), deployed.reader()
    with reader.openai_client(tenant.slug, max_retries=0) as client:

        def call() -> list[str]:
            text = client.responses.create(model=MODEL, input="hello").output_text
            return [text, reader._credential(tenant.slug).version_id]

        before = call()
        other = in_a_child(call)
        after = call()
    assert "hello" in other[0]
    assert before == after, "the parent goes on with its own"
    assert other[1] != before[1]
    assert deployed.world.exchanges() == 2
    assert deployed.calls.count("GetWebIdentityToken") == 1, "the child's is counted in the child"


def test_an_exchange_under_way_in_the_parent_holds_up_no_child(deployed: Deployed) -> None:
    """Its answer is the parent's, on the parent's connection."""
    tenant, reader = deployed.federated(), deployed.reader()
    found: list[str] = []

    def read() -> list[str]:
        token = reader._credential(tenant.slug)
        assert isinstance(token, Token)
        return [token.reveal()]

    with ExchangeServer(granted("for-whoever-came-last"), granted("for-whoever-was-held")) as server:
        tenant.put_identity(tenant.identity(base_url=server.base_url))
        server.held = held = threading.Event()
        thread = threading.Thread(target=lambda: found.extend(read()))
        thread.start()
        assert server.came.wait(600)
        try:
            assert in_a_child(read) == ["for-whoever-came-last"]
            assert found == []
        finally:
            held.set()
            thread.join()
    assert found == ["for-whoever-was-held"]
    assert len(server.requests) == 2


def test_a_given_aws_client_that_cannot_be_renewed_is_refused_for_tokens_too(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader knows already that the tenant is federated, and asks for no secret first."""
    tenant = deployed.federated()
    with closing(deployed.cell.client("runtime", "sts")) as given:
        reader = deployed.reader(sts=given)
        first = reader._credential(tenant.slug)
        monkeypatch.setattr("myflux_keys.tenant_sessions.renew_client", lambda _: False)
        said = in_a_child(lambda: reader._credential(tenant.slug).tenant)
        assert said.startswith("KeyReaderError: the AWS client was given before this process was forked")
        assert reader._credential(tenant.slug) is first
