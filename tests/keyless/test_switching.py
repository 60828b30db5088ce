"""A tenant switches from a key to a token and back while its clients are in use: no call fails, and what is in between
two states is served too."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

import openai
import pytest

from myflux_keys import AccessDeniedError, FederatedTenantError, Key, KeyReader, NotReadyError
from myflux_keys.access_token import Token
from tests.keyless.deployed import MODEL, Deployed, Tenant

THREADS, TASKS = 4, 4


def to_federated(tenant: Tenant) -> None:
    """State 2 of the tenant's file: the rule, the identity, then the secret is denied. The key lives."""
    tenant.make_rule()
    tenant.put_identity()
    tenant.open_secret(enabled=False)


def without_key(tenant: Tenant) -> None:
    """State 3, once nobody calls with the key."""
    tenant.end_keys()
    tenant.delete_secret()


def to_key(tenant: Tenant) -> None:
    """State 4. The restored secret's live version is the key that was ended, so it stays denied until another is
    minted; then it is opened, then the identity goes. The rule lives."""
    tenant.deployed.secrets.restore_secret(SecretId=tenant.names.secret)
    tenant.mint()
    tenant.open_secret()
    tenant.delete_identity()


class Calls:
    """`failed` are errors of calls; each round of all callers adds to `answered`."""

    def __init__(self) -> None:
        self.failed: list[BaseException] = []
        self.ended = threading.Event()
        self._answered = 0
        self._counted = threading.Condition()

    def count(self, error: BaseException | None = None) -> None:
        with self._counted:
            self._answered += error is None
            if error is not None:
                self.failed.append(error)
            self._counted.notify_all()

    def more(self, number: int = 3 * (THREADS + TASKS)) -> None:
        """Waits for that many further answers, or a failure."""
        with self._counted:
            wanted = self._answered + number
            assert self._counted.wait_for(lambda: self._answered >= wanted or bool(self.failed), 600)
        assert self.failed == []


@contextmanager
def in_use(reader: KeyReader, slug: str) -> Generator[Calls]:
    """One client used by several threads, and one by several asyncio tasks, without a pause and without retries."""
    calls = Calls()

    def ask(client: openai.OpenAI) -> None:
        while not calls.ended.is_set():
            calls.count(_failure(lambda: client.responses.create(model=MODEL, input="hello")))

    async def ask_async(client: openai.AsyncOpenAI) -> None:
        while not calls.ended.is_set():
            try:
                await client.responses.create(model=MODEL, input="hello")
            except Exception as error:  # noqa: BLE001 - the test looks at it
                calls.count(error)
            else:
                calls.count()

    async def tasks() -> None:
        async with await reader.async_openai_client(slug, max_retries=0) as client:
            await asyncio.gather(*(ask_async(client) for _ in range(TASKS)))

    with reader.openai_client(slug, max_retries=0) as client:
        threads = [threading.Thread(target=ask, args=(client,)) for _ in range(THREADS)]
        threads.append(threading.Thread(target=lambda: asyncio.run(tasks())))
        for thread in threads:
            thread.start()
        try:
            calls.more()
            yield calls
        finally:
            calls.ended.set()
            for thread in threads:
                thread.join()
    assert calls.failed == []


def _failure(call: Callable[[], object]) -> BaseException | None:
    try:
        call()
    except Exception as error:  # noqa: BLE001 - the test looks at it
        return error
    return None


def cached(reader: KeyReader, slug: str) -> type[Key | Token]:
    return type(reader._credential(slug))


def until(reader: KeyReader, deployed: Deployed, slug: str, kind: type[Key | Token]) -> None:
    """The reader's time goes on until it has the other kind: as its cache ends, at the latest."""
    for _ in range(40):
        if cached(reader, slug) is kind:
            return
        deployed.clock.advance(30)
    raise AssertionError(f"no {kind.__name__} in 20 minutes")


def test_no_call_fails_in_a_switch_to_federated_and_back(deployed: Deployed) -> None:
    tenant = deployed.keyed()
    reader = deployed.reader()
    with in_use(reader, tenant.slug) as calls:
        to_federated(tenant)
        calls.more()
        until(reader, deployed, tenant.slug, Token)
        calls.more()
        without_key(tenant)
        calls.more()
        assert deployed.cell.openai.live_keys(tenant.project_id) == []
        to_key(tenant)
        calls.more()
        until(reader, deployed, tenant.slug, Key)
        calls.more()
        deployed.clock.advance(900)
        tenant.delete_rule()
        calls.more()
    assert reader.get(tenant.slug).key_id in tenant.key_ids


def test_each_state_serves_a_process_that_starts_in_it(deployed: Deployed) -> None:
    tenant = deployed.keyed()

    def answers() -> type[Key | Token]:
        reader = deployed.reader()
        with reader.openai_client(tenant.slug, max_retries=0) as client:
            client.responses.create(model=MODEL, input="hello")
        return cached(reader, tenant.slug)

    assert answers() is Key
    to_federated(tenant)
    assert answers() is Token
    without_key(tenant)
    assert answers() is Token, "the secret is scheduled for deletion"
    deployed.secrets.restore_secret(SecretId=tenant.names.secret)
    tenant.mint()
    assert answers() is Token, "the secret is back, and still denied"
    tenant.open_secret()
    assert answers() is Key, "the identity is still there"
    tenant.delete_identity()
    assert answers() is Key


def test_a_dead_key_is_replaced_by_a_token_on_its_401(deployed: Deployed) -> None:
    """A reader that was frozen during the whole switch."""
    tenant, reader = deployed.keyed(), deployed.reader()
    with reader.openai_client(tenant.slug, max_retries=0) as client:
        client.responses.create(model=MODEL, input="hello")
        to_federated(tenant)
        without_key(tenant)
        deployed.clock.advance(5)
        assert "again" in client.responses.create(model=MODEL, input="again").output_text
    with pytest.raises(FederatedTenantError):
        reader.get(tenant.slug)


def test_a_key_that_still_lives_is_used_while_its_tenants_rule_does_not_work(
    deployed: Deployed, caplog: pytest.LogCaptureFixture
) -> None:
    """The switch denies the secret before it proves the rule by a call: if the proof fails, nobody else does."""
    tenant, reader = deployed.keyed(), deployed.reader()
    key = reader.get(tenant.slug)
    tenant.put_identity()
    tenant.open_secret(enabled=False)
    deployed.clock.advance(340)
    assert reader.get(tenant.slug) is key
    assert "using the last good key" in caplog.text
    assert "no federation rule" in caplog.text
    with pytest.raises(AccessDeniedError, match="no federation rule"):
        deployed.reader().get(tenant.slug)
    tenant.make_rule()
    deployed.clock.advance(20)
    until(reader, deployed, tenant.slug, Token)


def test_a_token_is_used_to_its_end_while_the_secret_waits_for_its_first_key(deployed: Deployed) -> None:
    tenant, reader = deployed.federated(), deployed.reader()
    token = reader._credential(tenant.slug)
    tenant.make_secret()
    tenant.open_secret()
    tenant.delete_identity()
    deployed.clock.advance(340)
    assert reader._credential(tenant.slug) is token
    tenant.mint()
    deployed.clock.advance(20)
    until(reader, deployed, tenant.slug, Key)
    empty = deployed.tenant()
    empty.make_secret()
    empty.open_secret()
    with pytest.raises(NotReadyError):
        deployed.reader().get(empty.slug)
