"""The reader on federated tenants: what it asks, for whom, how often, and what it says where there is no token."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest

from myflux_keys import (
    AccessDeniedError,
    FederatedTenantError,
    KeyReader,
    KeyReaderError,
    PayloadError,
    SecretNotFoundError,
    UnavailableError,
)
from myflux_keys.access_token import Token
from myflux_keys.identity import TOKEN_SECONDS
from tests.keyless.deployed import CELL, MODEL, Deployed

EXCHANGE = "/oauth/token"
ASKED = ["GetCallerIdentity", "AssumeRole", "GetSecretValue", "GetObject", "GetWebIdentityToken"]


def say(client: openai.OpenAI, text: str = "hello") -> str:
    return client.responses.create(model=MODEL, input=text).output_text


def token(reader: KeyReader, slug: str, **asked: Any) -> Token:
    found = reader._credential(slug, **asked)
    assert isinstance(found, Token)
    return found


def refusal(reader: KeyReader, slug: str) -> KeyReaderError:
    with pytest.raises(KeyReaderError) as caught:
        reader._credential(slug)
    return caught.value


def test_a_tenant_without_a_secret_is_answered_with_one_session_and_one_exchange(deployed: Deployed) -> None:
    tenant, reader = deployed.federated(), deployed.reader()
    with reader.openai_client(tenant.slug) as client:
        assert "hello" in say(client)
        assert "again" in say(client, "again")
    assert deployed.calls == ASKED
    assert deployed.world.exchanges() == 1
    assert deployed.cell.openai.live_keys(tenant.project_id) == []


def test_the_async_client_too(deployed: Deployed) -> None:
    tenant, reader = deployed.federated(), deployed.reader()

    async def ask() -> str:
        async with await reader.async_openai_client(tenant.slug) as client:
            return (await client.responses.create(model=MODEL, input="hello")).output_text

    assert "hello" in asyncio.run(ask())


def test_a_call_carries_no_organization_and_no_project_as_openais_own_client_would_send_it(
    deployed: Deployed,
) -> None:
    """A token implies them. A client made while the tenant had a key sends them no longer, either."""
    tenant, reader = deployed.federated(), deployed.reader()
    seen: list[Any] = []
    with (
        openai.DefaultHttpxClient(event_hooks={"request": [lambda request: seen.append(request.headers)]}) as network,
        reader.openai_client(tenant.slug, http_client=network) as client,
        deployed.world.client("acme") as official,
    ):
        say(client)
        own = official.copy(http_client=network)
        deployed.world.in_the_cell(own)
        say(own)
    ours, theirs = ({name.lower() for name in headers} for headers in seen)
    assert not {name for name in ours ^ theirs if name.startswith("openai-")}
    assert (client.organization, client.project) == ("org-local", tenant.project_id), "for whoever asks the client"


def test_its_models_are_told_as_those_of_a_tenant_with_a_key(deployed: Deployed) -> None:
    """A caller names a model in each call, and must not need a key for that."""
    tenant, reader = deployed.federated(), deployed.reader()
    assert reader.models(tenant.slug) == (MODEL,)
    assert asyncio.run(deployed.reader().amodels(tenant.slug)) == (MODEL,)


def test_get_says_in_one_sentence_that_there_is_no_key_and_what_to_call(deployed: Deployed) -> None:
    tenant, reader = deployed.federated(), deployed.reader()
    for read in (lambda: reader.get(tenant.slug), lambda: asyncio.run(reader.aget(tenant.slug))):
        with pytest.raises(FederatedTenantError) as caught:
            read()
        assert str(caught.value) == (
            f"tenant {tenant.slug!r} is federated and has no key: call OpenAI by the reader's"
            f" openai_client({tenant.slug!r}) or async_openai_client({tenant.slug!r})."
        )
    with reader.openai_client(tenant.slug) as client:
        assert "hello" in say(client), "a refused get stops no client"
    assert deployed.world.exchanges() == 1


def test_a_session_of_one_tenant_gets_neither_the_others_identity_nor_its_token(deployed: Deployed) -> None:
    """Whatever the reader is asked for: the session's tag decides. Here a session of `one` reads as `other`."""
    one, other = deployed.federated(), deployed.federated()
    reader = deployed.reader(session=deployed.world.session(one.slug, deployed.names.runtime_role_arn), assume=False)
    assert token(reader, one.slug).service_account_id == one.service_account_id
    with pytest.raises(KeyReaderError):
        reader.openai_client(other.slug)
    one.put_identity(one.identity(service_account_id=other.service_account_id))
    deployed.clock.advance(5)
    with pytest.raises(AccessDeniedError, match="no federation rule") as caught:
        reader._credential(one.slug, fresh=True)
    assert caught.value.code == "invalid_grant"


def test_an_identity_of_another_tenant_or_cell_or_address_is_refused(deployed: Deployed) -> None:
    """Whoever deploys writes identities, and may not choose who gets AWS's token."""
    one, other = deployed.federated(), deployed.federated()
    for text, named in (
        (other.identity(), "of tenant"),
        (one.identity(cell="elsewhere"), "in cell 'elsewhere'"),
        (one.identity(base_url="http://api.openai.com/v1"), "https and OpenAI's, except on loopback"),
        (one.identity(base_url="https://api.openai.com.example/v1"), "https and OpenAI's"),
        (one.identity(base_url="https://notopenai.com/v1"), "https and OpenAI's"),
        (one.identity(base_url="https://user@api.openai.com/v1"), "https and OpenAI's"),
        ("{}", "schema 1"),
        ("[" * 100_000, "not JSON"),
    ):
        one.put_identity(text)
        with pytest.raises(PayloadError, match=named) as caught:
            deployed.reader().openai_client(one.slug)
        assert f"myflux-keys up {one.slug}" in caught.value.way_out
    assert deployed.world.exchanges() == 0


def test_each_request_for_an_identity_says_whose_bucket_it_must_be(deployed: Deployed) -> None:
    """All accounts share the names of buckets: S3 refuses where somebody else has made one of this name."""
    tenant, reader, asked = deployed.federated(), deployed.reader(), list[Any]()
    session = reader._sessions._given_session
    assert session is not None
    session.events.register("before-parameter-build.s3.GetObject", lambda params, **_: asked.append(params))
    token(reader, tenant.slug)
    assert [params["ExpectedBucketOwner"] for params in asked] == [deployed.cell.account_id]


def test_a_token_is_refreshed_ahead_and_never_used_beyond_its_end(deployed: Deployed) -> None:
    tenant, reader = deployed.federated(), deployed.reader(ttl=1636)
    first = token(reader, tenant.slug)
    left = first.expires_at.timestamp() - deployed.clock()
    assert 800 < left <= 900, "AWS's token has 900 s, and OpenAI's no more"
    deployed.clock.advance(900 * 0.8 + 1)
    assert token(reader, tenant.slug) is first, "the first read after 80 % starts a fetch and does not wait for it"
    flight = reader._entries[tenant.slug]._flight
    if flight is not None:
        flight.answer.result(600)
    second = token(reader, tenant.slug)
    assert second.version_id != first.version_id
    assert deployed.world.exchanges() == 2
    deployed.cell.openai.fault("500", path=EXCHANGE, count=None)
    deployed.clock.advance(901)
    assert refusal(reader, tenant.slug).code == "", "no OAuth code, and no token of before"


def test_while_the_exchange_is_away_the_last_token_serves_until_its_end_and_no_longer(deployed: Deployed) -> None:
    tenant, reader = deployed.federated(), deployed.reader(stale_for=86_400)
    first = token(reader, tenant.slug)
    for fault in ("500", "429", "dropped", "truncated"):
        deployed.cell.openai.clear_faults()
        deployed.cell.openai.fault(fault, path=EXCHANGE, count=None)
        deployed.clock.advance(340 if fault == "500" else 20)
        assert token(reader, tenant.slug) is first, fault
    deployed.clock.advance(900)
    error = refusal(reader, tenant.slug)
    assert type(error) is UnavailableError
    assert "was not exchanged at" in str(error)
    deployed.cell.openai.clear_faults()
    deployed.clock.advance(20)
    assert token(reader, tenant.slug).version_id != first.version_id


@pytest.mark.parametrize("service", ["S3", "STS"])
def test_while_aws_is_away_the_last_token_serves_until_its_end(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    tenant, reader = deployed.federated(), deployed.reader()
    first = token(reader, tenant.slug)
    monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", "http://127.0.0.1:9")
    deployed.clock.advance(340)
    assert token(reader, tenant.slug) is first
    deployed.clock.advance(600)
    assert type(refusal(reader, tenant.slug)) is UnavailableError


@pytest.mark.parametrize(("freezes", "becomes"), [(1, Token), (2, UnavailableError)])
def test_a_process_that_was_frozen_before_the_exchange_asks_aws_once_more(
    deployed: Deployed, freezes: int, becomes: type
) -> None:
    """Lambda stops the threads of a function that has answered, and lets them go on at the next call."""
    tenant, session = deployed.federated(), deployed.cell.session("runtime")
    left = [TOKEN_SECONDS + 60.0] * freezes

    def frozen(**_: Any) -> None:
        if left:
            deployed.clock.advance(left.pop())

    session.events.register("after-call.sts.GetWebIdentityToken", frozen)
    with KeyReader(CELL, session=session, clock=deployed.clock) as reader:
        found = reader._source.read(tenant.slug)
    assert isinstance(found, becomes), found
    assert not left


def test_a_401_is_answered_with_exactly_one_exchange(deployed: Deployed) -> None:
    """OpenAI's clock runs ahead of the reader's, so the reader learns it by the refusal."""
    tenant, reader = deployed.federated(), deployed.reader()
    with reader.openai_client(tenant.slug, max_retries=0) as client:
        say(client)
        deployed.cell.advance(901)
        together = threading.Barrier(8)

        def ask(number: int) -> str:
            together.wait(600)
            return say(client, f"question {number}.")

        deployed.clock.ahead += 5
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(ask, range(8)))
    deployed.clock.ahead += 896
    assert all(f"question {number}." in answer for number, answer in enumerate(answers))
    assert deployed.world.exchanges() == 2


def test_tokens_that_openai_keeps_refusing_are_exchanged_ever_more_rarely(deployed: Deployed) -> None:
    """As keys that do not change are read: many callers' 401s must not become as many exchanges."""
    now = [deployed.clock()]
    tenant, reader = deployed.federated(), deployed.reader(clock=lambda: now[0])
    first = token(reader, tenant.slug)
    now[0] += 1.1
    second = token(reader, tenant.slug, rejected=first)
    assert second is not first
    now[0] += 1.1
    assert token(reader, tenant.slug, rejected=second) is second
    now[0] += 1.0
    assert token(reader, tenant.slug, rejected=second) is not second
    assert deployed.world.exchanges() == 3


def test_a_deleted_rule_is_told_with_the_rule_the_tag_and_the_role(deployed: Deployed) -> None:
    tenant, reader = deployed.federated(), deployed.reader()
    token(reader, tenant.slug)
    tenant.delete_rule()
    assert token(reader, tenant.slug), "a token that is out lives to its end"
    deployed.clock.advance(340)
    error = refusal(reader, tenant.slug)
    assert type(error) is AccessDeniedError
    assert error.code == "invalid_grant"
    said = str(error)
    for named in (deployed.names.runtime_role_arn, f"tenant={tenant.slug}", "openai.tenant", "federation rule"):
        assert named in said
    tenant.make_rule()
    deployed.clock.advance(20)
    assert token(reader, tenant.slug)


def test_a_disabled_tenant_gets_nothing(deployed: Deployed) -> None:
    """Its rule and identity are gone; with a secret or without."""
    tenant, reader = deployed.federated(), deployed.reader()
    token(reader, tenant.slug)
    tenant.delete_rule()
    tenant.delete_identity()
    deployed.clock.advance(340)
    with pytest.raises((AccessDeniedError, SecretNotFoundError)):
        reader._credential(tenant.slug)
    keyed = deployed.keyed()
    reader.get(keyed.slug)
    keyed.open_secret(enabled=False)
    deployed.clock.advance(340)
    with pytest.raises(AccessDeniedError, match="the tenant is disabled"):
        reader.get(keyed.slug)


def test_whether_a_tenant_is_disabled_is_not_left_open_by_an_outage(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The secret refuses and S3 does not answer: the last good key must not be used."""
    tenant, reader = deployed.keyed(), deployed.reader()
    reader.get(tenant.slug)
    tenant.open_secret(enabled=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    deployed.clock.advance(340)
    with pytest.raises(AccessDeniedError, match="whether it has an identity is not known"):
        reader.get(tenant.slug)


def test_a_session_outlives_every_token(deployed: Deployed) -> None:
    """STS refuses a token that outlives its session, so for tokens a session is renewed 900 s earlier than for keys."""
    tenant, reader = deployed.federated(), deployed.reader()
    token(reader, tenant.slug)
    deployed.clock.advance(2300)
    token(reader, tenant.slug)
    assert deployed.calls.count("AssumeRole") == 1
    deployed.clock.advance(340)
    token(reader, tenant.slug)
    assert deployed.calls.count("AssumeRole") > 1, "960 s are left"
    assert deployed.calls.count("GetWebIdentityToken") == 3


def test_many_threads_at_the_end_of_a_token_make_one_exchange(deployed: Deployed) -> None:
    tenant, reader = deployed.federated(), deployed.reader()
    token(reader, tenant.slug)
    deployed.clock.advance(901)
    together = threading.Barrier(40)

    def ask(_: int) -> str:
        together.wait(600)
        return token(reader, tenant.slug).version_id

    with ThreadPoolExecutor(40) as threads:
        assert len(set(threads.map(ask, range(40)))) == 1
    assert deployed.world.exchanges() == 2


def test_many_tasks_at_the_end_of_a_token_make_one_exchange(deployed: Deployed) -> None:
    tenant, reader = deployed.federated(), deployed.reader()
    token(reader, tenant.slug)
    deployed.clock.advance(901)

    async def ask() -> int:
        found = await asyncio.gather(*(reader._acredential(tenant.slug) for _ in range(40)))
        return len({one.version_id for one in found})

    assert asyncio.run(ask()) == 1
    assert deployed.world.exchanges() == 2


def test_an_account_without_federation_says_how_to_enable_it(deployed: Deployed) -> None:
    tenant, iam = deployed.federated(), deployed.cell.client("administrator", "iam")
    iam.disable_outbound_web_identity_federation()
    try:
        error = refusal(deployed.reader(), tenant.slug)
    finally:
        iam.enable_outbound_web_identity_federation()
    assert error.code == "OutboundWebIdentityFederationDisabledException"
    assert "aws iam enable-outbound-web-identity-federation" in error.way_out


def test_the_regional_endpoint_signs_whatever_the_environment_says(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant, reader = deployed.federated(), deployed.reader()
    token(reader, tenant.slug)
    held = reader._sessions._sessions[tenant.slug]
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")
    client = reader._sessions._make("sts", held)
    client.close()
    assert client.meta.endpoint_url == f"https://sts.{deployed.cell.region}.amazonaws.com"


def test_a_reader_with_a_given_client_reads_keys_alone(deployed: Deployed) -> None:
    """What that client's credentials are is not known, so nothing else is asked with others."""
    tenant = deployed.federated()
    session = deployed.world.session(tenant.slug, deployed.names.runtime_role_arn)
    client = session.client("secretsmanager")
    try:
        reader = deployed.reader(session=None, region=deployed.cell.region, assume=False, secretsmanager=client)
        with pytest.raises((AccessDeniedError, SecretNotFoundError)):
            reader.get(tenant.slug)
    finally:
        client.close()
    assert deployed.world.exchanges() == 0
